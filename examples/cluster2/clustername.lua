__nowaiting = true -- without it a call waits until a reload names its node

db = "127.0.0.1:2528"
db2 = "127.0.0.1:2529"
