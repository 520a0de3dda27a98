package block

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	pq "github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"

	"github.com/clewtrace/clew/storage"
	"github.com/clewtrace/clew/storage/columns"
	"github.com/clewtrace/clew/storage/trace"
)

// cell is one value of one column: absent, or its bytes; numbers are 8 bytes.
type cell struct {
	null bool
	val  string
}

func numberCell(v uint64) cell { return cell{val: string(binary.LittleEndian.AppendUint64(nil, v))} }
func bytesCell(b []byte) cell  { return cell{val: string(b)} }

func optionalCell(b []byte) cell {
	if len(b) == 0 {
		return cell{null: true}
	}
	return bytesCell(b)
}

// truth says, from the Set alone, what each column of data.parquet must hold in
// the row at a position. x is only asked for names, columns and shapes.
func truth(s *columns.Set, o *columns.Order, x *Index, k int) map[string]cell {
	row := s.Row(o.Rows[k])
	op := s.Op(row.Op)
	id := s.TraceAt(row.Trace).ID
	events, links, rest, msg := columns.SplitExtra(s.ExtraOf(row))
	out := map[string]cell{
		"start_unix_nano": numberCell(row.Start), "duration_ns": numberCell(row.End - row.Start),
		"service": bytesCell([]byte(op.Service)), "name": bytesCell([]byte(op.Name)),
		"kind": numberCell(uint64(int64(op.Kind))), "status_code": numberCell(uint64(int64(row.Status))),
		"subtree": numberCell(uint64(o.Subtree[k])), "flags": numberCell(uint64(int64(int32(row.Flags)))),
		"trace_id": bytesCell(id[:]), "span_id": bytesCell(row.SpanID[:]), "parent_span_id": {null: true},
		"status_message": optionalCell(msg), "events": optionalCell(events), "links": optionalCell(links), "span_rest": optionalCell(rest),
	}
	delta, known := uint64(0), trace.SpanID{}
	if p := o.Parent[k]; p != 0 {
		delta, known = uint64(k+1)-uint64(p), s.Row(o.Rows[p-1]).SpanID
	}
	out["parent_delta"] = numberCell(delta)
	if row.Parent != known {
		out["parent_span_id"] = bytesCell(row.Parent[:])
	}
	// Numbers of tables are free: what they stand for is not.
	out["resource_id"], out["scope_id"] = bytesCell(s.Resource(row.Resource)), bytesCell(s.Scope(row.Scope))
	promoted := map[string]columns.ValueType{}
	for i := range x.Columns {
		if c := &x.Columns[i]; c.Attr {
			promoted[c.Key] = c.Type
			out[c.Name] = cell{null: true}
		}
	}
	var list, left []byte
	seen := map[string]bool{}
	slots := s.SlotsOf(row)
	for _, e := range s.Shape(row.Shape).Attrs {
		a := s.Attr(e.Attr)
		var bits uint64
		var val []byte
		c := numberCell(0)
		switch a.Type {
		case columns.String, columns.Bytes, columns.Any:
			val = a.Dict.Value(slots[e.Slot])
			c = bytesCell(val)
		case columns.Int, columns.Double:
			bits = uint64(slots[e.Slot]) | uint64(slots[e.Slot+1])<<32
			c = numberCell(bits)
		case columns.Bool:
			bits = uint64(slots[e.Slot])
			c = numberCell(bits)
		}
		typ, ok := promoted[a.Key]
		in := ok && typ == a.Type && !seen[a.Key]
		seen[a.Key] = true
		list = fmt.Appendf(list, "%q %d %t;", a.Key, a.Type, in)
		if in {
			out["s."+a.Key] = c
		} else {
			left = AppendRestValue(left, a.Type, bits, val)
		}
	}
	out["attr_shape"], out["attrs_rest"] = bytesCell(list), optionalCell(left)
	return out
}

