//go:build unix

package nodes

import (
	"os"
	"os/exec"
	"runtime"
	"syscall"
)

func setGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// peak is the most memory a process has had, in KiB.
func peak(state *os.ProcessState) int {
	usage, ok := state.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	if runtime.GOOS == "darwin" {
		return int(usage.Maxrss) / 1024
	}
	return int(usage.Maxrss)
}
