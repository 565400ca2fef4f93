package actor

import (
	"context"
	"runtime/pprof"
	"sync"
)

// Keys of the labels that LabelGoroutines sets.
const (
	LabelService = "service" // Service.Name
	LabelHandle  = "handle"
)

// LabelGoroutines has goroutines carry labels for the profiles of runtime/pprof
// that say whose code they run, until stop. What runs already gets its labels
// when its handler has blocked or some more messages have been handled. Hand-overs
// cost more meanwhile. It may be asked for several times at once.
func (n *Node) LabelGoroutines() (stop func()) {
	n.labelers.Add(1)
	return sync.OnceFunc(func() { n.labelers.Add(-1) })
}

// labels reports whether goroutines are labelled.
func (n *Node) labels() bool { return n.labelers.Load() > 0 }

// relabel is for a goroutine that goes on with the same service.
func (co *Coroutine) relabel() {
	if on := co.svc.node.labels(); on != co.labelled {
		co.label(on)
	}
}

// label gives the running goroutine, which is co's, the labels of its service,
// or with on false none.
func (co *Coroutine) label(on bool) {
	co.labelled = on
	if on {
		co.svc.label()
	} else {
		unlabel()
	}
}

func (s *Service) label() {
	set := pprof.Labels(LabelService, s.name, LabelHandle, s.handle.String())
	pprof.SetGoroutineLabels(pprof.WithLabels(context.Background(), set))
}

func unlabel() { pprof.SetGoroutineLabels(context.Background()) }
