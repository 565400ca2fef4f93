package debugconsole

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strconv"
	"time"

	"github.com/skynetgo/skynet/cluster"
	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/service/socket"
)

const (
	// answerTime is how long services are waited for that are asked what they wait
	// for.
	answerTime = 300 * time.Millisecond
	// maxAsked is how many services are asked.
	maxAsked = 1000
)

// state adds what a page needs to know of the node, as JSON. Times are RFC 3339,
// durations seconds, sizes bytes; counters count from the start of what they are
// of, so that rates are for the reader to make.
func (s *console) state(mux *http.ServeMux) {
	get := func(path string, f func(r *http.Request) (any, error)) {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) { answerJSON(w, r, f) })
	}
	get("/debug/node", func(*http.Request) (any, error) { return s.nodeState(), nil })
	get("/debug/services", s.services)
	get("/debug/tasks/{address}", s.tasks)
	get("/debug/links", func(*http.Request) (any, error) { return links(s.node), nil })
	get("/debug/sockets", func(*http.Request) (any, error) { return s.sockets(), nil })
	get("/debug/log", s.log)
}

func answerJSON(w http.ResponseWriter, r *http.Request, f func(*http.Request) (any, error)) {
	v, err := f(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(v) // the reader may have gone
}

// dropState is actor.Drops.
type dropState struct {
	NoService uint64 `json:"no_service"`
	Exited    uint64 `json:"exited"`
	Late      uint64 `json:"late"`
	Overload  uint64 `json:"overload"`
}

// nodeState is the answer of /debug/node.
type nodeState struct {
	ID         string    `json:"id"`
	PID        int       `json:"pid"`
	Started    time.Time `json:"started"`
	Now        time.Time `json:"now"`
	Go         string    `json:"go"`
	Processors int       `json:"processors"`
	Goroutines int       `json:"goroutines"`
	Heap       uint64    `json:"heap_bytes"`
	Services   int       `json:"services"`
	Launched   uint64    `json:"launched"`
	Handled    uint64    `json:"handled"`
	Mailbox    int       `json:"mailbox"`
	CPU        float64   `json:"cpu_seconds"`
	Profile    bool      `json:"profile"` // false: CPU is not counted
	Drops      dropState `json:"drops"`
}

func (s *console) nodeState() nodeState {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	st := s.node.Stat()
	return nodeState{
		ID: s.node.ID().String(), PID: os.Getpid(), Started: s.node.StartTime(), Now: time.Now(), Go: runtime.Version(),
		Processors: runtime.GOMAXPROCS(0), Goroutines: runtime.NumGoroutine(), Heap: m.HeapAlloc,
		Services: st.Services, Launched: st.Launched, Handled: st.Requests, Mailbox: st.Mailbox,
		CPU: st.CPU.Seconds(), Profile: s.node.Config().Profile, Drops: dropState(st.Drops),
	}
}

// serviceState is one entry of /debug/services.
type serviceState struct {
	Address string    `json:"address"`
	Name    string    `json:"name"`
	Handled uint32    `json:"handled"` // goes round at 2^32
	Mailbox int       `json:"mailbox"`
	CPU     float64   `json:"cpu_seconds"`
	Waiting *int64    `json:"waiting"` // coroutines and timers; null: it was not asked, or has no time
	Drops   dropState `json:"drops"`

	handle service.Handle
}

// services lists the longest mailboxes first, then the most CPU time. What waits
// in a service only itself knows, so with ?waiting=1 the first of them are asked.
func (s *console) services(r *http.Request) (any, error) {
	all := []serviceState{}
	for _, svc := range s.node.Services() {
		st := svc.Stat()
		all = append(all, serviceState{
			Address: svc.Handle().String(), Name: svc.Name(), Handled: st.Requests, Mailbox: st.Mailbox,
			CPU: st.CPU.Seconds(), Drops: dropState(st.Drops), handle: svc.Handle(),
		})
	}
	slices.SortFunc(all, func(a, b serviceState) int {
		return cmp.Or(cmp.Compare(b.Mailbox, a.Mailbox), cmp.Compare(b.CPU, a.CPU), cmp.Compare(a.handle, b.handle))
	})
	most, err := numberOf(r, "limit", uint64(len(all)))
	if err != nil {
		return nil, err
	}
	all = all[:min(uint64(len(all)), most)]
	if r.URL.Query().Get("waiting") != "" {
		err = s.ask(r.Context(), all[:min(len(all), maxAsked)])
	}
	return all, err
}

// ask sets Waiting of those that answer in time, all at once. One in whose mailbox
// messages wait is not asked, or whoever looks again and again would fill it up.
func (s *console) ask(ctx context.Context, all []serviceState) error {
	return service.Run(ctx, s.node, func(c *service.Context) error {
		left := 0
		done := c.Token()
		for i := range all {
			if all[i].Mailbox > 0 {
				continue
			}
			left++
			c.Fork(func(c *service.Context) {
				if vals, err := service.Debug(c.WithTimeout(answerTime), all[i].handle, "STAT"); err == nil {
					stat, _ := service.Result[struct {
						Task int64 `lua:"task"`
					}](vals)
					all[i].Waiting = &stat.Task
				}
				if left--; left == 0 {
					c.Wakeup(done)
				}
			})
		}
		if left == 0 {
			return nil
		}
		if err := c.Wait(); !errors.Is(err, service.ErrBreak) {
			return err
		}
		return nil
	})
}

// taskState is one entry of /debug/tasks/ADDRESS.
type taskState struct {
	Session  uint32  `json:"session"`
	What     string  `json:"what"` // "call", "sleep", "wait", "await", "timer" or "watch"
	Peer     string  `json:"peer,omitempty"`
	PeerName string  `json:"peer_name,omitempty"`
	Token    string  `json:"token,omitempty"`
	Seconds  float64 `json:"seconds"`
	Source   string  `json:"source,omitempty"`
	Request  uint32  `json:"request,omitempty"`
	Stack    string  `json:"stack,omitempty"`
}

func (s *console) tasks(r *http.Request) (any, error) {
	all := []taskState{}
	err := service.Run(r.Context(), s.node, func(c *service.Context) error {
		h, err := address(c, r.PathValue("address"))
		if err != nil {
			return err
		}
		list, err := service.Tasks(c, h)
		for _, t := range list {
			st := taskState{Session: t.Session, What: t.What, Token: t.Token, Seconds: t.Seconds, Request: t.Request, Stack: t.Stack}
			if t.Peer != 0 {
				st.Peer, st.PeerName = t.Peer.String(), s.name(t.Peer)
			}
			if t.Source != 0 {
				st.Source = t.Source.String()
			}
			all = append(all, st)
		}
		return explain(h, err)
	})
	return all, err
}

// name returns the name of a service that lives.
func (s *console) name(h service.Handle) string {
	if svc := s.node.Find(h); svc != nil {
		return svc.Name()
	}
	return ""
}

// linkState is one entry of /debug/links.
type linkState struct {
	Node     string            `json:"node"`
	Address  string            `json:"address"`
	State    string            `json:"state"`
	Since    time.Time         `json:"since"`
	Error    string            `json:"error,omitempty"`
	Attempts int               `json:"attempts"`
	Requests uint64            `json:"requests"`
	Pushes   uint64            `json:"pushes"`
	Answers  uint64            `json:"answers"`
	Errors   uint64            `json:"errors"`
	Unsent   uint64            `json:"unsent_bytes"`
	Dropped  map[string]uint64 `json:"dropped"` // messages by reason
}

func links(n *service.Node) []linkState {
	all := []linkState{}
	for _, l := range cluster.Links(n) {
		st := linkState{
			Node: l.Node, Address: l.Addr, State: l.State.String(), Since: l.Since, Attempts: l.Attempts,
			Requests: l.Requests, Pushes: l.Pushes, Answers: l.Answers, Errors: l.Errors, Unsent: l.Unsent,
			Dropped: make(map[string]uint64),
		}
		if l.Err != nil {
			st.Error = l.Err.Error()
		}
		for reason, count := range l.Dropped {
			st.Dropped[reason.String()] = count
		}
		all = append(all, st)
	}
	return all
}

// socketState is one entry of /debug/sockets.
type socketState struct {
	FD        int32   `json:"fd"`
	Type      string  `json:"type"`   // "LISTEN" or "TCP"
	Scheme    string  `json:"scheme"` // of socket.Stat; "": plain frames
	Address   string  `json:"address"`
	Owner     string  `json:"owner"`
	OwnerName string  `json:"owner_name"`
	Accepted  uint64  `json:"accepted"`
	Read      uint64  `json:"read_bytes"`
	Written   uint64  `json:"written_bytes"`
	Writes    uint64  `json:"writes"`
	Packets   uint64  `json:"packets"`
	Dropped   uint64  `json:"dropped_bytes"`
	Pending   int     `json:"pending_bytes"`
	LastRead  float64 `json:"last_read"` // as the uptime of the node counts; 0 is never
	LastWrite float64 `json:"last_write"`
}

func (s *console) sockets() []socketState {
	all := []socketState{}
	for _, k := range socket.Info(s.node) {
		st := socketState{
			FD: int32(k.FD), Type: k.Type, Scheme: k.Scheme, Address: k.Peer, Owner: k.Owner.String(), OwnerName: s.name(k.Owner),
			Read: k.Read, Written: k.Written, Writes: k.Writes, Packets: k.Packets, Dropped: k.Dropped, Pending: k.Pending,
			LastRead: k.LastRead.Seconds(), LastWrite: k.LastWrite.Seconds(),
		}
		if k.Type == socket.TypeListen {
			st.Accepted, st.Read = k.Read, 0
		}
		all = append(all, st)
	}
	return all
}

// log gives the lines behind the number ?after, of the last ones ?limit.
func (s *console) log(r *http.Request) (any, error) {
	after, err := numberOf(r, "after", 0)
	if err != nil {
		return nil, err
	}
	limit, err := numberOf(r, "limit", tailLines)
	return s.tail.after(after, limit), err
}

// numberOf reads a parameter of a request.
func numberOf(r *http.Request, key string, missing uint64) (uint64, error) {
	text := r.URL.Query().Get(key)
	if text == "" {
		return missing, nil
	}
	return strconv.ParseUint(text, 10, 63)
}
