package socket

import (
	"net"
	"time"
)

// limitSilence ends nc when its host stays silent for cfg.Silence. Keepalive
// notices that only while nothing is being sent to it.
func (cfg Config) limitSilence(nc net.Conn) {
	const probes = 9
	limit := cfg.Silence
	if limit == 0 {
		limit = DefaultSilence
	}
	t, ok := nc.(*net.TCPConn)
	if limit < 0 || !ok {
		return
	}
	pause := max((limit / (probes + 1)).Truncate(time.Second), time.Second)
	count := max(int(limit/pause)-1, 1)
	_ = t.SetKeepAliveConfig(net.KeepAliveConfig{Enable: true, Idle: pause, Interval: pause, Count: count})
	// The last probe is where Linux compares with this limit.
	limitUnacknowledged(t, time.Duration(count+1)*pause)
}
