package cluster_test

import (
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/cluster"
	"github.com/skynetgo/skynet/lualike"
	"github.com/skynetgo/skynet/service"
)

// recordedNode is a node of ours with the services that the records were made
// with.
type recordedNode struct {
	*nodetest.Node
	addr  string
	known handles
}

// recordedServer starts a recordedNode that listens at addr, at any free port
// when that is "".
func recordedServer(t *testing.T, addr string) *recordedNode {
	t.Helper()
	r := &recordedNode{nodetest.Start(t, nodetest.Services(recordedSDB(), recordedBack())), addr, make(handles)}
	r.Run(func(c *service.Context) error {
		for recorded, name := range map[uint32]string{recordedSdb: "sdb", recordedDead: "dead", recordedVictim: "victim"} {
			h, err := c.NewService("recorded")
			if err != nil {
				return err
			}
			if err := cluster.Register(c, name, h); err != nil {
				return err
			}
			r.known[recorded] = h
		}
		if err := c.Name(".sdb", r.known[recordedSdb]); err != nil {
			return err
		}
		if err := c.Kill(r.known[recordedDead]); err != nil {
			return err
		}
		var where any = 0
		if addr != "" {
			if err := cluster.Reload(c, cluster.Table{"self": addr}); err != nil {
				return err
			}
			where = "self"
		}
		var err error
		r.addr, err = cluster.Open(c, where)
		return err
	})
	eventually(t, "the killed service is gone", func() bool { return r.Find(r.known[recordedDead]) == nil })
	return r
}

// recordedBack is b_svc, the service that the recorded server calls back.
func recordedBack() *service.Definition {
	return service.Def("b_svc", func(c *service.Context, _ ...any) error {
		c.Handle("echo", service.Raw(func(_ *service.Context, args lualike.Args) (lualike.Args, error) { return args, nil }))
		c.Handle("log", service.P1(func(c *service.Context, text string) error { c.Logf("b_svc log %s", text); return nil }))
		return nil
	})
}

// payload is the text that the recorded services make.
func payload(n int, seed string) string {
	p := "payload-" + seed + "-0123456789-"
	return strings.Repeat(p, n/len(p)+1)[:n]
}

// recordedSDB is t_sdb of the records (transcripts/README.json).
func recordedSDB() *service.Definition {
	return service.Def("recorded", func(c *service.Context, _ ...any) error {
		db := make(map[string]any)
		pushes := lualike.NewTable(0, 0)
		var pending *service.Response
		fail := func(c *service.Context, args lualike.Args) (lualike.Args, error) {
			return nil, fmt.Errorf("boom %v", args)
		}
		for name, f := range map[string]func(*service.Context, lualike.Args) (lualike.Args, error){
			"echo": func(_ *service.Context, args lualike.Args) (lualike.Args, error) { return args, nil },
			"set": func(_ *service.Context, args lualike.Args) (lualike.Args, error) {
				key, _ := args.Str(0)
				old := db[key]
				db[key] = args.At(1)
				return lualike.Args{old}, nil
			},
			"get": func(_ *service.Context, args lualike.Args) (lualike.Args, error) {
				key, _ := args.Str(0)
				return lualike.Args{db[key]}, nil
			},
			"add": func(_ *service.Context, args lualike.Args) (lualike.Args, error) {
				a, err := args.Int(0)
				b, err2 := args.Int(1)
				return lualike.Args{a + b}, errors.Join(err, err2)
			},
			"none":      func(*service.Context, lualike.Args) (lualike.Args, error) { return nil, nil },
			"raw_empty": func(*service.Context, lualike.Args) (lualike.Args, error) { return nil, nil },
			"fail":      fail,
			"failtable": fail,
			"sleep": func(c *service.Context, args lualike.Args) (lualike.Args, error) {
				cs, err := args.Int(0)
				if err == nil {
					err = c.Sleep(time.Duration(cs) * 10 * time.Millisecond)
				}
				return lualike.Args{args.At(1)}, err
			},
			"big": func(_ *service.Context, args lualike.Args) (lualike.Args, error) {
				n, err := args.Int(0)
				seed, ok := args.At(1).(string)
				if !ok {
					seed = "A"
				}
				return lualike.Args{payload(int(n), seed)}, err
			},
			"len": func(_ *service.Context, args lualike.Args) (lualike.Args, error) {
				s, err := args.Str(0)
				sum := sha1.Sum([]byte(s))
				return lualike.Args{len(s), hex.EncodeToString(sum[:])}, err
			},
			"note": func(_ *service.Context, args lualike.Args) (lualike.Args, error) {
				note := lualike.Array(args...)
				pushes.Append(note)
				return nil, note.Set("n", len(args))
			},
			"notebig": func(_ *service.Context, args lualike.Args) (lualike.Args, error) {
				s, err := args.Str(0)
				sum := sha1.Sum([]byte(s))
				note := lualike.Array(len(s), hex.EncodeToString(sum[:]))
				pushes.Append(note)
				return nil, errors.Join(err, note.Set("n", 2))
			},
			"notes": func(*service.Context, lualike.Args) (lualike.Args, error) {
				p := pushes
				pushes = lualike.NewTable(0, 0)
				return lualike.Args{p}, nil
			},
			"quit": func(c *service.Context, _ lualike.Args) (lualike.Args, error) { c.Exit(); return nil, nil },
			"ret_twice": func(c *service.Context, _ lualike.Args) (lualike.Args, error) {
				_, err := c.Ret(1)
				_, err2 := c.Ret(2)
				return nil, errors.Join(err, err2)
			},
			"hold": func(c *service.Context, _ lualike.Args) (lualike.Args, error) {
				pending = c.Response()
				return nil, nil
			},
			"release": func(*service.Context, lualike.Args) (lualike.Args, error) {
				ok, err := pending.Ret("released")
				return lualike.Args{ok}, err
			},
			"unresponse": func(*service.Context, lualike.Args) (lualike.Args, error) {
				ok, err := pending.Fail(nil)
				return lualike.Args{ok}, err
			},
			"noreply": func(c *service.Context, _ lualike.Args) (lualike.Args, error) {
				c.IgnoreRet() // the record's handler forgets; ours would answer with an error
				return nil, nil
			},
		} {
			c.Handle(name, service.Raw(f))
		}
		return nil
	})
}
