package logger

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"sync"
)

const (
	// mostBytes is how much may wait for the file.
	mostBytes = 16 << 20
	// keepBytes is how much memory a writer keeps that has nothing to write.
	keepBytes = 64 << 10
)

// writer writes lines on a goroutine that lives while there are any, so that a
// full disk, a slow pipe or a stopped terminal is nobody's to wait for. What
// comes meanwhile goes out in one Write.
type writer struct {
	path    string                   // "" for standard output
	note    func(text string) []byte // makes a line of the logger's own
	refused func() uint64            // lines that never came to add, so far
	alarm   func(text string)        // tells of the output elsewhere

	mu    sync.Mutex
	queue batch
	spare []byte
	busy  bool
	idle  sync.WaitGroup

	// The rest is the goroutine's.
	out    io.Writer
	file   *os.File // nil for standard output
	seen   uint64   // of refused
	lost   int      // lines that nobody has been told of
	broken bool     // the last Write ended within a line
	failed error    // of the last Write, nil when it succeeded
}

// batch is what waits to be written.
type batch struct {
	lines   []byte
	dropped int // lines that there was no room for behind these
	reopen  bool
	old     int // so many bytes are for the file before it is reopened
}

func (b *batch) empty() bool { return len(b.lines) == 0 && !b.reopen }

// open opens the file anew.
func (w *writer) open() error {
	f, err := os.OpenFile(w.path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	if w.file != nil {
		_ = w.file.Close()
	}
	w.file, w.out = f, f
	return nil
}

// add has a copy of line written. Like reopen it never blocks.
func (w *writer) add(line []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if q := &w.queue; len(q.lines)+len(line) <= mostBytes || len(q.lines) == 0 {
		q.lines = append(q.lines, line...)
	} else {
		q.dropped += count(line)
	}
	w.wakeLocked()
}

// reopen is what SIGHUP asks for: after the file was renamed a new one appears.
func (w *writer) reopen() {
	if w.path == "" {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.queue.reopen, w.queue.old = true, len(w.queue.lines)
	w.wakeLocked()
}

// close waits until all is written, and returns how many lines could not be.
func (w *writer) close() int {
	w.idle.Wait()
	if w.file != nil {
		_ = w.file.Close()
	}
	return w.lost
}

func (w *writer) wakeLocked() {
	if !w.busy {
		w.busy = true
		w.idle.Add(1)
		go w.run()
	}
}

func (w *writer) run() {
	defer w.idle.Done()
	for {
		w.mu.Lock()
		b := w.queue
		if b.empty() {
			if cap(b.lines)+cap(w.spare) > keepBytes {
				w.queue, w.spare = batch{}, nil
			}
			w.busy = false
			w.mu.Unlock()
			return
		}
		w.queue = batch{lines: w.spare[:0]}
		w.spare = b.lines
		w.mu.Unlock()
		w.write(b)
	}
}

func (w *writer) write(b batch) {
	if b.reopen {
		w.put(b.lines[:b.old])
		if err := w.open(); err != nil {
			w.put(w.note("can not reopen: " + err.Error()))
		}
	}
	w.put(b.lines[b.old:])
	refused := w.refused()
	w.lost, w.seen = w.lost+b.dropped+int(refused-w.seen), refused
	w.report()
}

// put writes lines, or counts those it can not write.
func (w *writer) put(lines []byte) {
	n := 0
	if len(lines) > 0 && w.report() {
		n = w.send(lines)
	}
	w.lost += count(lines[n:])
}

// report tells in the log of lines that are lost: false when even that can not
// be written.
func (w *writer) report() bool {
	if w.lost == 0 {
		return true
	}
	text := dropped(w.lost)
	if w.failed != nil {
		text += ": " + w.failed.Error()
	}
	line := w.note(text)
	if w.broken {
		line = append([]byte{'\n'}, line...)
	}
	if w.send(line) < len(line) {
		return false
	}
	w.lost = 0
	return true
}

// send returns how many bytes were written. That an output takes no more is told
// elsewhere, once until it does again.
func (w *writer) send(b []byte) int {
	n, err := w.out.Write(b)
	if err != nil && w.failed == nil {
		w.alarm("can not write the log: " + err.Error())
	}
	w.failed = err
	if err != nil {
		w.broken = n > 0 && b[n-1] != '\n' || n == 0 && w.broken
		return n
	}
	w.broken = false
	return len(b)
}

func dropped(n int) string { return fmt.Sprintf("%d lines dropped", n) }

func count(lines []byte) int { return bytes.Count(lines, []byte{'\n'}) }
