package columns

import (
	"encoding/binary"
	"unsafe"

	"github.com/clewtrace/clew/storage/trace"
)

const (
	traceChunkBits = 9
	traceChunk     = 1 << traceChunkBits
)

// traceTable finds traces by ID.
type traceTable struct {
	chunks []*[traceChunk]Trace
	n      int
	slots  []uint32 // 1 + index; power of two, at most 3/4 full
}

func (t *traceTable) init() { t.slots = make([]uint32, 64) }

func (t *traceTable) at(i uint32) *Trace { return &t.chunks[i>>traceChunkBits][i&(traceChunk-1)] }

func (t *traceTable) bytes() int64 {
	return int64(len(t.chunks))*traceChunk*int64(unsafe.Sizeof(Trace{})) + int64(len(t.slots))*4
}

// hashID mixes both halves, because some clients fill only one of them, or
// count: in big endian, so that only the highest bits of a half differ.
// Multiplying carries upwards alone, hence the shifts between.
func hashID(id *trace.ID) uint64 {
	h := binary.LittleEndian.Uint64(id[:8])*0x9E3779B97F4A7C15 ^ binary.LittleEndian.Uint64(id[8:])
	h = (h ^ h>>33) * 0xFF51AFD7ED558CCD
	h = (h ^ h>>33) * 0xC4CEB9FE1A85EC53
	return h ^ h>>33
}

func (t *traceTable) find(id *trace.ID) (uint32, bool) {
	mask := uint64(len(t.slots) - 1)
	for i := hashID(id) & mask; t.slots[i] != 0; i = (i + 1) & mask {
		if n := t.slots[i] - 1; t.at(n).ID == *id {
			return n, true
		}
	}
	return 0, false
}

func (t *traceTable) intern(id *trace.ID) uint32 {
	mask := uint64(len(t.slots) - 1)
	i := hashID(id) & mask
	for ; t.slots[i] != 0; i = (i + 1) & mask {
		if n := t.slots[i] - 1; t.at(n).ID == *id {
			return n
		}
	}
	n := uint32(t.n)
	if t.n>>traceChunkBits == len(t.chunks) {
		t.chunks = append(t.chunks, new([traceChunk]Trace))
	}
	t.at(n).ID = *id
	t.n++
	t.slots[i] = n + 1
	if t.n*4 > len(t.slots)*3 {
		t.grow()
	}
	return n
}

func (t *traceTable) grow() {
	t.slots = make([]uint32, 2*len(t.slots))
	mask := uint64(len(t.slots) - 1)
	for n := range uint32(t.n) {
		i := hashID(&t.at(n).ID) & mask
		for t.slots[i] != 0 {
			i = (i + 1) & mask
		}
		t.slots[i] = n + 1
	}
}
