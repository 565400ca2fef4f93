package main

import (
	"fmt"
	"time"

	"github.com/skynetgo/skynet/lualike"
)

// recordCount is how long the list is.
const recordCount = 100

func valueRows() []row {
	us := timeOf("us", time.Microsecond)
	return []row{
		{name: "pack_unpack", unit: timeOf("ns", time.Nanosecond), sides: []side{
			{"", repeated(packUnpack)}, {"skynet", onSkynet("pack_unpack")},
		}, goals: []goal{atMost("pack_unpack", 150), atMost("pack_unpack_vs_skynet", 1)}},
		{name: "rows_encode", unit: us, sides: []side{
			{"", repeated(encodeRecords)}, {"skynet", onSkynet("rows_encode")},
		}, goals: []goal{atMost("rows_encode", 5), atMost("rows_encode_vs_skynet", 1)}},
		{name: "rows_decode", unit: us, sides: []side{
			{"", repeated(decodeRecords)}, {"skynet", onSkynet("rows_decode")},
		}, goals: []goal{atMost("rows_decode", 9), atMost("rows_decode_vs_skynet", 1)}},
		{name: "msgp_encode", unit: us, sides: []side{
			{"", repeated(encodeScores)}, {"raw", repeated(encodeScoresRaw)},
		}, goals: []goal{atMost("msgp_encode_vs_raw", 1.1)}},
		{name: "msgp_decode", unit: us, sides: []side{
			{"", repeated(decodeScores)}, {"raw", repeated(decodeScoresRaw)},
		}, goals: []goal{atMost("msgp_decode_vs_raw", 1.1)}},
	}
}

// repeated is a function, which prepare makes, called again and again.
func repeated(prepare func() (func() error, error)) func(e *env) (work, error) {
	return func(*env) (work, error) {
		f, err := prepare()
		return work{do: func(m *meter, ops int) error {
			m.start()
			for range ops {
				if err := f(); err != nil {
					return err
				}
			}
			m.stop(ops)
			return nil
		}}, err
	}
}

func packUnpack() (func() error, error) {
	return func() error {
		b, err := lualike.Pack("set", 1, "key")
		if err != nil {
			return err
		}
		_, err = lualike.Unpack(b)
		return err
	}, nil
}

func records() []record {
	list := make([]record, recordCount)
	for i := range list {
		list[i] = record{int64(i), fmt.Sprint("player", i), float64(i) + 0.5}
	}
	return list
}

func newScores() *scores {
	list := new(scores)
	for _, r := range records() {
		list.Rows = append(list.Rows, scored(r))
	}
	return list
}

// packed is a function that packs v into the same memory each time.
func packed(v any) func() error {
	var buf []byte
	return func() (err error) {
		buf, err = lualike.AppendPack(buf[:0], v)
		return err
	}
}

// unpacked is a function that unpacks what v is packed into, as a new T.
func unpacked[T any](v any) (func() error, error) {
	b, err := lualike.Pack(v)
	d := lualike.NewDecoder(nil)
	return func() error {
		d.Reset(b)
		_, err := lualike.DecodeAs[T](d)
		return err
	}, err
}

func encodeRecords() (func() error, error) { return packed(records()), nil }
func decodeRecords() (func() error, error) { return unpacked[[]record](records()) }
func encodeScores() (func() error, error)  { return packed(newScores()), nil }
func decodeScores() (func() error, error)  { return unpacked[*scores](newScores()) }

func encodeScoresRaw() (func() error, error) {
	list := newScores()
	var buf []byte
	return func() (err error) {
		buf, err = list.MarshalMsg(buf[:0])
		return err
	}, nil
}

func decodeScoresRaw() (func() error, error) {
	b, err := newScores().MarshalMsg(nil)
	return func() error {
		_, err := new(scores).UnmarshalMsg(b)
		return err
	}, err
}
