package block

import "math/bits"

// bitmap has one bit per row. A bitmap for n rows has (n+63)/64 words; bits
// behind the last row are zero.
type bitmap []uint64

func newBitmap(n int) bitmap { return make(bitmap, (n+63)/64) }

// resize returns a cleared bitmap for n rows in the memory of m, if it fits.
func (m bitmap) resize(n int) bitmap {
	words := (n + 63) / 64
	if cap(m) < words {
		return make(bitmap, words)
	}
	m = m[:words]
	clear(m)
	return m
}

func (m bitmap) get(i int) bool { return m[i>>6]>>(i&63)&1 != 0 }

func (m bitmap) set(i int) { m[i>>6] |= 1 << (i & 63) }

// setRange sets the bits [from, to).
func (m bitmap) setRange(from, to int) {
	if from >= to {
		return
	}
	a, b := from>>6, (to-1)>>6
	first, last := ^uint64(0)<<(from&63), ^uint64(0)>>(63-(to-1)&63)
	if a == b {
		m[a] |= first & last
		return
	}
	m[a] |= first
	for i := a + 1; i < b; i++ {
		m[i] = ^uint64(0)
	}
	m[b] |= last
}

// orByte sets the bits of b from position i on. Bits of b that would lie behind
// the last word must be zero.
func (m bitmap) orByte(i int, b byte) {
	at, shift := i>>6, i&63
	m[at] |= uint64(b) << shift
	if shift > 56 {
		if over := uint64(b) >> (64 - shift); over != 0 {
			m[at+1] |= over
		}
	}
}

func (m bitmap) any() bool {
	for _, w := range m {
		if w != 0 {
			return true
		}
	}
	return false
}

func (m bitmap) count() int {
	n := 0
	for _, w := range m {
		n += bits.OnesCount64(w)
	}
	return n
}

// each calls yield with every set bit, in order, until it says no.
func (m bitmap) each(yield func(i int) bool) {
	for k, w := range m {
		for ; w != 0; w &= w - 1 {
			if !yield(k<<6 | bits.TrailingZeros64(w)) {
				return
			}
		}
	}
}
