package block

import (
	"math"
	"slices"
)

// chunkMaker turns the values of one column of a row group into a chunk: it
// chooses dictionary or PLAIN, and cuts pages.
type chunkMaker struct {
	file  *parquetFile
	rows  int
	pages []int // ends of pages, in rows

	remap  []uint32 // by code of a global dictionary: 1 + code of the local one
	local  []uint32 // global codes in the order of the local dictionary
	codes  []uint32 // local codes
	global []uint32 // scratch of operation
	hash   numberTable
	bits   []byte
	values []uint64 // scratch of the callers
	fixed  []byte
}

// minPlainValues: a column with fewer distinct values in a row group always
// gets a dictionary, because dictionaries of that size prune in the index.
const minPlainValues = maxSmallValues

// plain says whether PLAIN is the better encoding for n values.
func plain(distinct, n int) bool { return distinct > minPlainValues && distinct*2 > n }

// nulls writes a chunk without values: one page, whatever the others have.
func (m *chunkMaker) nulls() (Chunk, error) {
	w := m.file.pages
	w.begin(1)
	w.body = appendLevels(w.body[:0], m.clearBits(m.rows), m.rows)
	w.data(encodingPlain, m.rows)
	c, err := m.file.endChunk(m.rows)
	return Chunk{Nulls: c.Nulls + uint32(m.rows)}, err
}

func (m *chunkMaker) clearBits(n int) []byte {
	n = (n + 7) / 8
	if cap(m.bits) < n {
		m.bits = make([]byte, n)
	}
	m.bits = m.bits[:n]
	clear(m.bits)
	return m.bits
}

// write writes the pages. rows says which rows have a value, nil for all; body
// appends the values [from, to) to a page.
func (m *chunkMaker) write(rows []uint32, encoding int32, body func(dst []byte, from, to int) []byte) (Chunk, error) {
	w := m.file.pages
	optional := rows != nil
	start, from := 0, 0
	for _, end := range m.pages {
		w.body = w.body[:0]
		to := end
		if optional {
			bits := m.clearBits(end - start)
			for to = from; to < len(rows) && int(rows[to]) < end; to++ {
				k := int(rows[to]) - start
				bits[k/8] |= 1 << (k % 8)
			}
			w.body = appendLevels(w.body, bits, end-start)
		}
		w.body = body(w.body, from, to)
		w.data(encoding, end-start)
		start, from = end, to
	}
	c, err := m.file.endChunk(m.rows)
	if optional {
		c.Nulls = uint32(m.rows - len(rows))
	}
	return c, err
}

// beginValues begins a chunk that has values.
func (m *chunkMaker) beginValues() { m.file.pages.begin(len(m.pages)) }

// delta writes numbers in DELTA_BINARY_PACKED.
func (m *chunkMaker) delta(vals []uint64) (Chunk, error) {
	m.beginValues()
	c, err := m.write(nil, encodingDelta, func(dst []byte, from, to int) []byte { return appendDelta(dst, vals[from:to]) })
	c.Min, c.Max = bounds(vals)
	return c, err
}

// numbers writes Int32, Int64 or Double values, the latter as bits. coded says
// whether a dictionary may be used.
func (m *chunkMaker) numbers(physical Physical, rows []uint32, vals []uint64, coded bool) (Chunk, error) {
	if len(vals) == 0 {
		return m.nulls()
	}
	appendPlain := appendPlain64
	if physical == Int32 {
		appendPlain = appendPlain32
	}
	var c Chunk
	var err error
	m.beginValues()
	if dict, ok := m.hash.dictionary(m, vals, coded); ok {
		w := m.file.pages
		w.body = appendPlain(w.body[:0], dict)
		w.dictionary(len(dict))
		c, err = m.writeCodes(rows, len(dict))
		c.Min, c.Max = bounds(dict)
	} else {
		c, err = m.write(rows, encodingPlain, func(dst []byte, from, to int) []byte { return appendPlain(dst, vals[from:to]) })
		c.Min, c.Max = bounds(vals)
	}
	if physical == Double {
		c.Min, c.Max = 0, 0
	}
	return c, err
}

func (m *chunkMaker) writeCodes(rows []uint32, distinct int) (Chunk, error) {
	width := codeWidth(distinct)
	return m.write(rows, encodingRLEDictionary, func(dst []byte, from, to int) []byte {
		return appendCodes(dst, m.codes[from:to], width)
	})
}

func bounds(vals []uint64) (lo, hi int64) {
	lo, hi = math.MaxInt64, math.MinInt64
	for _, v := range vals {
		lo, hi = min(lo, int64(v)), max(hi, int64(v))
	}
	return lo, hi
}

