package service_test

import (
	"math"
	"testing"
	"time"

	"github.com/skynetgo/skynet/service"
)

func TestCentiseconds(t *testing.T) {
	const most, least = math.MaxInt64 / 10_000_000, math.MinInt64 / 10_000_000
	for n, want := range map[int64]time.Duration{
		0: 0, 1: 10 * time.Millisecond, 100: time.Second, -250: -2500 * time.Millisecond,
		most: most * 10_000_000, most + 1: math.MaxInt64, math.MaxInt64: math.MaxInt64,
		least: least * 10_000_000, least - 1: math.MinInt64, math.MinInt64: math.MinInt64,
	} {
		if got := service.Centiseconds(n); got != want {
			t.Errorf("%d: %v, want %v", n, got, want)
		}
	}
}
