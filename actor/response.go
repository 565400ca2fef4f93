package actor

import "fmt"

// Response is the duty to answer one request later, from any coroutine of the
// service that took it.
type Response struct {
	svc     *Service
	source  Handle
	session Session
	done    bool
	push    bool // of a send: nobody waits
	lasting bool // Shutdown does not wait for it
}

// Last says that the answer is not to come before the service ends: Shutdown does
// not wait for it.
func (r *Response) Last() { r.lasting = true }

// Pending reports whether the caller is known to wait still.
func (r *Response) Pending() bool {
	_, ok := r.svc.rare.responses[r]
	return ok
}

// Reply answers: true when the answer was delivered. A second answer is
// ErrMisuse.
func (r *Response) Reply(data any) (bool, error) {
	return r.send(Message{Type: PTypeResponse, Data: data})
}

// Fail answers with err: true when it was delivered. A second answer is
// ErrMisuse.
func (r *Response) Fail(err error) (bool, error) {
	return r.send(Message{Type: PTypeError, Data: err})
}

func (r *Response) send(m Message) (bool, error) {
	if r.push {
		return false, nil
	}
	if r.done {
		return false, fmt.Errorf("%w: Can't response more than once", ErrMisuse)
	}
	r.done = true
	if !r.Pending() {
		return false, nil
	}
	delete(r.svc.rare.responses, r)
	defer r.svc.checkDrained()
	m.Session, m.Source = r.session, r.svc.handle
	return r.svc.node.reply(r.source, m)
}
