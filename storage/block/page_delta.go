package block

import (
	"encoding/binary"
)

// decodeDelta fills dst from a page body in DELTA_BINARY_PACKED. It reports
// false for damage and for any other number of values.
func decodeDelta(dst []int64, src []byte) bool {
	var head [3]uint64 // values per block, miniblocks per block, values
	for i := range head {
		v, n := binary.Uvarint(src)
		if n <= 0 {
			return false
		}
		head[i], src = v, src[n:]
	}
	first, n := binary.Varint(src)
	if n <= 0 {
		return false
	}
	src = src[n:]
	block, minis := head[0], head[1]
	if head[2] != uint64(len(dst)) || block == 0 || block%128 != 0 || block > 1<<16 ||
		minis == 0 || minis > 512 || block%minis != 0 || block/minis%32 != 0 {
		return false
	}
	if len(dst) == 0 {
		return true
	}
	per := int(block / minis)
	dst[0] = first
	last := first
	for dst = dst[1:]; len(dst) > 0; {
		least, n := binary.Varint(src)
		if n <= 0 || len(src)-n < int(minis) {
			return false
		}
		widths := src[n : n+int(minis)]
		src = src[n+int(minis):]
		for _, w := range widths {
			if len(dst) == 0 {
				break // widths of miniblocks that are not there
			}
			width, take := uint(w), min(per, len(dst))
			if width > 64 || (take*int(width)+7)/8 > len(src) {
				return false
			}
			last = unpackDeltas(dst[:take], src, width, least, last)
			dst = dst[take:]
			src = src[min(per*int(width)/8, len(src)):]
		}
	}
	return true
}

// unpackDeltas adds up packed deltas over least, beginning from last.
func unpackDeltas(dst []int64, src []byte, width uint, least, last int64) int64 {
	if width == 0 {
		for i := range dst {
			last += least
			dst[i] = last
		}
		return last
	}
	mask := ^uint64(0) >> (64 - width)
	bit := uint(0)
	i := 0
	if width <= 56 { // a value lies within 8 bytes from its first one
		for ; i < len(dst); i++ {
			at := int(bit >> 3)
			if at+8 > len(src) {
				break
			}
			last += least + int64(binary.LittleEndian.Uint64(src[at:])>>(bit&7)&mask)
			dst[i] = last
			bit += width
		}
	}
	for ; i < len(dst); i++ {
		var tail [16]byte
		copy(tail[:], src[bit>>3:])
		lo, hi := binary.LittleEndian.Uint64(tail[:]), binary.LittleEndian.Uint64(tail[8:])
		x := lo>>(bit&7) | hi<<(64-bit&7)
		last += least + int64(x&mask)
		dst[i] = last
		bit += width
	}
	return last
}
