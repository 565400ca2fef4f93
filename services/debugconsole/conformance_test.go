package debugconsole_test

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/service/socket"
)

const (
	ok     = "\n<CMD OK>"
	failed = "\n<CMD Error>"
)

// skynetCommands are those of Skynet's console.
const skynetCommands = "call clearcache cmem dbgcmd debug dumpheap exit gc getenv help info inject jmem kill killtask list log logoff " +
	"logon mem netstat ping profactive service setenv signal snax start stat task trace uniqtask"

func TestB140Commands(t *testing.T) {
	s := newBoard(t, 0).dial()
	help := s.do("help")
	for name := range strings.FieldsSeq(skynetCommands) {
		if !strings.Contains("\n"+help, "\n"+name+"\t") {
			t.Errorf("help does not tell of %s", name)
		}
		if strings.Contains(s.do("%s", name), "Invalid command") {
			t.Errorf("%s is not known", name)
		}
	}
	if lines := strings.Split(help, "\n"); lines[0] != "call\t"+strings.SplitN(lines[0], "\t", 2)[1] || lines[len(lines)-1] != "<CMD OK>" {
		t.Errorf("help is\n%s", help)
	}
}

func TestB141UnknownCommand(t *testing.T) {
	s := newBoard(t, 0).dial()
	s.wants("bogus 1 2", "Invalid command, type help for command list\n"+failed)
}

func TestB142List(t *testing.T) {
	b := newBoard(t, 0)
	s := b.dial()
	got := s.do("list")
	for _, want := range []string{b.a.String() + "\tsnlua subject x 1\n", b.b.String() + "\tsnlua subject\n", "\tsnlua debug_console 127.0.0.1 0\n", ok} {
		if !strings.Contains(got, want) {
			t.Errorf("list has no %q:\n%s", want, got)
		}
	}
	for _, name := range []string{"launcher", "logger", "bootstrap"} {
		if strings.Contains(got, name) {
			t.Errorf("list has %s:\n%s", name, got)
		}
	}
}

func TestB143StatMemGC(t *testing.T) {
	b := newBoard(t, 0)
	s := b.dial()
	b.wait(b.a, "x")
	s.matches("stat", `.*`+b.a.String()+`\tcpu:\d+\.\d+(e-\d+)?\tmessage:\d+\tmqlen:0\ttask:1\n.*`+b.b.String()+`\tcpu:[^\t]*\tmessage:\d+\tmqlen:0\ttask:0\n.*<CMD OK>`)
	s.matches("stat 0", `.*\ttask:1\n.*<CMD OK>`)
	s.matches("stat x", `"x" is no number.*<CMD Error>`)

	// What does not answer in time is shown as such, beside the others.
	busy := make(chan struct{})
	if err := b.Send(b.b, service.Message{Type: service.PTypeClient, Data: busy}); err != nil {
		t.Fatal(err)
	}
	s.matches("stat 10", `.*`+b.a.String()+`\tcpu:.*`+b.b.String()+`\tTIMEOUT\n.*<CMD OK>`)
	close(busy)

	// So is one that the launcher does not know to have ended.
	if err := b.Node.Node.Kill(0, b.a); err != nil {
		t.Fatal(err)
	}
	s.matches("stat", `.*`+b.a.String()+`\tERROR\n.*<CMD OK>`)

	s.matches("mem", `heap\t\d+\.\d\d Kb\nstacks\t\d+\.\d\d Kb\nsystem\t\d+\.\d\d Kb\n<CMD OK>`)
	s.matches("gc", `heap\t\d+\.\d\d Kb\n.*<CMD OK>`)
	line := b.Log.Wait(t, "GC ")
	if !regexp.MustCompile(`GC \d+\.\d\d Kb -> \d+\.\d\d Kb, cost \d+\.\d\d sec$`).MatchString(line) {
		t.Errorf("the line is %q", line)
	}
}

