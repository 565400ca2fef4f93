package clusteragent_test

import (
	"testing"

	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/cluster"
)

// The handler has returned without an error, and the caller sees no more than
// "call failed": only the log can say why.
func TestAnswerThatCannotBePackedIsLogged(t *testing.T) {
	n, addr := server(t, cluster.Table{}, nodetest.Isolate(false)) // or the handler's service would log it
	p := connect(t, addr)
	p.call(1, "channel")
	p.want(1, "error call failed")
	n.Log.Wait(t, "answer of @sdb: argument 1: chan int cannot be packed")
}
