package wire

import (
	"os"
	"strconv"
)

// NodeName returns what Skynet calls this process in the trace tags it sends: the host's name and
// the process id, run together.
func NodeName() string {
	host, err := os.Hostname()
	return nodeName(host, err, os.Getpid())
}

func nodeName(host string, err error, pid int) string {
	if err != nil {
		host = "noname"
	}
	name := []byte(host)
	for i, c := range name {
		// C compares a signed char here, so bytes over 0x7f are replaced as well.
		if int8(c) <= ' ' {
			name[i] = '_'
		}
	}
	return string(strconv.AppendInt(name, int64(pid), 10))
}
