package robot

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/skynetgo/skynet/examples/game/message"
)

// Stats is what robots have seen, all of them together. Any goroutine may use it.
type Stats struct {
	// OnChat gets what is said, of each robot that hears it.
	OnChat func(message.Chat)

	mu        sync.Mutex
	summary   Summary
	latencies []time.Duration
}

// Summary is a moment of Stats.
type Summary struct {
	Playing  int
	Moves    int
	P50, P99 time.Duration // from a move until the world shows it
	Longest  time.Duration // without a picture of the world
	Back     int           // sessions that went on over a new connection
	Lost     int           // points that were told and not there any more
	Errors   map[string]int
}

// Summary returns what has come so far.
func (s *Stats) Summary() Summary {
	s.mu.Lock()
	defer s.mu.Unlock()
	sum := s.summary
	sum.Errors = maps.Clone(sum.Errors)
	sum.Moves = len(s.latencies)
	if sum.Moves > 0 {
		sorted := slices.Sorted(slices.Values(s.latencies))
		sum.P50, sum.P99 = sorted[sum.Moves/2], sorted[sum.Moves*99/100]
	}
	return sum
}

// Reset forgets the latencies, which are those of the beginning, and the longest
// pause.
func (s *Stats) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.latencies, s.summary.Longest = nil, 0
}

func (s *Stats) playing(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.summary.Playing += n
}

func (s *Stats) back() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.summary.Back++
}

func (s *Stats) lost(points int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.summary.Lost += points
}

func (s *Stats) moved(after time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.latencies = append(s.latencies, after)
}

func (s *Stats) pause(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.summary.Longest = max(s.summary.Longest, d)
}

// failed counts an error, unless it is the end.
func (s *Stats) failed(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.summary.Errors == nil {
		s.summary.Errors = make(map[string]int)
	}
	s.summary.Errors[err.Error()]++
}

func (s *Stats) chat(c message.Chat) {
	if s.OnChat != nil {
		s.OnChat(c)
	}
}
