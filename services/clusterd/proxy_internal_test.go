package clusterd

import "testing"

func TestNodeAndName(t *testing.T) {
	for text, want := range map[string][2]string{
		"db@sdb":                    {"db", "@sdb"},
		"db.sdb":                    {"db", ".sdb"},
		"db@a.b":                    {"db", "@a.b"},
		"db.a@b":                    {"db", ".a@b"},
		"db@a:1.b":                  {"db", "@a:1.b"},
		"127.0.0.1:2528@sdb":        {"127.0.0.1:2528", "@sdb"},
		"127.0.0.1:2528.sdb":        {"127.0.0.1:2528", ".sdb"},
		"db.example.org:2528@a.b:1": {"db.example.org:2528", "@a.b:1"},
		"[::1]:2528.sdb":            {"[::1]:2528", ".sdb"},
		"db":                        {},
		"@sdb":                      {},
		"db@":                       {},
		"":                          {},
	} {
		var got [2]string
		if parts := nodeAndName.FindStringSubmatch(text); parts != nil {
			got = [2]string{parts[1], parts[2]}
		}
		if got != want {
			t.Errorf("%q is divided into %q, want %q", text, got, want)
		}
	}
}

func TestIsAddress(t *testing.T) {
	for node, want := range map[string]bool{
		"127.0.0.1:2528": true, "db.example.org:1": true, "[::1]:2528": true, ":2528": true,
		"db:70000": true, "db:http": true, "db:": true,
		"db": false, "db:1@sdb": false, "db:1.sdb": false, "::1": false, "": false,
	} {
		if got := isAddress(node); got != want {
			t.Errorf("%q: %v, want %v", node, got, want)
		}
	}
}
