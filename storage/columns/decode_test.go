package columns

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/clewtrace/clew/storage/trace"
)

// spansOf returns the Span messages of TracesData.
func spansOf(t testing.TB, b []byte) (out [][]byte) {
	t.Helper()
	kids := [][]byte{b}
	for _, num := range []uint32{1, 2, 2} {
		var next [][]byte
		for _, k := range kids {
			var err error
			if _, _, next, err = splitEnvelope(k, num, nil, next); err != nil {
				t.Fatal(err)
			}
		}
		kids = next
	}
	return kids
}

// envelope makes TracesData of spans, under one resource and scope.
func envelope(service string, spans ...[]byte) []byte {
	var ss []byte
	for _, s := range spans {
		ss = binary.AppendUvarint(append(ss, 2<<3|2), uint64(len(s)))
		ss = append(ss, s...)
	}
	kv := appendAnyValue(appendBytesField(nil, 1, []byte("service.name")), String, 0, []byte(service))
	rs := appendBytesField(nil, 1, appendBytesField(nil, 1, kv))
	rs = binary.AppendUvarint(append(rs, 2<<3|2), uint64(len(ss)))
	rs = append(rs, ss...)
	return appendBytesField(nil, 1, rs)
}

// unusual writes a Span message the way no encoder does but protobuf allows:
// with tags that are longer than they must be. ok is false if b is no message.
func unusual(b []byte) (out []byte, ok bool) {
	for i := 0; i < len(b); {
		f, n := trace.NextField(b, i)
		if n < 0 {
			return nil, false
		}
		switch f.Num {
		case 1, 2, 4, 5, 6, 7, 8, 9, 15, 16:
			out = longTag(out, f, b[i:n])
		default:
			out = append(out, b[i:n]...)
		}
		i = n
	}
	return out, true
}

// longTag appends a field with a tag of one byte more. field has it as it was.
func longTag(out []byte, f trace.Field, field []byte) []byte {
	_, old := binary.Uvarint(field)
	tag := binary.AppendUvarint(nil, uint64(f.Num)<<3|uint64(f.Wire))
	tag[len(tag)-1] |= 0x80
	return append(append(append(out, tag...), 0), field[old:]...)
}

// backwards writes a Span message as the Collector does: the last field first,
// in attributes too, but repeated fields in their order.
func backwards(b []byte) (out []byte, ok bool) {
	type field struct {
		num uint32
		raw []byte
	}
	var fields []field
	for i := 0; i < len(b); {
		f, n := trace.NextField(b, i)
		if n < 0 {
			return nil, false
		}
		raw := b[i:n]
		if f.Num == 9 && f.Wire == 2 {
			if kv, ok := backwards(f.Data); ok {
				raw = appendBytesField(nil, 9, kv)
			}
			if len(f.Data) == 0 {
				raw = b[i:n]
			}
		}
		fields = append(fields, field{f.Num, raw})
		i = n
	}
	slices.SortStableFunc(fields, func(a, b field) int { return int(b.num) - int(a.num) })
	for _, f := range fields {
		out = append(out, f.raw...)
	}
	return out, true
}

// rows writes out every span of s, in order of arrival.
func rows(s *Set) (out []string) {
	for r := range uint32(s.Len()) {
		row := s.Row(r)
		out = append(out, fmt.Sprintf("%x %q %x", s.TraceAt(row.Trace).ID, s.Op(row.Op).Service, s.appendSpanBytes(nil, row)))
	}
	return out
}

