package wire

import "testing"

func TestNextSession(t *testing.T) {
	for s, want := range map[uint32]uint32{
		0: 1, 1: 2, MaxSession - 1: MaxSession, MaxSession: 1, MaxSession + 1: 1, 0xffffffff: 1,
	} {
		if got := NextSession(s); got != want {
			t.Errorf("NextSession(%d) = %d, want %d", s, got, want)
		}
	}
}

func TestAddr(t *testing.T) {
	tests := map[string]struct {
		addr   Addr
		byName bool
		text   string
	}{
		"zero":       {Addr{}, false, ":00000000"},
		"handle":     {NumAddr(0x0100000a), false, ":0100000a"},
		"name":       {NameAddr("@sdb"), true, "@sdb"},
		"literal":    {Addr{Name: ".service"}, true, ".service"},
		"empty name": {NameAddr(""), true, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := tt.addr.ByName(); got != tt.byName {
				t.Errorf("ByName = %v, want %v", got, tt.byName)
			}
			if got := tt.addr.String(); got != tt.text {
				t.Errorf("String = %q, want %q", got, tt.text)
			}
		})
	}
	if NameAddr("a") != (Addr{Name: "a"}) {
		t.Error("NameAddr and a literal with the same name differ")
	}
	if NameAddr("") == NumAddr(0) {
		t.Error("the empty name equals the handle 0")
	}
}

func TestKindString(t *testing.T) {
	for k, want := range map[Kind]string{
		KindRequest: "request", KindTrace: "trace", KindOK: "ok", KindError: "error",
		KindBegin: "begin", KindPart: "part", KindEnd: "end", 0: "kind(0)", 99: "kind(99)",
	} {
		if got := k.String(); got != want {
			t.Errorf("Kind(%d).String() = %q, want %q", uint8(k), got, want)
		}
	}
}
