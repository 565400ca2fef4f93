// Command web is an HTTP server in front of a Skynet node: GET and PUT of a key
// are calls of the simpledb there.
//
//	go run ./examples/web examples/web/config
//	curl -X PUT -d world http://127.0.0.1:8080/hello
//	curl http://127.0.0.1:8080/hello
//
// By default it opens a simpledb of its own. For a real one start Skynet with
// examples/config.c1 and say db = "127.0.0.1:2528" in the config file.
//
// A handler is net/http's. service.Run takes it onto a coroutine of the node,
// where it may call services; thousands of them share one connection to the
// other node. When the client goes away, r.Context() ends the call.
package main

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/skynetgo/skynet/bootstrap"
	"github.com/skynetgo/skynet/cluster"
	"github.com/skynetgo/skynet/examples/internal/simpledb"
	"github.com/skynetgo/skynet/service"
)

// web is what the HTTP handlers share: the own node, and the name of the other.
type web struct {
	node *service.Node
	db   string
}

func (w *web) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{key}", func(rw http.ResponseWriter, r *http.Request) {
		w.answer(rw, r, "GET", r.PathValue("key"))
	})
	mux.HandleFunc("PUT /{key}", func(rw http.ResponseWriter, r *http.Request) {
		value, err := io.ReadAll(http.MaxBytesReader(rw, r.Body, 1<<20))
		if err != nil {
			http.Error(rw, err.Error(), http.StatusBadRequest)
			return
		}
		w.answer(rw, r, "SET", r.PathValue("key"), value) // bytes are a Lua string
	})
	return mux
}

// answer calls the simpledb and writes what it returns, nil as "not found".
func (w *web) answer(rw http.ResponseWriter, r *http.Request, args ...any) {
	var value *string
	err := service.Run(r.Context(), w.node, func(c *service.Context) (err error) {
		value, err = cluster.CallAs[*string](c, w.db, "@sdb", args...)
		return err
	})
	switch {
	case errors.Is(err, service.ErrTimeout):
		http.Error(rw, err.Error(), http.StatusGatewayTimeout)
	case err != nil:
		http.Error(rw, err.Error(), http.StatusBadGateway)
	case value != nil:
		_, _ = io.WriteString(rw, *value)
	case r.Method == http.MethodGet:
		http.NotFound(rw, r)
	}
}

// start is the start service: it listens, and stops with the node.
func start(c *service.Context, _ ...any) error {
	w := &web{c.Node(), c.Getenv("db")}
	if w.db == "" {
		sdb, err := c.NewService("simpledb")
		if err != nil {
			return err
		}
		if err := cluster.Register(c, "sdb", sdb); err != nil {
			return err
		}
		if w.db, err = cluster.Open(c, 0); err != nil { // an address is a node's name too
			return err
		}
	}
	l, err := net.Listen("tcp", c.Getenv("http"))
	if err != nil {
		return err
	}
	srv := &http.Server{Handler: w.routes(), ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = srv.Serve(l) }()
	c.OnStop(func(c *service.Context) { // the node waits for the requests in progress, as long as stoptimeout
		_, _ = service.Await(c, func(ctx context.Context) (any, error) {
			if srv.Shutdown(ctx) != nil {
				return nil, srv.Close()
			}
			return nil, nil
		})
	})
	c.Logf("web: http://%s shows %s", l.Addr(), w.db)
	return nil
}

func main() { bootstrap.Main(simpledb.Definition(), service.Def("web", start)) }
