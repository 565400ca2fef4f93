package main

import (
	"context"
	"embed"
	"encoding/json"
	"io/fs"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/skynetgo/skynet/service"
)

//go:embed page
var page embed.FS

// startWeb is the start function of the service "web", which serves the page and
// tells it where the doors are.
func startWeb(c *service.Context, _ ...any) error {
	files, err := fs.Sub(page, "page")
	if err != nil {
		return err
	}
	doors, err := json.Marshal(strings.Fields(c.Getenv("play")))
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("GET /", http.FileServerFS(files))
	mux.HandleFunc("GET /doors", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(doors) })
	l, err := net.Listen("tcp", c.Getenv("http"))
	if err != nil {
		return err
	}
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute}
	go func() { _ = srv.Serve(l) }()
	c.OnStop(func(c *service.Context) {
		_, _ = service.Await(c, func(ctx context.Context) (any, error) {
			if srv.Shutdown(ctx) != nil {
				return nil, srv.Close()
			}
			return nil, nil
		})
	})
	c.Logf("open http://%s in a browser", l.Addr())
	return nil
}
