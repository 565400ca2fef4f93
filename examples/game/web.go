package main

import (
	"context"
	"embed"
	"encoding/binary"
	"encoding/json"
	"io"
	"io/fs"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/coder/websocket"

	"github.com/skynetgo/skynet/service"
)

//go:embed page
var page embed.FS

// startWeb is the start function of the service "web", which serves the page.
func startWeb(c *service.Context, _ ...any) error {
	files, err := fs.Sub(page, "page")
	if err != nil {
		return err
	}
	doors := strings.Fields(c.Getenv("doors"))
	var urls []string
	for _, d := range doors {
		urls = append(urls, "doors/"+d)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /", http.FileServerFS(files))
	mux.HandleFunc("GET /doors", func(w http.ResponseWriter, _ *http.Request) { _ = json.NewEncoder(w).Encode(urls) })
	mux.HandleFunc("GET /doors/{addr}", func(w http.ResponseWriter, r *http.Request) { bridge(w, r, doors) })
	l, err := net.Listen("tcp", c.Getenv("http"))
	if err != nil {
		return err
	}
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = srv.Serve(l) }()
	c.OnStop(func(c *service.Context) {
		_, _ = service.Await(c, func(ctx context.Context) (any, error) { return nil, srv.Shutdown(ctx) })
	})
	c.Logf("open http://%s in a browser", l.Addr())
	return nil
}

// bridge carries packets between a WebSocket and the frames of a door.
func bridge(w http.ResponseWriter, r *http.Request, doors []string) {
	addr := r.PathValue("addr")
	if !slices.Contains(doors, addr) {
		http.NotFound(w, r)
		return
	}
	ws, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	defer func() { _ = ws.CloseNow() }()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return
	}
	defer conn.Close()
	web := websocket.NetConn(r.Context(), ws, websocket.MessageBinary)
	go func() {
		defer conn.Close()
		for {
			_, packet, err := ws.Read(r.Context())
			if err != nil {
				return
			}
			if _, err := conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(packet))), packet...)); err != nil {
				return
			}
		}
	}()
	for header := make([]byte, 2); ; {
		if _, err := io.ReadFull(conn, header); err != nil {
			return
		}
		packet := make([]byte, binary.BigEndian.Uint16(header))
		if _, err := io.ReadFull(conn, packet); err != nil {
			return
		}
		if _, err := web.Write(packet); err != nil {
			return
		}
	}
}
