package actor

import "sync"

// blockLen is how many messages a block of a mailbox holds. A mailbox grows up to
// that like any slice; what is longer is a list of blocks, so that a long one is
// never copied and what was handled of it serves the messages that come.
const blockLen = keepCap

// blocks keeps the memory of mailboxes for the next ones, until a garbage
// collection.
type blocks struct {
	free  sync.Pool // *[blockLen]Message
	lists sync.Pool // *blockList
}

// blockList is blocks in the order of their messages. All but the last are full.
type blockList struct {
	list [][]Message
	next int // the first one left
}

func (l *blockList) len() int {
	if l == nil || l.next == len(l.list) {
		return 0
	}
	last := len(l.list) - 1
	return (last-l.next)*blockLen + len(l.list[last])
}

// push adds a block to l, or to a new list when l is nil.
func (b *blocks) push(l *blockList, block []Message) *blockList {
	if l == nil {
		var ok bool
		if l, ok = b.lists.Get().(*blockList); !ok {
			l = new(blockList)
		}
	}
	l.list = append(l.list, block)
	return l
}

// pop returns the first block of l, and l unless it was the last one.
func (b *blocks) pop(l *blockList) ([]Message, *blockList) {
	block := l.list[l.next]
	l.list[l.next] = nil
	if l.next++; l.next == len(l.list) {
		l.list, l.next = l.list[:0], 0
		b.lists.Put(l)
		l = nil
	}
	return block, l
}

// take returns an empty block.
func (b *blocks) take() []Message {
	if block, ok := b.free.Get().(*[blockLen]Message); ok {
		return block[:0]
	}
	return make([]Message, 0, blockLen)
}

// give takes back a block whose messages were cleared, or nothing when it is no
// block yet. It returns what the mailbox keeps.
func (b *blocks) give(block []Message) []Message {
	if cap(block) != blockLen {
		return block[:0]
	}
	b.free.Put((*[blockLen]Message)(block[:blockLen]))
	return nil
}

// waitingLocked returns how many messages wait in the mailbox but for those the holder
// has taken over.
func (s *Service) waitingLocked() int { return s.full.len() + len(s.in) }

// pushLocked puts m into the mailbox.
func (s *Service) pushLocked(m *Message) {
	if len(s.in) == blockLen {
		s.full = s.node.blocks.push(s.full, s.in)
		s.in = s.node.blocks.take()
	}
	s.in = append(s.in, *m)
}

// takeOverLocked gives the holder, who has handled all it had, what has come in
// since.
func (s *Service) takeOverLocked() {
	spare := s.out.buf[:0]
	s.out.buf, s.out.head = s.in, 0
	if s.full != nil {
		s.out.buf, s.rest = s.node.blocks.pop(s.node.blocks.push(s.full, s.in))
		s.full = nil
	}
	s.in = spare
}

// nextBlock goes on with the rest of what the holder has taken over, if any.
func (s *Service) nextBlock() bool {
	if s.rest == nil {
		return false
	}
	s.node.blocks.give(s.out.buf)
	s.out.buf, s.rest = s.node.blocks.pop(s.rest)
	s.out.head = 0
	return true
}
