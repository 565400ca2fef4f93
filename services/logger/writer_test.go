package logger

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
)

var errFull = errors.New("no space left on device")

// device is an output that may block and that may be full.
type device struct {
	bytes.Buffer
	wait   chan struct{} // not nil: Write waits for it
	room   int           // bytes until it is full; -1: any number
	writes int
	alarms []string
}

func (d *device) Write(b []byte) (int, error) {
	d.writes++
	if d.wait != nil {
		<-d.wait
	}
	if d.room >= 0 && len(b) > d.room {
		n := d.room
		d.room = 0
		d.Buffer.Write(b[:n])
		return n, errFull
	}
	if d.room >= 0 {
		d.room -= len(b)
	}
	return d.Buffer.Write(b)
}

// onDevice runs f with a writer, in a bubble: after synctest.Wait it has written
// what it can.
func onDevice(t *testing.T, f func(w *writer, d *device)) {
	synctest.Test(t, func(t *testing.T) {
		d := &device{room: -1}
		w := &writer{
			out: d, refused: func() uint64 { return 0 },
			note:  func(text string) []byte { return []byte("[logger] " + text + "\n") },
			alarm: func(text string) { d.alarms = append(d.alarms, text) },
		}
		f(w, d)
	})
}

func (d *device) expect(t *testing.T, want string) {
	t.Helper()
	synctest.Wait()
	if got := d.String(); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// What comes while a Write has not come back goes out in the next one.
func TestLinesGatherInOneWrite(t *testing.T) {
	onDevice(t, func(w *writer, d *device) {
		d.wait = make(chan struct{})
		want := ""
		for i := range 100 {
			line := fmt.Sprintf("%d\n", i)
			w.add([]byte(line))
			want += line
			synctest.Wait()
		}
		close(d.wait)
		d.expect(t, want)
		if d.writes != 2 {
			t.Errorf("%d writes", d.writes)
		}
	})
}

// An output that takes nothing costs mostBytes at most, and what there is no room
// for is told of behind what there was.
func TestOutputThatBlocks(t *testing.T) {
	onDevice(t, func(w *writer, d *device) {
		d.wait = make(chan struct{})
		w.add([]byte("first\n"))
		synctest.Wait()
		long := []byte(strings.Repeat("x", mostBytes/4-1) + "\n")
		for range 4 {
			w.add(long)
		}
		w.add([]byte("two\nlines\n"))
		w.add([]byte("a third\n"))
		if n := len(w.queue.lines); n > mostBytes {
			t.Errorf("%d bytes wait", n)
		}
		close(d.wait)
		d.expect(t, "first\n"+strings.Repeat(string(long), 4)+"[logger] 3 lines dropped\n")
		d.Reset()
		w.add([]byte("goes on\n"))
		d.expect(t, "goes on\n")
		if n := cap(w.queue.lines) + cap(w.spare); n > keepBytes {
			t.Errorf("%d bytes are kept", n)
		}
	})
}

// A line is written however long it is.
func TestLineLongerThanTheQueue(t *testing.T) {
	onDevice(t, func(w *writer, d *device) {
		long := strings.Repeat("x", mostBytes+1) + "\n"
		w.add([]byte(long))
		d.expect(t, long)
	})
}

// That a disk is full is told elsewhere at once. What it does not take is counted,
// and told of once there is room: on a line of its own, even if the disk was full
// within a line.
func TestFullDisk(t *testing.T) {
	onDevice(t, func(w *writer, d *device) {
		d.room = 8
		w.add([]byte("one\n"))
		synctest.Wait()
		w.add([]byte("two two\n"))
		for range 3 {
			synctest.Wait()
			w.add([]byte("three\n"))
		}
		d.expect(t, "one\ntwo ")
		d.room = -1
		w.add([]byte("five\n"))
		d.expect(t, "one\ntwo \n[logger] 4 lines dropped: no space left on device\nfive\n")
		if want := []string{"can not write the log: no space left on device"}; !slices.Equal(d.alarms, want) {
			t.Errorf("alarms %q, want %q", d.alarms, want)
		}
		d.room = 0
		w.add([]byte("six\n"))
		if lost := w.close(); lost != 1 {
			t.Errorf("%d lines are lost at the end", lost)
		}
		if len(d.alarms) != 2 {
			t.Errorf("the second time: %q", d.alarms)
		}
	})
}

// The report of lost lines may be what the disk is full in.
func TestFullDiskWithinTheReport(t *testing.T) {
	onDevice(t, func(w *writer, d *device) {
		d.room = 0
		w.add([]byte("one\n"))
		synctest.Wait()
		d.room = 5
		w.add([]byte("two\n"))
		d.expect(t, "[logg")
		d.room = -1
		w.add([]byte("three\n"))
		d.expect(t, "[logg\n[logger] 2 lines dropped: no space left on device\nthree\n")
	})
}

// Lines that the mailbox of the logger had no room for are told of too, once.
func TestRefusedLines(t *testing.T) {
	onDevice(t, func(w *writer, d *device) {
		refused := uint64(5)
		w.refused = func() uint64 { return refused }
		w.add([]byte("one\n"))
		d.expect(t, "one\n[logger] 5 lines dropped\n")
		refused += 2
		w.add([]byte("two\n"))
		d.expect(t, "one\n[logger] 5 lines dropped\ntwo\n[logger] 2 lines dropped\n")
	})
}
