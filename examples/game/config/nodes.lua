-- The node table: which address each node has.
center = "127.0.0.1:9100"
room1 = "127.0.0.1:9101"
room2 = "127.0.0.1:9102"
gate = "127.0.0.1:9103"
login1 = "127.0.0.1:9104"
login2 = "127.0.0.1:9105"
__backoff = 0.5 -- a node that is back is found soon
