package actor

import (
	"runtime"
	"testing"
)

// TestAtEnd: run after the coroutines, before Done, in order; a panic in one
// keeps nothing from ending.
func TestAtEnd(t *testing.T) {
	for name, ends := range map[string]func(){
		"panic":  func() { panic("at the end") },
		"goexit": runtime.Goexit,
	} {
		t.Run(name, func(t *testing.T) {
			n, l := newNode(t)
			for _, parked := range []bool{false, true} {
				var r trace
				h := inside(t, n, func(co *Coroutine) {
					s := co.Service()
					s.AtEnd(func() { r.add("first") })
					s.AtEnd(ends)
					if parked {
						co.Fork(func(co *Coroutine) {
							defer r.add("defer")
							_ = co.Wait(nil)
						})
						_ = co.Sleep(0, nil)
					}
				})
				end(t, n, h)
				want := "first"
				if parked {
					want = "defer first"
				}
				if r.String() != want {
					t.Errorf("order: %s", &r)
				}
			}
			if name == "panic" && !l.contains("at the end") {
				t.Error("the panic is not in the log")
			}
			if got := launch(t, n, "next", code{}); n.Find(got) == nil {
				t.Error("the registry is broken")
			}
		})
	}
}
