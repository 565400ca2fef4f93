package gate_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/skynetgo/skynet/lualike"
	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/service/socket"
	"github.com/skynetgo/skynet/services/gate"
)

// However many come at once, as many as maxclient are let in, and again when all
// have left.
func TestMaxClientExact(t *testing.T) {
	for _, most := range []int{1, 4, 1000} {
		w := newWorld(t)
		w.open(gate.OpenConfig{MaxClient: &most})
		for range 2 {
			var in []*client
			for range most + 10 {
				in = append(in, w.connect())
			}
			opened, refused := map[string]bool{}, 0
			for len(opened)+refused < len(in) {
				switch e := strings.Fields(<-w.events); e[1] {
				case gate.EventOpen:
					opened[e[2]] = true
				case gate.EventClose:
					refused++
				}
			}
			if len(opened) != most || refused != 10 {
				t.Fatalf("%d: %d let in, %d refused", most, len(opened), refused)
			}
			for _, cl := range in {
				cl.close()
			}
			for range most {
				e := strings.Fields(<-w.events)
				if e[1] != gate.EventClose || !opened[e[2]] {
					t.Fatalf("got %v", e)
				}
				delete(opened, e[2])
			}
		}
		w.nothing()
	}
}

func TestMaxPerAddress(t *testing.T) {
	w := newWorld(t)
	w.open(gate.OpenConfig{MaxPerAddress: 2})
	first := w.client(2)
	w.client(3)
	w.connect().wantEnd()
	w.want("socket close 4")
	first.close()
	w.want("socket close 2")
	w.client(5)
	w.connect().wantEnd()
	w.want("socket close 6")
	w.nothing()
	if !strings.Contains(w.log.String(), ", there are 2 clients of this address (2 so far)") {
		t.Errorf("log:\n%s", w.log)
	}
}

// A client beyond a limit is an error that the watchdog is told, once.
func TestLimits(t *testing.T) {
	w := newWorld(t)
	limit := func(name string, value any) {
		conf := map[string]any{"port": 0, "limits": lualike.Map(map[string]any{name: value})}
		out := w.command(gate.CmdOpen, lualike.Map(conf))
		w.addr = fmt.Sprintf("%v:%v", out.At(0), out.At(1))
	}
	limit("maxpacket", 4)
	cl := w.client(2)
	w.command(gate.CmdAccept, 2)
	cl.send("four", "five!")
	w.want("socket data 2 four")
	w.want("socket error 2 %s", socket.ErrPacketSize)
	w.want("socket close 2")
	w.command(gate.CmdClose)

	limit("idle", int(20*time.Millisecond))
	w.client(4).wantEnd()
	w.want("socket error 4 %s", socket.ErrIdle)
	w.want("socket close 4")
	w.command(gate.CmdClose)

	limit("maxpending", 1<<20)
	w.client(6)
	w.do(func(c *service.Context) {
		for gate.Write(c, 6, make([]byte, socket.MaxFrame)) == nil {
			continue
		}
	})
	for e := range w.events {
		if !strings.HasPrefix(e, "socket warning 6 ") {
			if e != "socket error 6 "+socket.ErrOverflow.Error() {
				t.Error(e)
			}
			break
		}
	}
	w.want("socket close 6")
	w.nothing()
}
