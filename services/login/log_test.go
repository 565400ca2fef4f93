package login

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/skynetgo/skynet/actor"
	"github.com/skynetgo/skynet/service"
)

// Players that try again and again while a node is down do not fill the log.
func TestLogSome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []string
		cfg := actor.DefaultConfig()
		cfg.Pool = actor.GoPool{}
		cfg.Logger = actor.LoggerFunc(func(_ actor.Handle, text string) {
			if text, found := strings.CutPrefix(text, "gate1 "); found {
				got = append(got, text)
			}
		})
		n, err := actor.NewNode(cfg)
		if err != nil {
			t.Fatal(err)
		}
		if err := service.Run(t.Context(), n, func(c *service.Context) error {
			l := &login{failures: make(map[string]failure)}
			for range 3 {
				for range 100 {
					l.logSome(c, "gate1", "gate1 is down")
					l.logSome(c, "gate2", "gate2 is down")
				}
				if err := c.Sleep(time.Second); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			t.Error(err)
		}
		if err := n.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		more := "is down (99 more since the last such line)"
		if want := []string{"is down", more, more}; !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}
