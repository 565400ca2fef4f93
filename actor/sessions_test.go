package actor

import (
	"math/rand/v2"
	"testing"
)

// TestSessions compares the table with a map, with sessions that begin before
// the number goes round.
func TestSessions(t *testing.T) {
	const seed = 5
	random := rand.New(rand.NewPCG(seed, seed))
	var table sessions
	want := make(map[Session]*waiter)
	next := maxSession - 1000
	for step := range 20_000 {
		switch most := 1 << (step / 2500 * 2); {
		case len(want) < most && random.IntN(2) == 0:
			if next++; next > maxSession {
				next = 1
			}
			w := &waiter{session: next}
			table.add(w)
			want[next] = w
		case random.IntN(4) == 0:
			table.remove(Session(random.IntN(int(maxSession)))) // nobody's
		default:
			for s := range want {
				table.remove(s)
				delete(want, s)
				break
			}
		}
		if step%100 == 0 {
			table.trim()
		}
		if table.len() != len(want) || len(table.all()) != len(want) {
			t.Fatalf("step %d: %d entries, %d in all, want %d", step, table.len(), len(table.all()), len(want))
		}
		for s, w := range want {
			if got := table.find(s); got != w {
				t.Fatalf("step %d: find(%d) = %v, want %v", step, s, got, w)
			}
		}
		if w := table.find(0); w != nil {
			t.Fatalf("step %d: find(0) = %v", step, w)
		}
	}
}