func TestB144Ping(t *testing.T) {
	b := newBoard(t, 0)
	s := b.dial()
	b.Run(func(c *service.Context) error { return c.Name(".subject", b.a) })
	for _, addr := range []string{b.a.String(), fmt.Sprintf("%x", uint32(b.a)), ".subject"} {
		s.matches("ping "+addr, `\d+`+ok)
	}
	s.wants("ping zz", "Need an address"+failed)
	s.wants("ping", "Need an address"+failed)
	s.wants("ping .nosuch", "Not a valid name"+failed)
	s.wants("ping ff", "call to invalid address :000000ff"+failed)
	s.wants("ping :ff", "call to invalid address :000000ff"+failed)
}

func TestB145Info(t *testing.T) {
	b := newBoard(t, 0)
	s := b.dial()
	s.wants("info "+b.a.String(), "a\t1\nargs\t\nb\tc:2\td:x"+ok)
	s.wants("info "+b.a.String()+" 5 six", "a\t1\nargs\t1:5\t2:six\nb\tc:2\td:x"+ok)
	s.wants("info "+b.a.String()+" none", "<CMD OK>")
	s.wants("info .launcher", "<CMD OK>")
}

func TestB146Task(t *testing.T) {
	b := newBoard(t, 0)
	s := b.dial()
	b.wait(b.a, "x")
	b.wait(b.a, "y")
	line := `session: \d+\twait on [xy] since [^\n]*s\n[^<]*waitsInSubject\n\t[^\n]*helper_test.go:\d+\n`
	s.matches("task "+b.a.String(), line+`[^<]*`+line+`[^<]*<CMD OK>`)
	s.matches("uniqtask "+b.a.String(), `2\tsessions:\[\d+,\d+\]\n\twait since [^\n]*s\n[^<]*waitsInSubject\n[^<]*<CMD OK>`)
	s.wants("task "+b.b.String(), "<CMD OK>")
	// On whom a call waits: the console's own, of this very command.
	s.matches("task "+b.console().String(), `.*call `+b.console().String()+` since .*<CMD OK>`)
}

// console returns the address of the console.
func (b *board) console() service.Handle {
	for _, svc := range b.Services() {
		if svc.Name() == "debug_console" {
			return svc.Handle()
		}
	}
	b.t.Fatal("no console")
	return 0
}

func TestB147Service(t *testing.T) {
	b := newBoard(t, 0)
	b.Run(func(c *service.Context) error {
		if _, err := c.UniqueService("refuses"); err == nil {
			t.Error("it started")
		}
		return nil
	})
	started := make(chan error, 1)
	go func() {
		started <- service.Run(t.Context(), b.Node.Node, func(c *service.Context) error {
			_, err := c.QueryService("absent")
			return err
		})
	}()
	s := b.dial()
	b.eventually(func() bool { return strings.Contains(s.do("service"), "absent\tQuerying:") })
	s.matches("service", `absent\tQuerying:\n:[0-9a-f]{8}\nrefuses\tError: [^\n]*not today\nsubject\t`+b.b.String()+ok)
	b.Stop()
	if err := <-started; err == nil {
		t.Error("absent was found")
	}
}

func TestB148Call(t *testing.T) {
	b := newBoard(t, 0)
	s := b.dial()
	a := "call " + b.a.String()
	s.wants(a+" 'two',1,{3}", "1\ttwo\n2\t1\n3\t1:3\nn\t3"+ok)
	s.wants(a+` "x", nil, 1.5, {k = {l = 1}}`, "1\tx\n3\t1.5\n4\tk:{l = 1}\nn\t4"+ok)
	s.wants(a, "need arguments"+failed)
	s.wants(a+"  ", "need arguments"+failed)
	s.matches(a+" 1 +", `Invalid arguments.*<CMD Error>`)
	s.matches(a+" 'FAIL'", `call failed.*as told`+failed)
	s.wants("call ff 1", "call to invalid address :000000ff"+failed)
	s.wants("call zz 1", "Need an address"+failed)
}

