package debugconsole_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// TestPage: the page and all that it names are served, and may load nothing else.
func TestPage(t *testing.T) {
	b := newBoard(t, never)
	seen := make(map[string]bool)
	var visit func(path, kind string)
	visit = func(path, kind string) {
		if seen[path] {
			return
		}
		seen[path] = true
		resp, text := b.request("GET", path, "")
		if resp.StatusCode != http.StatusOK || !strings.HasPrefix(resp.Header.Get("Content-Type"), kind) {
			t.Errorf("%s: %s, %s", path, resp.Status, resp.Header.Get("Content-Type"))
		}
		policy := resp.Header.Get("Content-Security-Policy")
		if !strings.HasPrefix(policy, "default-src 'none'; script-src 'self'; ") || strings.Contains(policy, "unsafe") || strings.Contains(policy, ":") {
			t.Errorf("%s: policy %q", path, policy)
		}
		if resp.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %v", path, resp.Header)
		}
		for _, m := range regexp.MustCompile(`(?:href|src)="(/[^"]+)"|from "\.(/[^"]+)"`).FindAllStringSubmatch(text, -1) {
			next := m[1]
			if m[2] != "" {
				next = "/page" + m[2]
			}
			switch _, ext, _ := strings.Cut(next, "."); ext {
			case "js":
				visit(next, "text/javascript")
			case "css":
				visit(next, "text/css")
			case "svg":
				visit(next, "image/svg+xml")
			default:
				t.Errorf("%s wants %s", path, next)
			}
		}
	}
	visit("/", "text/html")
	if len(seen) != 6 {
		t.Errorf("it is made of %v", seen)
	}
	if resp, _ := b.request("GET", "/", "", "Sec-Fetch-Site: cross-site"); resp.StatusCode != http.StatusForbidden {
		t.Errorf("for another site: %s", resp.Status)
	}
}
