package actor

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
)

// The sample of B022: thirteen services live but for two, then launches and
// kills, with the handles that Skynet gave.
func TestHandlesAreAllottedAsSkynetDoes(t *testing.T) {
	n, _ := newNode(t)
	for want := Handle(1); want <= 0xd; want++ {
		if h := launch(t, n, "boot", code{}); h != want {
			t.Fatalf("handle %s, want %s", h, want)
		}
	}
	end(t, n, 0xb)
	end(t, n, 0xc)
	const sample = "+e +f +10 +1b -e +1c +1e +1f -f +20 -10 +2b -20 -1b -1f +2c -1c +2e -2c +2f +30"
	for i, step := range strings.Fields(sample) {
		want, err := ParseHandle(":" + step[1:])
		if err != nil {
			t.Fatal(err)
		}
		if step[0] == '-' {
			end(t, n, want)
		} else if h := launch(t, n, "sample", code{}); h != want {
			t.Fatalf("step %d: handle %s, want %s", i, h, want)
		}
	}
}

func TestHandlesAreNotReusedAtOnce(t *testing.T) {
	n, _ := newNode(t)
	for want := Handle(1); want < 20; want++ {
		h := launch(t, n, "short", code{})
		if h != want {
			t.Fatalf("handle %s, want %s", h, want)
		}
		end(t, n, h)
	}
}

func TestHandlesGoRoundAndSkipTheLiving(t *testing.T) {
	n, _ := newNode(t)
	first := launch(t, n, "first", code{})
	n.reg.mu.Lock()
	n.reg.next = maxHandle
	n.reg.mu.Unlock()
	if h := launch(t, n, "last", code{}); h != maxHandle {
		t.Errorf("handle %s, want %s", h, maxHandle)
	}
	if h := launch(t, n, "round", code{}); h == first || h != 2 {
		t.Errorf("handle %s after the last one, want %s", h, Handle(2))
	}
}

func TestHandleText(t *testing.T) {
	for h, want := range map[Handle]string{0: ":00000000", 0x4d: ":0000004d", 0xffffff: ":00ffffff", 0xdeadbeef: ":deadbeef"} {
		if got := h.String(); got != want {
			t.Errorf("%d: %q, want %q", uint32(h), got, want)
		}
	}
	for text, want := range map[string]Handle{":4D": 0x4d, ":4d": 0x4d, ":0000004d": 0x4d, ":00000000000000000004d": 0x4d, ":DeadBeef": 0xdeadbeef} {
		if got, err := ParseHandle(text); err != nil || got != want {
			t.Errorf("ParseHandle(%q) = %s, %v, want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"", ":", "4d", ".4d", ":xy", ":4d ", ":-1", ":+1", ":100000000", ":4_d"} {
		if got, err := ParseHandle(text); !errors.Is(err, ErrMisuse) {
			t.Errorf("ParseHandle(%q) = %s, %v, want ErrMisuse", text, got, err)
		}
	}
}

func TestNames(t *testing.T) {
	n, _ := newNode(t)
	a, b := launch(t, n, "a", code{}), launch(t, n, "b", code{})
	long := "." + strings.Repeat("x", 500)
	for _, name := range []string{".a", ".second", ".", long} {
		if err := n.SetName(name, a); err != nil {
			t.Errorf("SetName(%.9q): %v", name, err)
		}
		if h, err := n.Resolve(name); err != nil || h != a {
			t.Errorf("Resolve(%.9q) = %s, %v", name, h, err)
		}
	}
	if err := n.SetName(".a", b); !errors.Is(err, ErrNameTaken) {
		t.Errorf("a taken name: %v", err)
	}
	if h, _ := n.Query(".a"); h != a {
		t.Errorf("a refused SetName moved the name to %s", h)
	}
	if err := n.SetName("nodot", a); !errors.Is(err, ErrMisuse) {
		t.Errorf("a name without dot: %v", err)
	}
	if err := n.SetName(".dead", 0xfff0); !errors.Is(err, ErrNoService) {
		t.Errorf("a name for nobody: %v", err)
	}
	if _, ok := n.Query(".dead"); ok {
		t.Error("a refused name is there")
	}
	if h, err := n.Resolve(":4D"); err != nil || h != 0x4d {
		t.Errorf(":4D = %s, %v", h, err)
	}
	for _, address := range []string{".nosuch", "nosuch", ""} {
		if _, err := n.Resolve(address); !errors.Is(err, ErrNoService) {
			t.Errorf("Resolve(%q): %v", address, err)
		}
	}

	end(t, n, a)
	if _, ok := n.Query(".a"); ok {
		t.Error("the name of a dead service is left")
	}
	if err := n.SetName(".a", b); err != nil {
		t.Errorf("the name of a dead service can not be taken: %v", err)
	}
}

func TestNamesFromManyGoroutines(t *testing.T) {
	n, _ := newNode(t)
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 50 {
				h, err := n.Launch(Spec{Name: "named", Behaviour: code{}})
				if err != nil {
					t.Error(err)
					return
				}
				name := fmt.Sprintf(".n%d.%d", g, i)
				if err := n.SetName(name, h); err != nil {
					t.Error(err)
				}
				s := n.Find(h)
				if got, ok := n.Query(name); !ok || got != h {
					t.Errorf("%s is %s", name, got)
				}
				if err := n.Kill(0, h); err != nil {
					t.Error(err)
				}
				<-s.Done()
				if _, ok := n.Query(name); ok {
					t.Errorf("%s outlives its service", name)
				}
			}
		})
	}
	wg.Wait()
	if left := n.Services(); len(left) != 0 {
		t.Errorf("%d services left", len(left))
	}
}

