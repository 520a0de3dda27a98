package block

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// The scans below add to out the rows of in whose value fits. They never clear
// a bit of out, and never set one that in does not have.

// sparse is how many of the rows of a vector may be asked for one by one: when
// fewer than one in sparse are left, looking them up beats a pass over all.
const sparse = 16

// codeSet is a set of dictionary codes.
type codeSet struct {
	n    int     // codes in the set
	only int     // the code, if n == 1
	has  []uint8 // 1 for codes in the set; parallel to the dictionary; nil if n == 0
}

func (s *codeSet) add(code, of int) {
	if s.has == nil {
		s.has = make([]uint8, of)
	}
	if s.has[code] == 0 {
		s.has[code] = 1
		s.only, s.n = code, s.n+1
	}
}

// scanCodes looks for values whose code is in the set.
func (v *Vector) scanCodes(set *codeSet, in, out bitmap) {
	switch {
	case set.n == 0:
	case v.dict.n <= 1<<8:
		scanCodes(v, v.codes8, set, in, out)
	case v.dict.n <= 1<<16:
		scanCodes(v, v.codes16, set, in, out)
	default:
		scanCodes(v, v.codes32, set, in, out)
	}
}

func scanCodes[T code](v *Vector, codes []T, set *codeSet, in, out bitmap) {
	has := set.has
	if v.present != nil {
		if in.count()*sparse < v.n {
			for row := range in.each {
				if i, ok := v.index(row); ok && has[codes[i]] != 0 {
					out.set(row)
				}
			}
			return
		}
		v.eachPresent(func(base, at int, w uint64) {
			k := in[base>>6] & w
			if k == 0 {
				return
			}
			for ; w != 0; w &= w - 1 {
				if has[codes[at]] != 0 {
					out[base>>6] |= k & (w & -w)
				}
				at++
			}
		})
		return
	}
	for w, word := range in {
		if word == 0 {
			continue
		}
		base := w << 6
		if bits.OnesCount64(word) < 8 {
			for m := word; m != 0; m &= m - 1 {
				k := bits.TrailingZeros64(m)
				out[w] |= uint64(has[codes[base|k]]) << k
			}
			continue
		}
		run := codes[base:min(base+64, len(codes))]
		var m uint64
		if set.n == 1 {
			m = equalCodes(run, T(set.only))
		} else {
			for k, c := range run {
				m |= uint64(has[c]) << k
			}
		}
		out[w] |= m & word
	}
}

// equalCodes has a bit for each of at most 64 codes that is c.
func equalCodes[T code](run []T, c T) (m uint64) {
	for k, x := range run {
		var b uint64
		if x == c {
			b = 1
		}
		m |= b << k
	}
	return m
}

// eachPresent calls yield for each 64 rows of which some have a value: base is
// the first of them, at the number of their first value, w who has one.
func (v *Vector) eachPresent(yield func(base, at int, w uint64)) {
	for k, w := range v.present {
		if w != 0 {
			yield(k<<6, int(v.rank[k]), w)
		}
	}
}

// scanRange looks for numbers x with lo <= x <= lo+span, counted from lo
// upwards and around: so one comparison serves signed and unsigned numbers. v
// is plain and has no nulls.
func (v *Vector) scanRange(lo, span uint64, in, out bitmap) {
	vals := v.plain.i64
	for w, word := range in {
		if word == 0 {
			continue
		}
		base := w << 6
		if bits.OnesCount64(word) < 16 {
			for m := word; m != 0; m &= m - 1 {
				k := bits.TrailingZeros64(m)
				if uint64(vals[base|k])-lo <= span {
					out[w] |= 1 << k
				}
			}
			continue
		}
		var m uint64
		for k, x := range vals[base:min(base+64, len(vals))] {
			var b uint64
			if uint64(x)-lo <= span {
				b = 1
			}
			m |= b << k
		}
		out[w] |= m & word
	}
}

// scanValues looks for values that fit, one by one. fits gets the number of a
// value of v.plain.
func (v *Vector) scanValues(fits func(i int) bool, in, out bitmap) {
	if v.present == nil || in.count()*sparse < v.n {
		for row := range in.each {
			if i, ok := v.index(row); ok && fits(i) {
				out.set(row)
			}
		}
		return
	}
	v.eachPresent(func(base, at int, w uint64) {
		k := in[base>>6] & w
		for ; k != 0 && w != 0; w &= w - 1 {
			if bit := w & -w; k&bit != 0 && fits(at) {
				out[base>>6] |= bit
			}
			at++
		}
	})
}

// findBytes calls yield with the number of each byte array that is text.
func (v *values) findBytes(text []byte, yield func(i int)) {
	data, size := v.data, uint32(len(text))
	for i, off := range v.offs {
		if binary.LittleEndian.Uint32(data[off-4:]) == size && bytes.Equal(data[off:off+size], text) {
			yield(i)
		}
	}
}