func TestB149Start(t *testing.T) {
	dir := t.TempDir()
	b := newBoard(t, 0, nodetest.Env("logpath", dir))
	s := b.dial()
	for _, cmd := range []string{"start", "log"} {
		h := s.matches(cmd+" subject p q", `(:[0-9a-f]{8})\tsubject`+ok)[1]
		if list := s.do("list"); !strings.Contains(list, h+"\tsnlua subject p q\n") {
			t.Errorf("%s: the list is\n%s", cmd, list)
		}
		text, err := os.ReadFile(filepath.Join(dir, h[1:]+".log"))
		if recorded := strings.HasPrefix(string(text), "open time: "); recorded != (cmd == "log") {
			t.Errorf("%s: recorded is %v, %v", cmd, recorded, err)
		}
		s.wants(cmd+" refuses", "Failed"+ok)
		s.wants(cmd+" nosuch", "Failed"+ok)
		s.wants(cmd+" leaves", "Exit"+ok)
	}
	s.matches("snax pingsnax", `:[0-9a-f]{8}\tpingsnax`+ok)
	s.wants("snax nosuch", "Failed"+ok)
	s.wants("start", "need a name"+failed)
}

func TestB150ExitAndKill(t *testing.T) {
	b := newBoard(t, 0)
	s := b.dial()
	s.wants("exit "+b.a.String(), "<CMD OK>")
	b.Log.Wait(t, "["+b.a.String()+"] KILL self")
	s.wants("exit "+b.a.String(), "call to invalid address "+b.a.String()+failed)
	s.wants("kill "+b.b.String(), b.b.String()+"\tsnlua subject"+ok)
	s.wants("kill "+b.b.String(), b.b.String()+"\tnil"+ok)
	if b.Find(b.a) != nil || b.Find(b.b) != nil {
		t.Error("they live")
	}
}

// TestB151Inject and the like: what Go does not have is said in one line.
func TestB151Inject(t *testing.T) { notInGo(t, "inject 8 x.lua") }

func notInGo(t *testing.T, cmds ...string) {
	t.Helper()
	s := newBoard(t, 0).dial()
	for _, cmd := range cmds {
		name, _, _ := strings.Cut(cmd, " ")
		s.matches(cmd, name+` is not in Go: [^\n]+`+failed)
	}
}

func TestB152Trace(t *testing.T) {
	b := newBoard(t, 0)
	s := b.dial()
	for _, cmd := range []string{"on", "lua on"} {
		s.wants("trace "+b.a.String()+" "+cmd, "<CMD OK>")
		b.Log.Wait(t, "["+b.a.String()+"] Turn trace log true for lua")
		s.wants("call "+b.a.String()+" 'X'", "1\tX\nn\t1"+ok)
		tag := regexp.MustCompile(`<TRACE ` + b.a.String() + `-\d+> \d+ (trace|response|end)`)
		b.WaitIdle()
		if n := len(tag.FindAllString(strings.Join(b.Log.Lines(), "\n"), -1)); n%3 != 0 || n == 0 {
			t.Errorf("%d traced lines:\n%s", n, strings.Join(b.Log.Lines(), "\n"))
		}
		s.wants("trace "+b.a.String()+" off", "<CMD OK>")
		b.Log.Wait(t, "["+b.a.String()+"] Turn trace log false for lua")
	}
	s.matches("trace "+b.a.String(), `want: trace.*<CMD Error>`)
	s.matches("trace "+b.a.String()+" text on", `want: trace.*<CMD Error>`)
}

func TestB153Netstat(t *testing.T) {
	b := newBoard(t, 0)
	s := b.dial()
	s.wants("netstat", "<CMD OK>")
	service.Install(b.Node.Node, service.Def("listens", func(c *service.Context, _ ...any) error {
		h := &socket.Handler{Open: func(c *service.Context, fd socket.FD, _ string) {
			_ = socket.Start(c, fd)
			_ = socket.Write(c, fd, make([]byte, 6124))
		}}
		_, addr, err := socket.Listen(c, "127.0.0.1:0", h)
		c.Error("listening on " + addr)
		return err
	}))
	owner := s.matches("start listens", `(:[0-9a-f]{8})\tlistens`+ok)[1]
	line := b.Log.Wait(t, "listening on ")
	_, addr, _ := strings.Cut(line, "listening on ")
	peer := b.connectTo(addr)
	peer.send("\x00\x01x")
	if _, err := peer.in.Discard(6124); err != nil {
		t.Fatal(err)
	}
	want := `1\taccept:1\taddress:` + owner + `\tid:1\trtime:\d+\.\d+s\tsock:` + addr + `\ttype:LISTEN\n` +
		`2\taddress:` + owner + `\tid:2\tpeer:` + peer.conn.LocalAddr().String() +
		`\tread:3\treading:true\trtime:\d+\.\d+s\ttype:TCP\twrite:5\.98046875K\twriting:false\twtime:\d+\.\d+s` + ok
	b.eventually(func() bool { return regexp.MustCompile(want).MatchString(s.do("netstat")) })
}