// tableCell replaces numbers of tables by what they stand for.
func tableCell(x *Index, name string, c cell) cell {
	if c.null || name != "resource_id" && name != "scope_id" && name != "attr_shape" {
		return c
	}
	n := binary.LittleEndian.Uint64([]byte(c.val))
	switch name {
	case "resource_id":
		return bytesCell(x.Tables.Resources[n].Raw)
	case "scope_id":
		return bytesCell(x.Tables.Scopes[n])
	}
	var list []byte
	for _, a := range x.Tables.Shapes[n].Attrs {
		list = fmt.Appendf(list, "%q %d %t;", a.Key, a.Type, a.Column >= 0)
	}
	return bytesCell(list)
}

// writeCases are blocks of odd data in all sizes of row groups and pages.
func writeCases(t *testing.T, check func(t *testing.T, s *columns.Set, objects memory, m *Meta, x *Index)) {
	rules := []Promotion{DefaultPromotion(), {}, {MaxColumns: 3, MinShare: 0.0001}, {MaxColumns: 1, MinShare: 2}, {MaxColumns: 1000, MinShare: 1e-9}}
	for seed, rule := range rules {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			s := randomSet(t, 900+uint64(seed), shorter(250, 50))
			opts := testOptions()
			opts.Promotion = rule
			opts.RowGroupRows, opts.PageRows = []int{200, 1000, 1 << 20, 70, 400}[seed], []int{64, 33, 2000, 100, 7}[seed]
			objects, m := writeSet(t, s, opts)
			x, err := DecodeIndex(objects[IndexObject])
			if err != nil {
				t.Fatal(err)
			}
			check(t, s, objects, m, x)
		})
	}
}

// TestParquetGo reads every column of every row with a reader that shares
// nothing with ours, and compares with what went in.
func TestParquetGo(t *testing.T) {
	writeCases(t, func(t *testing.T, s *columns.Set, objects memory, _ *Meta, x *Index) {
		checkParquet(t, s, objects[DataObject], x)
	})
}

