package main

import (
	"reflect"
	"strings"
	"testing"
)

func TestCheck(t *testing.T) {
	tests := map[string]struct {
		path, imp string
		problem   string // part of the message; "" when the import is right
	}{
		"next below":               {"service", "actor", ""},
		"far below":                {"examples/gate", "actor", ""},
		"own place":                {"services/gate", "services/clusterd", ""},
		"upwards":                  {"actor", "service", "imports go actor <- service"},
		"child is above parent":    {"service", "service/socket", "must not import service/socket"},
		"parent is below child":    {"service/socket", "service", ""},
		"prefix is not a parent":   {"service", "services", "must not import services"},
		"package in a place":       {"bootstrap/nodetest", "services", ""},
		"leaf from its level":      {"service", "lualike", ""},
		"leaf from above":          {"examples/a", "cluster/wire", ""},
		"leaf from below":          {"actor", "lualike", "lualike is for service and above"},
		"leaf under a place":       {"service/socket", "cluster/wire", "cluster/wire is for cluster and above"},
		"leaf with named users":    {"services/clusterd", "lualike/luaconf", ""},
		"leaf, child of a user":    {"bootstrap/nodetest", "lualike/luaconf", ""},
		"leaf, not a user":         {"services/gate", "lualike/luaconf", "is for cluster/nodefile and services/clusterd and bootstrap only"},
		"leaf uses":                {"lualike/luaconf", "lualike", ""},
		"leaf uses too much":       {"lualike", "actor", "lualike imports only internal"},
		"leaf does not see parent": {"lualike", "lualike/luaconf", "lualike imports only internal"},
		"leaf uses nothing":        {"cluster/wire", "cluster", "cluster/wire imports nothing of this module"},
		"internal":                 {"actor", "internal/x", ""},
		"unknown importer":         {"misc", "actor", "package misc has no place"},
		"unknown imported":         {"actor", "misc", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := check([]pkg{{path: tt.path, imports: []string{tt.imp}}})
			if tt.problem == "" {
				if len(got) != 0 {
					t.Errorf("problems %q, want none", got)
				}
				return
			}
			if len(got) != 1 || !strings.Contains(got[0], tt.problem) {
				t.Errorf("problems %q, want one with %q", got, tt.problem)
			}
		})
	}
}

func TestParse(t *testing.T) {
	got := parse("m/x", "m/x\nm/x/a fmt m/x/b other/y\n\nm/xy fmt\nm/x/b\n")
	want := []pkg{{path: "."}, {path: "a", imports: []string{"b"}}, {path: "b"}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("parse = %+v, want %+v", got, want)
	}
}
