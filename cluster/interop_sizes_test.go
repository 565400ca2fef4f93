//go:build interop

package cluster_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/skynetgo/skynet/lualike"
	"github.com/skynetgo/skynet/service"
)

// random is a text of n bytes; texts of different sizes have nothing in common.
func random(n int) string {
	var seed [32]byte
	binary.LittleEndian.PutUint64(seed[:], uint64(n))
	b := make([]byte, n)
	_, _ = rand.NewChaCha8(seed).Read(b)
	return string(b)
}

// checkText sends a text and wants its digest, as the other side sees it, and
// the text itself back.
func checkText(c *service.Context, d direction, text string) error {
	seen, err := d.call(c, d.node, "@sdb", "digest", text)
	if err := errors.Join(err, want("digest", seen, digest(text))); err != nil {
		return err
	}
	got, err := d.call(c, d.node, "@sdb", "echo", text)
	if err != nil {
		return err
	}
	back, err := got.Str(0)
	return errors.Join(err, want("the text that came back", digest(back), digest(text)))
}

// Sizes of the text, and of the packed request or answer, around the borders of
// one frame.
func TestInteropSizes(t *testing.T) {
	const kib, mib = 1 << 10, 1 << 20
	sizes := []int{0, 1, 0x7fff, 0x8000, 0x8001, 100 * kib, mib, 16 * mib}
	for _, packed := range []int{0x7fff, 0x8000, 0x8001, 2 * 0x8000, 2*0x8000 + 1} {
		for _, with := range []lualike.Args{{}, {"echo"}} { // an answer, a request
			size := packed - 3 - 5*len(with) // the heads of a long text and of "echo"
			b, err := lualike.Pack(append(with, random(size))...)
			if err != nil || len(b) != packed {
				t.Fatalf("%d bytes are packed to %#x, %v; want %#x", size, len(b), err, packed)
			}
			sizes = append(sizes, size)
		}
	}
	both(t, func(_ *testing.T, p *pair, d direction) {
		p.Run(func(c *service.Context) error {
			for _, size := range sizes {
				if err := checkSize(c, d, random(size)); err != nil {
					return fmt.Errorf("a text of %#x bytes: %w", size, err)
				}
			}
			return nil
		})
	})
}

// checkSize is checkText after a push of the same text, which arrives first:
// large messages keep their order, and a small one is never overtaken.
func checkSize(c *service.Context, d direction, text string) error {
	if err := d.send(c, d.node, "@sdb", "note", text); err != nil {
		return err
	}
	if err := checkText(c, d, text); err != nil {
		return err
	}
	got, err := d.call(c, d.node, "@sdb", "takenotes")
	if err != nil {
		return err
	}
	note, err := got.Str(0)
	return errors.Join(err, want("the push", digest(note), digest(text)))
}

// Large and small texts at once, over the one connection.
func TestInteropSizesAtOnce(t *testing.T) {
	both(t, func(t *testing.T, p *pair, d direction) {
		sizes := []int{4 << 20, 1, 0x8001, 1 << 20, 0, 100 << 10, 0x7fff, 2 << 20}
		answers := make(chan error)
		p.Run(func(c *service.Context) error {
			for i, size := range sizes {
				c.Fork(func(c *service.Context) {
					answers <- checkText(c, d, random(size+i))
				})
			}
			return nil
		})
		for range sizes {
			if err := <-answers; err != nil {
				t.Error(err)
			}
		}
	})
}
