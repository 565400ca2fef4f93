package debugconsole

import (
	"embed"
	"net/http"
)

//go:embed page
var pageFiles embed.FS

// pageTypes are the files of the page; a machine may know other types for them.
var pageTypes = map[string]string{
	"page.html": "text/html; charset=utf-8",
	"page.css":  "text/css; charset=utf-8",
	"page.js":   "text/javascript; charset=utf-8",
	"table.js":  "text/javascript; charset=utf-8",
	"links.js":  "text/javascript; charset=utf-8",
	"icon.svg":  "image/svg+xml",
}

// pagePolicy lets the page load its own files and nothing else: what it shows
// comes from other nodes too.
const pagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// page adds the live page, which shows in a browser what state gives.
func page(mux *http.ServeMux) {
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { answerFile(w, "page.html") })
	for name := range pageTypes {
		mux.HandleFunc("GET /page/"+name, func(w http.ResponseWriter, _ *http.Request) { answerFile(w, name) })
	}
}

func answerFile(w http.ResponseWriter, name string) {
	text, err := pageFiles.ReadFile("page/" + name)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", pageTypes[name])
	h.Set("Content-Security-Policy", pagePolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	_, _ = w.Write(text)
}
