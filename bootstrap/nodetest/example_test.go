package nodetest_test

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/service"
)

// The code under test asks a service called "simpledb", which is a probe here.
func ExampleNode_Probe() {
	test := func(t *testing.T) {
		n := nodetest.Start(t)
		db := n.Probe("simpledb")
		db.Return("GET", "world")
		n.Run(func(c *service.Context) error {
			_, err := service.Call[string](c, db.Handle(), "GET", "hello")
			return err
		})
		db.Expect(t, "GET", "hello")
		n.WaitIdle()
		db.ExpectNothing(t)
	}
	_ = test
}

func ExampleRecorder() {
	test := func(t *testing.T) {
		n := nodetest.Start(t)
		var r nodetest.Recorder
		n.Run(func(c *service.Context) error {
			c.Fork(func(*service.Context) { r.Add("fork") })
			r.Add("body")
			return nil
		})
		n.WaitIdle()
		r.Expect(t, "body", "fork")
	}
	_ = test
}

// A call runs into its deadline of ten seconds, and the test takes none.
func ExampleStart_bubble() {
	test := func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			silent := service.Def("silent", func(c *service.Context, _ ...any) error {
				c.Handle("ASK", service.P0(func(c *service.Context) error { return c.Sleep(time.Hour) }))
				return nil
			})
			n := nodetest.Start(t, nodetest.Services(silent))
			n.Run(func(c *service.Context) error {
				h, err := c.NewService("silent")
				if err != nil {
					return err
				}
				if _, err = c.Call(h, "ASK"); !errors.Is(err, service.ErrTimeout) {
					return fmt.Errorf("got %v", err)
				}
				return nil
			})
		})
	}
	_ = test
}