func TestB154Environment(t *testing.T) {
	s := newBoard(t, 0, nodetest.Env("realm", "north")).dial()
	s.wants("getenv realm", "realm\tnorth"+ok)
	s.wants("getenv nosuch", "nosuch\tnil"+ok)
	s.wants("setenv mine 1", "<CMD OK>")
	s.wants("getenv mine", "mine\t1"+ok)
	s.matches("setenv mine 2", `.*exist key : mine`+failed)
	s.wants("getenv", "need a key"+failed)
	s.wants("setenv mine", "need a key and a value"+failed)
}

func TestB155Signal(t *testing.T) { notInGo(t, "signal 8", "signal 8 1") }

func TestB156DebugCommand(t *testing.T) {
	b := newBoard(t, 0)
	s := b.dial()
	s.matches("dbgcmd "+b.a.String()+" STAT", `cpu\t\d+\.\d+(e-\d+)?\nmessage\t\d+\nmqlen\t0\ntask\t0`+ok)
	s.matches("dbgcmd "+b.a.String()+" NOSUCH", `call failed.*NOSUCH`+failed)
	s.wants("dbgcmd "+b.a.String()+" SUPPORT lua", "the answer is no table but true"+failed)
	s.matches("dbgcmd "+b.a.String()+" MEM", `call failed.*MEM is not in Go`+failed)
	s.matches("dbgcmd "+b.a.String(), `need a debug command`+failed)
	s.wants("getenv nosuch", "nosuch\tnil"+ok) // the connection is alive
}

func TestB157KillTask(t *testing.T) { notInGo(t, "killtask 8 0x1") }

func TestB158CMemory(t *testing.T) {
	notInGo(t, "cmem", "jmem", "dumpheap", "profactive on", "clearcache", "debug 8")
}

func TestLogLevel(t *testing.T) {
	b := newBoard(t, 0)
	s := b.dial()
	s.wants("loglevel "+b.a.String(), "info"+ok)
	s.wants("loglevel "+b.a.String()+" debug", "debug"+ok)
	if level := b.Find(b.a).LogLevel(); level != slog.LevelDebug {
		t.Errorf("it is %v", level)
	}
	s.wants("loglevel "+b.a.String()+" Error", "error"+ok)
	s.wants("loglevel "+b.a.String()+" loud", "is not debug, info, warn or error: loud"+failed)
	s.wants("loglevel "+b.a.String(), "error"+ok)
	s.wants("loglevel "+b.b.String(), "info"+ok)
	s.wants("loglevel ff", "call to invalid address :000000ff"+failed)
}

func TestLogOn(t *testing.T) {
	dir := t.TempDir()
	b := newBoard(t, 0, nodetest.Env("logpath", dir))
	s := b.dial()
	s.wants("logon "+b.a.String(), "<CMD OK>")
	s.wants("call "+b.a.String()+" 'X'", "1\tX\nn\t1"+ok)
	s.wants("logoff "+b.a.String(), "<CMD OK>")
	b.Log.Wait(t, "Close log file "+b.a.String())
	text, err := os.ReadFile(filepath.Join(dir, b.a.String()[1:]+".log"))
	if n := strings.Count(string(text), "\n"); err != nil || n != 3 {
		t.Errorf("%d lines, %v:\n%s", n, err, text)
	}
	s.wants("logon ff", "call to invalid address :000000ff"+failed)
}
