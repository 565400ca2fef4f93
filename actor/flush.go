package actor

// Waiting returns how many messages the holder of the baton, which alone may ask,
// has already taken to handle after this one.
func (s *Service) Waiting() int { return s.out.len() + s.rest.len() }

// Flusher has put something off, see FlushLater. Flush must not block.
type Flusher interface{ Flush() }

// FlushLater has f.Flush called under the baton once no message is left of those
// that Waiting counts, after turnLimit of them, or when the service ends.
func (co *Coroutine) FlushLater(f Flusher) {
	r := co.svc.own()
	r.flushers = append(r.flushers, f)
}

func (s *Service) flush() {
	if len(s.rare.flushers) == 0 {
		return
	}
	for i, f := range s.rare.flushers {
		s.rare.flushers[i] = nil
		f.Flush()
	}
	s.rare.flushers = s.rare.flushers[:0]
}
