package block

import (
	"math"
	"math/bits"
	"slices"
)

// numbers writes Int32, Int64 or Double values, the latter as bits: in a
// dictionary where that is small or takes fewer bytes, else Int64 as differences
// and the others PLAIN.
func (m *chunkMaker) numbers(physical Physical, rows presence, vals []uint64) (Chunk, error) {
	if len(vals) == 0 {
		return m.nulls(physical)
	}
	lo, hi := bounds(vals)
	if dict := m.hash.dictionary(vals, lo, hi, dictionaryLimit(physical, len(vals), lo, hi)); dict != nil {
		m.beginValues()
		w := m.file.pages
		if physical == Int32 {
			w.body = appendPlain32(w.body[:0], dict)
		} else {
			w.body = appendPlain64(w.body[:0], dict)
		}
		w.dictionary(len(dict))
		m.codes, m.hash.codes = m.hash.codes, m.codes
		c, err := m.writeCodes(rows, len(dict))
		if len(dict) <= maxSmallValues && physical != Double {
			c.Ints = make([]int64, len(dict))
			for i, v := range dict {
				c.Ints[i] = int64(v)
			}
		}
		return bounded(c, physical, lo, hi), err
	}
	if physical == Int64 {
		return m.delta(rows, vals)
	}
	appendPlain := appendPlain64
	if physical == Int32 {
		appendPlain = appendPlain32
	}
	m.beginValues()
	c, err := m.write(rows, encodingPlain, func(dst []byte, from, to int) []byte { return appendPlain(dst, vals[from:to]) })
	return bounded(c, physical, lo, hi), err
}

// bounded adds the bounds that the index keeps: those of integers.
func bounded(c Chunk, physical Physical, lo, hi int64) Chunk {
	if physical != Double {
		c.Min, c.Max = lo, hi
	}
	return c
}

// dictionaryLimit is up to how many distinct values a dictionary is worth it. A
// dictionary lets a search skip the codes, but a look-up of one trace reads all
// of it.
func dictionaryLimit(physical Physical, n int, lo, hi int64) int {
	if physical == Int32 {
		return max(minPlainValues, n/2)
	}
	size := 64 // bits of a value without a dictionary
	if physical == Int64 {
		size = min(64, bits.Len64(uint64(hi)-uint64(lo))+1)
	}
	// d distinct values take 64*d bits, and codeWidth(d) bits for each of n.
	limit := minPlainValues
	for d := 2 * limit; d <= n; d *= 2 {
		if 64*d+n*int(codeWidth(d)) > n*size {
			break
		}
		limit = d
	}
	return limit
}

// delta writes Int64 values in DELTA_BINARY_PACKED.
func (m *chunkMaker) delta(rows presence, vals []uint64) (Chunk, error) {
	if len(vals) == 0 {
		return m.nulls(Int64)
	}
	m.beginValues()
	c, err := m.write(rows, encodingDelta, func(dst []byte, from, to int) []byte { return appendDelta(dst, vals[from:to]) })
	c.Min, c.Max = bounds(vals)
	return c, err
}

func bounds(vals []uint64) (lo, hi int64) {
	lo, hi = math.MaxInt64, math.MinInt64
	for _, v := range vals {
		lo, hi = min(lo, int64(v)), max(hi, int64(v))
	}
	return lo, hi
}

// numberTable finds the distinct numbers of a column.
type numberTable struct {
	direct []uint32 // by value - lo: 1 + code
	slots  []uint32 // 1 + index of dict
	dict   []uint64
	codes  []uint32
	order  []uint32
}

// dictionary returns the distinct values of vals, which lie between lo and hi,
// and puts their codes into codes. It is nil if there are more than limit.
func (t *numberTable) dictionary(vals []uint64, lo, hi int64, limit int) []uint64 {
	t.dict, t.codes = t.dict[:0], t.codes[:0]
	if span := uint64(hi) - uint64(lo); span < uint64(max(1024, 2*len(vals))) {
		return t.small(vals, uint64(lo), int(span)+1, limit)
	}
	t.resize(1024)
	var last uint64
	code := NoRow
	for _, v := range vals {
		if v != last || code == NoRow {
			if code = t.code(v); len(t.dict) > limit {
				return nil
			}
			last = v
		}
		t.codes = append(t.codes, code)
	}
	if len(t.dict) <= sortedDictionary {
		t.sort()
	}
	return t.dict
}

// small is dictionary for values that lie close together: lo and the n-1 above.
func (t *numberTable) small(vals []uint64, lo uint64, n, limit int) []uint64 {
	if cap(t.direct) < n {
		t.direct = make([]uint32, n)
	}
	direct := t.direct[:n]
	clear(direct)
	for _, v := range vals {
		direct[v-lo] = 1
	}
	for i, used := range direct {
		if used != 0 {
			t.dict = append(t.dict, lo+uint64(i))
			direct[i] = uint32(len(t.dict))
		}
	}
	if len(t.dict) > limit {
		return nil
	}
	t.codes = slices.Grow(t.codes, len(vals))[:len(vals)]
	for i, v := range vals {
		t.codes[i] = direct[v-lo] - 1
	}
	return t.dict
}

func hashNumber(v uint64) uint64 {
	v *= 0x9E3779B97F4A7C15
	return v ^ v>>32
}

func (t *numberTable) code(v uint64) uint32 {
	mask := uint64(len(t.slots) - 1)
	i := hashNumber(v) & mask
	for ; t.slots[i] != 0; i = (i + 1) & mask {
		if c := t.slots[i] - 1; t.dict[c] == v {
			return c
		}
	}
	t.dict = append(t.dict, v)
	t.slots[i] = uint32(len(t.dict))
	if len(t.dict)*2 > len(t.slots) {
		t.resize(4 * len(t.slots))
		mask = uint64(len(t.slots) - 1)
		for c, v := range t.dict {
			i := hashNumber(v) & mask
			for t.slots[i] != 0 {
				i = (i + 1) & mask
			}
			t.slots[i] = uint32(c + 1)
		}
	}
	return uint32(len(t.dict) - 1)
}

// resize empties the slots and makes them n.
func (t *numberTable) resize(n int) {
	if cap(t.slots) < n {
		t.slots = make([]uint32, n)
		return
	}
	t.slots = t.slots[:n]
	clear(t.slots)
}

// sort puts the dictionary into ascending order.
func (t *numberTable) sort() {
	if slices.IsSortedFunc(t.dict, compareSigned) {
		return
	}
	t.order = t.order[:0]
	for i := range t.dict {
		t.order = append(t.order, uint32(i))
	}
	slices.SortFunc(t.order, func(a, b uint32) int { return compareSigned(t.dict[a], t.dict[b]) })
	place := make([]uint32, len(t.dict))
	sorted := make([]uint64, len(t.dict))
	for i, c := range t.order {
		place[c], sorted[i] = uint32(i), t.dict[c]
	}
	copy(t.dict, sorted)
	for i, c := range t.codes {
		t.codes[i] = place[c]
	}
}

func compareSigned(a, b uint64) int {
	switch {
	case int64(a) < int64(b):
		return -1
	case int64(a) > int64(b):
		return 1
	}
	return 0
}
