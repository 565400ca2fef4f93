//go:build !linux

package socket

import (
	"net"
	"time"
)

// limitUnacknowledged leaves it to the system when to give an unreachable host
// up.
func limitUnacknowledged(*net.TCPConn, time.Duration) {}

// limitUnsent leaves it to the system how much it takes.
func limitUnsent(*net.TCPConn, int) {}
