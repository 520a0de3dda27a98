package block

import (
	"slices"
)

// chunkMaker turns the values of one column of a row group into a chunk: it
// chooses dictionary or not, and cuts pages. Values come without nulls, the rows
// that they belong to as a presence, which is nil for required columns.
type chunkMaker struct {
	file  *parquetFile
	rows  int
	pages []int // ends of pages, in rows

	remap  []uint32 // by code of a global dictionary: 1 + code of the local one
	local  []uint32 // global codes in the order of the local dictionary
	codes  []uint32 // local codes
	global []uint32 // scratch of operation
	hash   numberTable
	bits   presence // scratch of rowsOf
	levels []byte   // scratch of write
	values []uint64 // scratch of the callers
	fixed  []byte
}

// minPlainValues: a column with fewer distinct values in a row group always
// gets a dictionary, because dictionaries of that size prune in the index.
const minPlainValues = maxSmallValues

// plain says whether PLAIN is the better encoding for n byte strings.
func plain(distinct, n int) bool { return distinct > minPlainValues && distinct*2 > n }

// nulls writes a chunk without values: one page, whatever the others have.
func (m *chunkMaker) nulls(physical Physical) (Chunk, error) {
	w := m.file.pages
	w.begin(1)
	w.body = appendLevels(w.body[:0], m.rowsOf(nil), m.rows)
	if physical == Int64 {
		w.body = appendDelta(w.body, nil)
		w.data(encodingDelta, m.rows)
	} else {
		w.data(encodingPlain, m.rows)
	}
	c, err := m.file.endChunk(m.rows)
	return Chunk{Nulls: c.Nulls + uint32(m.rows)}, err
}

// rowsOf is the presence of a list of rows. It is valid until the next call.
func (m *chunkMaker) rowsOf(rows []uint32) presence {
	n := (m.rows + 7) / 8
	if cap(m.bits) < n {
		m.bits = make(presence, n)
	}
	m.bits = m.bits[:n]
	clear(m.bits)
	for _, r := range rows {
		m.bits.set(int(r))
	}
	return m.bits
}

// write writes the pages; body appends the values [from, to) to one.
func (m *chunkMaker) write(rows presence, encoding int32, body func(dst []byte, from, to int) []byte) (Chunk, error) {
	w := m.file.pages
	start, from := 0, 0
	for _, end := range m.pages {
		w.body = w.body[:0]
		n := end - start
		if rows != nil {
			m.levels, n = rows.appendRange(m.levels[:0], start, end)
			w.body = appendLevels(w.body, m.levels, end-start)
		}
		w.body = body(w.body, from, from+n)
		w.data(encoding, end-start)
		start, from = end, from+n
	}
	c, err := m.file.endChunk(m.rows)
	c.Nulls = uint32(m.rows - from)
	return c, err
}

// beginValues begins a chunk that has values.
func (m *chunkMaker) beginValues() { m.file.pages.begin(len(m.pages)) }

func (m *chunkMaker) writeCodes(rows presence, distinct int) (Chunk, error) {
	width := codeWidth(distinct)
	return m.write(rows, encodingRLEDictionary, func(dst []byte, from, to int) []byte {
		return appendCodes(dst, m.codes[from:to], width)
	})
}

// coded writes byte strings that are codes of a global dictionary. Equal values
// must have equal codes.
func (m *chunkMaker) coded(rows presence, codes []uint32, value func(code uint32) []byte) (Chunk, error) {
	if len(codes) == 0 {
		return m.nulls(ByteArray)
	}
	m.local = m.local[:0]
	m.codes = m.codes[:0]
	remap, last, code := m.remap, codes[0]+1, uint32(0)
	for _, c := range codes {
		if c != last {
			if last, code = c, remap[c]; code == 0 {
				m.local = append(m.local, c)
				code = uint32(len(m.local))
				remap[c] = code
			}
		}
		m.codes = append(m.codes, code-1)
	}
	for _, c := range m.local {
		remap[c] = 0
	}
	if plain(len(m.local), len(codes)) {
		return m.plainCoded(rows, codes, value)
	}
	if len(m.local) <= sortedDictionary { // the same order in every row group
		m.sortLocal()
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

// sortLocal sorts the local dictionary and renumbers codes.
func (m *chunkMaker) sortLocal() {
	if slices.IsSorted(m.local) {
		return
	}
	m.hash.order = append(m.hash.order[:0], m.local...) // local code: global code
	slices.Sort(m.local)
	for i, c := range m.local {
		m.remap[c] = uint32(i)
	}
	place := m.hash.order
	for i, c := range place {
		place[i] = m.remap[c]
	}
	for i, c := range m.codes {
		m.codes[i] = place[c]
	}
	for _, c := range m.local {
		m.remap[c] = 0
	}
}

// plainCoded writes the values of codes without a dictionary.
func (m *chunkMaker) plainCoded(rows presence, codes []uint32, value func(code uint32) []byte) (Chunk, error) {
	m.beginValues()
	return m.write(rows, encodingPlain, func(dst []byte, from, to int) []byte {
		for _, c := range codes[from:to] {
			dst = appendPlainBytes(dst, value(c))
		}
		return dst
	})
}

// texts writes byte strings that were never numbered.
func (m *chunkMaker) texts(rows presence, vals [][]byte, coded bool) (Chunk, error) {
	if len(vals) == 0 {
		return m.nulls(ByteArray)
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
func (m *chunkMaker) fixedSize(rows presence, data []byte, size int) (Chunk, error) {
	if len(data) == 0 {
		return m.nulls(Fixed8)
	}
	m.beginValues()
	return m.write(rows, encodingPlain, func(dst []byte, from, to int) []byte {
		return append(dst, data[from*size:to*size]...)
	})
}

func (m *chunkMaker) bools(rows presence, vals []uint32) (Chunk, error) {
	if len(vals) == 0 {
		return m.nulls(Boolean)
	}
	m.beginValues()
	return m.write(rows, encodingPlain, func(dst []byte, from, to int) []byte { return appendPlainBools(dst, vals[from:to]) })
}