func checkParquet(t *testing.T, s *columns.Set, data []byte, x *Index) {
	t.Helper()
	f, err := pq.OpenFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	o := s.Order()
	if f.NumRows() != int64(len(o.Rows)) || len(f.RowGroups()) != len(x.RowGroups) {
		t.Fatalf("%d rows in %d groups, want %d in %d", f.NumRows(), len(f.RowGroups()), len(o.Rows), len(x.RowGroups))
	}
	k := 0
	for g, group := range f.RowGroups() {
		for c, col := range f.Metadata().RowGroups[g].Columns {
			checkEncodings(t, data, &col.MetaData, &x.Columns[c], &x.RowGroups[g].Chunks[c])
		}
		rows := group.Rows()
		buf := make([]pq.Row, 64)
		for {
			n, err := rows.ReadRows(buf)
			for _, row := range buf[:n] {
				checkParquetRow(t, s, x, k, row)
				k++
			}
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		rows.Close()
	}
	if k != len(o.Rows) {
		t.Errorf("%d rows, want %d", k, len(o.Rows))
	}
	for _, key := range []string{"clew.format", "clew.block", "clew.normal_rows", "clew.tables", "clew.shapes"} {
		if _, ok := f.Lookup(key); !ok {
			t.Errorf("no %s in the footer", key)
		}
	}
}

func checkParquetRow(t *testing.T, s *columns.Set, x *Index, k int, row pq.Row) {
	t.Helper()
	want := truth(s, s.Order(), x, k)
	for c, v := range row {
		name := x.Columns[c].Name
		if got := tableCell(x, name, parquetCell(v)); got != want[name] || v.Column() != c {
			t.Fatalf("row %d: %s: %+v, want %+v", k, name, got, want[name])
		}
	}
	if len(row) != len(want) {
		t.Fatalf("row %d: %d columns, want %d", k, len(row), len(want))
	}
}

// checkEncodings compares what the footer says of a chunk with its pages.
func checkEncodings(t *testing.T, data []byte, m *format.ColumnMetaData, col *Column, c *Chunk) {
	t.Helper()
	for at := m.TotalCompressedSize; at > 0; {
		from := m.DataPageOffset
		if m.DictionaryPageOffset != 0 {
			from = m.DictionaryPageOffset
		}
		h, n, err := parsePageHeader(data[from+m.TotalCompressedSize-at:])
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Contains(m.Encoding, format.Encoding(h.Encoding)) || !h.HasCRC {
			t.Fatalf("%s: page in encoding %d, checksum %t; the footer says %v", col.Name, h.Encoding, h.HasCRC, m.Encoding)
		}
		if h.Kind == pageKindData && h.Encoding == encodingDelta && c.Dict.Size > 0 {
			t.Fatalf("%s: differences beside a dictionary", col.Name)
		}
		at -= int64(n + h.Compressed)
	}
}

func parquetCell(v pq.Value) cell {
	switch {
	case v.IsNull():
		return cell{null: true}
	case v.Kind() == pq.Int32:
		return numberCell(uint64(int64(v.Int32())))
	case v.Kind() == pq.Int64:
		return numberCell(uint64(v.Int64()))
	case v.Kind() == pq.Double:
		return numberCell(math.Float64bits(v.Double()))
	case v.Kind() == pq.Boolean:
		if v.Boolean() {
			return numberCell(1)
		}
		return numberCell(0)
	}
	return bytesCell(v.ByteArray())
}

// TestReadBack reads every trace of written blocks, and compares searches and
// summaries with those of the Set.
func TestReadBack(t *testing.T) {
	ctx := context.Background()
	r := rand.New(rand.NewPCG(21, 22))
	writeCases(t, func(t *testing.T, s *columns.Set, objects memory, m *Meta, _ *Index) {
		b, err := Open(ctx, objects, m, newTestCache(t, 64<<20))
		if err != nil {
			t.Fatal(err)
		}
		parts, err := b.Parts(ctx)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		eachPart(t, s, parts, func(live, block storage.Source) {
			var ids []trace.ID
			for i := range uint32(s.NumTraces()) {
				id := s.TraceAt(i).ID
				want, _, _ := live.Fragment(ctx, nil, id)
				got, found, err := block.Fragment(ctx, nil, id)
				if err != nil || found != (want != nil) {
					t.Fatalf("trace %s: found %t, %v", id, found, err)
				}
				if w, g := spanBodies(t, want), spanBodies(t, got); !slices.Equal(w, g) {
					t.Fatalf("trace %s: %d spans, want %d, or they differ", id, len(g), len(w))
				}
				if found {
					n++
					ids = append(ids, id)
				}
			}
			lo, _ := live.Locate(ctx, ids)
			bo, err := block.Locate(ctx, ids)
			if err != nil {
				t.Fatal(err)
			}
			ordinals := func(list []storage.Location) (out []uint32) {
				for _, l := range list {
					out = append(out, l.Ordinal)
				}
				return out
			}
			want, _ := live.Summaries(ctx, ordinals(lo))
			got, err := block.Summaries(ctx, ordinals(bo))
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Fatalf("summaries differ: %v", err)
			}
			for range shorter(150, 40) {
				q := randomQuery(r)
				want, _ := live.Search(ctx, &q)
				got, err := block.Search(ctx, &q)
				if err != nil || !slices.Equal(matchIDs(got), matchIDs(want)) {
					t.Fatalf("%+v: %d matches, want %d: %v", q, len(got), len(want), err)
				}
			}
		})
		if n != s.NumTraces() {
			t.Errorf("%d of %d traces found", n, s.NumTraces())
		}
	})
}

func matchIDs(list []storage.Match) []string {
	var out []string
	for _, m := range list {
		out = append(out, m.ID.String())
	}
	slices.Sort(out)
	return out
}
