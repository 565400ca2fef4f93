package wire

// growth is the factor by which a buffer may exceed what has arrived. With 2, large messages are copied
// so often that BenchmarkAssembly takes about three times as long.
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
	have := uint64(len(a.buf)) + uint64(len(part))
	if have > uint64(a.size) {
		a.buf, a.state = nil, assemblyBroken
		return
	}
	if have > uint64(cap(a.buf)) {
		// The announced size only serves to not overshoot.
		grown := make([]byte, len(a.buf), min(uint64(a.size), growth*have))
		copy(grown, a.buf)
		a.buf = grown
	}
	a.buf = append(a.buf, part...)
}

// Len returns how many bytes have been collected.
func (a *Assembly) Len() int { return len(a.buf) }

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
