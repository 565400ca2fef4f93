package wire

// growth is the factor by which a buffer may exceed what has arrived. With 2, large messages are copied
// so often that BenchmarkAssembly takes about three times as long. The first part gets no more than its
// own size: many messages of which one part came are what an attack looks like.
const growth = 4

// Assembly collects the parts of one large message. It owns what it has collected: parts are copied, and
// the memory it holds is bounded by four times what has arrived, whatever size the far side has announced.
//
// The zero value stands for a message whose parts came without a begin; it is never complete.
// An Assembly is used by one goroutine at a time.
type Assembly struct {
	buf   []byte
	size  uint32
	state assemblyState
}

type assemblyState uint8

const (
	assemblyUnannounced assemblyState = iota
	assemblyOpen
	assemblyBroken // more bytes than announced; what came is given up
)

// Reset begins a message that was announced with size bytes. Bytes handed out before stay valid.
func (a *Assembly) Reset(size uint32) {
	*a = Assembly{size: size, state: assemblyOpen}
}

// Append adds the bytes of one part, which may be empty; part itself is not kept. Bytes that can no
// longer become a message, because there was no begin or more came than announced, are not stored.
func (a *Assembly) Append(part []byte) {
	if a.state != assemblyOpen {
		return
	}
	if !a.fits(len(part)) {
		a.buf, a.state = nil, assemblyBroken
		return
	}
	if n := a.After(len(part)); n > cap(a.buf) {
		grown := make([]byte, len(a.buf), n)
		copy(grown, a.buf)
		a.buf = grown
	}
	a.buf = append(a.buf, part...)
}

// Len returns how many bytes have been collected.
func (a *Assembly) Len() int { return len(a.buf) }

// Held returns how many bytes of memory a holds.
func (a *Assembly) Held() int { return cap(a.buf) }

// After returns what Held will be once a part of n bytes has been appended.
func (a *Assembly) After(n int) int {
	have := len(a.buf) + n
	switch {
	case a.state != assemblyOpen || !a.fits(n):
		return 0
	case have <= cap(a.buf):
		return cap(a.buf)
	case len(a.buf) == 0:
		return n
	}
	return int(min(uint64(a.size), growth*uint64(have))) // the announced size only serves to not overshoot
}

// fits reports whether n bytes more are not more than was announced.
func (a *Assembly) fits(n int) bool { return uint64(len(a.buf))+uint64(n) <= uint64(a.size) }

// Bytes returns the message; ok is true only when the parts add up to exactly the announced size. The
// slice belongs to the caller from then on, as long as nothing but Reset is called on a.
func (a *Assembly) Bytes() (b []byte, ok bool) {
	if a.state != assemblyOpen || uint64(len(a.buf)) != uint64(a.size) {
		return nil, false
	}
	if a.buf == nil {
		return []byte{}, true
	}
	return a.buf, true
}
