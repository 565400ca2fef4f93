package bootstrap

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/skynetgo/skynet/actor"
	"github.com/skynetgo/skynet/lualike/luaconf"
	"github.com/skynetgo/skynet/service"
)

// Config is what a node starts from. Load and Parse fill it from a file; tests
// may change it before Start.
type Config struct {
	// Node is the runtime's part. Logger takes the log until the logger service
	// runs.
	Node actor.Config
	// Env is the node's environment: every key of the file, and the defaults.
	Env map[string]string
	// Threads is GOMAXPROCS for the process, 0 to leave it alone.
	Threads int
	// Bootstrap, Start and LogService name the services that start the node, with
	// their arguments.
	Bootstrap, Start, LogService string
	// LogFile is appended to; "" is standard output.
	LogFile string

	where func(key, format string, args ...any) error
}

// Keys of the config file that mean something to the runtime. Any other key is
// the user's, read with Getenv.
const (
	keyThread      = "thread"
	keyHarbor      = "harbor"
	keyBootstrap   = "bootstrap"
	keyStart       = "start"
	keyLogger      = "logger"
	keyLogService  = "logservice"
	keyCluster     = "cluster"
	keyCallTimeout = "calltimeout"
	keyIsolate     = "isolate"
	keyDaemon      = "daemon"
	keyPreload     = "preload"
)

const maxThreads = 1024

// Load reads a config file. An error is one line that names file, line and key.
func Load(path string) (*Config, error) {
	lua, err := luaconf.LoadFile(path)
	if err != nil {
		return nil, err
	}
	return fromLua(lua)
}

// Parse reads a config from text; name stands for the file in errors.
func Parse(name, text string) (*Config, error) {
	lua, err := luaconf.LoadString(name, text)
	if err != nil {
		return nil, err
	}
	return fromLua(lua)
}

func fromLua(lua *luaconf.Config) (*Config, error) {
	cfg := &Config{
		Node:  actor.DefaultConfig(),
		Env:   make(map[string]string),
		where: func(key, format string, args ...any) error { return lua.Errorf(key, format, args...) },
	}
	for key, value := range lua.All() {
		cfg.Env[key] = value
	}
	for key, value := range map[string]string{keyHarbor: "0", keyBootstrap: "snlua bootstrap", keyLogService: "logger"} {
		if _, ok := cfg.Env[key]; !ok {
			cfg.Env[key] = value
		}
	}
	return cfg, cfg.interpret()
}

// interpret gives the keys their meaning.
func (cfg *Config) interpret() error {
	if text, ok := cfg.Env[keyThread]; ok {
		n := leadingInt(text)
		if n < 1 || n > maxThreads {
			return cfg.where(keyThread, "Invalid thread %d , should be in [1,%d]", n, maxThreads)
		}
		cfg.Threads = n
	}
	if h := cfg.Env[keyHarbor]; leadingInt(h) != 0 {
		return cfg.where(keyHarbor, "is %s: harbors are not supported, only 0; use cluster", h)
	}
	for _, key := range []string{keyDaemon, keyPreload} {
		if _, ok := cfg.Env[key]; ok {
			return cfg.where(key, "is not supported")
		}
	}
	module, rest, _ := strings.Cut(cfg.Env[keyBootstrap], " ")
	cfg.Bootstrap = strings.TrimSpace(rest)
	if module != "snlua" || cfg.Bootstrap == "" {
		return cfg.where(keyBootstrap, "Bootstrap error : %s", cfg.Env[keyBootstrap])
	}
	cfg.Start = "main"
	if s, ok := cfg.Env[keyStart]; ok {
		if cfg.Start = strings.TrimSpace(s); cfg.Start == "" {
			return cfg.where(keyStart, "names no service")
		}
	}
	cfg.LogService = cfg.Env[keyLogService]
	cfg.LogFile = cfg.Env[keyLogger]
	if text, ok := cfg.Env[keyCallTimeout]; ok {
		d, err := parseTimeout(text)
		if err != nil {
			return cfg.where(keyCallTimeout, "%v", err)
		}
		cfg.Node.CallTimeout = d
	}
	switch text := cfg.Env[keyIsolate]; text {
	case "", "false":
	case "true":
		cfg.Node.Isolate = service.Isolate
	default:
		return cfg.where(keyIsolate, "is neither true nor false: %s", text)
	}
	if path, ok := cfg.Env[keyCluster]; ok {
		if _, err := os.Stat(path); err != nil {
			return cfg.where(keyCluster, "%v", err)
		}
	}
	return nil
}

// leadingInt reads a number as C's strtol does: "3x" is 3, "abc" is 0.
func leadingInt(s string) int {
	s = strings.TrimLeft(s, " \t")
	end := 0
	for end < len(s) && (s[end] >= '0' && s[end] <= '9' || end == 0 && (s[0] == '-' || s[0] == '+')) {
		end++
	}
	n, _ := strconv.Atoi(s[:end])
	return n
}

// parseTimeout reads seconds, or a duration such as "500ms"; 0 is for ever.
func parseTimeout(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil {
		seconds, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return 0, fmt.Errorf("is neither seconds nor a duration: %s", text)
		}
		d = time.Duration(seconds * float64(time.Second))
	}
	if d < 0 {
		return 0, fmt.Errorf("is negative: %s", text)
	}
	return d, nil
}
