package trace

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// The whole does not depend on order, grouping or repetition of its parts.
func TestAssembleIsAFunctionOfTheSet(t *testing.T) {
	rng := seeded(t)
	for range 1000 {
		a, b, c := marshal(t, randomTrace(rng)), marshal(t, randomTrace(rng)), marshal(t, randomTrace(rng))
		whole := mustAssemble(t, a, b, c)
		want := wire(whole)
		ab, bc := wire(mustAssemble(t, a, b)), wire(mustAssemble(t, b, c))
		for i, parts := range [][][]byte{{c, b, a}, {b, a, c, a, b}, {append(bytes.Clone(c), a...), b}, {ab, c}, {a, bc}, {bc, ab}, {want}} {
			if got := wire(mustAssemble(t, parts...)); !bytes.Equal(got, want) {
				t.Fatalf("arrangement %d: another trace:\n%x\n%x", i, got, want)
			}
		}
		if whole != nil {
			checkTrace(t, whole)
		}
	}
}

func wire(t *Trace) []byte {
	if t == nil {
		return nil
	}
	return t.Wire()
}

// checkTrace checks what must hold for every Trace.
func checkTrace(t *testing.T, tr *Trace) {
	t.Helper()
	td := tr.Data()
	if td.SpanCount() != len(tr.Spans) {
		t.Fatalf("Data has %d spans, Spans %d", td.SpanCount(), len(tr.Spans))
	}
	seen := map[[32]byte]bool{}
	i := 0
	for _, rs := range td.ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			for _, sp := range ss.Spans().All() {
				s := &tr.Spans[i]
				if SpanID(sp.SpanID()) != s.ID || sp.Name() != s.Name() || uint64(sp.StartTimestamp()) != s.Start || int32(sp.Status().Code()) != s.Status {
					t.Fatalf("span %d of Data is not span %d", i, i)
				}
				if got := ServiceName(rs.Resource().Attributes()); got != tr.Service(s) {
					t.Fatalf("service %q, on the wire %q", got, tr.Service(s))
				}
				scope := tr.Scopes[s.Scope]
				id, err := Identity(tr.Resources[scope.Resource].Raw, scope.Raw, s.Raw)
				if err != nil {
					t.Fatal(err)
				}
				if seen[id] {
					t.Fatal("a span twice")
				}
				seen[id] = true
				i++
			}
		}
	}
	checkTree(t, tr)
}

func TestAssembleKeepsOneFormOfEqualSpans(t *testing.T) {
	id, sid := field(1, make([]byte, 15), []byte{1}), field(2, make([]byte, 7), []byte{1})
	x, y := field(9, kv("x")), field(9, kv("y"))
	res := func(parts ...[]byte) []byte { return field(1, join(parts...)) }
	span := func(parts ...[]byte) []byte { return field(2, field(2, join(id, sid), join(parts...))) }
	a := res(field(1, field(1, kv("p")), field(1, kv("q"))), span(x, y))
	b := res(field(1, field(1, kv("q")), field(1, kv("p"))), span(y, x))
	tr := mustAssemble(t, b, a)
	if len(tr.Spans) != 1 || len(tr.Resources) != 1 || len(tr.Scopes) != 1 {
		t.Fatalf("got %d spans, %d resources, %d scopes", len(tr.Spans), len(tr.Resources), len(tr.Scopes))
	}
	if !bytes.Equal(tr.Wire(), a) {
		t.Errorf("got  %x\nwant %x", tr.Wire(), a)
	}
}

func TestAssembleShortTraceID(t *testing.T) {
	long := field(1, field(2, field(2, field(1, make([]byte, 8), []byte("12345678")), field(2, []byte("abcdefgh")))))
	short := field(1, field(2, field(2, field(2, []byte("abcdefgh")), field(1, []byte("12345678")))))
	tr := mustAssemble(t, short, long)
	if len(tr.Spans) != 1 || tr.ID.String() != "00000000000000003132333435363738" {
		t.Fatalf("got %d spans of trace %s", len(tr.Spans), tr.ID)
	}
	if got := tr.Data().ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0).TraceID(); ID(got) != tr.ID {
		t.Errorf("decoded trace ID %s", got)
	}
}

