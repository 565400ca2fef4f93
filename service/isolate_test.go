package service_test

import (
	"fmt"
	"testing"

	"github.com/skynetgo/skynet/service"
)

// TestIsolateNamesTheValue once, counted as the caller counts its arguments.
func TestIsolateNamesTheValue(t *testing.T) {
	n := newNode(t, true, service.Def("any", func(*service.Context, ...any) error { return nil }))
	bad := map[string]any{"k": map[string]any{"z": func() {}}}
	do(t, n, func(c *service.Context) {
		_, err := c.Call(c.Self(), "X", bad)
		_, launch := c.NewService("any", 1, bad)
		_, unique := c.UniqueService("any", 1, bad)
		_, out := c.Launch("any", 1, bad)
		const text = "isolate: argument 2: .k.z: func() cannot be packed"
		for _, tt := range []struct {
			err  error
			what string
		}{
			{err, fmt.Sprintf("call %s X: ", c.Self())}, {launch, "newservice any: "}, {unique, "uniqueservice any: "}, {out, "launch any: "},
		} {
			if tt.err == nil || tt.err.Error() != tt.what+text {
				t.Errorf("got  %v\nwant %s", tt.err, tt.what+text)
			}
		}
	})
}
