package columns

import (
	"bytes"
	"hash/maphash"
)

// internTable gives equal byte strings equal numbers, counted from 0.
type internTable struct {
	seed   maphash.Seed
	blobs  *arena
	values []Ref
	slots  []uint64 // hash high half << 32 | 1 + number; power of two, at most 3/4 full
}

func (t *internTable) init(seed maphash.Seed, blobs *arena) {
	t.seed, t.blobs = seed, blobs
	t.slots = make([]uint64, 16)
}

func (t *internTable) len() int { return len(t.values) }

func (t *internTable) value(i uint32) []byte { return t.blobs.get(t.values[i]) }

func (t *internTable) bytes() int64 { return int64(len(t.slots))*8 + int64(cap(t.values))*12 }

// find returns the number of b, if it has one.
func (t *internTable) find(b []byte) (uint32, bool) {
	h := maphash.Bytes(t.seed, b)
	mask := uint64(len(t.slots) - 1)
	for i := h & mask; ; i = (i + 1) & mask {
		e := t.slots[i]
		if e == 0 {
			return 0, false
		}
		if e>>32 == h>>32 {
			if n := uint32(e) - 1; bytes.Equal(t.value(n), b) {
				return n, true
			}
		}
	}
}

// intern returns the number of b, giving it the next one if it is new.
func (t *internTable) intern(b []byte) uint32 {
	h := maphash.Bytes(t.seed, b)
	mask := uint64(len(t.slots) - 1)
	i := h & mask
	for ; ; i = (i + 1) & mask {
		e := t.slots[i]
		if e == 0 {
			break
		}
		if e>>32 == h>>32 {
			if n := uint32(e) - 1; bytes.Equal(t.value(n), b) {
				return n
			}
		}
	}
	n := uint32(len(t.values))
	t.values = append(t.values, t.blobs.put(b))
	t.slots[i] = h>>32<<32 | uint64(n+1)
	if len(t.values)*4 > len(t.slots)*3 {
		t.grow()
	}
	return n
}

func (t *internTable) grow() {
	t.slots = make([]uint64, 2*len(t.slots))
	mask := uint64(len(t.slots) - 1)
	for n, r := range t.values {
		h := maphash.Bytes(t.seed, t.blobs.get(r))
		i := h & mask
		for t.slots[i] != 0 {
			i = (i + 1) & mask
		}
		t.slots[i] = h>>32<<32 | uint64(n+1)
	}
}

// Dict numbers the values of one attribute. While values repeat, equal values
// have equal codes. A column whose values hardly repeat stops looking for
// equals (hashing them costs more than it saves); from then on each value gets
// a code of its own.
type Dict struct {
	tab      internTable
	unhashed bool
}

const (
	unhashedAfter = 4096 // codes after which a column may stop hashing
	unhashedEvery = 256  // codes after which that is thought over again
)

func (d *Dict) init(seed maphash.Seed, blobs *arena) { d.tab.init(seed, blobs) }

func (d *Dict) bytes() int64 { return d.tab.bytes() }

// Len is the number of codes.
func (d *Dict) Len() int { return len(d.tab.values) }

// Value returns the bytes of a code. Do not write.
func (d *Dict) Value(code uint32) []byte { return d.tab.value(code) }

// Distinct reports whether equal values have equal codes.
func (d *Dict) Distinct() bool { return !d.unhashed }

// add returns the code of b. judge says that it is time to compare the number
// of codes with that of values, and perhaps to call stopHashing.
func (d *Dict) add(b []byte) (code uint32, judge bool) {
	if d.unhashed {
		d.tab.values = append(d.tab.values, d.tab.blobs.put(b))
		return uint32(len(d.tab.values) - 1), false
	}
	before := len(d.tab.values)
	code = d.tab.intern(b)
	n := len(d.tab.values)
	return code, n > before && n >= unhashedAfter && n%unhashedEvery == 0
}

func (d *Dict) stopHashing() { d.unhashed, d.tab.slots = true, nil }

// codes calls yield with every code whose value is b.
func (d *Dict) codes(b []byte, yield func(uint32)) {
	if !d.unhashed {
		if c, ok := d.tab.find(b); ok {
			yield(c)
		}
		return
	}
	for i, r := range d.tab.values {
		if r.Len() == len(b) && bytes.Equal(d.tab.blobs.get(r), b) {
			yield(uint32(i))
		}
	}
}
