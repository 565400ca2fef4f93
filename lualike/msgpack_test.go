package lualike_test

import (
	"bytes"
	"errors"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/tinylib/msgp/msgp"

	"github.com/skynetgo/skynet/lualike"
)

// squad embeds a Player and so inherits its methods, which know nothing of Rank.
type squad struct {
	Player
	Rank int `lua:"rank"`
}

// squadByPointer inherits them through a pointer.
type squadByPointer struct {
	*Player
	Rank int
}

// opaque has methods of its own beside those of the embedded Item, one of them on the value.
type opaque struct {
	Item
	text string
}

func (o opaque) MarshalMsg(b []byte) ([]byte, error) {
	if o.text == "fail" {
		return b, errOpaque
	}
	return msgp.AppendString(b, o.text), nil
}

func (o *opaque) UnmarshalMsg(b []byte) ([]byte, error) {
	var err error
	o.text, b, err = msgp.ReadStringBytes(b)
	return b, err
}

var errOpaque = errors.New("opaque failed")

// points is no struct: the rule does not apply to it.
type points []int

func (p points) MarshalMsg(b []byte) ([]byte, error)    { return b, errOpaque }
func (p *points) UnmarshalMsg(b []byte) ([]byte, error) { return b, errOpaque }

func message(t *testing.T, p *Player) string {
	t.Helper()
	b, err := p.MarshalMsg(nil)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestMsgpString(t *testing.T) {
	player := Player{ID: 7, Name: "anna", Items: []Item{{1, 2}}, Boss: &Player{ID: 8}}
	text := message(t, &player)
	tests := map[string]struct{ in, want any }{
		"value":        {player, text},
		"pointer":      {&player, text},
		"nil":          {(*Player)(nil), nil},
		"elements":     {[]Player{player}, lualike.Array(text)},
		"pointers":     {[]*Player{&player, nil}, lualike.Array(text, nil)},
		"array":        {[1]Player{player}, lualike.Array(text)},
		"map":          {map[string]Player{"a": player}, lualike.Map(map[string]any{"a": text})},
		"field":        {struct{ P Player }{player}, lualike.Map(map[string]any{"P": text})},
		"any field":    {struct{ P any }{player}, lualike.Map(map[string]any{"P": text})},
		"own methods":  {opaque{text: "x"}, "\xa1x"},
		"no struct":    {points{1}, lualike.Array(1)},
		"table forced": {lualike.AsTable(Item{1, 2}), lualike.Map(map[string]any{"kind": 1, "count": 2})},
		"forced through and through": {
			lualike.AsTable([]any{&Player{ID: 1, Items: []Item{{3, 4}}}}),
			lualike.Array(lualike.Map(map[string]any{
				"id": 1, "name": "", "items": lualike.Array(lualike.Map(map[string]any{"kind": 3, "count": 4})),
			})),
		},
		"forced within": {
			[]any{lualike.AsTable(Item{1, 2}), Item{}},
			lualike.Array(lualike.Map(map[string]any{"kind": 1, "count": 2}), "\x82\xa4kind\x00\xa5count\x00"),
		},
		"inherited methods do not count": {
			squad{Player{ID: 1}, 2},
			lualike.Map(map[string]any{"id": 1, "name": "", "items": lualike.Array(), "rank": 2}),
		},
		"inherited through a pointer": {
			squadByPointer{&Player{ID: 1}, 2},
			lualike.Map(map[string]any{"id": 1, "name": "", "items": lualike.Array(), "Rank": 2}),
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := lualike.Unpack(pack(t, test.in))
			if err != nil || len(got) != 1 || !equal(got[0], test.want) {
				t.Errorf("got %v %v, want %v", got, err, test.want)
			}
		})
	}
}

func TestMsgpTargets(t *testing.T) {
	player := Player{ID: 7, Name: "anna", Items: []Item{{1, 2}}}
	tests := map[string]into{
		"value":           {message(t, &player), player},
		"pointer":         {message(t, &player), &player},
		"bytes":           {[]byte(message(t, &player)), player},
		"table":           {lualike.AsTable(player), player},
		"map":             {map[string]any{"id": 7, "name": "anna", "items": []any{map[string]any{"kind": 1, "count": 2}}}, player},
		"mixed":           {map[string]any{"id": 7, "name": "anna", "items": []Item{{1, 2}}}, player},
		"nil":             {nil, Player{}},
		"elements":        {[]any{message(t, &player), nil}, []Player{player, {}}},
		"own type":        {&player, player},
		"struct embedded": {squad{player, 3}, squad{player, 3}},
		"struct to map":   {lualike.AsTable(Item{1, 2}), map[string]int{"kind": 1, "count": 2}},
	}
	for name, test := range tests {
		t.Run(name, test.run)
	}
}

