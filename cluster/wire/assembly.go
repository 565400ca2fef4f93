package wire

// partCost is what a part counts for at least: about the memory that it takes to be kept.
const partCost = 64

// Assembly collects the parts of one large message. It keeps them as they are, until Bytes joins them, so that
// no part waits for the copying of those before, and the memory it holds is what has arrived, whatever size
// the far side has announced.
//
// The zero value stands for a message whose parts came without a begin; it is never complete.
// An Assembly is used by one goroutine at a time.
type Assembly struct {
	parts [][]byte
	have  uint64 // bytes of the parts
	held  int
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

// Append adds one part, which may be empty and belongs to a from then on. Bytes that can no longer become
// a message, because there was no begin or more came than announced, are not kept.
func (a *Assembly) Append(part []byte) {
	switch {
	case a.state != assemblyOpen || len(part) == 0:
		return
	case a.have+uint64(len(part)) > uint64(a.size):
		*a = Assembly{state: assemblyBroken}
		return
	}
	a.parts = append(a.parts, part)
	a.have += uint64(len(part))
	a.held += max(len(part), partCost)
}

// Held returns about how many bytes of memory a holds.
func (a *Assembly) Held() int { return a.held }

// Complete reports whether the parts add up to exactly the announced size.
func (a *Assembly) Complete() bool { return a.state == assemblyOpen && a.have == uint64(a.size) }

// Bytes returns the message; ok is true only when it is complete. It copies all parts but a single one, which takes
// some milliseconds for many megabytes. The slice belongs to the caller from then on, as long as nothing but Reset
// is called on a.
func (a *Assembly) Bytes() (b []byte, ok bool) {
	if !a.Complete() {
		return nil, false
	}
	if len(a.parts) == 1 {
		return a.parts[0], true
	}
	b = make([]byte, 0, a.size)
	for _, part := range a.parts {
		b = append(b, part...)
	}
	return b, true
}