func TestAssembleErrors(t *testing.T) {
	span := func(parts ...[]byte) []byte { return field(1, field(2, field(2, parts...))) }
	id, sid := field(1, make([]byte, 15), []byte{1}), field(2, []byte("abcdefgh"))
	for _, tc := range []struct {
		name string
		in   []byte
		want string
	}{
		{"not protobuf", []byte{0xff}, "fragment 1 of 1 bytes: not protobuf at byte 0"},
		{"span not protobuf", span(id, sid, []byte{0xff}), "span: not protobuf"},
		{"no trace ID", span(sid), "want 16 or 8 bytes"},
		{"odd span ID", span(id, field(2, []byte("abc"))), "span ID 616263: want 8 bytes"},
		{"odd parent", span(id, sid, field(4, []byte("abc"))), "parent span ID 616263"},
		{"two traces", span(sid, field(1, []byte("12345678"))), "belongs to trace"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if _, err := Assemble(span(id, sid), tc.in); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got error %v, want %q", err, tc.want)
			}
		})
	}
	if tr, err := Assemble(); tr != nil || err != nil {
		t.Errorf("nothing: got %v, %v", tr, err)
	}
}

// One odd part does not make a trace unreadable.
func TestDataOfDamagedParts(t *testing.T) {
	id := field(1, make([]byte, 15), []byte{1})
	fragment := field(1,
		field(1, field(1, kv("service.name", text("shop")...)), field(1, []byte{0xff})),
		field(2, field(1, []byte{0xff}),
			field(2, id, field(2, []byte("abcdefgh")), field(5, []byte("good")), field(9, kv("k", text("v")...))),
			field(2, id, field(2, []byte("bcdefghi")), field(5, []byte("bad")), []byte{6 << 3, 2}, field(9, []byte{0xff}))))
	tr := mustAssemble(t, fragment)
	rs := tr.Data().ResourceSpans().At(0)
	spans := rs.ScopeSpans().At(0).Spans()
	if got := ServiceName(rs.Resource().Attributes()); got != "shop" {
		t.Errorf("service %q", got)
	}
	if _, marked := spans.At(0).Attributes().Get(UndecodedAttribute); marked || spans.At(0).Attributes().Len() != 1 {
		t.Errorf("good span: %v", spans.At(0).Attributes().AsRaw())
	}
	if _, marked := spans.At(1).Attributes().Get(UndecodedAttribute); !marked || spans.At(1).Name() != "bad" || spans.At(1).Kind() != ptrace.SpanKindServer {
		t.Errorf("bad span: %q %v", spans.At(1).Name(), spans.At(1).Attributes().AsRaw())
	}
	if !bytes.Contains(tr.Wire(), []byte("bad")) {
		t.Error("lost on the wire")
	}
}

// Values as deep as Clew accepts them can be decoded by clients.
func TestDataOfDeepValues(t *testing.T) {
	v := text("leaf")
	for range 49 {
		v = field(5, field(1, v))
	}
	tr := mustAssemble(t, field(1, field(2, field(2, field(1, []byte("12345678")), field(2, []byte("abcdefgh")), field(9, kv("k", v...))))))
	if _, marked := tr.Data().ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0).Attributes().Get(UndecodedAttribute); marked {
		t.Error("49 arrays in each other cannot be decoded")
	}
}