// The length of the MessagePack is known only afterwards; each form of header must come out right.
func TestMsgpLengths(t *testing.T) {
	for _, n := range []int{0, 1, 20, 28, 29, 30, 31, 32, 33, 300, 65532, 65533, 65534, 65535, 65536, 70000} {
		in := opaque{text: strings.Repeat("x", n)}
		want, err := in.MarshalMsg(nil)
		if err != nil {
			t.Fatal(err)
		}
		data := pack(t, 1, &in, "after")
		if plain := pack(t, 1, string(want), "after"); !bytes.Equal(data, plain) {
			t.Errorf("%d: packed other than the same string", n)
		}
		d := lualike.NewDecoder(data)
		if err := d.Skip(); err != nil {
			t.Fatal(err)
		}
		if out, err := lualike.DecodeAs[opaque](d); err != nil || !reflect.DeepEqual(out, in) {
			t.Errorf("%d: %v", n, err)
		}
	}
}

func TestMsgpErrors(t *testing.T) {
	good := message(t, &Player{ID: 1})
	deep := strings.Repeat("\x81\xa4boss", 2000) + "\xc0"
	tests := map[string]struct {
		text string
		want error
	}{
		"empty":           {"", msgp.ErrShortBytes},
		"cut":             {good[:len(good)-1], msgp.ErrShortBytes},
		"more":            {good + "\x00", lualike.ErrType},
		"other type":      {"\x01", lualike.ErrType},
		"bad prefix":      {"\xc1", lualike.ErrType},
		"too deep":        {deep, msgp.ErrRecursion},
		"announced array": {"\x81\xa5items\xdd\xff\xff\xff\xff", msgp.ErrShortBytes},
		"announced map":   {"\xdf\xff\xff\xff\xff", msgp.ErrShortBytes},
		"announced text":  {"\x81\xa4name\xdb\xff\xff\xff\xff", msgp.ErrShortBytes},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			data := pack(t, []any{test.text})
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			var out []Player
			err := lualike.NewDecoder(data).Decode(&out)
			runtime.ReadMemStats(&after)
			if !errors.Is(err, test.want) || !errors.Is(err, lualike.ErrType) {
				t.Errorf("got %v, want %v", err, test.want)
			}
			if !strings.HasPrefix(err.Error(), "value 1: [1]: lualike_test.Player: ") {
				t.Errorf("place missing: %v", err)
			}
			if taken := after.TotalAlloc - before.TotalAlloc; taken > uint64(100*len(data)+64<<10) {
				t.Errorf("took %d bytes for an input of %d", taken, len(data))
			}
		})
	}
	t.Run("marshal", func(t *testing.T) {
		got, err := lualike.AppendPack([]byte("x"), 1, []opaque{{text: "fail"}})
		if !errors.Is(err, errOpaque) || !errors.Is(err, lualike.ErrUnsupported) || string(got) != "x" {
			t.Errorf("%q %v", got, err)
		}
		if err.Error() != "argument 2: [1]: lualike_test.opaque: opaque failed" {
			t.Error(err)
		}
	})
}

// A type that does not contain itself is spared the full check as long as the headers are honest, or look so.
func TestMsgpHeaders(t *testing.T) {
	tests := map[string]struct {
		text string
		want error
	}{
		"honest":           {"\x81\xa4rows\xdc\x00\x05\x80\x80\x80\x80\x80", nil},
		"honest, long":     {"\x81\xa4rows\xdd\x00\x00\x00\x05\x80\x80\x80\x80\x80", nil},
		"header in a text": {"\x81\xa4rows\x91\x81\xa4name\xa6\xdc\xff\xff\xdd\xff\xff", nil},
		"array16":          {"\x81\xa4rows\xdc\xff\xff\x80\x80", msgp.ErrShortBytes},
		"array32":          {"\x81\xa4rows\xdd\x00\x0f\xff\xff\x80\x80", msgp.ErrShortBytes},
		"map16":            {"\xde\xff\xff\xa4rows", msgp.ErrShortBytes},
		"at the end":       {"\x81\xa4rows\xdc\xff\xff", msgp.ErrShortBytes},
		"cut":              {"\x81\xa4rows\xdc\xff", msgp.ErrShortBytes},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			data := pack(t, test.text)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			var out Ranking
			err := lualike.NewDecoder(data).Decode(&out)
			runtime.ReadMemStats(&after)
			if !errors.Is(err, test.want) {
				t.Errorf("got %v, want %v", err, test.want)
			}
			if taken := after.TotalAlloc - before.TotalAlloc; taken > 64<<10 {
				t.Errorf("took %d bytes for an input of %d", taken, len(data))
			}
		})
	}
}

// Each allowed level and no more: a chain of bosses is one map in another.
func TestMsgpDepth(t *testing.T) {
	chain := func(levels int) string {
		return strings.Repeat("\x81\xa4boss", levels-1) + "\x80"
	}
	if _, err := lualike.As[Player](chain(1000)); err != nil {
		t.Error(err)
	}
	if _, err := lualike.As[Player](chain(1002)); !errors.Is(err, msgp.ErrRecursion) {
		t.Error(err)
	}
}
