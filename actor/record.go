package actor

import "fmt"

// Recorder is shown every message that a service takes, just before it is
// handled. Record is called under the service's baton; Close once, from any
// goroutine, when the recording ends.
type Recorder interface {
	Record(m Message)
	Close()
}

// Record shows the messages of the service h to r from now on, until its end or
// the next Record; nil ends it. ErrNoService when h is nobody.
func (n *Node) Record(h Handle, r Recorder) error {
	s := n.reg.find(h)
	if s == nil {
		return fmt.Errorf("record %s: %w", h, ErrNoService)
	}
	s.setRecorder(r)
	if r != nil && s.isGone() { // it ended meanwhile, and nobody else closes r
		s.setRecorder(nil)
	}
	return nil
}

func (s *Service) setRecorder(r Recorder) {
	var next *Recorder
	if r != nil {
		next = new(Recorder)
		*next = r
	}
	if old := s.recorder.Swap(next); old != nil {
		(*old).Close()
	}
}

func (s *Service) record(m *Message) {
	if r := s.recorder.Load(); r != nil {
		s.guard("Record", func() { (*r).Record(*m) })
	}
}
