package block

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/schema"
	pq "github.com/parquet-go/parquet-go"
)

// testColumn is a column with its truth: one cell per row.
type testColumn struct {
	name     string
	physical Physical
	optional bool
	dict     bool
	delta    bool
	null     []bool
	num      []uint64 // numbers, as values.bits gives them
	str      [][]byte
}

func randomColumn(r *rand.Rand, p Physical, optional, dict, delta bool, rows, distinct int) *testColumn {
	c := &testColumn{physical: p, optional: optional, dict: dict, delta: delta,
		null: make([]bool, rows), num: make([]uint64, rows), str: make([][]byte, rows)}
	c.name = fmt.Sprintf("%v optional=%t dict=%t delta=%t distinct=%d", p, optional, dict, delta, distinct)
	pool := make([]uint64, distinct)
	for i := range pool {
		pool[i] = r.Uint64() >> r.UintN(64)
	}
	last, share := uint64(r.Uint32()), r.Float64()
	for i := range rows {
		c.null[i] = optional && r.Float64() < share
		if r.IntN(50) == 0 {
			share = r.Float64() * r.Float64()
		}
		v := pool[r.IntN(len(pool))]
		if r.IntN(4) > 0 {
			v = last // runs
		}
		last = v
		switch p {
		case Int32:
			v = uint64(int32(v))
		case Boolean:
			v &= 1
		case ByteArray:
			c.str[i] = bytes.Repeat([]byte{byte(v), byte(v >> 8)}, int(v>>16%40))
			if v%7 == 0 {
				c.str[i] = []byte{}
			} else if v%5 == 0 {
				c.str[i] = fmt.Appendf(nil, "value %d", v)
			}
		case Fixed8:
			c.str[i] = binary.BigEndian.AppendUint64(nil, v)
		case Fixed16:
			c.str[i] = binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, v), ^v)
		}
		c.num[i] = v
	}
	return c
}

// check compares v with rows [from, to) of the column.
func (c *testColumn) check(v *Vector, from, to int) error {
	if v.rows != to-from {
		return fmt.Errorf("%d rows, want %d", v.rows, to-from)
	}
	for r := range v.rows {
		i, ok := v.index(r)
		if ok == c.null[from+r] {
			return fmt.Errorf("row %d: present %t", from+r, ok)
		}
		if !ok {
			continue
		}
		if c.physical >= ByteArray {
			if !bytes.Equal(v.bytes(i), c.str[from+r]) {
				return fmt.Errorf("row %d: %q, want %q", from+r, v.bytes(i), c.str[from+r])
			}
		} else if v.number(i) != c.num[from+r] {
			return fmt.Errorf("row %d: %d, want %d", from+r, v.number(i), c.num[from+r])
		}
	}
	return nil
}

// writeArrow writes the columns with pages of pageRows rows.
func writeArrow(t testing.TB, cols []*testColumn, pageRows int) []byte {
	t.Helper()
	return writeGroups(t, cols, []int{0, len(cols[0].null)}, pageRows)
}

