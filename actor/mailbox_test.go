package actor

import (
	"testing"
	"unsafe"
)

// TestLongMailbox: messages keep their order across blocks, whoever pushes and
// takes over when, and a block that was handled is used again.
func TestLongMailbox(t *testing.T) {
	n, _ := newNode(t)
	s := &Service{node: n, busy: true, rare: &noRare}
	var pushed, popped Session
	push := func(count int) {
		for range count {
			pushed++
			s.pushLocked(&Message{Session: pushed})
		}
	}
	pop := func(count int) {
		for range count {
			if s.out.len() == 0 && !s.nextBlock() {
				s.takeOverLocked()
			}
			popped++
			if m := s.out.pop(); m.Session != popped {
				t.Fatalf("message %d, want %d", m.Session, popped)
			}
		}
	}
	for _, burst := range []int{1, 2, blockLen - 3, 1, blockLen, blockLen + 1, 5*blockLen + 7, 3, 20 * blockLen} {
		push(burst)
		pop(burst / 2)
		push(burst)
		if got := s.waitingLocked() + s.Waiting(); got != int(pushed-popped) {
			t.Fatalf("%d messages wait, want %d", got, pushed-popped)
		}
		pop(int(pushed - popped))
	}
	if s.takeOverLocked(); s.out.len() != 0 || s.full != nil || s.rest != nil {
		t.Error("an empty mailbox has something")
	}
}

// TestBlocksAreUsedAgain: the memory of a mailbox serves the next one.
func TestBlocksAreUsedAgain(t *testing.T) {
	var b blocks
	if small := make([]Message, 3, 4); cap(b.give(small)) != 4 {
		t.Error("a small mailbox is taken away")
	}
	for range 100 { // a pool may lose what it was given
		block := make([]Message, 0, blockLen)
		if b.give(block) != nil {
			t.Fatal("a block is kept")
		}
		if unsafe.SliceData(b.take()) == unsafe.SliceData(block) {
			return
		}
	}
	t.Error("nothing is used again")
}