func TestAssembleAll(t *testing.T) {
	rng := seeded(t)
	var parts [][]byte
	want := map[string][]byte{}
	for i := range 5 {
		td := randomTrace(rng)
		for _, rs := range td.ResourceSpans().All() {
			for _, ss := range rs.ScopeSpans().All() {
				for _, sp := range ss.Spans().All() {
					sp.SetTraceID(pcommon.TraceID{15: byte(i + 1)})
				}
			}
		}
		b := marshal(t, td)
		parts = append(parts, b)
		if tr := mustAssemble(t, b); tr != nil {
			want[tr.ID.String()] = tr.Wire()
		}
	}
	slices.Reverse(parts)
	got, err := AssembleAll(bytes.Join(parts, nil))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.IsSortedFunc(got, func(a, b *Trace) int { return strings.Compare(a.ID.String(), b.ID.String()) }) || len(got) != len(want) {
		t.Errorf("got %d traces, want %d in order", len(got), len(want))
	}
	for _, tr := range got {
		if !bytes.Equal(tr.Wire(), want[tr.ID.String()]) {
			t.Errorf("trace %s differs", tr.ID)
		}
	}
}

func TestServiceName(t *testing.T) {
	for _, tc := range []struct {
		name  string
		attrs [][]byte
		want  string
	}{
		{"usual", [][]byte{kv("service.name", text("shop")...)}, "shop"},
		{"first counts", [][]byte{kv("service.name", text("a")...), kv("service.name", text("b")...)}, "a"},
		{"first is empty", [][]byte{kv("service.name", text("")...), kv("service.name", text("b")...)}, UnknownService},
		{"no string", [][]byte{kv("service.name", 3<<3, 1)}, UnknownService},
		{"none", [][]byte{kv("x", text("b")...)}, UnknownService},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var res []byte
			for _, a := range tc.attrs {
				res = append(res, field(1, a)...)
			}
			raw := field(1, res)
			if got := ServiceNameFromResource(raw); got != tc.want {
				t.Errorf("on the wire: got %q, want %q", got, tc.want)
			}
			td, err := (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(field(1, raw))
			if err != nil {
				t.Fatal(err)
			}
			if got := ServiceName(td.ResourceSpans().At(0).Resource().Attributes()); got != tc.want {
				t.Errorf("decoded: got %q, want %q", got, tc.want)
			}
		})
	}
}

func FuzzAssemble(f *testing.F) {
	rng := rand.New(rand.NewPCG(1, 1))
	for range 20 {
		f.Add(marshal(f, randomTrace(rng)), marshal(f, randomTrace(rng)))
	}
	f.Fuzz(func(t *testing.T, a, b []byte) {
		AssembleAll(a, b)
		tr, err := Assemble(a, b)
		if err != nil || tr == nil {
			return
		}
		checkTrace(t, tr)
		if !bytes.Equal(mustAssemble(t, b, a).Wire(), tr.Wire()) {
			t.Fatal("order of fragments matters")
		}
		if !bytes.Equal(mustAssemble(t, tr.Wire(), a).Wire(), tr.Wire()) {
			t.Fatal("repetition matters")
		}
	})
}

func BenchmarkAssemble(b *testing.B) {
	for _, n := range []int{24, 1000, 14000} {
		for _, copies := range []int{1, 2} {
			b.Run(fmt.Sprintf("spans=%d/copies=%d", n, copies), func(b *testing.B) {
				rng := rand.New(rand.NewPCG(1, 1))
				td := ptrace.NewTraces()
				for s := range 4 {
					rs := td.ResourceSpans().AppendEmpty()
					rs.Resource().Attributes().PutStr("service.name", string(rune('a'+s)))
					ss := rs.ScopeSpans().AppendEmpty()
					for i := range n / 4 {
						sp := ss.Spans().AppendEmpty()
						randomSpan(rng, sp)
						sp.SetSpanID(pcommon.SpanID{1: byte(s), 6: byte(i >> 8), 7: byte(i), 0: 1})
						sp.SetName("operation")
						for _, k := range []string{"http.request.method", "url.path", "server.address"} {
							sp.Attributes().PutStr(k, "some value of usual length")
						}
					}
				}
				frag := marshal(b, td)
				frags := [][]byte{frag, frag}[:copies]
				b.ReportAllocs()
				for b.Loop() {
					mustAssemble(b, frags...)
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/span")
			})
		}
	}
}
