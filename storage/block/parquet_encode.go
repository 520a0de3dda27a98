package block

import (
	"encoding/binary"
	"math/bits"
)

// Bodies of Parquet data pages, before compression. Each function appends to dst.

// appendLevels appends the definition levels of n rows, of which those with
// their bit set in present have a value: a length in 4 bytes, then runs of bits.
// Bits behind the last row are zero.
func appendLevels(dst []byte, present []byte, n int) []byte {
	at := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	bytes := (n + 7) / 8
	last := byte(1)<<(n&7) - 1 // a full last byte
	if n&7 == 0 {
		last = 0xff
	}
	full := func(i int) bool { return present[i] == 0xff || i == bytes-1 && present[i] == last }
	literal := 0
	for i := 0; i < bytes; {
		j := i
		bit := byte(0)
		switch {
		case present[i] == 0:
			for j++; j < bytes && present[j] == 0; j++ {
			}
		case full(i):
			bit = 1
			for j++; j < bytes && full(j); j++ {
			}
		}
		if j-i < 3 && (j < bytes || i > 0) { // a run in three bytes saves nothing
			i = max(j, i+1)
			continue
		}
		dst = appendLiteralBits(dst, present[literal:i])
		dst = binary.AppendUvarint(dst, uint64(min(j*8, n)-i*8)<<1)
		dst = append(dst, bit)
		i, literal = j, j
	}
	dst = appendLiteralBits(dst, present[literal:bytes])
	binary.LittleEndian.PutUint32(dst[at:], uint32(len(dst)-at-4))
	return dst
}

func appendLiteralBits(dst, bits []byte) []byte {
	if len(bits) == 0 {
		return dst
	}
	dst = binary.AppendUvarint(dst, uint64(len(bits))<<1|1)
	return append(dst, bits...)
}

// codeWidth is the number of bits in which codes below n stand.
func codeWidth(n int) uint { return max(1, uint(bits.Len(uint(n-1)))) }

// appendCodes appends dictionary codes of the given width: the width, then runs
// of equal codes and runs of packed ones.
func appendCodes(dst []byte, codes []uint32, width uint) []byte {
	dst = append(dst, byte(width))
	literal := 0
	for i := 0; i < len(codes); {
		c := codes[i]
		j := i + 1
		for j < len(codes) && codes[j] == c {
			j++
		}
		// Packed runs are whole groups of 8, so that the run may have to lend some.
		from := i + (8-(i-literal)&7)&7
		if j-from < 8 {
			i = j
			continue
		}
		dst = appendPacked(dst, codes[literal:from], width)
		dst = binary.AppendUvarint(dst, uint64(j-from)<<1)
		for k := uint(0); k < width; k += 8 {
			dst = append(dst, byte(c>>k))
		}
		i, literal = j, j
	}
	return appendPacked(dst, codes[literal:], width)
}

func appendPacked(dst []byte, codes []uint32, width uint) []byte {
	if len(codes) == 0 {
		return dst
	}
	groups := (len(codes) + 7) / 8
	dst = binary.AppendUvarint(dst, uint64(groups)<<1|1)
	end := len(dst) + groups*int(width)
	acc, n := uint64(0), uint(0)
	for _, c := range codes {
		acc |= uint64(c) << n
		if n += width; n >= 32 {
			dst = binary.LittleEndian.AppendUint32(dst, uint32(acc))
			acc, n = acc>>32, n-32
		}
	}
	for ; len(dst) < end; acc >>= 8 {
		dst = append(dst, byte(acc))
	}
	return dst
}

const (
	deltaBlock = 128
	deltaMini  = 32
)

// appendDelta appends values in DELTA_BINARY_PACKED.
func appendDelta(dst []byte, vals []uint64) []byte {
	dst = binary.AppendUvarint(dst, deltaBlock)
	dst = binary.AppendUvarint(dst, deltaBlock/deltaMini)
	dst = binary.AppendUvarint(dst, uint64(len(vals)))
	if len(vals) == 0 {
		return binary.AppendVarint(dst, 0)
	}
	dst = binary.AppendVarint(dst, int64(vals[0]))
	var deltas [deltaBlock]uint64
	last := vals[0]
	for vals = vals[1:]; len(vals) > 0; {
		n := min(len(vals), deltaBlock)
		least := int64(vals[0] - last)
		for i, v := range vals[:n] {
			deltas[i] = v - last
			least = min(least, int64(deltas[i]))
			last = v
		}
		vals = vals[n:]
		dst = binary.AppendVarint(dst, least)
		at := len(dst)
		dst = append(dst, 0, 0, 0, 0)
		for k := 0; k*deltaMini < n; k++ {
			mini := deltas[k*deltaMini : min((k+1)*deltaMini, n)]
			all := uint64(0)
			for i := range mini {
				mini[i] -= uint64(least)
				all |= mini[i]
			}
			width := uint(bits.Len64(all))
			dst[at+k] = byte(width)
			dst = appendBits(dst, mini, width, deltaMini*int(width)/8)
		}
	}
	return dst
}

// appendBits packs values of width bits into size bytes.
func appendBits(dst []byte, vals []uint64, width uint, size int) []byte {
	end := len(dst) + size
	acc, n := uint64(0), uint(0)
	for _, v := range vals {
		acc |= v << n
		if n += width; n >= 64 {
			dst = binary.LittleEndian.AppendUint64(dst, acc)
			n -= 64
			acc = v >> (width - n) // 0 if n == 0, for v has width bits
		}
	}
	for ; len(dst) < end; acc >>= 8 {
		dst = append(dst, byte(acc))
	}
	return dst
}

func appendPlain32(dst []byte, vals []uint64) []byte {
	for _, v := range vals {
		dst = binary.LittleEndian.AppendUint32(dst, uint32(v))
	}
	return dst
}

func appendPlain64(dst []byte, vals []uint64) []byte {
	for _, v := range vals {
		dst = binary.LittleEndian.AppendUint64(dst, v)
	}
	return dst
}

func appendPlainBytes(dst, val []byte) []byte {
	return append(binary.LittleEndian.AppendUint32(dst, uint32(len(val))), val...)
}

// appendPlainBools appends one bit a value, of which any but zero is true.
func appendPlainBools(dst []byte, vals []uint32) []byte {
	acc, n := byte(0), 0
	for _, v := range vals {
		if v != 0 {
			acc |= 1 << n
		}
		if n++; n == 8 {
			dst = append(dst, acc)
			acc, n = 0, 0
		}
	}
	if n > 0 {
		dst = append(dst, acc)
	}
	return dst
}
