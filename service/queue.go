package service

// Queue is a critical section of one service: while one coroutine is inside,
// blocked or not, others of the same service wait, first come first served. The
// holder may enter again (skynet.queue). The zero Queue is ready; it must not be
// copied after first use.
type Queue struct {
	holder  any // Token of the coroutine inside
	depth   int
	waiting []*queued
}

type queued struct {
	token any
	enter bool
}

// Do runs f inside the section and returns its error; it blocks until the
// section is free. When f panics or its service ends, the section is left.
func (q *Queue) Do(c *Context, f func() error) error {
	if err := c.mayBlock(); err != nil {
		return err
	}
	if q.holder != nil && q.holder != c.Token() {
		if err := q.wait(c); err != nil {
			return err
		}
	}
	q.holder = c.Token()
	q.depth++
	defer q.leave(c)
	return f()
}

func (q *Queue) wait(c *Context) error {
	me := &queued{token: c.Token()}
	q.waiting = append(q.waiting, me)
	for !me.enter {
		if err := c.Wait(me); err != nil {
			q.forget(c, me)
			return err
		}
	}
	return nil
}

// forget takes out one that waits no more; when its turn had come the next one
// has it.
func (q *Queue) forget(c *Context, me *queued) {
	if me.enter {
		q.pass(c)
		return
	}
	for i, w := range q.waiting {
		if w == me {
			q.waiting = append(q.waiting[:i], q.waiting[i+1:]...)
			return
		}
	}
}

func (q *Queue) leave(c *Context) {
	q.depth--
	if q.depth == 0 {
		q.pass(c)
	}
}

// pass gives the section to the next in line. It is that one's from now on:
// nobody comes between.
func (q *Queue) pass(c *Context) {
	q.holder = nil
	if len(q.waiting) == 0 {
		return
	}
	next := q.waiting[0]
	q.waiting = q.waiting[1:]
	next.enter = true
	q.holder = next.token
	c.co.Wakeup(next)
}