// sameDecoding appends spans in the usual and in an unusual encoding and fails
// if that makes any difference.
func sameDecoding(t *testing.T, spans [][]byte) {
	t.Helper()
	usual, other := New("usual", DefaultOptions()), New("other", DefaultOptions())
	for i, span := range spans {
		if i%3 == 0 {
			if b, ok := backwards(span); ok {
				span = b
			}
		}
		u, ok := unusual(span)
		if !ok {
			u = span
		}
		a, errA := usual.Append(envelope("shop", span), 1)
		b, errB := other.Append(envelope("shop", u), 1)
		if errA != nil || errB != nil || a.Spans != b.Spans || !maps.Equal(a.Rejected, b.Rejected) {
			t.Fatalf("span %x: %+v, %v; written otherwise %+v, %v", span, a, errA, b, errB)
		}
	}
	a, b := rows(usual), rows(other)
	for i := range a {
		if a[i] != b[i] {
			t.Fatalf("row %d\n%s\nwritten otherwise\n%s", i, a[i], b[i])
		}
	}
	for id, attr := range usual.attrs {
		n := uint64(0)
		for r := range uint32(usual.Len()) {
			for _, e := range usual.Shape(usual.Row(r).Shape).Attrs {
				if e.Attr == uint32(id) {
					n++
				}
			}
		}
		if got := usual.AttrCount(uint32(id)); got != n {
			t.Errorf("attribute %s (%s): counts %d values, has %d", attr.Key, attr.Type, got, n)
		}
	}
}

// randomSpans makes spans that resemble each other more or less: attributes
// come and go, change type, change place, repeat, and have values of all sizes.
func randomSpans(rng *rand.Rand, n int) [][]byte {
	field := func(b []byte, num byte, val []byte) []byte {
		return append(binary.AppendUvarint(append(b, num<<3|2), uint64(len(val))), val...)
	}
	keys := []string{"a", "http.route", "", "n", "user.id", strings.Repeat("k", 130), "flag"}
	var out [][]byte
	for range n {
		var b []byte
		b = field(b, 1, []byte{15: byte(1 + rng.IntN(5))})
		b = field(b, 2, []byte{1, 7: byte(rng.IntN(200))})
		if rng.IntN(3) > 0 {
			b = field(b, 4, []byte{2, 7: byte(rng.IntN(200))})
		}
		if rng.IntN(10) > 0 {
			b = field(b, 5, []byte(strings.Repeat("op", rng.IntN(3)+rng.IntN(2)*rng.IntN(2)*100)))
		}
		if rng.IntN(10) > 0 {
			b = binary.AppendUvarint(append(b, 6<<3), uint64(rng.IntN(3)+rng.IntN(2)*rng.IntN(2)*1000))
		}
		b = binary.LittleEndian.AppendUint64(append(b, 7<<3|1), rng.Uint64())
		b = binary.LittleEndian.AppendUint64(append(b, 8<<3|1), rng.Uint64())
		ks := slices.Clone(keys)
		if rng.IntN(4) == 0 {
			rng.Shuffle(len(ks), func(i, j int) { ks[i], ks[j] = ks[j], ks[i] })
		}
		for i, k := range ks {
			if rng.IntN(8) == 0 {
				continue
			}
			typ := ValueType(1 + i%6)
			if rng.IntN(10) == 0 {
				typ = ValueType(rng.IntN(7))
			}
			val := []byte(strings.Repeat("v", []int{0, 1, rng.IntN(300), 122, 123, 124, 125, 126, 127, 128}[rng.IntN(10)]))
			bits := uint64(rng.IntN(2))
			if typ != Bool {
				bits = rng.Uint64() >> rng.IntN(64)
			}
			if typ == Any {
				val = appendBytesField(nil, 5, appendBytesField(nil, 1, appendBytesField(nil, 1, val)))
			}
			for range 1 + rng.IntN(12)/11 {
				b = field(b, 9, appendAnyValue(appendBytesField(nil, 1, []byte(k)), typ, bits, val))
			}
		}
		switch rng.IntN(5) {
		case 0:
			b = append(b, 15<<3|2, 0)
		case 1:
			b = append(b, 15<<3|2, 2, 3<<3, 2)
		case 2:
			b = field(b, 15, append(appendBytesField(nil, 2, []byte("bad")), 3<<3, 1))
		}
		if rng.IntN(2) == 0 {
			b = binary.LittleEndian.AppendUint32(append(b, 0x85, 1), rng.Uint32())
		}
		out = append(out, b)
	}
	return out
}

