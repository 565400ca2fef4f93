// Package cluster is how services speak to services on other nodes, over
// Skynet's cluster protocol (lualib/skynet/cluster.lua): the other node may be
// a Go node or a real Skynet node, and neither side can tell.
//
// A node table says which address each node name has. clusterd, one service a
// node, keeps it; Reload changes it while the node runs. To speak to another
// node clusterd starts one clustersender for it; a node that listens (Open)
// starts one clusteragent for each connection it accepts. So at most two TCP
// connections join two nodes: each side's own requests use the one that it
// opened.
//
//	_, err = cluster.Open(c, "db")
//	vals, err := cluster.Call(c, "db", "@sdb", "GET", "a")
package cluster