func TestEnv(t *testing.T) {
	n, _ := newNode(t)
	if _, ok := n.Getenv("k"); ok {
		t.Error("an unset key is set")
	}
	if err := n.Setenv("k", ""); err != nil {
		t.Error(err)
	}
	if err := n.Setenv("k", "v"); !errors.Is(err, ErrEnvExists) {
		t.Errorf("a key set twice: %v", err)
	}
	if v, ok := n.Getenv("k"); v != "" || !ok {
		t.Errorf("k = %q, %v", v, ok)
	}
}

func TestNodesShareNothing(t *testing.T) {
	const nodes = 10
	var wg sync.WaitGroup
	for i := range nodes {
		n, l := newNode(t)
		wg.Go(func() {
			h, err := n.Launch(Spec{Name: "a", Behaviour: echo})
			if err != nil || h != 1 {
				t.Errorf("first handle %s, %v", h, err)
				return
			}
			if err := n.SetName(".same", h); err != nil {
				t.Error(err)
			}
			if err := n.Setenv("same", fmt.Sprint(i)); err != nil {
				t.Error(err)
			}
			if v := n.Attach("same", func() any { return i }); v != i {
				t.Errorf("node %d has what was attached to %v", i, v)
			}
			n.Log(h, fmt.Sprintf("only on %d", i))
			if !l.contains(fmt.Sprintf("[:00000001] only on %d", i)) || len(l.lines) != 2 {
				t.Errorf("the log of node %d: %q", i, l.lines)
			}
		})
	}
	wg.Wait()
}

func TestNodeIdentity(t *testing.T) {
	a, l := newNode(t)
	b, _ := newNode(t)
	if a.ID() == b.ID() {
		t.Error("two nodes have one id")
	}
	a.Log(1, "more")
	if len(l.lines) == 0 || l.lines[0] != "[:00000000] Node "+a.ID().String() {
		t.Errorf("the first line does not name the node: %q", l.lines)
	}
	once := func() any { return new(int) }
	if a.Attach("k", once) != a.Attach("k", once) {
		t.Error("Attach made its value twice")
	}
	a.Abort()
	a.Abort()
	receive(t, a.Aborted())
	select {
	case <-b.Aborted():
		t.Error("Abort ended the other node")
	default:
	}
}

func TestLogGoesToTheLoggerService(t *testing.T) {
	n, l := newNode(t)
	got := make(chan string, 2)
	logger := launch(t, n, "logger", code{receive: func(_ *Coroutine, m Message) {
		got <- fmt.Sprintf("%d %s %v", m.Type, m.Source, m.Data)
	}})
	if err := n.SetName(".logger", logger); err != nil {
		t.Fatal(err)
	}
	n.Log(0xa, "hello")
	if line := receive(t, got); line != "0 :00000000 Node "+n.ID().String() {
		t.Errorf("the service got %q first", line)
	}
	if line := receive(t, got); line != "0 :0000000a hello" {
		t.Errorf("the service got %q", line)
	}
	end(t, n, logger)
	n.Log(0xa, "after")
	if !l.contains("[:0000000a] after") {
		t.Errorf("with no logger service the line is lost: %q", l.lines)
	}
	var b strings.Builder
	WriterLogger(&b).Log(0xa, "text")
	if b.String() != "[:0000000a] text\n" {
		t.Errorf("WriterLogger wrote %q", b.String())
	}
}
