package launcher

import (
	"errors"

	"github.com/skynetgo/skynet/lualike"
	"github.com/skynetgo/skynet/service"
)

// defaultWait is how long STAT waits for answers, in hundredths of a second.
const defaultWait = 300

// stat asks all services for their numbers at once. What has not answered in time
// is shown as TIMEOUT, what fails as ERROR. The limit is in hundredths of a
// second, 0 for none.
func (l *launcher) stat(c *service.Context, limit *int64) (*lualike.Table, error) {
	wait := service.Centiseconds(defaultWait)
	if limit != nil {
		wait = service.Centiseconds(*limit)
	}
	if wait <= 0 {
		wait = service.Forever
	}
	all := make(map[string]any, len(l.services))
	missing := len(l.services)
	done := new(int)
	for h := range l.services {
		c.Fork(func(c *service.Context) {
			all[h.String()] = ask(c.WithTimeout(wait), h)
			if missing--; missing == 0 {
				c.Wakeup(done)
			}
		})
	}
	if missing > 0 {
		if err := c.Wait(done); err != nil && !errors.Is(err, service.ErrBreak) {
			return nil, err
		}
	}
	return lualike.Map(all), nil
}

func ask(c *service.Context, h service.Handle) any {
	vals, err := service.Debug(c, h, "STAT")
	switch {
	case errors.Is(err, service.ErrTimeout):
		return "TIMEOUT"
	case err != nil:
		return "ERROR"
	}
	return vals.At(0)
}
