//go:build !linux

package socket

import "net"

// awaitLeave blocks until the reader is interrupted: here a peer that leaves is
// noticed by reading only.
func awaitLeave(_ net.Conn, wake <-chan struct{}) bool {
	<-wake
	return false
}