func TestUsualEncodingIsOnlyFaster(t *testing.T) {
	sameDecoding(t, append(spansOf(t, marshal(t, odd())), spansOf(t, marshal(t, odd()))...))
	for round := range 30 {
		seed := rand.Uint64()
		rng := rand.New(rand.NewPCG(seed, uint64(round)))
		spans := randomSpans(rng, 200)
		for i := range spans { // some damaged
			if rng.IntN(5) == 0 {
				spans[i][rng.IntN(len(spans[i]))] ^= 1 << rng.IntN(8)
			}
		}
		sameDecoding(t, spans)
		if t.Failed() {
			t.Fatalf("seed %d, round %d", seed, round)
		}
	}
}

func FuzzSpan(f *testing.F) {
	for _, s := range append(spansOf(f, marshal(f, odd())), randomSpans(rand.New(rand.NewPCG(1, 2)), 20)...) {
		f.Add(s)
	}
	warm := randomSpans(rand.New(rand.NewPCG(3, 4)), 40)
	f.Fuzz(func(t *testing.T, span []byte) {
		sameDecoding(t, append(slices.Clone(warm), span, warm[0], span))
	})
}

// TestTemplatesAreBounded appends spans of which no two are alike.
func TestTemplatesAreBounded(t *testing.T) {
	s := New("test", DefaultOptions())
	rng := rand.New(rand.NewPCG(5, 6))
	var spans [][]byte
	for i := range 4 * maxTemplates {
		b := append([]byte{1<<3 | 2, 16}, bytes.Repeat([]byte{1}, 16)...)
		b = append(append(b, 2<<3|2, 8), binary.LittleEndian.AppendUint64(nil, uint64(i+1))...)
		b = appendBytesField(b, 5, []byte("op"+strconv.Itoa(i)))
		for range 10 {
			kv := appendAnyValue(appendBytesField(nil, 1, []byte("key"+strconv.Itoa(rng.IntN(200)))), String, 0, []byte("v"))
			b = appendBytesField(b, 9, kv)
		}
		spans = append(spans, b)
	}
	for range 3 {
		if res, err := s.Append(envelope("shop", spans...), 1); err != nil || res.Spans != len(spans) {
			t.Fatalf("%+v, %v", res, err)
		}
	}
	if n := s.dec.templates.n; n == 0 || n > maxTemplates {
		t.Errorf("%d templates", n)
	}
	if got := len(s.dec.templates.other.entries); got > maxEntries {
		t.Errorf("%d entries", got)
	}
	before := s.Bytes()
	if s.Seal(); s.Bytes() >= before || s.dec.templates.slots != nil {
		t.Error("a sealed Set keeps its templates")
	}
}

// TestUniqueValuesStopHashing has one column whose values never repeat and one
// whose values do, both with more codes than a column must have to be judged.
func TestUniqueValuesStopHashing(t *testing.T) {
	s := New("test", DefaultOptions())
	n := 0
	for range 4 {
		var spans [][]byte
		for range 2 * unhashedAfter {
			n++
			b := append([]byte{1<<3 | 2, 16}, bytes.Repeat([]byte{1}, 16)...)
			b = append(append(b, 2<<3|2, 8), binary.LittleEndian.AppendUint64(nil, uint64(n))...)
			b = appendBytesField(b, 5, []byte("op"))
			b = appendBytesField(b, 9, appendAnyValue(appendBytesField(nil, 1, []byte("unique")), String, 0, []byte(strconv.Itoa(n))))
			b = appendBytesField(b, 9, appendAnyValue(appendBytesField(nil, 1, []byte("few")), String, 0, []byte(strconv.Itoa(n/3%(unhashedAfter+3*unhashedEvery)))))
			spans = append(spans, b)
		}
		if _, err := s.Append(envelope("shop", spans...), 1); err != nil {
			t.Fatal(err)
		}
	}
	for _, a := range s.attrs {
		if a.Dict.Distinct() != (a.Key == "few") {
			t.Errorf("%s: equal values have equal codes: %v (%d codes)", a.Key, a.Dict.Distinct(), a.Dict.Len())
		}
	}
	out, _, err := s.Parts()[0].Fragment(context.Background(), nil, trace.ID(bytes.Repeat([]byte{1}, 16)))
	if err != nil {
		t.Fatal(err)
	}
	if got := len(spansOf(t, out)); got != 0 && got != n {
		t.Errorf("%d spans of %d", got, n)
	}
}

