package actor

import (
	"fmt"
	"regexp"
	"runtime/pprof"
	"strings"
	"testing"
)

var labelsLine = regexp.MustCompile(`# labels: (\{.*\})`)

// ownLabels returns the profile labels of the running goroutine.
func ownLabels() string {
	var b strings.Builder
	_ = pprof.Lookup("goroutine").WriteTo(&b, 1)
	for _, g := range strings.Split(b.String(), "\n\n") {
		if strings.Contains(g, "actor.ownLabels") {
			if m := labelsLine.FindStringSubmatch(g); m != nil {
				return m[1]
			}
		}
	}
	return "none"
}

// TestLabels: while it was asked for, whatever runs a service's code says so:
// handlers, coroutines that were parked before, functions of Await. Nobody keeps
// the labels, goroutines that are used again least of all.
func TestLabels(t *testing.T) {
	for name, change := range map[string]func(*Config){"goroutines": func(*Config) {}, "pool": pooled} {
		t.Run(name, func(t *testing.T) {
			n, _ := newNode(t, change)
			got := make(chan string)
			echo := func(name string) Handle {
				return launch(t, n, name, code{receive: func(co *Coroutine, _ Message) {
					got <- ownLabels()
					_ = co.Await(func() { got <- ownLabels() })
					got <- ownLabels()
				}})
			}
			a, b := echo("a"), echo("b")
			expect := func(h Handle, want ...string) {
				t.Helper()
				if err := n.Send(h, request(nil)); err != nil {
					t.Fatal(err)
				}
				for i, w := range want {
					if text := receive(t, got); text != w {
						t.Errorf("%s, step %d: got %s, want %s", h, i, text, w)
					}
				}
			}
			labelled := func(name string, h Handle) string { return fmt.Sprintf(`{"handle":"%s", "service":"%s"}`, h, name) }
			var woken Handle
			parked := make(chan struct{})
			woken = launch(t, n, "woken", code{receive: func(co *Coroutine, m Message) {
				if m.Data != nil {
					co.Wakeup("token")
					return
				}
				close(parked)
				_ = co.Wait("token")
				got <- ownLabels()
			}})
			expect(a, "none", "none", "none")
			expect(woken)
			receive(t, parked)

			eventually(t, n.Idle, "the node is idle")
			first, second := n.LabelGoroutines(), n.LabelGoroutines()
			expect(a, labelled("a", a), labelled("a", a), labelled("a", a))
			expect(b, labelled("b", b), labelled("b", b), labelled("b", b))
			if err := n.Send(woken, request("go")); err != nil {
				t.Fatal(err)
			}
			if text, want := receive(t, got), labelled("woken", woken); text != want {
				t.Errorf("woken: got %s, want %s", text, want)
			}
			first()
			first() // counts once
			expect(a, labelled("a", a), labelled("a", a), labelled("a", a))
			second()
			eventually(t, n.Idle, "the node is idle")
			for range 20 {
				expect(a, "none", "none", "none")
				expect(b, "none", "none", "none")
			}
		})
	}
}

// TestLabelsOfABusyService: a service that never blocks and is never idle is what
// a profile is taken for.
func TestLabelsOfABusyService(t *testing.T) {
	n, _ := newNode(t)
	last, got := turnLimit+1, make(chan string)
	begun, goOn := make(chan struct{}), make(chan struct{})
	h := launch(t, n, "busy", code{receive: func(_ *Coroutine, m Message) {
		switch m.Data {
		case 0:
			close(begun)
			<-goOn
		case last:
			got <- ownLabels()
		}
	}})
	for i := range last + 1 {
		if err := n.Send(h, request(i)); err != nil {
			t.Fatal(err)
		}
	}
	receive(t, begun)
	defer n.LabelGoroutines()()
	close(goOn)
	if text := receive(t, got); text == "none" {
		t.Error("no labels")
	}
}
