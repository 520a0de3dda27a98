package block

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"sort"
	"testing"

	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/oklog/ulid/v2"

	"github.com/clewtrace/clew/storage"
	"github.com/clewtrace/clew/storage/columns"
	"github.com/clewtrace/clew/storage/trace"
)

// memory is Objects in memory.
type memory map[string][]byte

func (m memory) ReadRange(_ context.Context, object string, off, length int64) ([]byte, error) {
	b, ok := m[object]
	if !ok || off < 0 || length < 0 || off+length > int64(len(b)) {
		return nil, fmt.Errorf("%s: no bytes %d+%d", object, off, length)
	}
	return b[off : off+length], nil
}

// fixture makes a block of a Set with arrow's plain writer, and its index by
// hand: the reader is tested against the format, not against our writer.
type fixture struct {
	objects memory
	index   *Index
}

func (f *fixture) open(c *Cache) *Block {
	b := newBlock("tenant", ulid.ULID{1}, f.objects, c)
	b.given = f.index
	return b
}

func (f *fixture) parts(t testing.TB, c *Cache) []storage.Source {
	t.Helper()
	parts, err := f.open(c).Parts(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return parts
}

type attrID struct {
	key string
	typ columns.ValueType
}

func newFixture(t testing.TB, s *columns.Set, groupRows, pageRows int, promote float64) *fixture {
	t.Helper()
	s.Seal()
	o := s.Order()
	rows := len(o.Rows)
	x := &Index{Rows: uint32(rows)}
	for i := range uint32(s.NumResources()) {
		x.Tables.Resources = append(x.Tables.Resources, Resource{s.Resource(i), s.ResourceService(i)})
	}
	for i := range uint32(s.NumScopes()) {
		x.Tables.Scopes = append(x.Tables.Scopes, s.Scope(i))
	}
	fixed := func(name string, p Physical, optional, dict, delta bool) *testColumn {
		x.Columns = append(x.Columns, Column{Name: name, Physical: p, Optional: optional})
		return &testColumn{name: name, physical: p, optional: optional, dict: dict, delta: delta,
			null: make([]bool, rows), num: make([]uint64, rows), str: make([][]byte, rows)}
	}
	cols := []*testColumn{
		fixed("start_unix_nano", Int64, false, false, true), fixed("duration_ns", Int64, false, false, false),
		fixed("resource_id", Int32, false, true, false), fixed("service", ByteArray, false, true, false),
		fixed("name", ByteArray, false, true, false), fixed("kind", Int32, false, true, false),
		fixed("status_code", Int32, false, true, false), fixed("scope_id", Int32, false, true, false),
		fixed("attr_shape", Int32, false, true, false), fixed("subtree", Int32, false, true, false),
		fixed("parent_delta", Int32, false, true, false),
	}
	promoted := map[attrID]int32{}
	for i := range uint32(s.NumAttrs()) {
		a, values := s.Attr(i), s.AttrCount(i)
		if a.Type == columns.Empty || float64(values) < promote*float64(rows) {
			continue
		}
		p := ByteArray
		switch a.Type {
		case columns.Int:
			p = Int64
		case columns.Double:
			p = Double
		case columns.Bool:
			p = Boolean
		}
		promoted[attrID{a.Key, a.Type}] = int32(len(cols))
		cols = append(cols, fixed("s."+a.Key, p, true, p != Boolean && i%3 != 0, false))
		c := &x.Columns[len(cols)-1]
		c.Attr, c.Key, c.Type = true, a.Key, a.Type
		for r := range rows {
			cols[len(cols)-1].null[r] = true
		}
	}
	tail := len(cols)
	cols = append(cols,
		fixed("trace_id", Fixed16, false, false, false), fixed("span_id", Fixed8, false, false, false),
		fixed("parent_span_id", Fixed8, true, false, false), fixed("flags", Int32, false, true, false),
		fixed("status_message", ByteArray, true, true, false), fixed("attrs_rest", ByteArray, true, false, false),
		fixed("events", ByteArray, true, false, false), fixed("links", ByteArray, true, false, false),
		fixed("span_rest", ByteArray, true, false, false))
	for i := range uint32(s.NumShapes()) {
		var sh Shape
		seen := map[string]bool{}
		for _, e := range s.Shape(i).Attrs {
			a := s.Attr(e.Attr)
			col := int32(-1)
			if c, ok := promoted[attrID{a.Key, a.Type}]; ok && !seen[a.Key] {
				col = c
			}
			seen[a.Key] = true
			sh.Attrs = append(sh.Attrs, ShapeAttr{a.Key, a.Type, col})
		}
		x.Tables.Shapes = append(x.Tables.Shapes, sh)
	}
	var em columns.Emitter
	em.Reset(nil)
	eventKeys := map[attrID]bool{}
	for k, r := range o.Rows {
		row := s.Row(r)
		op := s.Op(row.Op)
		num := func(c int, v uint64) { cols[c].num[k] = v }
		num(0, row.Start)
		num(1, uint64(row.Duration()))
		num(2, uint64(row.Resource))
		cols[3].str[k], cols[4].str[k] = []byte(op.Service), []byte(op.Name)
		num(5, uint64(op.Kind))
		num(6, uint64(row.Status))
		num(7, uint64(row.Scope))
		num(8, uint64(row.Shape))
		num(9, uint64(o.Subtree[k]))
		optional := func(c int, v []byte) { cols[c].null[k], cols[c].str[k] = len(v) == 0, v }
		cols[tail+2].null[k] = true
		linked := trace.SpanID{}
		if o.Parent[k] != 0 {
			num(10, uint64(k)-uint64(o.Parent[k]-1))
			linked = s.Row(o.Rows[o.Parent[k]-1]).SpanID
		}
		if row.Parent != linked {
			optional(tail+2, row.Parent[:])
		}
		id := s.TraceAt(row.Trace).ID
		cols[tail].str[k], cols[tail+1].str[k] = id[:], row.SpanID[:]
		num(tail+3, uint64(int32(row.Flags)))
		events, links, rest, msg := columns.SplitExtra(s.ExtraOf(row))
		optional(tail+4, msg)
		optional(tail+6, events)
		optional(tail+7, links)
		optional(tail+8, rest)
		trace.EachAttribute(events, 11, 3, func(key, _ []byte) bool {
			for typ := columns.String; typ <= columns.Double; typ++ {
				eventKeys[attrID{string(key), typ}] = true
			}
			return true
		})
		var unpromoted []byte
		slots := s.SlotsOf(row)
		for i, e := range s.Shape(row.Shape).Attrs {
			a := s.Attr(e.Attr)
			var bits uint64
			var val []byte
			switch a.Type {
			case columns.String, columns.Bytes, columns.Any:
				val = a.Dict.Value(slots[e.Slot])
			case columns.Int, columns.Double:
				bits = uint64(slots[e.Slot]) | uint64(slots[e.Slot+1])<<32
			case columns.Bool:
				bits = uint64(slots[e.Slot])
			}
			if c := x.Tables.Shapes[row.Shape].Attrs[i].Column; c >= 0 {
				cols[c].null[k], cols[c].num[k], cols[c].str[k] = false, bits, val
			} else {
				unpromoted = AppendRestValue(unpromoted, a.Type, bits, val)
			}
		}
		optional(tail+5, unpromoted)
	}
	for id := range eventKeys {
		x.Names = append(x.Names, AttrName{Scope: ScopeEvent, Key: id.key, Type: id.typ})
	}
	fixtureTraces(s, o, x)
	// Row groups: whole traces, wild ones in their own; a large one is cut.
	cuts, wild := []int{0}, []bool{}
	for i, tr := range o.Traces {
		if first := int(tr.First); first > cuts[len(cuts)-1] && (first-cuts[len(cuts)-1] >= groupRows || i == o.Normal) {
			cuts = append(cuts, first)
		}
		for int(tr.First+tr.Rows)-cuts[len(cuts)-1] > 4*groupRows {
			cuts = append(cuts, cuts[len(cuts)-1]+4*groupRows)
		}
	}
	if rows > cuts[len(cuts)-1] {
		cuts = append(cuts, rows)
	}
	normalRows := rows
	if o.Normal < len(o.Traces) {
		normalRows = int(o.Traces[o.Normal].First)
	}
	for g := range len(cuts) - 1 {
		wild = append(wild, cuts[g] >= normalRows)
	}
	data := writeGroups(t, cols, cuts, pageRows)
	f := &fixture{memory{DataObject: data}, x}
	f.groups(t, cols, cuts, wild, pageRows)
	return f
}

func fixtureTraces(s *columns.Set, o *columns.Order, x *Index) {
	tt := &x.Traces
	tt.Normal = o.Normal
	number := map[string]uint32{}
	text := func(v string) uint32 {
		if _, ok := number[v]; !ok {
			number[v] = uint32(len(tt.Strings))
			tt.Strings = append(tt.Strings, v)
		}
		return number[v]
	}
	ops := map[string]bool{}
	for _, tr := range o.Traces {
		row := func(k uint32) *columns.Row { return s.Row(o.Rows[k]) }
		first := row(tr.First)
		start, end, root, orphans := first.Start, first.End, NoRow, uint32(0)
		ids := map[trace.SpanID]bool{}
		for k := tr.First; k < tr.First+tr.Rows; k++ {
			ids[row(k).SpanID] = true
		}
		type count struct{ spans, errors uint32 }
		services := map[string]*count{}
		for k := tr.First; k < tr.First+tr.Rows; k++ {
			r := row(k)
			start, end = min(start, r.Start), max(end, r.End)
			if r.Parent.IsZero() {
				if root == NoRow || r.Start < row(root).Start || r.Start == row(root).Start && bytes.Compare(r.SpanID[:], row(root).SpanID[:]) < 0 {
					root = k
				}
			} else if !ids[r.Parent] {
				orphans++
			}
			op := s.Op(r.Op)
			c := services[op.Service]
			if c == nil {
				c = &count{}
				services[op.Service] = c
			}
			c.spans++
			if r.Status == storage.StatusError {
				c.errors++
			}
			if id := fmt.Sprint(op); !ops[id] {
				ops[id] = true
				x.Operations = append(x.Operations, OperationStats{Service: op.Service, Name: op.Name, Kind: op.Kind})
			}
		}
		tt.IDs = append(tt.IDs, s.TraceAt(tr.Trace).ID)
		tt.FirstRow = append(tt.FirstRow, tr.First)
		tt.Start, tt.End, tt.Root, tt.Orphans = append(tt.Start, start), append(tt.End, end), append(tt.Root, root), append(tt.Orphans, orphans)
		tt.SvcFirst = append(tt.SvcFirst, uint32(len(tt.Services)))
		names := []string{}
		for n := range services {
			names = append(names, n)
		}
		sort.Strings(names)
		for _, n := range names {
			tt.Services = append(tt.Services, TraceService{text(n), services[n].spans, services[n].errors})
		}
		rs, rn := uint32(0), uint32(0)
		if root != NoRow {
			op := s.Op(row(root).Op)
			rs, rn = text(op.Service), text(op.Name)
		}
		tt.RootService, tt.RootName = append(tt.RootService, rs), append(tt.RootName, rn)
	}
	tt.FirstRow = append(tt.FirstRow, uint32(len(o.Rows)))
	tt.SvcFirst = append(tt.SvcFirst, uint32(len(tt.Services)))
}

// groups fills in the row groups from what arrow has written.
func (f *fixture) groups(t testing.TB, cols []*testColumn, cuts []int, wild []bool, pageRows int) {
	data := f.objects[DataObject]
	var out []byte
	pf, err := file.NewParquetReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	for g := range len(cuts) - 1 {
		from, to := cuts[g], cuts[g+1]
		rg := RowGroup{FirstRow: uint32(from), Rows: uint32(to - from), Wild: wild[g], Offset: 1 << 60}
		start, dur := cols[0].num, cols[1].num
		for at := from; at < to; at += pageRows {
			end := min(at+pageRows, to)
			z := PageZone{FirstRow: uint32(at), Rows: uint32(end - at), MinStart: slices.Min(start[at:end]), MaxStart: slices.Max(start[at:end])}
			z.MinDur, z.MaxDur = signedBounds(dur[at:end])
			rg.Pages = append(rg.Pages, z)
		}
		rg.MinStart, rg.MaxStart = slices.Min(start[from:to]), slices.Max(start[from:to])
		rg.MinDuration, rg.MaxDuration = signedBounds(dur[from:to])
		shapes := map[uint32]bool{}
		for k := from; k < to; k++ {
			if cols[6].num[k] == storage.StatusError {
				rg.Errors++
			}
			rg.MaxEnd = max(rg.MaxEnd, start[k]+dur[k])
			shapes[uint32(cols[8].num[k])] = true
		}
		for s := range shapes {
			rg.Shapes = append(rg.Shapes, s)
		}
		slices.Sort(rg.Shapes)
		last := uint64(0)
		for i, c := range cols {
			m, err := pf.MetaData().RowGroup(g).ColumnChunk(i)
			if err != nil {
				t.Fatal(err)
			}
			at := m.DataPageOffset()
			if m.HasDictionaryPage() {
				at = m.DictionaryPageOffset()
			}
			var ch Chunk
			var n int
			ch.Dict, n, ch.Pages, _ = chunkPages(t, data, at, m.TotalCompressedSize(), &out)
			ch.DictValues = uint32(n)
			for k := from; k < to; k++ {
				if c.null[k] {
					ch.Nulls++
				}
			}
			first, end := ch.extent()
			rg.Offset, last = min(rg.Offset, first), max(last, end)
			if ch.Nulls == rg.Rows {
				ch.Dict, ch.DictValues, ch.Pages = Page{}, 0, nil
			}
			if c.physical == Int32 || c.physical == Int64 {
				ch.Min, ch.Max = signedBounds(c.num[from:to])
			}
			if c.physical == ByteArray && ch.Dict.Size > 0 && n <= 256 {
				d, err := decodeDictionary(out[ch.Dict.Offset:ch.Dict.Offset+uint64(ch.Dict.Size)], ch.Dict, ByteArray, n)
				if err != nil {
					t.Fatal(err)
				}
				ch.Small = make([][]byte, 0, n)
				for v := range n {
					ch.Small = append(ch.Small, d.bytes(v))
				}
			}
			rg.Chunks = append(rg.Chunks, ch)
		}
		rg.Bytes = last - rg.Offset
		f.index.RowGroups = append(f.index.RowGroups, rg)
	}
	f.objects[DataObject] = out
}

func signedBounds(v []uint64) (lo, hi int64) {
	lo, hi = int64(v[0]), int64(v[0])
	for _, x := range v {
		lo, hi = min(lo, int64(x)), max(hi, int64(x))
	}
	return lo, hi
}

// spanBodies returns every span of OTLP bytes with its resource and scope, as
// canonical identities, sorted.
func spanBodies(t testing.TB, b []byte) []string {
	t.Helper()
	var out []string
	each := func(b []byte, yield func(own, child []byte)) {
		var own []byte
		var children [][]byte
		for i := 0; i < len(b); {
			f, n := trace.NextField(b, i)
			if n < 0 {
				t.Fatal("damaged OTLP")
			}
			if f.Num == 2 {
				children = append(children, f.Data)
			} else {
				own = append(own, b[i:n]...)
			}
			i = n
		}
		for _, c := range children {
			yield(own, c)
		}
	}
	for i := 0; i < len(b); {
		f, n := trace.NextField(b, i)
		if n < 0 {
			t.Fatal("damaged OTLP")
		}
		each(f.Data, func(res, ss []byte) {
			each(ss, func(scope, span []byte) {
				id, err := trace.Identity(res, scope, span)
				if err != nil {
					t.Fatal(err)
				}
				out = append(out, string(id[:]))
			})
		})
		i = n
	}
	sort.Strings(out)
	return out
}
