package gate

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/skynetgo/skynet/actor"
	"github.com/skynetgo/skynet/service"
)

// What peers cause does not fill the log, and is seen when it begins again.
func TestLogSome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []string
		cfg := actor.DefaultConfig()
		cfg.Pool = actor.GoPool{}
		cfg.Logger = actor.LoggerFunc(func(_ actor.Handle, text string) {
			if strings.HasSuffix(text, " so far)") {
				got = append(got, text)
			}
		})
		n, err := actor.NewNode(cfg)
		if err != nil {
			t.Fatal(err)
		}
		if err := service.Run(t.Context(), n, func(c *service.Context) error {
			var k nuisance
			for range 20 {
				logSome(c, &k, "refused")
			}
			if err := c.Sleep(time.Minute); err != nil {
				return err
			}
			logSome(c, &k, "still")
			if err := c.Sleep(time.Minute + time.Second); err != nil {
				return err
			}
			logSome(c, &k, "again")
			return nil
		}); err != nil {
			t.Error(err)
		}
		want := []string{"refused (10 so far)", "refused (16 so far)", "again (1 so far)"}
		if len(got) != 12 || !slices.Equal(got[9:], want) {
			t.Errorf("got %q, want 12 that end with %q", got, want)
		}
		if err := n.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