// traffic is a request of n spans of forty operations: per span three texts
// that do not change, two that do, a number and an identifier.
func traffic(n, seed int) []byte {
	rng := rand.New(rand.NewPCG(7, uint64(seed)))
	td := ptrace.NewTraces()
	rs := td.ResourceSpans().AppendEmpty()
	rs.Resource().Attributes().PutStr("service.name", "shop")
	ss := rs.ScopeSpans().AppendEmpty()
	for range n {
		sp := ss.Spans().AppendEmpty()
		op := rng.IntN(40)
		var id pcommon.TraceID
		binary.LittleEndian.PutUint64(id[:], uint64(seed*n+rng.IntN(n/20+1)+1)*0x9E3779B97F4A7C15)
		sp.SetTraceID(id)
		var spanID pcommon.SpanID
		binary.LittleEndian.PutUint64(spanID[:], rng.Uint64()|1)
		sp.SetSpanID(spanID)
		sp.SetParentSpanID(spanID)
		sp.SetName("operation " + strconv.Itoa(op))
		sp.SetKind(ptrace.SpanKind(1 + op%3))
		sp.SetStartTimestamp(pcommon.Timestamp(1e18 + rng.Int64N(1e12)))
		sp.SetEndTimestamp(sp.StartTimestamp() + pcommon.Timestamp(rng.Int64N(1e9)))
		a := sp.Attributes()
		a.PutStr("rpc.system", "grpc")
		a.PutStr("rpc.service", "shop.Service"+strconv.Itoa(op%8))
		a.PutStr("server.address", "host-"+strconv.Itoa(op%8)+".example.test")
		a.PutInt("server.port", 8080)
		a.PutStr("network.peer.address", "10.0.0."+strconv.Itoa(rng.IntN(200)))
		a.PutInt("network.peer.port", rng.Int64N(60000))
		a.PutStr("user.id", "user-"+strconv.Itoa(rng.IntN(5000)))
		if rng.IntN(4) == 0 {
			a.PutStr("request.id", strconv.FormatUint(rng.Uint64(), 36))
		}
		sp.SetFlags(0x101)
	}
	b, _ := (&ptrace.ProtoMarshaler{}).MarshalTraces(td)
	return b
}

// BenchmarkAppend decodes what the Collector sends, which is written backwards,
// and what nearly all else does.
func BenchmarkAppend(b *testing.B) {
	const spans, requests = 500, 400
	var reqs [2][][]byte
	for i := range requests {
		reqs[0] = append(reqs[0], traffic(spans, i))
		var td tracepb.TracesData
		if err := proto.Unmarshal(reqs[0][i], &td); err != nil {
			b.Fatal(err)
		}
		m, err := proto.Marshal(&td)
		if err != nil {
			b.Fatal(err)
		}
		reqs[1] = append(reqs[1], m)
	}
	for i, name := range []string{"Collector", "SDK"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			var s *Set
			for b.Loop() {
				s = New("bench", DefaultOptions())
				for _, r := range reqs[i] {
					if _, err := s.Append(r, 1); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/(spans*requests), "ns/span")
			b.ReportMetric(float64(s.Bytes())/(spans*requests), "B/span")
		})
	}
}
