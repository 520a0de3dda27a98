package block

import (
	"encoding/binary"
	"math/bits"
)

// code is how dictionary codes are kept: in the smallest type that fits.
type code interface{ ~uint8 | ~uint16 | ~uint32 }

// decodeCodes fills dst from the body of a dictionary-encoded page: one byte of
// bit width, then runs. It reports false for damage, and for a code that is not
// less than limit.
func decodeCodes[T code](dst []T, src []byte, limit int) bool {
	if len(dst) == 0 {
		return true
	}
	if len(src) == 0 || src[0] > 32 {
		return false
	}
	width := uint(src[0])
	src = src[1:]
	if limit == 0 {
		return false
	}
	// A code of more bits than T has may wrap; then width alone tells.
	checked := dst
	if wide := uint(bits.Len64(uint64(^T(0)))); width > wide && !narrow(src, len(dst), width, limit) {
		return false
	}
	for len(dst) > 0 {
		head, n := binary.Uvarint(src)
		if n <= 0 {
			return false
		}
		src = src[n:]
		if head&1 == 0 {
			v, size := uint64(0), int(width+7)/8
			if size > len(src) {
				return false
			}
			for i := range size {
				v |= uint64(src[i]) << (8 * i)
			}
			src = src[size:]
			if v >= uint64(limit) {
				return false
			}
			run := int(min(head>>1, uint64(len(dst))))
			if run == 0 {
				return false
			}
			fill(dst[:run], T(v))
			dst = dst[run:]
			continue
		}
		run := int(min(head>>1, uint64(len(dst)+7)/8) * 8)
		if run == 0 {
			return false
		}
		take := min(run, len(dst))
		if need := (take*int(width) + 7) / 8; need > len(src) {
			return false
		}
		unpackCodes(dst[:take], src, width)
		dst = dst[take:]
		src = src[min(run*int(width)/8, len(src)):]
	}
	if uint64(limit) < 1<<width {
		top := T(0)
		for _, c := range checked {
			top = max(top, c)
		}
		return uint64(top) < uint64(limit)
	}
	return true
}

// narrow reports whether all codes of a page are less than limit although their
// bit width would allow more than the code type holds.
func narrow(src []byte, n int, width uint, limit int) bool {
	codes := make([]uint32, n)
	wide := append([]byte{byte(width)}, src...)
	return decodeCodes(codes, wide, limit)
}

func fill[T any](dst []T, v T) {
	for i := range dst {
		dst[i] = v
	}
}

// unpackCodes reads len(dst) values of width bits, least significant bit first. src
// holds them.
func unpackCodes[T code](dst []T, src []byte, width uint) {
	if width == 0 {
		clear(dst)
		return
	}
	mask := uint64(1)<<width - 1
	off := 0
	switch {
	case width <= 8:
		for len(dst) >= 8 && len(src)-off >= 8 {
			x := binary.LittleEndian.Uint64(src[off:])
			d := (*[8]T)(dst)
			d[0] = T(x & mask)
			d[1] = T(x >> width & mask)
			d[2] = T(x >> (2 * width) & mask)
			d[3] = T(x >> (3 * width) & mask)
			d[4] = T(x >> (4 * width) & mask)
			d[5] = T(x >> (5 * width) & mask)
			d[6] = T(x >> (6 * width) & mask)
			d[7] = T(x >> (7 * width) & mask)
			dst, off = dst[8:], off+int(width)
		}
	case width <= 16:
		second, shift := int(4*width/8), 4*width%8
		for len(dst) >= 8 && len(src)-off >= second+8 {
			x := binary.LittleEndian.Uint64(src[off:])
			y := binary.LittleEndian.Uint64(src[off+second:]) >> shift
			d := (*[8]T)(dst)
			d[0] = T(x & mask)
			d[1] = T(x >> width & mask)
			d[2] = T(x >> (2 * width) & mask)
			d[3] = T(x >> (3 * width) & mask)
			d[4] = T(y & mask)
			d[5] = T(y >> width & mask)
			d[6] = T(y >> (2 * width) & mask)
			d[7] = T(y >> (3 * width) & mask)
			dst, off = dst[8:], off+int(width)
		}
	}
	bit := uint(0)
	for i := range dst {
		at := off + int(bit>>3)
		var x uint64
		if at+8 <= len(src) {
			x = binary.LittleEndian.Uint64(src[at:])
		} else {
			for k := len(src) - 1; k >= at; k-- {
				x = x<<8 | uint64(src[k])
			}
		}
		dst[i] = T(x >> (bit & 7) & mask)
		bit += width
	}
}

// decodeLevels appends n definition levels of bit width 1 to present, which
// holds rows bits. It returns how many are set, and what follows the levels;
// ok is false for damage.
func decodeLevels(present bitmap, rows, n int, body []byte) (set int, rest []byte, ok bool) {
	if len(body) < 4 {
		return 0, nil, false
	}
	size := binary.LittleEndian.Uint32(body)
	if uint64(size) > uint64(len(body)-4) {
		return 0, nil, false
	}
	src, rest := body[4:4+size], body[4+size:]
	for n > 0 {
		head, k := binary.Uvarint(src)
		if k <= 0 || k >= len(src) && head&1 == 0 {
			return 0, nil, false
		}
		src = src[k:]
		if head&1 == 0 {
			run := int(min(head>>1, uint64(n)))
			v := src[0]
			src = src[1:]
			if run == 0 || v > 1 {
				return 0, nil, false
			}
			if v == 1 {
				present.setRange(rows, rows+run)
				set += run
			}
			rows, n = rows+run, n-run
			continue
		}
		groups := min(head>>1, uint64(n+7)/8)
		if groups == 0 || groups > uint64(len(src)) {
			return 0, nil, false
		}
		for _, b := range src[:groups] {
			take := min(8, n)
			b &= byte(1<<take - 1)
			present.orByte(rows, b)
			set += bits.OnesCount8(b)
			rows, n = rows+take, n-take
		}
		src = src[groups:]
	}
	return set, rest, true
}
