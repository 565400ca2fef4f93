package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/cluster"
	"github.com/skynetgo/skynet/lualike"
	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/service/socket"
)

// patience is how long a test waits for what must come.
const patience = 20 * time.Second

// slowDB starts a node whose simpledb answers GET with the key, once release is
// closed; arrived gets each request before.
func slowDB(t *testing.T) (n *nodetest.Node, addr string, arrived, release chan struct{}) {
	t.Helper()
	n = nodetest.Start(t)
	sdb := n.Probe("simpledb")
	arrived, release = make(chan struct{}, 1000), make(chan struct{})
	sdb.Answer("GET", func(c *service.Context, args lualike.Args) (lualike.Args, error) {
		return service.Await(c, func(ctx context.Context) (lualike.Args, error) {
			arrived <- struct{}{}
			select {
			case <-release:
			case <-ctx.Done():
			}
			return args, ctx.Err()
		})
	})
	n.Run(func(c *service.Context) (err error) {
		if err = cluster.Register(c, "sdb", sdb.Handle()); err == nil {
			addr, err = cluster.Open(c, 0)
		}
		return err
	})
	return n, addr, arrived, release
}

// links counts the connections that a node has accepted.
func links(n *nodetest.Node) (count int) {
	for _, s := range socket.Info(n.Node) {
		if s.Type == socket.TypeTCP {
			count++
		}
	}
	return count
}

func get(ctx context.Context, client *http.Client, url string) (string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	return send(client, r)
}

func send(client *http.Client, r *http.Request) (string, error) {
	resp, err := client.Do(r)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return fmt.Sprintf("%d %s", resp.StatusCode, body), err
}

// A hundred requests are in progress at once, each gets its own answer, and all
// of them went over one connection.
func TestRequestsShareOneLink(t *testing.T) {
	db, addr, arrived, release := slowDB(t)
	n := nodetest.Start(t, nodetest.Services(service.Def("web", start)), nodetest.Env("http", "127.0.0.1:0"), nodetest.Env("db", addr))
	n.Run(func(c *service.Context) error { _, err := c.NewService("web"); return err })
	_, url, _ := strings.Cut(n.Log.Wait(t, "web: http://"), "web: ")
	url, _, _ = strings.Cut(url, " ")
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()

	const requests = 100
	errs := make(chan error, requests)
	for i := range requests {
		go func() {
			got, err := get(t.Context(), client, fmt.Sprintf("%s/key%d", url, i))
			if want := fmt.Sprintf("200 key%d", i); err == nil && got != want {
				err = fmt.Errorf("got %q, want %q", got, want)
			}
			errs <- err
		}()
	}
	for range requests {
		<-arrived
	}
	if got := links(db); got != 1 {
		t.Errorf("%d connections, want 1", got)
	}
	close(release)
	for range requests {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}

// The call ends when the HTTP client goes away, and the link goes on.
func TestClientGoesAway(t *testing.T) {
	db, addr, arrived, release := slowDB(t)
	n := nodetest.Start(t, nodetest.Env("calltimeout", "0"))
	handled := make(chan struct{}, 2)
	routes := (&web{n.Node, addr}).routes()
	srv := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		routes.ServeHTTP(rw, r)
		handled <- struct{}{}
	}))
	defer srv.Close()

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	gone := make(chan string, 1)
	go func() {
		got, err := get(ctx, srv.Client(), srv.URL+"/a")
		gone <- fmt.Sprint(got, err)
	}()
	<-arrived
	cancel()
	if got := <-gone; !strings.HasSuffix(got, context.Canceled.Error()) {
		t.Errorf("a request that was given up has an answer: %s", got)
	}
	select {
	case <-handled:
	case <-time.After(patience):
		t.Error("the handler still waits for its call")
	}
	close(release)
	if got, err := get(t.Context(), srv.Client(), srv.URL+"/b"); got != "200 b" || err != nil {
		t.Errorf("the next request: %q, %v", got, err)
	}
	if got := links(db); got != 1 {
		t.Errorf("%d connections, want 1", got)
	}
}

func TestErrors(t *testing.T) {
	_, addr, _, release := slowDB(t)
	close(release)
	n := nodetest.Start(t, nodetest.Env("calltimeout", "20ms"))
	for name, tt := range map[string]struct {
		db, method, path string
		want             int
	}{
		"no such node":  {"127.0.0.1:1", "GET", "/a", http.StatusBadGateway},
		"no address":    {"db", "GET", "/a", http.StatusGatewayTimeout},
		"nothing there": {addr, "GET", "/", http.StatusNotFound},
		"other method":  {addr, "DELETE", "/a", http.StatusMethodNotAllowed},
	} {
		t.Run(name, func(t *testing.T) {
			rec := httptest.NewRecorder()
			(&web{n.Node, tt.db}).routes().ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), tt.method, tt.path, nil))
			if rec.Code != tt.want {
				t.Errorf("%d %s, want %d", rec.Code, rec.Body, tt.want)
			}
		})
	}
}
