package columns

import (
	"bytes"
	"context"
	"testing"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/clewtrace/clew/storage/trace"
)

// odd builds a request with every kind of thing that OTLP carries.
func odd() ptrace.Traces {
	td := ptrace.NewTraces()
	rs := td.ResourceSpans().AppendEmpty()
	rs.SetSchemaUrl("https://example.test/schema/1")
	rs.Resource().Attributes().PutStr("service.name", "shop")
	rs.Resource().SetDroppedAttributesCount(3)
	ss := rs.ScopeSpans().AppendEmpty()
	ss.SetSchemaUrl("https://example.test/schema/2")
	ss.Scope().SetName("lib")
	ss.Scope().SetVersion("1.2")
	ss.Scope().Attributes().PutBool("scoped", true)
	for i := range 6 {
		sp := ss.Spans().AppendEmpty()
		sp.SetTraceID(pcommon.TraceID{15: byte(1 + i/3)})
		sp.SetSpanID(pcommon.SpanID{7: byte(i + 1)})
		if i%3 > 0 {
			sp.SetParentSpanID(pcommon.SpanID{7: byte(i)})
		}
		sp.SetName([]string{"", "get", "put"}[i%3])
		sp.SetKind(ptrace.SpanKind(i))
		sp.SetStartTimestamp(pcommon.Timestamp(1000 * uint64(i)))
		sp.SetEndTimestamp(pcommon.Timestamp(uint64(i) * 900)) // inverted
		sp.SetFlags(uint32(0x101 * i))
		sp.TraceState().FromRaw("a=b")
		sp.SetDroppedAttributesCount(uint32(i))
		sp.SetDroppedEventsCount(uint32(2 * i))
		sp.SetDroppedLinksCount(uint32(3 * i))
		a := sp.Attributes()
		a.PutStr("s", "v")
		a.PutStr("", "")
		a.PutInt("i", -5)
		a.PutDouble("d", 1.5)
		a.PutBool("b", i%2 == 0)
		a.PutEmptyBytes("bytes").FromRaw([]byte{0, 1, 2})
		a.PutEmpty("empty")
		l := a.PutEmptySlice("list")
		l.AppendEmpty().SetStr("x")
		l.AppendEmpty().SetEmptyMap().PutInt("deep", 1)
		a.PutEmptyMap("map").PutEmptySlice("in")
		if i == 4 {
			a.PutInt("s", 7) // another type under a known key
		}
		if i%2 == 0 {
			e := sp.Events().AppendEmpty()
			e.SetName("exception")
			e.SetTimestamp(77)
			e.Attributes().PutStr("exception.message", "boom")
			sp.Status().SetCode(ptrace.StatusCodeError)
			sp.Status().SetMessage("bad")
			k := sp.Links().AppendEmpty()
			k.SetTraceID(pcommon.TraceID{9})
			k.SetSpanID(pcommon.SpanID{9})
			k.Attributes().PutStr("why", "because")
		}
	}
	return td
}

func marshal(t testing.TB, td ptrace.Traces) []byte {
	t.Helper()
	b, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(td)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// identities returns the canonical identity of every span in b, counted.
func identities(t testing.TB, b []byte) map[[32]byte]int {
	t.Helper()
	out := map[[32]byte]int{}
	for i := 0; i < len(b); {
		f, n := trace.NextField(b, i)
		if n < 0 {
			t.Fatal("damaged TracesData")
		}
		res, _, _, err := splitEnvelope(f.Data, 2, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		res = bytes.Clone(res)
		for j := 0; j < len(f.Data); {
			g, m := trace.NextField(f.Data, j)
			if g.Num == 2 {
				scope, _, _, err := splitEnvelope(g.Data, 2, nil, nil)
				if err != nil {
					t.Fatal(err)
				}
				scope = bytes.Clone(scope)
				for k := 0; k < len(g.Data); {
					h, o := trace.NextField(g.Data, k)
					if h.Num == 2 {
						id, err := trace.Identity(res, scope, h.Data)
						if err != nil {
							t.Fatal(err)
						}
						out[id]++
					}
					k = o
				}
			}
			j = m
		}
		i = n
	}
	return out
}

func TestRoundTrip(t *testing.T) {
	in := marshal(t, odd())
	s := New("test", DefaultOptions())
	res, err := s.Append(in, 0)
	if err != nil || res.Spans != 6 || res.Rejected != nil {
		t.Fatalf("append: %+v, %v", res, err)
	}
	var out []byte
	for _, p := range s.Parts() {
		for n := range 3 {
			b, _, err := p.Fragment(context.Background(), nil, trace.ID{15: byte(n)})
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, b...)
		}
	}
	want, got := identities(t, in), identities(t, out)
	if len(want) != 6 {
		t.Fatalf("have %d distinct spans in the input", len(want))
	}
	for id, n := range want {
		if got[id] != n {
			t.Errorf("span %x: %d times in, %d out", id[:4], n, got[id])
		}
	}
	// Beside identity: byte for byte what pdata makes of it.
	td, err := (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(out)
	if err != nil {
		t.Fatal(err)
	}
	if td.SpanCount() != 6 {
		t.Errorf("got %d spans", td.SpanCount())
	}
	first := td.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0)
	if l, ok := first.Attributes().Get("list"); !ok || l.Slice().Len() != 2 {
		t.Errorf("list attribute: %v", first.Attributes().AsRaw())
	}
}

func TestOrder(t *testing.T) {
	s := New("test", DefaultOptions())
	in := marshal(t, odd())
	for range 2 { // pushed twice: counts once
		if _, err := s.Append(in, 0); err != nil {
			t.Fatal(err)
		}
	}
	s.Seal()
	o := s.Order()
	if len(o.Rows) != 6 || o.Duplicates != 6 || len(o.Traces) != 2 {
		t.Fatalf("order: %d rows, %d duplicates, %d traces", len(o.Rows), o.Duplicates, len(o.Traces))
	}
	for _, tr := range o.Traces {
		for k := tr.First; k < tr.First+tr.Rows; k++ {
			if o.Parent[k] > k {
				t.Errorf("position %d: parent %d does not stand before it", k, o.Parent[k]-1)
			}
		}
		if o.Subtree[tr.First] != 3 {
			t.Errorf("subtree of the root: %d", o.Subtree[tr.First])
		}
	}
}

func FuzzAppend(f *testing.F) {
	f.Add(marshal(f, odd()))
	f.Add([]byte{0x0a, 0x03, 0x12, 0x01, 0x00})
	f.Fuzz(func(t *testing.T, b []byte) {
		s := New("fuzz", DefaultOptions())
		res, _ := s.Append(b, 1)
		for i := range uint32(s.NumTraces()) {
			for _, p := range s.Parts() {
				out, _, err := p.Fragment(context.Background(), nil, s.TraceAt(i).ID)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(out); err != nil {
					t.Fatalf("what was accepted cannot be read back: %v", err)
				}
			}
		}
		s.Seal()
		if o := s.Order(); len(o.Rows)+o.Duplicates != res.Spans {
			t.Fatalf("%d rows and %d duplicates of %d spans", len(o.Rows), o.Duplicates, res.Spans)
		}
	})
}
