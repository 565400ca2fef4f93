package debugconsole

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"time"

	"github.com/skynetgo/skynet/lualike"
	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/services/launcher"
	"github.com/skynetgo/skynet/services/servicemgr"
)

// commands returns what the console understands.
func commands() map[string]command {
	all := map[string]command{
		"list":     {"services and their arguments", list},
		"stat":     {"stat [limit]: CPU seconds, messages handled and waiting, waiting coroutines of each service", stat},
		"service":  {"unique services", uniqueServices},
		"start":    {"start NAME args...: launch a service", startService},
		"log":      {"log NAME args...: launch a service whose messages are recorded", logService},
		"snax":     {"snax NAME args...: launch a snax service", startSnax},
		"exit":     {"exit ADDRESS: ask a service to end", at(exit)},
		"kill":     {"kill ADDRESS: end a service", at(kill)},
		"info":     {"info ADDRESS args...: what the service says of itself", debugCommand("INFO")},
		"ping":     {"ping ADDRESS: hundredths of a second that an answer takes", at(ping)},
		"call":     {"call ADDRESS \"COMMAND\", args...: send a request, arguments as in Lua", at(call)},
		"task":     {"task ADDRESS: what each waiting coroutine waits for, since when, and where", debugCommand("TASK")},
		"uniqtask": {"uniqtask ADDRESS: the same, equal ones together", debugCommand("UNIQTASK")},
		"dbgcmd":   {"dbgcmd ADDRESS COMMAND args...: send a debug command", at(dbgcmd)},
		"trace":    {"trace ADDRESS [lua] on|off: log what requests of a service do", at(trace)},
		"logon":    {"logon ADDRESS: record the messages of a service in the folder of the key logpath", at(logOn)},
		"logoff":   {"logoff ADDRESS: end of that", at(logOff)},
		"loglevel": {"loglevel ADDRESS [debug|info|warn|error]: the least level of the lines that a service logs", at(logLevel)},
		"netstat":  {"sockets", netstat},
		"getenv":   {"getenv KEY: a value of the environment", getenv},
		"setenv":   {"setenv KEY VALUE: set one that is not set yet", setenv},
		"mem":      {"memory of the process", mem},
		"gc":       {"collect garbage", gc},
	}
	for name, instead := range map[string]string{
		"clearcache": "there is no cache of code",
		"cmem":       "there is no memory of C; see mem",
		"jmem":       "there is no jemalloc; see mem",
		"profactive": "the heap is always profiled; see /debug/pprof/heap",
		"dumpheap":   "get /debug/pprof/heap",
		"inject":     "code can not be loaded; see call and info",
		"debug":      "there is no Lua to step through; attach a debugger such as dlv",
		"signal":     "a handler can not be interrupted from outside; the log tells where an endless one is",
		"killtask":   "a coroutine can not be ended from outside; see kill",
	} {
		all[name] = command{"not in Go: " + instead, func(*service.Context, input) (any, error) {
			return nil, fmt.Errorf("%s is not in Go: %s", name, instead)
		}}
	}
	all["help"] = command{"this list", func(*service.Context, input) (any, error) {
		lines := make(map[string]any)
		for name, cmd := range all {
			lines[name] = cmd.help
		}
		return lualike.Map(lines), nil
	}}
	return all
}

func list(c *service.Context, _ input) (any, error) {
	return service.Call[any](c, launcher.Name, "LIST")
}

func stat(c *service.Context, in input) (any, error) {
	if in.arg(0) == "" {
		return service.Call[any](c.WithTimeout(service.Forever), launcher.Name, "STAT")
	}
	var limit int64
	if _, err := fmt.Sscan(in.arg(0), &limit); err != nil {
		return nil, fmt.Errorf("%q is no number of hundredths of a second", in.arg(0))
	}
	return service.Call[any](c.WithTimeout(service.Forever), launcher.Name, "STAT", limit)
}

func uniqueServices(c *service.Context, _ input) (any, error) {
	return service.Call[any](c, servicemgr.Name, "LIST")
}

func startService(c *service.Context, in input) (any, error) {
	return launched(c, in, func(name string, args []any) (service.Handle, error) { return c.NewService(name, args...) })
}

func startSnax(c *service.Context, in input) (any, error) {
	return launched(c, in, func(name string, args []any) (service.Handle, error) {
		return c.NewService("snaxd "+name, args...)
	})
}

func logService(c *service.Context, in input) (any, error) {
	return launched(c, in, func(name string, args []any) (service.Handle, error) {
		return service.Call[service.Handle](c, launcher.Name, append([]any{"LOGLAUNCH", "snlua", name}, args...)...)
	})
}

// launched is what Skynet's console makes of a launch. The log has the reason of
// one that fails.
func launched(c *service.Context, in input, launch func(name string, args []any) (service.Handle, error)) (any, error) {
	if len(in.args) == 0 {
		return nil, errors.New("need a name")
	}
	h, err := launch(in.arg(0), texts(in.args[1:]))
	switch {
	case err != nil:
		c.Error(err)
		return "Failed", nil
	case h == 0:
		return "Exit", nil
	}
	return lualike.Map(map[string]any{h.String(): in.arg(0)}), nil
}

