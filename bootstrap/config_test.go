package bootstrap

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/skynetgo/skynet/actor"
)

func parse(t *testing.T, text string) *Config {
	t.Helper()
	cfg, err := Parse("config", text)
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

func TestDefaults(t *testing.T) {
	cfg := parse(t, "")
	for key, want := range map[string]string{
		"harbor": "0", "standalone": "true", "bootstrap": "snlua bootstrap", "logservice": "logger",
	} {
		if got := cfg.Env[key]; got != want {
			t.Errorf("%s is %q, want %q", key, got, want)
		}
	}
	if len(cfg.Env) != 4 {
		t.Errorf("more than the defaults: %v", cfg.Env)
	}
	if cfg.Bootstrap != "bootstrap" || cfg.Start != "main" || cfg.LogService != "logger" || cfg.LogFile != "" {
		t.Errorf("services: %q %q %q %q", cfg.Bootstrap, cfg.Start, cfg.LogService, cfg.LogFile)
	}
	if cfg.Threads != 0 || cfg.Node.CallTimeout != actor.DefaultConfig().CallTimeout || cfg.Node.Isolate != nil {
		t.Errorf("runtime: %d threads, %v, isolate %t", cfg.Threads, cfg.Node.CallTimeout, cfg.Node.Isolate != nil)
	}
}

func TestEveryKeyIsInTheEnvironment(t *testing.T) {
	cfg := parse(t, `
		text = "a b"; number = 42; float = 1.5; yes = true; no = false; gone = nil
		thread = "2"; start = "main x"; calltimeout = 3`)
	for key, want := range map[string]string{
		"text": "a b", "number": "42", "float": "1.5", "yes": "true", "no": "false",
		"thread": "2", "start": "main x", "calltimeout": "3",
	} {
		if got := cfg.Env[key]; got != want {
			t.Errorf("%s is %q, want %q", key, got, want)
		}
	}
	if _, ok := cfg.Env["gone"]; ok {
		t.Error("a nil is set")
	}
}

func TestHeapFloor(t *testing.T) {
	for value, want := range map[string]int{"nil": 32, "0": 0, "1": 1, "1048576": 1 << 20} {
		if got := parse(t, "heapfloor = "+value).HeapFloor; got != want {
			t.Errorf("heapfloor = %s: %d, want %d", value, got, want)
		}
	}
	for _, value := range []string{"-1", "1048577", "'much'"} {
		if _, err := Parse("test", "heapfloor = "+value); err == nil || !strings.Contains(err.Error(), "should be in [0,1048576]") {
			t.Errorf("heapfloor = %s: %v", value, err)
		}
	}
}

func TestB115Thread(t *testing.T) {
	for value, want := range map[string]int{"1": 1, "1024": 1024, `"3x"`: 3, `" 7"`: 7, "8.9": 8} {
		if got := parse(t, "thread = "+value).Threads; got != want {
			t.Errorf("thread = %s: %d, want %d", value, got, want)
		}
	}
}

func TestServices(t *testing.T) {
	for text, want := range map[string][4]string{
		`start = " main  a b "`:                      {"bootstrap", "main  a b", "logger", ""},
		`bootstrap = " snlua  other x"`:              {"other x", "main", "logger", ""},
		`logger = "node.log"`:                        {"bootstrap", "main", "logger", "node.log"},
		`logservice = "mylog"`:                       {"bootstrap", "main", "mylog", ""},
		`logservice = "snlua"; logger = "userlog x"`: {"bootstrap", "main", "userlog x", ""},
	} {
		cfg := parse(t, text)
		if got := [4]string{cfg.Bootstrap, cfg.Start, cfg.LogService, cfg.LogFile}; got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

func TestCallTimeout(t *testing.T) {
	for value, want := range map[string]time.Duration{
		"5": 5 * time.Second, "0.25": 250 * time.Millisecond, `"500ms"`: 500 * time.Millisecond, "0": 0, `"0"`: 0, "1e9": 1e18,
	} {
		if got := parse(t, "calltimeout = "+value).Node.CallTimeout; got != want {
			t.Errorf("calltimeout = %s: %v, want %v", value, got, want)
		}
	}
}

func TestStopTimeout(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"": actor.DefaultConfig().StopTimeout, "stoptimeout = 5": 5 * time.Second, `stoptimeout = "20ms"`: 20 * time.Millisecond,
		"stoptimeout = 0": 0, "stoptimeout = 0 calltimeout = 7": 0,
	} {
		if got := parse(t, text).Node.StopTimeout; got != want {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
}

func TestProfile(t *testing.T) {
	for text, want := range map[string]bool{
		"": true, "profile = nil": true, "profile = true": true, "profile = false": false, `profile = "false"`: false,
	} {
		if got := parse(t, text).Node.Profile; got != want {
			t.Errorf("%s: %t", text, got)
		}
	}
}

func TestLogLevel(t *testing.T) {
	for text, want := range map[string]slog.Level{
		"": slog.LevelInfo, "loglevel = 'debug'": slog.LevelDebug, "loglevel = 'Error'": slog.LevelError,
	} {
		if got := parse(t, text).Node.LogLevel; got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}

func TestIsolate(t *testing.T) {
	for value, want := range map[string]bool{"true": true, `"true"`: true, "false": false, "nil": false} {
		if got := parse(t, "isolate = "+value).Node.Isolate != nil; got != want {
			t.Errorf("isolate = %s: %t", value, got)
		}
	}
}

// Every error is one line: file, line, key and what is wrong, each once.
func TestRefused(t *testing.T) {
	for text, want := range map[string]string{
		`thread = 0`:                    "thread: Invalid thread 0 , should be in [1,1024]",
		`thread = 1025`:                 "thread: Invalid thread 1025 , should be in [1,1024]",
		`thread = "abc"`:                "thread: Invalid thread 0 , should be in [1,1024]",
		`thread = -3`:                   "thread: Invalid thread -3 , should be in [1,1024]",
		`harbor = 1`:                    "harbor: is 1, but harbors are not supported, only 0; use cluster",
		`harbor = "abc"`:                "harbor: is abc, but harbors are not supported, only 0; use cluster",
		`harbor = 0.5`:                  "harbor: is 0.5, but harbors are not supported, only 0; use cluster",
		`harbor = true`:                 "harbor: is true, but harbors are not supported, only 0; use cluster",
		`harbor = 0 standalone = "x"`:   "standalone: is not supported",
		`daemon = "./skynet.pid"`:       "daemon: is not supported",
		`preload = "./preload.lua"`:     "preload: is not supported",
		`bootstrap = "nosuchmod x"`:     "bootstrap: Bootstrap error : nosuchmod x",
		`bootstrap = "snlua"`:           "bootstrap: Bootstrap error : snlua",
		`start = ""`:                    "start: names no service",
		`start = "  "`:                  "start: names no service",
		`logservice = ""`:               "logservice: names no service",
		`logservice = "snlua"`:          "logservice: names no service",
		`logformat = "xml"`:             "logformat: is neither text nor json: xml",
		`loglevel = "loud"`:             "loglevel: is not debug, info, warn or error: loud",
		`calltimeout = "soon"`:          "calltimeout: is neither seconds nor a duration: soon",
		`calltimeout = "nan"`:           "calltimeout: is neither seconds nor a duration: nan",
		`calltimeout = -1`:              "calltimeout: is negative: -1",
		`calltimeout = "1e300"`:         "calltimeout: is out of range: 1e300",
		`isolate = "maybe"`:             "isolate: is neither true nor false: maybe",
		`profile = 1`:                   "profile: is neither true nor false: 1",
		`stoptimeout = "soon"`:          "stoptimeout: is neither seconds nor a duration: soon",
		`stoptimeout = -1`:              "stoptimeout: is negative: -1",
		`t = {}`:                        "t: Invalid config table key = t",
		`thread = 2 thread = "x" a = 1`: "thread: Invalid thread 0 , should be in [1,1024]",
	} {
		_, err := Parse("etc/config", "-- a comment\n"+text)
		if want = "etc/config:2: " + want; err == nil || err.Error() != want {
			t.Errorf("%s:\ngot  %v\nwant %s", text, err, want)
		}
	}
}

func TestIncludeCountsFromTheIncludingFile(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("etc/common", "thread = 2\ninclude 'more/own'\n")
	own := write("etc/more/own", "a = 1\ncalltimeout = 'x'")
	path := write("etc/config", "include 'common'\nthread = 3\ncalltimeout = 1")
	cfg, err := Load(path)
	if err != nil || cfg.Threads != 3 || cfg.Env["a"] != "1" {
		t.Errorf("got %+v, %v", cfg, err)
	}
	path = write("etc/config", "include 'common'\n")
	_, err = Load(path)
	if want := own + ":2: calltimeout: is neither seconds nor a duration: x"; err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestVariables(t *testing.T) {
	t.Setenv("SKYNET_TEST_THREADS", "4")
	if cfg := parse(t, "thread = $SKYNET_TEST_THREADS"); cfg.Threads != 4 {
		t.Errorf("%d threads", cfg.Threads)
	}
	_, err := Parse("config", "\nx = $SKYNET_TEST_UNSET")
	if err == nil || !strings.Contains(err.Error(), "config:2: os.getenv() failed: SKYNET_TEST_UNSET") {
		t.Errorf("got %v", err)
	}
}
