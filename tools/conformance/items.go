package main

// item is one recorded behaviour of Skynet, or what stands in its place here.
type item struct {
	number int
	title  string
	// pending says why there is no test yet; "" when there must be one.
	pending string
}

// sections holds the items by the sections of the record, which has gaps in its
// numbers between them. The gate (8), the console (11) and the cluster (12) are
// not in the list yet.
var sections = []struct {
	name  string
	items []item
}{
	{"1. Launching services", []item{
		{number: 1, title: "arguments of a launch: values, words from the config file"},
		{number: 2, title: "boolean and nil arguments arrive"},
		{number: 3, title: "the handle comes back after the start function has returned"},
		{number: 4, title: "every way to fail in the start is one error"},
		{number: 5, title: "the log has the reason of a failed start, then KILL self"},
		{number: 6, title: "exit in the start is no error"},
		{number: 7, title: "a start that never ends: the caller's deadline"},
		{number: 8, title: "launch of something unknown"},
		{number: 9, title: "the LAUNCH line"},
		{number: 10, title: "concurrent uniqueservice: one launch"},
		{number: 11, title: "a failed unique start is remembered"},
		{number: 12, title: "queryservice waits for the launch"},
		{number: 13, title: "a unique service that has exited keeps its handle"},
		{number: 14, title: "unknown commands of .launcher and .service"},
	}},
	{"2. Handles and addresses", []item{
		{number: 20, title: "handles of the boot"},
		{number: 21, title: "bootstrap exits after the start"},
		{number: 22, title: "the table of slots that handles come from"},
		{number: 23, title: "text form of an address"},
		{number: 24, title: "names without a dot are nobody's"},
		{number: 25, title: "local names; a taken one is an error"},
		{number: 26, title: "no global names"},
		{number: 27, title: "names of the dead are free"},
	}},
	{"3. Message types", []item{
		{number: 30, title: "a protocol's name and number are its own"},
	}},
	{"4. call, send, ret, response", []item{
		{number: 40, title: "numbers of sessions"},
		{number: 41, title: "send, and send to nobody"},
		{number: 42, title: "call to nobody"},
		{number: 43, title: "error in a handler: the caller and the line"},
		{number: 44, title: "error in the handler of a send: the line"},
		{number: 45, title: "a handler without an answer: the line, and an error"},
		{number: 46, title: "a second ret"},
		{number: 47, title: "ret and response where there is no request"},
		{number: 48, title: "ret of nothing; ret to a send"},
		{number: 49, title: "response: later, once, or refused"},
		{number: 50, title: "response to a caller that has exited or was killed"},
		{number: 51, title: "a type that the service does not handle"},
		{number: 52, title: "a type that nobody knows"},
		{number: 53, title: "a call to oneself; others run meanwhile"},
		{number: 54, title: "messages of one sender stay in order"},
	}},
	{"5. exit and kill", []item{
		{number: 60, title: "nothing runs after exit"},
		{number: 61, title: "callers of a service that exits"},
		{number: 62, title: "requests in the mailbox of the dead"},
		{number: 63, title: "kill: everyone who waits is told; the line"},
		{number: 64, title: "TERM fails the calls to an address"},
		{number: 65, title: "forms of address that kill takes"},
		{number: 66, title: "abort; a node without its start service lives on"},
	}},
	{"6. Coroutines, timers", []item{
		{number: 70, title: "sleep, and its break"},
		{number: 71, title: "wakeup of a sleeper, of nobody, too early"},
		{number: 72, title: "two wakeups break two sleeps"},
		{number: 73, title: "wait; a token in use"},
		{number: 74, title: "the woken run in the order of the wakeups, before forks"},
		{number: 75, title: "forks run in order, timeout(0) after them"},
		{number: 76, title: "an error in a fork"},
		{number: 77, title: "timers of one time fire in the order made"},
		{number: 78, title: "what timeout returns"},
		{number: 79, title: "a cancelled timer leaves nothing"},
		{number: 80, title: "clocks"},
		{number: 81, title: "queue"},
		{number: 82, title: "select over several requests"},
	}},
	{"7. Environment", []item{
		{number: 90, title: "getenv and setenv"},
	}},
	{"9. Config file", []item{
		{number: 110, title: "values of a config file"},
		{number: 111, title: "$NAME"},
		{number: 112, title: "include"},
		{number: 113, title: "no file, a missing one, a syntax error"},
		{number: 114, title: "defaults"},
		{number: 115, title: "thread"},
		{number: 116, title: "harbor is refused"},
		{number: 117, title: "a start service that fails"},
		{number: 118, title: "a logger that does not start"},
		{number: 119, title: "preload is refused"},
		{number: 120, title: "daemon is refused"},
		{number: 121, title: "the file of the cluster's nodes"},
	}},
	{"10. Log", []item{
		{number: 130, title: "lines on standard output and in a file"},
		{number: 131, title: "error joins its arguments"},
		{number: 132, title: "SIGHUP reopens the file"},
		{number: 133, title: "a log of one service's messages"},
		{number: 134, title: "the overload line"},
		{number: 135, title: "the endless loop line"},
		{number: 136, title: "no memory limit: an error that says so"},
	}},
}