// coded writes byte strings that are codes of a global dictionary. Equal values
// must have equal codes.
func (m *chunkMaker) coded(rows, codes []uint32, value func(code uint32) []byte) (Chunk, error) {
	if len(codes) == 0 {
		return m.nulls()
	}
	m.local = m.local[:0]
	for _, c := range codes {
		if m.remap[c] == 0 {
			m.local = append(m.local, c)
			m.remap[c] = uint32(len(m.local))
		}
	}
	defer func() {
		for _, c := range m.local {
			m.remap[c] = 0
		}
	}()
	if plain(len(m.local), len(codes)) {
		return m.plainCoded(rows, codes, value)
	}
	if len(m.local) <= sortedDictionary { // the same order in every row group
		slices.Sort(m.local)
		for i, c := range m.local {
			m.remap[c] = uint32(i + 1)
		}
	}
	m.codes = m.codes[:0]
	for _, c := range codes {
		m.codes = append(m.codes, m.remap[c]-1)
	}
	m.beginValues()
	w := m.file.pages
	w.body = w.body[:0]
	size := 0
	for _, c := range m.local {
		v := value(c)
		size += len(v)
		w.body = appendPlainBytes(w.body, v)
	}
	w.dictionary(len(m.local))
	c, err := m.writeCodes(rows, len(m.local))
	if len(m.local) <= maxSmallValues && size <= maxSmallBytes {
		c.Small = make([][]byte, len(m.local))
		for i, code := range m.local {
			c.Small[i] = value(code)
		}
	}
	return c, err
}

// sortedDictionary is up to which size dictionaries are sorted.
const sortedDictionary = 4096

// plainCoded writes the values of codes without a dictionary.
func (m *chunkMaker) plainCoded(rows, codes []uint32, value func(code uint32) []byte) (Chunk, error) {
	m.beginValues()
	return m.write(rows, encodingPlain, func(dst []byte, from, to int) []byte {
		for _, c := range codes[from:to] {
			dst = appendPlainBytes(dst, value(c))
		}
		return dst
	})
}

// texts writes byte strings that were never numbered.
func (m *chunkMaker) texts(rows []uint32, vals [][]byte, coded bool) (Chunk, error) {
	if len(vals) == 0 {
		return m.nulls()
	}
	if coded {
		number := map[string]uint32{}
		m.fill(len(vals))
		var distinct [][]byte
		codes := make([]uint32, len(vals))
		for i, v := range vals {
			c, ok := number[string(v)]
			if !ok {
				c = uint32(len(distinct))
				number[string(v)] = c
				distinct = append(distinct, v)
			}
			codes[i] = c
		}
		return m.coded(rows, codes, func(c uint32) []byte { return distinct[c] })
	}
	m.beginValues()
	return m.write(rows, encodingPlain, func(dst []byte, from, to int) []byte {
		for _, v := range vals[from:to] {
			dst = appendPlainBytes(dst, v)
		}
		return dst
	})
}

// fill makes room for n global codes.
func (m *chunkMaker) fill(n int) {
	if len(m.remap) < n {
		m.remap = make([]uint32, n)
	}
}

// fixedSize writes values of size bytes each.
func (m *chunkMaker) fixedSize(rows []uint32, data []byte, size int) (Chunk, error) {
	if len(data) == 0 {
		return m.nulls()
	}
	m.beginValues()
	return m.write(rows, encodingPlain, func(dst []byte, from, to int) []byte {
		return append(dst, data[from*size:to*size]...)
	})
}

func (m *chunkMaker) bools(rows, vals []uint32) (Chunk, error) {
	if len(vals) == 0 {
		return m.nulls()
	}
	m.beginValues()
	return m.write(rows, encodingPlain, func(dst []byte, from, to int) []byte { return appendPlainBools(dst, vals[from:to]) })
}

// numberTable finds the distinct numbers of a column.
type numberTable struct {
	slots []uint32 // 1 + index of dict
	dict  []uint64
	order []uint32
}

// dictionary returns the distinct values of vals and puts their codes into
// m.codes, unless PLAIN is better.
func (t *numberTable) dictionary(m *chunkMaker, vals []uint64, coded bool) (dict []uint64, ok bool) {
	if !coded {
		return nil, false
	}
	t.dict = t.dict[:0]
	t.resize(1024)
	m.codes = m.codes[:0]
	limit := max(minPlainValues, len(vals)/2)
	var last uint64
	code := uint32(NoRow)
	for _, v := range vals {
		if v != last || code == NoRow {
			if code = t.code(v); len(t.dict) > limit {
				return nil, false
			}
			last = v
		}
		m.codes = append(m.codes, code)
	}
	if len(t.dict) <= sortedDictionary {
		t.sort(m.codes)
	}
	return t.dict, true
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
func (t *numberTable) sort(codes []uint32) {
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
	for i, c := range codes {
		codes[i] = place[c]
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