// writeGroups writes row groups that begin at the given rows; the last entry is
// where the last one ends.
func writeGroups(t testing.TB, cols []*testColumn, groups []int, pageRows int) []byte {
	t.Helper()
	var fields schema.FieldList
	props := []parquet.WriterProperty{parquet.WithCompression(compress.Codecs.Zstd), parquet.WithStats(false),
		parquet.WithDictionaryDefault(false), parquet.WithDataPageSize(1 << 30), parquet.WithDictionaryPageSizeLimit(1 << 30),
		parquet.WithDataPageVersion(parquet.DataPageV1)}
	for i, c := range cols {
		rep := parquet.Repetitions.Required
		if c.optional {
			rep = parquet.Repetitions.Optional
		}
		name := fmt.Sprintf("c%d", i)
		typ, size := parquet.Types.ByteArray, int32(-1)
		switch c.physical {
		case Int32:
			typ = parquet.Types.Int32
		case Int64:
			typ = parquet.Types.Int64
		case Double:
			typ = parquet.Types.Double
		case Boolean:
			typ = parquet.Types.Boolean
		case Fixed8:
			typ, size = parquet.Types.FixedLenByteArray, 8
		case Fixed16:
			typ, size = parquet.Types.FixedLenByteArray, 16
		}
		n, err := schema.NewPrimitiveNode(name, rep, typ, -1, size)
		if err != nil {
			t.Fatal(err)
		}
		fields = append(fields, n)
		if c.dict {
			props = append(props, parquet.WithDictionaryFor(name, true))
		} else if c.delta {
			props = append(props, parquet.WithEncodingFor(name, parquet.Encodings.DeltaBinaryPacked))
		} else {
			props = append(props, parquet.WithEncodingFor(name, parquet.Encodings.Plain))
		}
	}
	root, err := schema.NewGroupNode("schema", parquet.Repetitions.Required, fields, -1)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	w := file.NewParquetWriter(&out, root, file.WithWriterProps(parquet.NewWriterProperties(props...)))
	for g := range len(groups) - 1 {
		rg, err := w.AppendRowGroupChecked()
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range cols {
			cw, err := rg.NextColumn()
			if err != nil {
				t.Fatal(err)
			}
			for from := groups[g]; from < groups[g+1]; from += pageRows {
				c.writePage(t, cw, from, min(from+pageRows, groups[g+1]))
			}
			if err := cw.Close(); err != nil {
				t.Fatal(err)
			}
		}
		if err := rg.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func (c *testColumn) writePage(t testing.TB, cw file.ColumnChunkWriter, from, to int) {
	var defs []int16
	var err error
	if c.optional {
		for i := from; i < to; i++ {
			defs = append(defs, map[bool]int16{true: 0, false: 1}[c.null[i]])
		}
	}
	each := func(f func(i int)) {
		for i := from; i < to; i++ {
			if !c.null[i] {
				f(i)
			}
		}
	}
	switch cw := cw.(type) {
	case *file.Int32ColumnChunkWriter:
		var vals []int32
		each(func(i int) { vals = append(vals, int32(c.num[i])) })
		_, err = cw.WriteBatch(vals, defs, nil)
	case *file.Int64ColumnChunkWriter:
		var vals []int64
		each(func(i int) { vals = append(vals, int64(c.num[i])) })
		_, err = cw.WriteBatch(vals, defs, nil)
	case *file.Float64ColumnChunkWriter:
		var vals []float64
		each(func(i int) { vals = append(vals, math.Float64frombits(c.num[i])) })
		_, err = cw.WriteBatch(vals, defs, nil)
	case *file.BooleanColumnChunkWriter:
		var vals []bool
		each(func(i int) { vals = append(vals, c.num[i] != 0) })
		_, err = cw.WriteBatch(vals, defs, nil)
	case *file.ByteArrayColumnChunkWriter:
		var vals []parquet.ByteArray
		each(func(i int) { vals = append(vals, c.str[i]) })
		_, err = cw.WriteBatch(vals, defs, nil)
	case *file.FixedLenByteArrayColumnChunkWriter:
		var vals []parquet.FixedLenByteArray
		each(func(i int) { vals = append(vals, c.str[i]) })
		_, err = cw.WriteBatch(vals, defs, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := cw.(interface{ FlushCurrentPage() error }).FlushCurrentPage(); err != nil {
		t.Fatal(err)
	}
}

// chunkPages walks the pages of one column chunk and appends them to out, with
// checksums, which not every writer makes. The places are those in out.
func chunkPages(t testing.TB, data []byte, from, size int64, out *[]byte) (dict Page, dictValues int, pages []Page, rows []int) {
	t.Helper()
	for at := from; at < from+size; {
		h, n, err := parsePageHeader(data[at:])
		if err != nil {
			t.Fatal(err)
		}
		p := Page{Offset: uint64(len(*out))}
		*out = append(*out, withChecksum(&h, data[at+int64(n):at+int64(n+h.Compressed)])...)
		p.Size = uint32(uint64(len(*out)) - p.Offset)
		if h.Kind == pageKindDictionary {
			dict, dictValues = p, h.Values
		} else {
			pages, rows = append(pages, p), append(rows, h.Values)
		}
		at += int64(n + h.Compressed)
	}
	return dict, dictValues, pages, rows
}

// withChecksum is a page of the given body whose header has its checksum.
func withChecksum(h *pageHeader, body []byte) []byte {
	own := *h
	own.CRC, own.HasCRC = crc32.ChecksumIEEE(body), true
	return append(appendPageHeader(nil, &own), body...)
}

// refit gives a damaged page the checksum that fits it; nil if it has no header.
func refit(raw []byte) []byte {
	h, n, err := parsePageHeader(raw)
	if err != nil || n+h.Compressed != len(raw) {
		return nil
	}
	return withChecksum(&h, raw[n:])
}

func (c *testColumn) checkFile(t *testing.T, data []byte, from, size int64) {
	t.Helper()
	var out []byte
	dict, n, pages, rows := chunkPages(t, data, from, size, &out)
	data = out
	if c.dict != (dict.Size > 0) {
		t.Errorf("%s: dictionary page of %d bytes", c.name, dict.Size)
		return
	}
	slice := func(p Page) []byte { return data[p.Offset : p.Offset+uint64(p.Size)] }
	var d *values
	if dict.Size > 0 {
		var err error
		if d, err = decodeDictionary(slice(dict), dict, c.physical, n); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
	}
	var whole, single Vector
	form := columnForm{c.physical, c.optional}
	whole.reset(c.physical, d)
	at := 0
	for i, p := range pages {
		if err := whole.appendPage(slice(p), p, form, rows[i]); err != nil {
			t.Fatalf("%s: page %d: %v", c.name, i, err)
		}
		single.reset(c.physical, d)
		if err := single.appendPage(slice(p), p, form, rows[i]); err != nil {
			t.Fatalf("%s: page %d: %v", c.name, i, err)
		}
		single.seal()
		if err := c.check(&single, at, at+rows[i]); err != nil {
			t.Fatalf("%s: page %d: %v", c.name, i, err)
		}
		at += rows[i]
	}
	whole.seal()
	whole.clip()
	if err := c.check(&whole, 0, len(c.null)); err != nil {
		t.Fatalf("%s: %v", c.name, err)
	}
}

func forms(r *rand.Rand, rows int) []*testColumn {
	var cols []*testColumn
	for _, optional := range []bool{false, true} {
		for p := Int32; p <= Fixed16; p++ {
			cols = append(cols, randomColumn(r, p, optional, false, false, rows, 1000))
			if p == Int64 {
				for _, distinct := range []int{1, 2, 100_000} {
					cols = append(cols, randomColumn(r, p, optional, false, true, rows, distinct))
				}
			}
			if p != Boolean {
				for _, distinct := range []int{1, 2, 3, 17, 250, 300, 5000, 200_000} {
					cols = append(cols, randomColumn(r, p, optional, true, false, rows, distinct))
				}
			}
		}
	}
	return cols
}

func TestPagesOfArrow(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, rows := range []int{1, 63, 64, shorter(2000, 300), shorter(9_999, 700)} {
		cols := forms(r, rows)
		data := writeArrow(t, cols, 2000)
		f, err := file.NewParquetReader(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		for i, c := range cols {
			m, err := f.MetaData().RowGroup(0).ColumnChunk(i)
			if err != nil {
				t.Fatal(err)
			}
			from := m.DataPageOffset()
			if m.HasDictionaryPage() {
				from = m.DictionaryPageOffset()
			}
			c.checkFile(t, data, from, m.TotalCompressedSize())
		}
	}
	// Enough entries for codes of 32 bits.
	cols := []*testColumn{randomColumn(r, Int64, true, true, false, 300_000, 10_000_000)}
	data := writeArrow(t, cols, 2000)
	f, err := file.NewParquetReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	m, err := f.MetaData().RowGroup(0).ColumnChunk(0)
	if err != nil {
		t.Fatal(err)
	}
	cols[0].checkFile(t, data, m.DictionaryPageOffset(), m.TotalCompressedSize())
}

// TestPagesOfParquetGo decodes what the other writer makes of the same columns.
func TestPagesOfParquetGo(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	var cols []*testColumn
	for _, c := range forms(r, shorter(5000, 700)) {
		if c.physical != Boolean {
			cols = append(cols, c)
		}
	}
	group := pq.Group{}
	for i, c := range cols {
		var n pq.Node
		switch c.physical {
		case Int32:
			n = pq.Int(32)
		case Int64:
			n = pq.Int(64)
		case Double:
			n = pq.Leaf(pq.DoubleType)
		case ByteArray:
			n = pq.Leaf(pq.ByteArrayType)
		case Fixed8:
			n = pq.Leaf(pq.FixedLenByteArrayType(8))
		case Fixed16:
			n = pq.Leaf(pq.FixedLenByteArrayType(16))
		}
		switch {
		case c.dict:
			n = pq.Encoded(n, &pq.RLEDictionary)
		case c.delta:
			n = pq.Encoded(n, &pq.DeltaBinaryPacked)
		default:
			n = pq.Encoded(n, &pq.Plain)
		}
		if c.optional {
			n = pq.Optional(n)
		}
		group[fmt.Sprintf("c%03d", i)] = pq.Compressed(n, &pq.Zstd)
	}
	var out bytes.Buffer
	w := pq.NewWriter(&out, pq.NewSchema("s", group), pq.DataPageVersion(1), pq.PageBufferSize(8<<10))
	for row := range shorter(5000, 700) {
		vals := make([]pq.Value, len(cols))
		for i, c := range cols {
			def := 0
			var v pq.Value
			switch {
			case c.null[row]:
				v = pq.NullValue()
			case c.physical == Int32:
				v = pq.Int32Value(int32(c.num[row]))
			case c.physical == Int64:
				v = pq.Int64Value(int64(c.num[row]))
			case c.physical == Double:
				v = pq.DoubleValue(math.Float64frombits(c.num[row]))
			case c.physical == ByteArray:
				v = pq.ByteArrayValue(c.str[row])
			default:
				v = pq.FixedLenByteArrayValue(c.str[row])
			}
			if c.optional && !c.null[row] {
				def = 1
			}
			vals[i] = v.Level(0, def, i)
		}
		if _, err := w.WriteRows([]pq.Row{vals}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := pq.OpenFile(bytes.NewReader(out.Bytes()), int64(out.Len()))
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range cols {
		m := f.Metadata().RowGroups[0].Columns[i].MetaData
		from := m.DataPageOffset
		if m.DictionaryPageOffset != 0 {
			from = m.DictionaryPageOffset
		}
		c.checkFile(t, out.Bytes(), from, m.TotalCompressedSize)
	}
}

// TestDamagedPages flips every bit of pages: an error must tell, or nothing has
// changed. With the checksum made to fit, nothing may panic.
func TestDamagedPages(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	cols := forms(r, 300)
	data := writeArrow(t, cols, 300)
	f, err := file.NewParquetReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range cols {
		m, err := f.MetaData().RowGroup(0).ColumnChunk(i)
		if err != nil {
			t.Fatal(err)
		}
		from := m.DataPageOffset()
		if m.HasDictionaryPage() {
			from = m.DictionaryPageOffset()
		}
		var data2 []byte
		dict, n, pages, rows := chunkPages(t, data, from, m.TotalCompressedSize(), &data2)
		data := data2
		var d *values
		if dict.Size > 0 {
			if d, err = decodeDictionary(data[dict.Offset:dict.Offset+uint64(dict.Size)], dict, c.physical, n); err != nil {
				t.Fatal(err)
			}
		}
		p := pages[0]
		good := data[p.Offset : p.Offset+uint64(p.Size)]
		_, header, err := parsePageHeader(good)
		if err != nil {
			t.Fatal(err)
		}
		for bit := range min(8*len(good), 4000) {
			bad := bytes.Clone(good)
			bad[bit/8] ^= 1 << (bit % 8)
			var v Vector
			v.reset(c.physical, d)
			err := v.appendPage(bad, p, columnForm{c.physical, c.optional}, rows[0])
			switch {
			case err == nil && bit/8 < header: // a bit that does not count
				v.seal()
				if err := c.check(&v, 0, rows[0]); err != nil {
					t.Fatalf("%s: bit %d: %v", c.name, bit, err)
				}
			case !errors.Is(err, ErrCorrupt), bit/8 >= header && !errors.Is(err, errChecksum):
				t.Fatalf("%s: bit %d: %v", c.name, bit, err)
			}
			if bad = refit(bad); bad == nil {
				continue
			}
			v.reset(c.physical, d)
			if err := v.appendPage(bad, Page{Size: uint32(len(bad))}, columnForm{c.physical, c.optional}, rows[0]); err == nil {
				v.seal()
			} else if !errors.Is(err, ErrCorrupt) {
				t.Fatalf("%s: bit %d: %v", c.name, bit, err)
			}
		}
	}
}
