package block

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/clewtrace/clew/storage/columns"
	"github.com/clewtrace/clew/storage/trace/tracetest"
)

// roundTrip writes a block of requests and reads every trace back: the same
// identities, each once, under every trace ID that a span has.
func roundTrip(t testing.TB, requests [][]byte, opts WriteOptions) {
	t.Helper()
	s := columns.New("round trip", columns.DefaultOptions())
	want := map[[32]byte]int{}
	for _, b := range requests {
		r, err := s.Append(b, testEpoch)
		if err != nil || len(r.Rejected) > 0 {
			t.Fatalf("%v refused: %v", r.Rejected, err)
		}
		if err := tracetest.Identities(want, b); err != nil {
			t.Fatal(err)
		}
	}
	if s.Len() == 0 {
		return
	}
	objects, m := writeSet(t, s, opts)
	got := map[[32]byte]int{}
	for i := range readTraces(t, objects, s) {
		if err := tracetest.Identities(got, i); err != nil {
			t.Fatal(err)
		}
	}
	for id := range want {
		if got[id] != 1 {
			t.Fatalf("a span is there %d times of %d", got[id], want[id])
		}
	}
	if len(got) != len(want) || uint64(len(got)) != m.Rows || int(m.Rows+m.Duplicates) != s.Len() {
		t.Fatalf("%d spans, %d rows and %d duplicates, want %d of %d", len(got), m.Rows, m.Duplicates, len(want), s.Len())
	}
	if _, err := ParseMeta(objects[MetaObject]); err != nil {
		t.Fatal(err)
	}
}

