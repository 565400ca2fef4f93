// Package leak checks that the tests of a package leave no goroutine behind. It
// knows nothing of nodes, so that the packages nodes are made of can use it;
// everyone else has it as nodetest.CheckLeaks.
package leak

import (
	"testing"

	"go.uber.org/goleak"
)

// Check runs the tests of a package, for its TestMain, and exits the process:
// with 1 when a test has failed or a goroutine is left.
func Check(m *testing.M) {
	goleak.VerifyTestMain(m,
		// Importing ants starts its default pool, which nothing here uses.
		goleak.IgnoreAnyFunction("github.com/panjf2000/ants/v2.(*poolCommon).purgeStaleWorkers"),
		goleak.IgnoreAnyFunction("github.com/panjf2000/ants/v2.(*poolCommon).ticktock"),
		// Package os/signal keeps its goroutine from the first Notify on.
		goleak.IgnoreTopFunction("os/signal.signal_recv"),
		goleak.IgnoreTopFunction("os/signal.loop"),
	)
}
