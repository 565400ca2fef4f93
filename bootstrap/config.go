package bootstrap

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/skynetgo/skynet/actor"
	"github.com/skynetgo/skynet/lualike/luaconf"
	"github.com/skynetgo/skynet/service"
)

// Keys of the config file that mean something to the runtime. Any other key is
// the user's, read with Getenv.
const (
	keyThread      = "thread"
	keyHeapFloor   = "heapfloor"
	keyHarbor      = "harbor"
	keyStandalone  = "standalone"
	keyBootstrap   = "bootstrap"
	keyStart       = "start"
	keyLogger      = "logger"
	keyLogService  = "logservice"
	keyLogFormat   = "logformat"
	keyLogLevel    = "loglevel"
	keyCluster     = "cluster"
	keyCallTimeout = "calltimeout"
	keyStopTimeout = "stoptimeout"
	keyIsolate     = "isolate"
	keyProfile     = "profile"
	keyDaemon      = "daemon"
	keyPreload     = "preload"
)

const maxThreads = 1024

// Bounds of Config.HeapFloor.
const (
	defaultHeapFloor = 32
	maxHeapFloor     = 1 << 20
)

// moduleLua is the name that Skynet's config has in front of services which are
// not written in C: all of them, here.
const moduleLua = "snlua"

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
	// HeapFloor is how many MiB the garbage collector takes the heap to be larger
	// than it is: it runs when as much as that, and the heap, has become garbage. A
	// node that holds little would run it for each few large messages, and give
	// their memory back to the system each time.
	HeapFloor int
	// Bootstrap, Start and LogService name the services that start the node, with
	// their arguments.
	Bootstrap, Start, LogService string
	// LogFile is appended to; "" is standard output.
	LogFile string

	file  string
	where func(key string) (file string, line int)
}

// Load reads a config file. An error is one line that names file, line and key.
func Load(path string) (*Config, error) {
	lua, err := luaconf.LoadFile(path)
	if err != nil {
		return nil, err
	}
	return fromLua(path, lua)
}

// Parse reads a config from text; name stands for the file in errors.
func Parse(name, text string) (*Config, error) {
	lua, err := luaconf.LoadString(name, text)
	if err != nil {
		return nil, err
	}
	return fromLua(name, lua)
}

func fromLua(file string, lua *luaconf.Config) (*Config, error) {
	cfg := &Config{
		Node: actor.DefaultConfig(), Env: make(map[string]string), HeapFloor: defaultHeapFloor, file: file, where: lua.Where,
	}
	for key, value := range lua.All() {
		cfg.Env[key] = value
	}
	if err := cfg.refuse(); err != nil {
		return nil, err
	}
	for key, value := range map[string]string{
		keyHarbor: "0", keyStandalone: "true", keyBootstrap: moduleLua + " bootstrap", keyLogService: "logger",
	} {
		if _, ok := cfg.Env[key]; !ok {
			cfg.Env[key] = value
		}
	}
	if err := cfg.services(); err != nil {
		return nil, err
	}
	if err := cfg.log(); err != nil {
		return nil, err
	}
	if err := cfg.runtime(lua); err != nil {
		return nil, err
	}
	return cfg, nil
}

// refuse tells what of Skynet does not exist here.
func (cfg *Config) refuse() error {
	if harbor, ok := cfg.Env[keyHarbor]; ok && harbor != "0" {
		return cfg.errorf(keyHarbor, "is %s, but harbors are not supported, only 0; use cluster", harbor)
	}
	for _, key := range []string{keyStandalone, keyDaemon, keyPreload} {
		if _, ok := cfg.Env[key]; ok {
			return cfg.errorf(key, "is not supported")
		}
	}
	return nil
}

