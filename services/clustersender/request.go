package clustersender

import (
	"github.com/skynetgo/skynet/cluster"
	"github.com/skynetgo/skynet/service"
)

// request is one whose answer is owed.
type request struct {
	sender  *sender
	to      string
	session uint32
	answer  *service.Response
	done    func(c *service.Context, parts [][]byte, failed bool, err error) // answered
	parts   [1][]byte                                                        // of the answer
}

// newRequest returns one for the caller to fill in. It is the channel's until
// answered or fail.
func (s *sender) newRequest() *request {
	q := s.spare.Take()
	if q == nil {
		q = &request{sender: s}
		q.done = q.answered
	}
	return q
}

// answered gives the answer on, or what became of it.
func (q *request) answered(c *service.Context, parts [][]byte, failed bool, err error) {
	s := q.sender
	s.drop(q.session)
	if err != nil {
		q.fail(err, true)
		return
	}
	s.link.Traffic.Answers.Add(1)
	answer := parts[len(parts)-1]
	if failed {
		s.link.Traffic.Errors.Add(1)
		text := string(answer)
		c.Error(printable(text))
		_, _ = q.answer.Fail(&cluster.RemoteError{Node: s.node, Addr: q.to, Text: text})
	} else {
		_, _ = q.answer.RetRaw(answer)
	}
	q.end()
}

// fail tells the caller that the connection is to blame. left says that the
// request has been sent.
func (q *request) fail(err error, left bool) {
	_, _ = q.answer.Fail(q.sender.down(err, left))
	q.end()
}

func (q *request) end() {
	s := q.sender
	s.pending--
	*q = request{sender: s, done: q.done}
	s.spare.Give(q)
}
