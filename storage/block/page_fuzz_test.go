package block

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/apache/arrow-go/v18/parquet/file"
)

// FuzzPage decodes any bytes as a page of any kind of column: no panic, no
// memory beyond what the bytes can hold, and what is accepted can be read.
func FuzzPage(f *testing.F) {
	r := rand.New(rand.NewPCG(7, 8))
	cols := forms(r, 100)
	data := writeArrow(f, cols, 100)
	pf, err := file.NewParquetReader(bytes.NewReader(data))
	if err != nil {
		f.Fatal(err)
	}
	for i, c := range cols {
		m, err := pf.MetaData().RowGroup(0).ColumnChunk(i)
		if err != nil {
			f.Fatal(err)
		}
		from := m.DataPageOffset()
		if m.HasDictionaryPage() {
			from = m.DictionaryPageOffset()
		}
		var out []byte
		dict, n, pages, _ := chunkPages(f, data, from, m.TotalCompressedSize(), &out)
		page := func(p Page) []byte { return out[p.Offset : p.Offset+uint64(p.Size)] }
		f.Add(uint8(c.physical), c.optional, uint16(100), uint16(n), page(dict), page(pages[0]))
	}
	f.Fuzz(func(t *testing.T, physical uint8, optional bool, rows, entries uint16, dict, page []byte) {
		form := columnForm{Physical(physical % 7), optional}
		for _, p := range []*[]byte{&dict, &page} { // or the checksum would be all that is tested
			if fit := refit(*p); fit != nil {
				*p = fit
			}
		}
		sum := func(b []byte) Page { return Page{Size: uint32(len(b))} }
		var d *values
		if len(dict) > 0 {
			var err error
			if d, err = decodeDictionary(dict, sum(dict), form.physical, int(entries)); err != nil {
				if !errors.Is(err, ErrCorrupt) {
					t.Fatalf("dictionary: %v", err)
				}
				return
			}
			readAll(d)
		}
		var v Vector
		v.reset(form.physical, d)
		for range 2 { // two pages after each other
			if err := v.appendPage(page, sum(page), form, int(rows)); err != nil {
				if !errors.Is(err, ErrCorrupt) {
					t.Fatal(err)
				}
				return
			}
		}
		v.seal()
		n := 0
		for row := range v.rows {
			i, ok := v.index(row)
			if !ok {
				continue
			}
			n++
			v.number(i)
			if form.physical >= ByteArray {
				v.bytes(i)
			}
		}
		if n != v.n || v.rows != 2*int(rows) {
			t.Fatalf("%d values in %d rows, want %d in %d", n, v.rows, v.n, 2*rows)
		}
	})
}

func readAll(d *values) {
	for i := range d.n {
		d.bits(i)
		if d.physical >= ByteArray {
			d.bytes(i)
		}
	}
}