// readTraces yields every trace of a block as OTLP.
func readTraces(t testing.TB, objects memory, s *columns.Set) func(yield func([]byte) bool) {
	t.Helper()
	ctx := context.Background()
	m, err := ParseMeta(objects[MetaObject])
	if err != nil {
		t.Fatal(err)
	}
	b, err := Open(ctx, objects, m, nil)
	if err != nil {
		t.Fatal(err)
	}
	parts, err := b.Parts(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return func(yield func([]byte) bool) {
		for _, id := range traceIDs(s) {
			var raw []byte
			found := 0
			for _, p := range parts {
				var has bool
				if raw, has, err = p.Fragment(ctx, raw, id); err != nil {
					t.Fatal(err)
				}
				if has {
					found++
				}
			}
			if found != 1 {
				t.Fatalf("trace %s is in %d parts", id, found)
			}
			if !yield(raw) {
				return
			}
		}
	}
}

// FuzzRoundTrip makes OTLP from a seed, with all that the protocol can carry,
// and puts it through a block.
func FuzzRoundTrip(f *testing.F) {
	for seed := range uint64(shorter(40, 10)) {
		f.Add(seed, uint8(seed), uint8(seed*3), uint8(seed))
	}
	f.Fuzz(func(t *testing.T, seed uint64, rows, pageRows, rule uint8) {
		rng := rand.New(rand.NewPCG(seed, 1))
		gen := tracetest.New(rng, tracetest.Config{Traces: 1 + rng.IntN(8), Now: testEpoch})
		var requests [][]byte
		for range 1 + rng.IntN(10) {
			b := gen.Request()
			for range 1 + rng.IntN(8)/7 { // some twice
				requests = append(requests, b)
			}
		}
		opts := testOptions()
		opts.RowGroupRows, opts.PageRows, opts.shardTraces = 1+int(rows), 1+int(pageRows), 1+int(rule)
		opts.Promotion = []Promotion{DefaultPromotion(), {MaxColumns: 1000, MinShare: 1e-9}, {MaxColumns: 2, MinShare: 1e-9}, {MinShare: 2}}[rule%4]
		roundTrip(t, requests, opts)
	})
}

// oddSpans are what must survive, by name; each changes one span of a trace.
func oddSpans() map[string]func(sp ptrace.Span) {
	value := func(set func(v pcommon.Value)) func(ptrace.Span) {
		return func(sp ptrace.Span) { set(sp.Attributes().PutEmpty("k")) }
	}
	deep := func(v pcommon.Value) {
		for range 18 {
			v = v.SetEmptySlice().AppendEmpty()
			v = v.SetEmptyMap().PutEmpty("k")
		}
		v.SetStr("bottom")
	}
	times := func(start, end uint64) func(ptrace.Span) {
		return func(sp ptrace.Span) {
			sp.SetStartTimestamp(pcommon.Timestamp(start))
			sp.SetEndTimestamp(pcommon.Timestamp(end))
		}
	}
	return map[string]func(sp ptrace.Span){
		"empty value":   value(func(pcommon.Value) {}),
		"string":        value(func(v pcommon.Value) { v.SetStr("v") }),
		"empty string":  value(func(v pcommon.Value) { v.SetStr("") }),
		"no UTF-8":      value(func(v pcommon.Value) { v.SetStr("\xff\x00") }),
		"large string":  value(func(v pcommon.Value) { v.SetStr(strings.Repeat("x", 3<<20)) }),
		"bool":          value(func(v pcommon.Value) { v.SetBool(true) }),
		"false":         value(func(v pcommon.Value) { v.SetBool(false) }),
		"int":           value(func(v pcommon.Value) { v.SetInt(math.MinInt64) }),
		"zero":          value(func(v pcommon.Value) { v.SetInt(0) }),
		"double":        value(func(v pcommon.Value) { v.SetDouble(math.NaN()) }),
		"minus zero":    value(func(v pcommon.Value) { v.SetDouble(math.Copysign(0, -1)) }),
		"bytes":         value(func(v pcommon.Value) { v.SetEmptyBytes().FromRaw([]byte{0, 255}) }),
		"no bytes":      value(func(v pcommon.Value) { v.SetEmptyBytes() }),
		"array":         value(func(v pcommon.Value) { v.SetEmptySlice().AppendEmpty().SetInt(1) }),
		"empty array":   value(func(v pcommon.Value) { v.SetEmptySlice() }),
		"map":           value(func(v pcommon.Value) { v.SetEmptyMap().PutStr("", "") }),
		"empty map":     value(func(v pcommon.Value) { v.SetEmptyMap() }),
		"nested deeply": value(deep),
		"empty key":     func(sp ptrace.Span) { sp.Attributes().PutStr("", "x") },
		"many keys":     manyKeys,
		"trace state":   func(sp ptrace.Span) { sp.TraceState().FromRaw("a=b,c=d") },
		"flags":         func(sp ptrace.Span) { sp.SetFlags(math.MaxUint32) },
		"dropped counts": func(sp ptrace.Span) {
			sp.SetDroppedAttributesCount(1)
			sp.SetDroppedEventsCount(2)
			sp.SetDroppedLinksCount(3)
		},
		"unknown kind":     func(sp ptrace.Span) { sp.SetKind(77) },
		"unknown status":   func(sp ptrace.Span) { sp.Status().SetCode(-5) },
		"status message":   func(sp ptrace.Span) { sp.Status().SetMessage("boom") },
		"no name":          func(sp ptrace.Span) { sp.SetName("") },
		"zero times":       times(0, 0),
		"no end":           times(testEpoch, 0),
		"inverted":         times(testEpoch+5, testEpoch),
		"end of time":      times(math.MaxUint64, math.MaxUint64),
		"inverted end":     times(math.MaxUint64, 0),
		"own parent":       func(sp ptrace.Span) { sp.SetParentSpanID(sp.SpanID()) },
		"parent is child":  func(sp ptrace.Span) { sp.SetParentSpanID(pcommon.SpanID{7: 3}) },
		"lost parent":      func(sp ptrace.Span) { sp.SetParentSpanID(pcommon.SpanID{9, 9}) },
		"shared span ID":   func(sp ptrace.Span) { sp.SetSpanID(pcommon.SpanID{7: 1}) },
		"shared, server":   func(sp ptrace.Span) { sp.SetSpanID(pcommon.SpanID{7: 1}); sp.SetKind(ptrace.SpanKindServer) },
		"event":            oddEvent,
		"link":             oddLink,
		"trace of 64 bits": func(sp ptrace.Span) { sp.SetTraceID(pcommon.TraceID{15: 9}) },
		"other trace":      func(sp ptrace.Span) { sp.SetTraceID(pcommon.TraceID{0: 255}) },
		"nothing but IDs": func(sp ptrace.Span) {
			id, s := sp.TraceID(), sp.SpanID()
			ptrace.NewSpan().CopyTo(sp)
			sp.SetTraceID(id)
			sp.SetSpanID(s)
		},
		"another type of it": func(sp ptrace.Span) { sp.Attributes().PutInt("both", 1) },
	}
}

func manyKeys(sp ptrace.Span) {
	for i := range 300 {
		sp.Attributes().PutStr(fmt.Sprintf("key.%d", i), "v")
	}
}

func oddEvent(sp ptrace.Span) {
	for range 3 {
		e := sp.Events().AppendEmpty()
		e.SetName("exception")
		e.SetTimestamp(math.MaxUint64)
		e.SetDroppedAttributesCount(4)
		e.Attributes().PutEmptyMap("m").PutEmptySlice("s").AppendEmpty().SetEmptyBytes().FromRaw([]byte{0})
	}
}

func oddLink(sp ptrace.Span) {
	for range 2 {
		l := sp.Links().AppendEmpty()
		l.SetTraceID(pcommon.TraceID{1})
		l.SetSpanID(pcommon.SpanID{2})
		l.TraceState().FromRaw("x=y")
		l.SetFlags(0x301)
		l.SetDroppedAttributesCount(5)
		l.Attributes().PutEmpty("nothing")
	}
}

// oddRequest is a trace of three spans of which the second is changed.
func oddRequest(t testing.TB, id byte, change func(ptrace.Span)) []byte {
	t.Helper()
	td := ptrace.NewTraces()
	rs := td.ResourceSpans().AppendEmpty()
	rs.SetSchemaUrl("https://example.test/1")
	rs.Resource().Attributes().PutStr("service.name", "shop")
	rs.Resource().SetDroppedAttributesCount(6)
	ss := rs.ScopeSpans().AppendEmpty()
	ss.SetSchemaUrl("https://example.test/2")
	ss.Scope().SetName("lib")
	ss.Scope().SetVersion("1")
	ss.Scope().SetDroppedAttributesCount(7)
	ss.Scope().Attributes().PutDouble("scoped", 1.5)
	for i := range 3 {
		sp := ss.Spans().AppendEmpty()
		sp.SetTraceID(pcommon.TraceID{0: 1, 15: id})
		sp.SetSpanID(pcommon.SpanID{7: byte(i + 1)})
		if i > 0 {
			sp.SetParentSpanID(pcommon.SpanID{7: byte(i)})
		}
		sp.SetName("op")
		sp.SetKind(ptrace.SpanKindClient)
		sp.SetStartTimestamp(pcommon.Timestamp(testEpoch + i))
		sp.SetEndTimestamp(pcommon.Timestamp(testEpoch + 10))
		sp.Attributes().PutStr("both", "text")
		if i == 1 {
			change(sp)
		}
	}
	b, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(td)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// rawAttributes is a request whose span has its attributes twice: the same keys
// again, with the same and with other values. No client library makes such.
func rawAttributes(t testing.TB) []byte {
	t.Helper()
	once := oddRequest(t, 200, func(sp ptrace.Span) { sp.Attributes().PutInt("n", 1) })
	other := oddRequest(t, 200, func(sp ptrace.Span) { sp.Attributes().PutStr("n", "two"); sp.Attributes().PutStr("both", "second") })
	// Spans of one message merge when their fields follow each other.
	a, b := spansOf(t, once), spansOf(t, other)
	var e encoder
	e.b = append(e.b, 2<<3|2)
	e.bytes(append(append(bytes.Clone(a[1]), a[1]...), b[1]...))
	scope := encoder{b: []byte{2<<3 | 2}}
	scope.bytes(e.b)
	resource := encoder{b: []byte{1<<3 | 2}}
	resource.bytes(scope.b)
	return resource.b
}

// spansOf returns the bodies of the spans of a request with one scope.
func spansOf(t testing.TB, b []byte) (out [][]byte) {
	t.Helper()
	for _, want := range []uint32{1, 2} {
		_, b = fieldOf(t, b, want)
	}
	for len(b) > 0 {
		var span []byte
		if b, span = fieldOf(t, b, 2); span == nil {
			return out
		}
		out = append(out, span)
	}
	return out
}

// fieldOf returns the first field num of a message, and what follows it.
func fieldOf(t testing.TB, b []byte, num uint32) (rest, data []byte) {
	t.Helper()
	p := parser{b: b}
	for len(p.b) > 0 && !p.bad {
		switch tag := p.uvarint(); tag & 7 {
		case 2:
			if d := p.bytes(); uint32(tag>>3) == num {
				return p.b, d
			}
		case 0:
			p.uvarint()
		default:
			t.Fatalf("field %d of type %d", tag>>3, tag&7)
		}
	}
	return nil, nil
}

// TestRoundTrip puts every odd span through a block, alone and all together.
func TestRoundTrip(t *testing.T) {
	all := [][]byte{rawAttributes(t)}
	list := oddSpans()
	names := make([]string, 0, len(list))
	for name := range list {
		names = append(names, name)
	}
	slices.Sort(names)
	for i, name := range names {
		b := oddRequest(t, byte(i+1), list[name])
		all = append(all, b)
		t.Run(name, func(t *testing.T) { roundTrip(t, [][]byte{b, b}, testOptions()) })
	}
	t.Run("keys twice", func(t *testing.T) { roundTrip(t, all[:1], testOptions()) })
	for _, rows := range []int{1, 7, 1000} {
		opts := testOptions()
		opts.RowGroupRows, opts.PageRows, opts.shardTraces = rows, rows, 3
		roundTrip(t, all, opts)
	}
}