// services reads the keys that name the services of the start.
func (cfg *Config) services() error {
	module, rest, _ := strings.Cut(strings.TrimSpace(cfg.Env[keyBootstrap]), " ")
	cfg.Bootstrap = strings.TrimSpace(rest)
	if module != moduleLua || cfg.Bootstrap == "" {
		return cfg.errorf(keyBootstrap, "Bootstrap error : %s", cfg.Env[keyBootstrap])
	}
	cfg.Start = "main"
	if s, ok := cfg.Env[keyStart]; ok {
		if cfg.Start = strings.TrimSpace(s); cfg.Start == "" {
			return cfg.errorf(keyStart, "names no service")
		}
	}
	cfg.LogService, cfg.LogFile = cfg.Env[keyLogService], cfg.Env[keyLogger]
	if cfg.LogService == moduleLua { // a logger of the user's, in Skynet's way
		cfg.LogService, cfg.LogFile = cfg.LogFile, ""
	}
	if strings.TrimSpace(cfg.LogService) == "" {
		return cfg.errorf(keyLogService, "names no service")
	}
	return nil
}

// log reads the keys of what the log looks like.
func (cfg *Config) log() error {
	switch format := cfg.Env[keyLogFormat]; format {
	case "", "text", "json":
	default:
		return cfg.errorf(keyLogFormat, "is neither text nor json: %s", format)
	}
	if level := cfg.Env[keyLogLevel]; level != "" && cfg.Node.LogLevel.UnmarshalText([]byte(level)) != nil {
		return cfg.errorf(keyLogLevel, "is not debug, info, warn or error: %s", level)
	}
	return nil
}

// runtime reads the keys that change how all services run.
func (cfg *Config) runtime(lua *luaconf.Config) error {
	if _, ok := cfg.Env[keyThread]; ok {
		n := lua.Int(keyThread, 0)
		if n < 1 || n > maxThreads {
			return cfg.errorf(keyThread, "Invalid thread %d , should be in [1,%d]", n, maxThreads)
		}
		cfg.Threads = int(n)
	}
	if text, ok := cfg.Env[keyHeapFloor]; ok {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 || n > maxHeapFloor {
			return cfg.errorf(keyHeapFloor, "Invalid heapfloor %s , should be in [0,%d]", text, maxHeapFloor)
		}
		cfg.HeapFloor = n
	}
	if err := cfg.timeout(keyCallTimeout, &cfg.Node.CallTimeout); err != nil {
		return err
	}
	if err := cfg.timeout(keyStopTimeout, &cfg.Node.StopTimeout); err != nil {
		return err
	}
	isolate := false
	if err := cfg.boolean(keyIsolate, &isolate); err != nil {
		return err
	}
	if isolate {
		cfg.Node.Isolate = service.Isolate
	}
	return cfg.boolean(keyProfile, &cfg.Node.Profile)
}

// timeout sets d to what the file says, if it does.
func (cfg *Config) timeout(key string, d *time.Duration) error {
	text, ok := cfg.Env[key]
	if !ok {
		return nil
	}
	v, err := parseTimeout(text)
	if err != nil {
		return cfg.errorf(key, "%w: %s", err, text)
	}
	*d = v
	return nil
}

// boolean sets b to what the file says, if it does.
func (cfg *Config) boolean(key string, b *bool) error {
	switch text := cfg.Env[key]; text {
	case "":
	case "true", "false":
		*b = text == "true"
	default:
		return cfg.errorf(key, "is neither true nor false: %s", text)
	}
	return nil
}

// errorf makes an error about a key, which begins with the place that the file
// sets it at.
func (cfg *Config) errorf(key, format string, args ...any) error {
	place := cfg.file
	if cfg.where != nil {
		if file, line := cfg.where(key); line > 0 {
			place = fmt.Sprintf("%s:%d", file, line)
		}
	}
	if place != "" {
		place += ": "
	}
	return fmt.Errorf("%s%s: %w", place, key, fmt.Errorf(format, args...))
}

// oneLine makes one line of an error whose text has several.
var oneLine = strings.NewReplacer("\r\n", " ", "\n", " ", "\r", " ")

// parseTimeout reads seconds, or a duration such as "500ms".
func parseTimeout(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil {
		seconds, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsNaN(seconds) {
			return 0, errors.New("is neither seconds nor a duration")
		}
		if math.Abs(seconds) > math.MaxInt64/float64(time.Second) {
			return 0, errors.New("is out of range")
		}
		d = time.Duration(seconds * float64(time.Second))
	}
	if d < 0 {
		return 0, errors.New("is negative")
	}
	return d, nil
}
