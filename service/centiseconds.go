package service

import (
	"math"
	"time"
)

// centisecond is the unit of time of Skynet's sleeps and timeouts.
const centisecond = 10 * time.Millisecond

// Centiseconds is n hundredths of a second, the unit that Skynet's sleep,
// timeout and now count in, as a Duration; as much as one can say when it is
// more.
func Centiseconds(n int64) time.Duration {
	switch {
	case n > math.MaxInt64/int64(centisecond):
		return math.MaxInt64
	case n < math.MinInt64/int64(centisecond):
		return math.MinInt64
	}
	return time.Duration(n) * centisecond
}
