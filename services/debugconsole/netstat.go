package debugconsole

import (
	"fmt"
	"time"

	"github.com/skynetgo/skynet/lualike"
	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/service/socket"
)

// netstat lists the sockets of package socket, a line for each.
func netstat(c *service.Context, _ input) (any, error) {
	all := socket.Info(c.Node())
	rows := make([]any, len(all))
	for i, s := range all {
		rows[i] = lualike.Map(netstatRow(s, c.Now()))
	}
	return lualike.Array(rows...), nil
}

// netstatRow says of a socket what is not nothing, in Skynet's words.
func netstatRow(s socket.Stat, now time.Duration) map[string]any {
	row := map[string]any{"address": s.Owner.String(), "id": int64(s.FD), "type": s.Type}
	if s.Type == socket.TypeListen {
		row["sock"], row["accept"] = s.Peer, int64(s.Read)
	} else {
		row["peer"], row["reading"], row["writing"] = s.Peer, s.Reading, s.Pending > 0
		for key, n := range map[string]uint64{"read": s.Read, "write": s.Written, "wbuffer": uint64(s.Pending)} {
			if n > 0 {
				row[key] = sizeText(n)
			}
		}
	}
	for key, at := range map[string]time.Duration{"rtime": s.LastRead, "wtime": s.LastWrite} {
		if at > 0 {
			row[key] = agoText(now - at)
		}
	}
	return row
}

func sizeText(n uint64) string {
	switch {
	case n < 1<<10:
		return fmt.Sprint(n)
	case n < 1<<20:
		return luaFloat(float64(n)/(1<<10)) + "K"
	}
	return luaFloat(float64(n)/(1<<20)) + "M"
}

// agoText is "1.32s", "2:1.5s" or "1:2:1.5s".
func agoText(d time.Duration) string {
	d = max(d, 0).Truncate(10 * time.Millisecond)
	if d < time.Minute {
		return luaFloat(d.Seconds()) + "s"
	}
	hours, minutes, seconds := d/time.Hour, d%time.Hour/time.Minute, (d % time.Minute).Seconds()
	text := fmt.Sprintf("%d:%.2gs", minutes, seconds)
	if hours > 0 {
		text = fmt.Sprintf("%d:%s", hours, text)
	}
	return text
}
