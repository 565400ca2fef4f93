package luaconf

import (
	"context"
	"fmt"
	"time"
)

// What the things a program makes are counted as; measured, then rounded up.
const (
	costSourceByte = 8
	costToken      = 512
	costObject     = 4096 // a table or a function
	costHashEntry  = 512
	costArraySlot  = 64 // the array doubles as it grows
)

// checkEvery is the number of instructions between two looks at the clock.
const checkEvery = 256

// meter counts what an evaluation uses. It is the context of the virtual
// machine, which asks Done before each instruction: so the time limit needs
// neither a timer nor a goroutine.
type meter struct {
	context.Context
	deadline time.Time
	maxTime  time.Duration
	bytes    int64 // left
	maxBytes int64
	steps    int
	err      error
	closed   chan struct{}
}

func newMeter(o Options) *meter {
	m := &meter{
		Context:  context.Background(),
		deadline: time.Now().Add(o.MaxTime),
		maxTime:  o.MaxTime,
		bytes:    o.MaxBytes,
		maxBytes: o.MaxBytes,
		closed:   make(chan struct{}),
	}
	close(m.closed)
	return m
}

// Done gives a closed channel once the time is up. Only the goroutine that
// evaluates calls it.
func (m *meter) Done() <-chan struct{} {
	m.steps++
	if m.steps%checkEvery == 0 && m.err == nil && time.Now().After(m.deadline) {
		m.err = fmt.Errorf("takes longer than %v", m.maxTime)
	}
	if m.err != nil {
		return m.closed
	}
	return nil
}

// Err gives the reason after Done gave a closed channel.
func (m *meter) Err() error { return m.err }

// charge takes n bytes from what is left, or says that they are not there.
func (m *meter) charge(n int64) error {
	if n > m.bytes {
		return fmt.Errorf("needs more than %d bytes of memory", m.maxBytes)
	}
	m.bytes -= n
	return nil
}