// exit does not wait, as the service may end much later.
func exit(c *service.Context, h service.Handle, _ input) (any, error) {
	return nil, c.RawSend(h, service.PTypeDebug, lualike.Args{"EXIT"})
}

func kill(c *service.Context, h service.Handle, _ input) (any, error) {
	return service.Call[any](c, launcher.Name, "KILL", h)
}

// at is a command about a service, which is the first argument.
func at(f func(c *service.Context, h service.Handle, in input) (any, error)) func(*service.Context, input) (any, error) {
	return func(c *service.Context, in input) (any, error) {
		h, err := address(c, in.arg(0))
		if err != nil {
			return nil, err
		}
		result, err := f(c, h, in)
		return result, explain(h, err)
	}
}

// debugCommand is a command of the console that is a debug command of services.
func debugCommand(name string) func(*service.Context, input) (any, error) {
	return at(func(c *service.Context, h service.Handle, in input) (any, error) {
		return debug(c, h, name, in.args[1:])
	})
}

func dbgcmd(c *service.Context, h service.Handle, in input) (any, error) {
	if len(in.args) < 2 {
		return nil, errors.New("need a debug command")
	}
	return debug(c, h, in.arg(1), in.args[2:])
}

func debug(c *service.Context, h service.Handle, name string, words []string) (any, error) {
	vals, err := service.Debug(c, h, name, texts(words)...)
	return vals.At(0), err
}

// texts are words as arguments.
func texts(words []string) []any {
	all := make([]any, len(words))
	for i, word := range words {
		all[i] = word
	}
	return all
}

func ping(c *service.Context, h service.Handle, _ input) (any, error) {
	began := c.Now()
	_, err := service.Debug(c, h, "PING")
	return fmt.Sprint(int64((c.Now() - began) / (10 * time.Millisecond))), err
}

func call(c *service.Context, h service.Handle, in input) (any, error) {
	line := in.line
	for range 2 { // the command and the address
		_, line, _ = strings.Cut(strings.TrimLeft(line, " \t"), " ")
	}
	if strings.TrimSpace(line) == "" {
		return nil, errors.New("need arguments")
	}
	args, err := parseValues(line)
	if err != nil {
		return nil, fmt.Errorf("Invalid arguments: %w", err)
	}
	vals, err := c.Call(h, args...)
	if err != nil {
		return nil, err
	}
	t := lualike.NewTable(0, len(vals)+1)
	for i, v := range vals {
		_ = t.Set(int64(i+1), v) // which is a key
	}
	_ = t.Set("n", int64(len(vals)))
	return t, nil
}

func trace(c *service.Context, h service.Handle, in input) (any, error) {
	flags := map[string]bool{"on": true, "true": true, "off": false, "false": false}
	words := in.args[1:]
	if len(words) == 2 && words[0] == "lua" {
		words = words[1:]
	}
	on, ok := flags[strings.Join(words, " ")]
	if !ok {
		return nil, errors.New("want: trace ADDRESS [lua] on|off")
	}
	_, err := service.Debug(c, h, "TRACELOG", "lua", on)
	return nil, err
}

func logOn(c *service.Context, h service.Handle, _ input) (any, error) {
	return nil, c.LogOn(h)
}

func logOff(c *service.Context, h service.Handle, _ input) (any, error) {
	err := c.LogOff(h)
	tailOf(c.Node()) // goes on if that was the logger
	return nil, err
}

func logLevel(c *service.Context, h service.Handle, in input) (any, error) {
	svc := c.Node().Find(h)
	if svc == nil {
		return nil, service.ErrNoService
	}
	level := svc.LogLevel()
	if len(in.args) > 1 {
		if err := level.UnmarshalText([]byte(in.arg(1))); err != nil {
			return nil, fmt.Errorf("is not debug, info, warn or error: %s", in.arg(1))
		}
		svc.SetLogLevel(level)
	}
	return strings.ToLower(level.String()), nil
}

func getenv(c *service.Context, in input) (any, error) {
	if len(in.args) == 0 {
		return nil, errors.New("need a key")
	}
	value, ok := c.LookupEnv(in.arg(0))
	if !ok {
		value = "nil"
	}
	return lualike.Map(map[string]any{in.arg(0): value}), nil
}

func setenv(c *service.Context, in input) (any, error) {
	if len(in.args) < 2 {
		return nil, errors.New("need a key and a value")
	}
	return nil, c.Setenv(in.arg(0), in.arg(1))
}

// mem is of the whole process, whose services share one heap.
func mem(*service.Context, input) (any, error) {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	all := make(map[string]any)
	for name, bytes := range map[string]uint64{"heap": m.HeapAlloc, "stacks": m.StackInuse, "system": m.Sys} {
		all[name] = fmt.Sprintf("%.2f Kb", float64(bytes)/1024)
	}
	return lualike.Map(all), nil
}

func gc(c *service.Context, in input) (any, error) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	began := c.Now()
	runtime.GC()
	cost := c.Now() - began
	runtime.ReadMemStats(&after)
	c.Logf("GC %.2f Kb -> %.2f Kb, cost %.2f sec", float64(before.HeapAlloc)/1024, float64(after.HeapAlloc)/1024, cost.Seconds())
	return mem(c, in)
}
