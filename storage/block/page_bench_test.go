package block

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/apache/arrow-go/v18/parquet/file"
)

// BenchmarkPage decodes pages of 2,000 rows; ns/value says what counts.
func BenchmarkPage(b *testing.B) {
	const rows = 2000
	r := rand.New(rand.NewPCG(9, 10))
	for _, c := range []*testColumn{
		randomColumn(r, Int64, false, false, true, rows, 10_000),
		randomColumn(r, Int64, false, false, false, rows, 10_000),
		randomColumn(r, Int32, false, true, false, rows, 30),
		randomColumn(r, Int32, true, true, false, rows, 30),
		randomColumn(r, ByteArray, false, true, false, rows, 200),
		randomColumn(r, ByteArray, false, true, false, rows, 10_000),
		randomColumn(r, ByteArray, false, false, false, rows, 10_000),
		randomColumn(r, Fixed8, false, false, false, rows, 10_000),
	} {
		data := writeArrow(b, []*testColumn{c}, rows)
		pf, err := file.NewParquetReader(bytes.NewReader(data))
		if err != nil {
			b.Fatal(err)
		}
		m, err := pf.MetaData().RowGroup(0).ColumnChunk(0)
		if err != nil {
			b.Fatal(err)
		}
		from := m.DataPageOffset()
		if m.HasDictionaryPage() {
			from = m.DictionaryPageOffset()
		}
		var out []byte
		dict, n, pages, _ := chunkPages(b, data, from, m.TotalCompressedSize(), &out)
		data = out
		var d *values
		if dict.Size > 0 {
			if d, err = decodeDictionary(data[dict.Offset:dict.Offset+uint64(dict.Size)], dict, c.physical, n); err != nil {
				b.Fatal(err)
			}
		}
		p := pages[0]
		raw := data[p.Offset : p.Offset+uint64(p.Size)]
		b.Run(fmt.Sprintf("%v/optional=%t/dict=%t/delta=%t/%d", c.physical, c.optional, c.dict, c.delta, n), func(b *testing.B) {
			b.ReportAllocs()
			var v Vector
			for b.Loop() {
				v.reset(c.physical, d)
				if err := v.appendPage(raw, p, columnForm{c.physical, c.optional}, rows); err != nil {
					b.Fatal(err)
				}
				v.seal()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/rows, "ns/value")
		})
	}
}
