package logger_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/services/logger"
)

// BenchmarkLine is a line from Log to a file that takes anything, alone and as
// one of many that come at once. The logger has taken one burst, by its answer,
// before the next begins.
func BenchmarkLine(b *testing.B) {
	for _, of := range []struct {
		format string
		burst  int
	}{{"text", 1}, {"text", 1000}, {"json", 1000}} {
		b.Run(fmt.Sprintf("%s/burst=%d", of.format, of.burst), func(b *testing.B) {
			n := nodetest.Start(b, nodetest.Env("logservice", "logger"), nodetest.Env("logger", os.DevNull),
				nodetest.Env("logformat", of.format))
			text := strings.Repeat("x", 40)
			b.ReportAllocs()
			n.Run(func(c *service.Context) error {
				for i := 0; b.Loop(); i++ {
					n.Node.Log(c.Self(), text)
					if i%of.burst != 0 {
						continue
					}
					if _, err := service.Debug(c, logger.Name, "PING"); err != nil {
						return err
					}
				}
				return nil
			})
		})
	}
}
