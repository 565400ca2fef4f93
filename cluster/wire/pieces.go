package wire

import "slices"

// RequestParts appends the part frames of a large request or push to bufs, whose payload of size bytes is first and then
// each of more. The frames are to be written slice by slice; they share the memory of the payload.
func RequestParts(bufs [][]byte, session uint32, size int, first []byte, more [][]byte) [][]byte {
	return appendParts(bufs, AppendPartHeader, session, size, first, more)
}

// ResponseParts is RequestParts for an answer.
func ResponseParts(bufs [][]byte, session uint32, size int, first []byte, more [][]byte) [][]byte {
	return appendParts(bufs, AppendResponsePartHeader, session, size, first, more)
}

func appendParts(bufs [][]byte, appendHead func(dst []byte, session uint32, size, i int) []byte,
	session uint32, size int, first []byte, more [][]byte) [][]byte {
	n := parts(size)
	bufs = slices.Grow(bufs, 2*n+len(more)) // a head for each part, and one slice more at each border of any kind
	heads := make([]byte, 0, n*(frameLen+partHeaderLen))
	for i := range n {
		at := len(heads)
		heads = appendHead(heads, session, size, i)
		bufs = append(bufs, heads[at:])
		lo, hi := PartRange(size, i)
		for lo < hi {
			for len(first) == 0 {
				first, more = more[0], more[1:]
			}
			k := min(hi-lo, len(first))
			bufs = append(bufs, first[:k])
			first = first[k:]
			lo += k
		}
	}
	return bufs
}
