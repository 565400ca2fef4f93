package luaconf

import (
	"math"
	"strconv"
)

// whole gives the integer that a number is, if float64 can tell.
func whole(v float64) (int64, bool) {
	if v != math.Trunc(v) || math.Abs(v) > maxExact {
		return 0, false
	}
	return int64(v), true
}

// formatNumber gives the text Lua 5.5 gives: as few digits as read back the
// same, 15 or 17.
func formatNumber(v float64) string {
	if n, ok := whole(v); ok {
		return strconv.FormatInt(n, 10)
	}
	switch {
	case math.IsNaN(v):
		if math.Signbit(v) {
			return "-nan"
		}
		return "nan"
	case math.IsInf(v, 1):
		return "inf"
	case math.IsInf(v, -1):
		return "-inf"
	}
	s := strconv.FormatFloat(v, 'g', 15, 64)
	if back, err := strconv.ParseFloat(s, 64); err != nil || back != v {
		s = strconv.FormatFloat(v, 'g', 17, 64)
	}
	return s
}
