package cluster_test

import (
	"strings"
	"testing"
	"time"

	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/cluster"
	"github.com/skynetgo/skynet/lualike"
	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/services/gate"
)

func TestSettings(t *testing.T) {
	for _, tc := range []struct {
		option string
		value  any
		check  func(s cluster.Settings) bool
		err    string
	}{
		{option: "nowaiting", value: true, check: func(s cluster.Settings) bool { return s.NoWaiting }},
		{option: "nowaiting", value: "true", err: "is neither true nor false: true"},
		{option: "backoff", value: int64(3), check: func(s cluster.Settings) bool { return s.Backoff == 3*time.Second }},
		{option: "backoff", value: 0.25, check: func(s cluster.Settings) bool { return s.Backoff == time.Second/4 }},
		{option: "backoff", value: -1, err: "is not a number of seconds: -1"},
		{option: "probe", value: "5", err: "is not a number of seconds: 5"},
		{option: "maxmessage", value: int64(1000), check: func(s cluster.Settings) bool { return s.MaxMessage == 1000 }},
		{option: "maxmessage", value: 0, err: "is not a number from 1 to 4294967295: 0"},
		{option: "maxparts", value: 1.5, err: "is not a number from 1 to 4294967295: 1.5"},
		{option: "allow", value: "10.0.0.0/8, ::1", check: func(s cluster.Settings) bool { return s.Allow == "10.0.0.0/8, ::1" }},
		{option: "allow", value: "10.0.0.0/99", err: "is not a network or an address: 10.0.0.0/99"},
		{option: "cert", value: 1, err: "is not a string: 1"},
	} {
		s := cluster.DefaultSettings()
		known, err := s.Set(tc.option, tc.value)
		switch {
		case !known:
			t.Errorf("%s is not known", tc.option)
		case tc.err == "" && (err != nil || !tc.check(s)):
			t.Errorf("%s = %v: %+v, %v", tc.option, tc.value, s, err)
		case tc.err != "" && (err == nil || err.Error() != tc.err):
			t.Errorf("%s = %v: %v, want %s", tc.option, tc.value, err, tc.err)
		}
	}
}

// nil gives every option its default back.
func TestSettingsNilIsTheDefault(t *testing.T) {
	changed := cluster.Settings{Allow: "::1", NoWaiting: true}
	names := strings.Fields("nowaiting backoff probe silence firstframe partage maxmessage maxparts maxpartbytes maxnodebytes maxrequests maxoutput allow cert key ca")
	for _, option := range names {
		if known, err := changed.Set(option, nil); !known || err != nil {
			t.Errorf("%s: %v, %v", option, known, err)
		}
	}
	if changed != cluster.DefaultSettings() {
		t.Errorf("%+v", changed)
	}
	if known, err := changed.Set("nosuch", 1); known || err != nil {
		t.Errorf("nosuch: %v, %v", known, err)
	}
}

// What Settings say of connections reaches a gate as they reach a sender.
func TestSettingsOfConnections(t *testing.T) {
	for _, tc := range []struct{ set, want time.Duration }{{0, -1}, {5 * time.Second, 5 * time.Second}} {
		s := cluster.Settings{Silence: tc.set}
		if got := s.Socket(nil).Silence; got != tc.want {
			t.Errorf("%v is %v for a socket", tc.set, got)
		}
	}
	g := nodetest.NewProbe("gate")
	opened := make(chan gate.OpenConfig, 1)
	g.Answer(gate.CmdOpen, func(_ *service.Context, args lualike.Args) (lualike.Args, error) {
		conf, err := lualike.As[gate.OpenConfig](args.At(0))
		opened <- conf
		return lualike.Args{"127.0.0.1", 1}, err
	})
	table := secrets(t, nodetest.NewAuthority(t), cluster.Table{"srv": "tls://127.0.0.1:0", "__silence": 7})
	n := client(t, table, nodetest.Services(g.Definition()))
	n.Run(func(c *service.Context) error {
		addr, err := cluster.Open(c, "srv")
		if err != nil {
			return err
		}
		return want("address", addr, "tls://127.0.0.1:1")
	})
	got := <-opened
	if got.Silence != 7*time.Second || got.Cert != table["__cert"] || got.Key != table["__key"] || got.CA != table["__ca"] {
		t.Errorf("%+v", got)
	}
}
