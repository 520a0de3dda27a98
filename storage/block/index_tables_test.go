package block

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"math"
	"reflect"
	"slices"
	"testing"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/clewtrace/clew/storage"
	"github.com/clewtrace/clew/storage/columns"
	"github.com/clewtrace/clew/storage/trace"
)

// naive are the tables of an index, counted from decoded OTLP and from nothing
// else but the tree.
type naive struct {
	operations map[string]string // operation and minute: counts
	edges      map[string]string
	halfEdges  []string
	linked     []string
	names      map[string]uint64
}

type naiveCount struct {
	spans, errors, sum uint64
	durations          map[uint8]uint64
}

func (c *naiveCount) add(sp ptrace.Span) {
	c.spans++
	if sp.Status().Code() == ptrace.StatusCodeError {
		c.errors++
	}
	d := int64(sp.EndTimestamp() - sp.StartTimestamp())
	c.sum += uint64(max(d, 0))
	exp := uint8(0)
	for exp < 63 && d > 1<<exp {
		exp++
	}
	if c.durations == nil {
		c.durations = map[uint8]uint64{}
	}
	c.durations[exp]++
}

func (c *naiveCount) String() string {
	return fmt.Sprint(c.spans, c.errors, c.sum, c.durations)
}

// naiveTables decodes every trace of the Set.
func naiveTables(t *testing.T, s *columns.Set) *naive {
	t.Helper()
	out := &naive{operations: map[string]string{}, edges: map[string]string{}, names: map[string]uint64{}}
	operations, edges := map[string]*naiveCount{}, map[string]*naiveCount{}
	count := func(m map[string]*naiveCount, key string, sp ptrace.Span) {
		if m[key] == nil {
			m[key] = &naiveCount{}
		}
		m[key].add(sp)
	}
	live := s.Parts()
	for i := range uint32(s.NumTraces()) {
		id := s.TraceAt(i).ID
		var raw []byte
		for _, p := range live {
			raw, _, _ = p.Fragment(context.Background(), raw, id)
		}
		tr, err := trace.Assemble(raw)
		if err != nil {
			t.Fatal(err)
		}
		ids := map[trace.SpanID]bool{}
		var spans []ptrace.Span
		for k := range tr.Spans {
			sp := &tr.Spans[k]
			ids[sp.ID] = true
			req, err := (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(wrapSpan(tr, sp))
			if err != nil {
				t.Fatal(err)
			}
			rs := req.ResourceSpans().At(0)
			ss := rs.ScopeSpans().At(0)
			span := ss.Spans().At(0)
			spans = append(spans, span)
			out.attributes(ScopeResource, rs.Resource().Attributes())
			out.attributes(ScopeInstrumentation, ss.Scope().Attributes())
			out.attributes(ScopeSpan, span.Attributes())
			for e := range span.Events().Len() {
				out.attributes(ScopeEvent, span.Events().At(e).Attributes())
			}
			for e := range span.Links().Len() {
				l := span.Links().At(e)
				out.attributes(ScopeLink, l.Attributes())
				if target := l.TraceID(); !target.IsEmpty() {
					out.linked = append(out.linked, trace.ID(target).String()+" "+id.String())
				}
			}
		}
		parents := tr.Parents()
		for k := range tr.Spans {
			sp, span, service := &tr.Spans[k], spans[k], tr.Service(&tr.Spans[k])
			count(operations, fmt.Sprintf("%q %q %d %d", service, span.Name(), span.Kind(), uint64(span.StartTimestamp())/60e9), span)
			if p := parents[k]; p != trace.NoParent {
				from := tr.Service(&tr.Spans[p])
				call := (tr.Spans[p].Kind == 3 || tr.Spans[p].Kind == 4) && (sp.Kind == 2 || sp.Kind == 5)
				if from != service || call {
					count(edges, fmt.Sprintf("%q %q %d %d", from, service, sp.Kind, uint64(span.StartTimestamp())/60e9), span)
				}
			}
			if !sp.Parent.IsZero() && !ids[sp.Parent] {
				out.halfEdges = append(out.halfEdges, fmt.Sprintf("%s %s %s %q %d %t %d %d", id, sp.Parent, sp.ID, service, sp.Kind,
					sp.Status == 2, sp.Start, sp.End))
			}
		}
	}
	for k, c := range operations {
		out.operations[k] = c.String()
	}
	for k, c := range edges {
		out.edges[k] = c.String()
	}
	slices.Sort(out.halfEdges)
	slices.Sort(out.linked)
	out.linked = slices.Compact(out.linked)
	return out
}

func (n *naive) attributes(scope AttrScope, m pcommon.Map) {
	types := map[pcommon.ValueType]columns.ValueType{pcommon.ValueTypeEmpty: columns.Empty, pcommon.ValueTypeStr: columns.String,
		pcommon.ValueTypeBool: columns.Bool, pcommon.ValueTypeInt: columns.Int, pcommon.ValueTypeDouble: columns.Double,
		pcommon.ValueTypeBytes: columns.Bytes, pcommon.ValueTypeSlice: columns.Any, pcommon.ValueTypeMap: columns.Any}
	for k, v := range m.All() {
		n.names[fmt.Sprintf("%d %q %d", scope, k, types[v.Type()])]++
	}
}

// wrapSpan is the message of one span alone.
func wrapSpan(tr *trace.Trace, s *trace.Span) []byte {
	field := func(num byte, parts ...[]byte) []byte {
		body := bytes.Join(parts, nil)
		e := encoder{b: []byte{num<<3 | 2}}
		e.bytes(body)
		return e.b
	}
	scope := &tr.Scopes[s.Scope]
	return field(1, tr.Resources[scope.Resource].Raw, field(2, scope.Raw, field(2, s.Raw)))
}

// TestIndexTables compares the tables of written indexes with naive ones.
func TestIndexTables(t *testing.T) {
	writeCases(t, func(t *testing.T, s *columns.Set, _ memory, m *Meta, x *Index) {
		want := naiveTables(t, s)
		minutes := func(m map[string]string, key string, list []MinuteStats) {
			for _, mi := range list {
				c := naiveCount{uint64(mi.Spans), uint64(mi.Errors), mi.DurationSum, map[uint8]uint64{}}
				for _, b := range mi.Durations {
					c.durations[b.Exp] = uint64(b.Count)
				}
				m[fmt.Sprintf("%s %d", key, mi.Minute)] = c.String()
			}
		}
		operations, edges := map[string]string{}, map[string]string{}
		for i := range x.Operations {
			o := &x.Operations[i]
			minutes(operations, fmt.Sprintf("%q %q %d", o.Service, o.Name, o.Kind), o.Minutes)
		}
		for _, e := range x.Edges {
			minutes(edges, fmt.Sprintf("%q %q %d", e.Client, e.Server, e.Kind), e.Minutes)
		}
		names := map[string]uint64{}
		for _, n := range x.Names {
			names[fmt.Sprintf("%d %q %d", n.Scope, n.Key, n.Type)] = n.Count
		}
		var half, linked []string
		for _, h := range x.HalfEdges {
			half = append(half, fmt.Sprintf("%s %s %s %q %d %t %d %d", h.Trace, h.Parent, h.Span, h.Server, h.Kind, h.Error, h.Start, h.EndTime))
		}
		for _, l := range x.Linked {
			linked = append(linked, l.Target.String()+" "+l.Trace.String())
		}
		if !slices.IsSorted(linked) {
			t.Error("links are not sorted")
		}
		slices.Sort(half)
		for _, c := range []struct {
			name      string
			got, want any
		}{{"operations", operations, want.operations}, {"edges", edges, want.edges}, {"names", names, want.names},
			{"half edges", half, want.halfEdges}, {"links", linked, want.linked}} {
			if !reflect.DeepEqual(c.got, c.want) {
				t.Errorf("%s: %v\nwant %v", c.name, c.got, c.want)
			}
		}
		checkZones(t, s, m, x)
		checkTraceTable(t, s, x)
	})
}

// checkZones compares all bounds of row groups, pages and parts with rows.
func checkZones(t *testing.T, s *columns.Set, m *Meta, x *Index) {
	t.Helper()
	o := s.Order()
	row := func(k uint32) *columns.Row { return s.Row(o.Rows[k]) }
	for g := range x.RowGroups {
		rg := &x.RowGroups[g]
		want := RowGroup{FirstRow: rg.FirstRow, Rows: rg.Rows, MinStart: math.MaxUint64, MinDuration: math.MaxInt64, MaxDuration: math.MinInt64}
		for i := range rg.Pages {
			z := &rg.Pages[i]
			w := PageZone{FirstRow: z.FirstRow, Rows: z.Rows, MinStart: math.MaxUint64, MinDur: math.MaxInt64, MaxDur: math.MinInt64}
			for k := z.FirstRow; k < z.FirstRow+z.Rows; k++ {
				r := row(k)
				w.MinStart, w.MaxStart = min(w.MinStart, r.Start), max(w.MaxStart, r.Start)
				w.MinDur, w.MaxDur = min(w.MinDur, r.Duration()), max(w.MaxDur, r.Duration())
				want.MaxEnd = max(want.MaxEnd, r.End)
				if r.Status == 2 {
					want.Errors++
				}
			}
			if *z != w {
				t.Fatalf("row group %d, page %d: %+v, want %+v", g, i, *z, w)
			}
			want.MinStart, want.MaxStart = min(want.MinStart, w.MinStart), max(want.MaxStart, w.MaxStart)
			want.MinDuration, want.MaxDuration = min(want.MinDuration, w.MinDur), max(want.MaxDuration, w.MaxDur)
		}
		if rg.MinStart != want.MinStart || rg.MaxStart != want.MaxStart || rg.MaxEnd != want.MaxEnd || rg.Errors != want.Errors ||
			rg.MinDuration != want.MinDuration || rg.MaxDuration != want.MaxDuration {
			t.Fatalf("row group %d: %+v, want %+v", g, *rg, want)
		}
		values := map[string]map[string]bool{}
		nulls := map[string]uint32{}
		for k := rg.FirstRow; k < rg.FirstRow+rg.Rows; k++ {
			for name, c := range truth(s, o, x, int(k)) {
				if c.null {
					nulls[name]++
					continue
				}
				if values[name] == nil {
					values[name] = map[string]bool{}
				}
				values[name][c.val] = true
			}
		}
		for i := range rg.Chunks {
			c, col := &rg.Chunks[i], &x.Columns[i]
			if c.Nulls != nulls[col.Name] {
				t.Fatalf("row group %d, %s: %d nulls, want %d", g, col.Name, c.Nulls, nulls[col.Name])
			}
			if c.Ints != nil {
				for _, v := range c.Ints {
					if !values[col.Name][numberCell(uint64(v)).val] && col.Physical == Int64 {
						t.Fatalf("row group %d, %s: no value %d", g, col.Name, v)
					}
				}
				if !slices.IsSorted(c.Ints) || col.Physical == Int64 && len(c.Ints) != len(values[col.Name]) ||
					c.Ints[0] != c.Min || c.Ints[len(c.Ints)-1] != c.Max {
					t.Fatalf("row group %d, %s: integers %v between %d and %d, want %d", g, col.Name, c.Ints, c.Min, c.Max, len(values[col.Name]))
				}
			}
			if c.Small == nil {
				continue
			}
			small := map[string]bool{}
			for _, v := range c.Small {
				small[string(v)] = true
			}
			if !reflect.DeepEqual(small, values[col.Name]) {
				t.Fatalf("row group %d, %s: %d small values, want %d", g, col.Name, len(small), len(values[col.Name]))
			}
		}
	}
	for wild, p := range map[bool]*PartMeta{false: &m.Normal, true: &m.Wild} {
		b, ok := x.bounds(wild)
		if got, has := p.bounds(); ok != has || got != b {
			t.Errorf("wild %t: meta.json says %+v, the index %+v", wild, got, b)
		}
	}
}

func checkTraceTable(t *testing.T, s *columns.Set, x *Index) {
	t.Helper()
	o := s.Order()
	var want Index
	want.Rows = x.Rows
	fixtureTraces(s, o, &want)
	text := func(t *TraceTable) (out []string) {
		for i := range t.IDs {
			var sum storage.Summary
			t.summary(uint32(i), &sum, make([]storage.ServiceCount, t.SvcFirst[i+1]-t.SvcFirst[i]))
			out = append(out, fmt.Sprint(t.FirstRow[i], t.Root[i], sum))
		}
		return out
	}
	if x.Traces.Normal != o.Normal || !slices.Equal(text(&x.Traces), text(&want.Traces)) {
		t.Error("trace tables differ")
	}
	for from, to := range map[int]int{0: o.Normal, o.Normal: len(x.Traces.IDs)} {
		if !slices.IsSortedFunc(x.Traces.IDs[from:to], func(a, b trace.ID) int { return cmp.Compare(a.String(), b.String()) }) {
			t.Error("trace IDs are not sorted")
		}
	}
}

// TestBlooms looks up every trace by the bloom objects alone, and checks what
// their tails say of row groups.
func TestBlooms(t *testing.T) {
	writeCases(t, func(t *testing.T, s *columns.Set, objects memory, m *Meta, x *Index) {
		tails := make([]*BloomTail, len(m.Blooms))
		headers := make([]*BloomHeader, len(m.Blooms))
		traces := uint64(0)
		for i := range m.Blooms {
			b := objects[BloomObject(i)]
			h, err := ParseBloomHeader(b)
			if err != nil {
				t.Fatal(err)
			}
			if h.Probe() != m.Blooms[i].Probe || h.Traces != m.Blooms[i].Traces {
				t.Errorf("bloom %d: %+v, meta.json says %+v", i, h, m.Blooms[i])
			}
			if err := h.Check(b[:h.Probe()]); err != nil {
				t.Fatal(err)
			}
			if tails[i], err = h.DecodeTail(b[h.Probe():]); err != nil {
				t.Fatal(err)
			}
			headers[i] = h
			traces += h.Traces
			for g := range tails[i].Index.RowGroups {
				got, want := &tails[i].Index.RowGroups[g], &x.RowGroups[tails[i].FirstGroup+g]
				if got.FirstRow != want.FirstRow || got.Rows != want.Rows || got.Offset != want.Offset || got.Bytes != want.Bytes || got.Wild != want.Wild {
					t.Fatalf("bloom %d, row group %d: %+v, want %+v", i, g, got, want)
				}
				for c := range got.Chunks {
					if got.Chunks[c].Dict != want.Chunks[c].Dict || !slices.Equal(got.Chunks[c].Pages, want.Chunks[c].Pages) {
						t.Fatalf("bloom %d, row group %d, column %d differs", i, g, c)
					}
				}
			}
		}
		if traces != m.Traces {
			t.Errorf("%d traces in bloom objects, want %d", traces, m.Traces)
		}
		for n := range x.Traces.IDs {
			id := x.Traces.IDs[n]
			found := false
			for _, i := range m.BloomsFor(&id) {
				if !headers[i].MayHold(objects[BloomObject(i)], &id) {
					continue
				}
				var zones []PageZone
				for g := range tails[i].Index.RowGroups {
					zones = append(zones, tails[i].Index.RowGroups[g].Pages...)
				}
				from, to := tails[i].Pages(&id)
				if from < to && zones[from].FirstRow <= x.Traces.FirstRow[n] && x.Traces.FirstRow[n+1] <= zones[to-1].FirstRow+zones[to-1].Rows {
					found = true
				}
			}
			if !found {
				t.Fatalf("trace %s: no bloom object leads to its rows", id)
			}
		}
		hits, other := 0, 10_000
		for i := range other {
			id := trace.ID{byte(i), byte(i >> 8), 3: byte(i * 7), 9: 77}
			for b := range headers {
				if headers[b].MayHold(objects[BloomObject(b)], &id) {
					hits++
				}
			}
		}
		if hits > other*len(headers)/100 {
			t.Errorf("%d of %d unknown traces may be there", hits, other*len(headers))
		}
	})
}
