package columns

// Ref names bytes in an arena. The zero Ref is the empty string.
type Ref struct{ chunk, off, len uint32 }

// Len is the number of bytes that r names.
func (r Ref) Len() int { return int(r.len) }

const arenaChunk = 256 << 10

// arena keeps byte strings in chunks that never move.
type arena struct {
	chunks [][]byte
	bytes  int64
}

func (a *arena) put(b []byte) Ref {
	if len(b) == 0 {
		return Ref{}
	}
	last := len(a.chunks) - 1
	if last < 0 || len(a.chunks[last])+len(b) > cap(a.chunks[last]) {
		size := max(arenaChunk, len(b))
		if last < 0 {
			size = max(16<<10, len(b)) // many tenants are small
		}
		a.chunks = append(a.chunks, make([]byte, 0, size))
		a.bytes += int64(size)
		last++
	}
	c := a.chunks[last]
	r := Ref{uint32(last), uint32(len(c)), uint32(len(b))}
	a.chunks[last] = append(c, b...)
	return r
}

func (a *arena) get(r Ref) []byte {
	if r.len == 0 {
		return nil
	}
	return a.chunks[r.chunk][r.off : r.off+r.len : r.off+r.len]
}

const (
	slotChunkBits = 16
	slotChunk     = 1 << slotChunkBits
)

// slotArena keeps the attribute values of rows. The slots of one row are
// contiguous; an address is chunk<<16 | offset of the first.
type slotArena struct {
	chunks [][]uint32
	bytes  int64
}

// reserve returns the address of n fresh slots and the slots themselves.
func (a *slotArena) reserve(n int) (uint32, []uint32) {
	last := len(a.chunks) - 1
	if last < 0 || len(a.chunks[last])+n > cap(a.chunks[last]) || len(a.chunks[last]) >= slotChunk {
		size := max(slotChunk, n)
		if last < 0 {
			size = max(4<<10, n)
		}
		a.chunks = append(a.chunks, make([]uint32, 0, size))
		a.bytes += int64(size) * 4
		last++
	}
	c := a.chunks[last]
	off := len(c)
	a.chunks[last] = c[:off+n]
	return uint32(last)<<slotChunkBits | uint32(off), a.chunks[last][off : off+n]
}

func (a *slotArena) get(addr uint32, n int) []uint32 {
	off := int(addr & (slotChunk - 1))
	return a.chunks[addr>>slotChunkBits][off : off+n]
}
