package debugconsole

import (
	"io"
	"net"
	"net/http"
	"net/http/pprof"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/skynetgo/skynet/service"
)

// maxBody is the longest command in the body of a request, as in Skynet.
const maxBody = 8192

// server serves what comes as HTTP.
func (s *console) server() *http.Server {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(s.registry(), promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", s.labelled(pprof.Profile))
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("POST /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", s.labelled(pprof.Trace))
	s.state(mux)
	page(mux)
	mux.HandleFunc("GET /", func(w http.ResponseWriter, r *http.Request) {
		// Browsers say which site asks for a GET only where they trust the address:
		// elsewhere than on loopback an image of any page could be a command.
		if strings.HasPrefix(r.UserAgent(), "Mozilla/") && r.Header.Get("Sec-Fetch-Site") == "" {
			http.Error(w, "this browser does not say which site asks; send commands by POST or with another program", http.StatusForbidden)
			return
		}
		s.command(w, r, strings.ReplaceAll(r.URL.Path[1:], "/", " "))
	})
	mux.HandleFunc("POST /", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		if err != nil {
			http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
			return
		}
		s.command(w, r, string(body))
	})
	return &http.Server{Handler: own(mux), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute}
}

// command runs a line and answers with what a client in Skynet's way would see
// from its connection to its end.
func (s *console) command(w http.ResponseWriter, r *http.Request, line string) {
	s.node.Log(s.self, r.RemoteAddr+" connected")
	defer s.node.Log(s.self, r.RemoteAddr+" disconnect")
	var answer []byte
	err := service.Run(r.Context(), s.node, func(c *service.Context) error {
		answer = s.execute(c, line)
		return nil
	})
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Connection", "close")
	_, _ = w.Write(append([]byte(greeting), answer...))
}

// labelled has a profile tell whose code the goroutines run.
func (s *console) labelled(profile http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		defer s.node.LabelGoroutines()()
		profile(w, r)
	}
}

// own refuses what pages of other sites make a browser ask: a command may kill,
// and some come with a GET.
func own(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if foreign(r) {
			http.Error(w, "requests of other sites are refused", http.StatusForbidden)
			return
		}
		h.ServeHTTP(w, r)
	})
}

func foreign(r *http.Request) bool {
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" && site != "none" {
		return true
	}
	if origin := r.Header.Get("Origin"); origin != "" {
		if u, err := url.Parse(origin); err != nil || u.Host != r.Host {
			return true
		}
	}
	// A name that somebody else has pointed at this machine is no name of ours.
	local, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	return ok && local.IP.IsLoopback() && r.Host != "" && !loopbackHost(r.Host)
}

func loopbackHost(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && ip.IsLoopback() || host == "localhost"
}
