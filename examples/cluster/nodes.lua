-- The node table: which address each node of the cluster has.
-- All three config files name this one file.
center = "127.0.0.1:10000"
login1 = "127.0.0.1:10011"
login2 = "127.0.0.1:10012"
