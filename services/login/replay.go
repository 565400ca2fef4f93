package login

// replayCost is what a kept packet costs beside its bytes.
const replayCost = 24

// replay keeps the last packets to a client, numbered from 1, as many as fit.
// Numbers may wrap around.
type replay struct {
	last uint32 // the number of the newest
	kept [][]byte
	size int
	max  int
}

func (r *replay) add(packet []byte) {
	r.last++
	r.kept = append(r.kept, packet)
	r.size += len(packet) + replayCost
	for r.size > r.max {
		r.size -= len(r.kept[0]) + replayCost
		r.kept[0] = nil
		r.kept = r.kept[1:]
	}
}

// since returns the packets after number last, and how many between are gone;
// not ok when last was never sent.
func (r *replay) since(last uint32) (packets [][]byte, lost uint32, ok bool) {
	missing := r.last - last
	if int32(missing) < 0 {
		return nil, 0, false
	}
	if n := uint32(len(r.kept)); missing > n {
		return r.kept, missing - n, true
	}
	return r.kept[uint32(len(r.kept))-missing:], 0, true
}
