package trace

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"

	"go.opentelemetry.io/collector/pdata/ptrace"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

func kv(key string, value ...byte) []byte {
	return append(field(1, []byte(key)), field(2, value)...)
}

func text(s string) []byte { return field(1, []byte(s)) }

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

func TestIdentity(t *testing.T) {
	a, b := field(9, kv("a", text("1")...)), field(9, kv("b", text("2")...))
	deep := func(leaf []byte, n int) []byte {
		for range n {
			leaf = field(5, field(1, leaf))
		}
		return field(9, kv("k", leaf...))
	}
	mapOf := func(items ...[]byte) []byte { return field(9, kv("m", field(6, items...)...)) }
	type content struct{ resource, scope, span []byte }
	span := func(parts ...[]byte) content { return content{span: join(parts...)} }
	for _, tc := range []struct {
		name string
		x, y content
		same bool
	}{
		{"order of attributes", span(a, b), span(b, a), true},
		{"order of fields", span(a, text("t")), span(text("t"), a), true},
		{"number of equal attributes", span(a), span(a, a), false},
		{"duplicate key, order", span(a, field(9, kv("a"))), span(field(9, kv("a")), a), true},
		{"other value", span(a), span(field(9, kv("a", text("2")...))), false},
		{"other type", span(field(9, kv("a", 3<<3, 1))), span(field(9, kv("a", 2<<3, 1))), false},
		{"map order", span(mapOf(field(1, kv("a")), field(1, kv("b")))), span(mapOf(field(1, kv("b")), field(1, kv("a")))), true},
		{"array order", span(field(9, kv("k", field(5, field(1, text("a")), field(1, text("b")))...))),
			span(field(9, kv("k", field(5, field(1, text("b")), field(1, text("a")))...))), false},
		{"empty string and no value", span(field(9, kv("a", text("")...))), span(field(9, kv("a"))), false},
		{"no value and empty value", span(field(9, field(1, []byte("a")))), span(field(9, kv("a"))), true},
		{"zero int is a value", span(field(9, kv("a", 3<<3, 0))), span(field(9, kv("a"))), false},
		{"later member of the oneof", span(field(9, kv("a", join(text("x"), []byte{3 << 3, 1})...))), span(field(9, kv("a", 3<<3, 1))), true},
		{"zero number", span([]byte{10 << 3, 0}), span(), true},
		{"zero start", span(append([]byte{7<<3 | 1}, make([]byte, 8)...)), span(), true},
		{"last number counts", span([]byte{6 << 3, 1, 6 << 3, 2}), span([]byte{6 << 3, 2}), true},
		{"long varint", span([]byte{6 << 3, 0x82, 0}), span([]byte{6 << 3, 2}), true},
		{"minus zero", span(field(9, kv("a", 4<<3|1, 0, 0, 0, 0, 0, 0, 0, 0x80))), span(field(9, kv("a", 4<<3|1, 0, 0, 0, 0, 0, 0, 0, 0))), false},
		{"zero parent", span(field(4, make([]byte, 8))), span(), true},
		{"8-byte trace ID", span(field(1, []byte("12345678"))), span(field(1, make([]byte, 8), []byte("12345678"))), true},
		{"8-byte trace ID of a link", span(field(13, field(1, []byte("12345678")))), span(field(13, field(1, make([]byte, 8), []byte("12345678")))), true},
		{"empty status", span(field(15)), span(), true},
		{"status in two parts", span(field(15, field(2, []byte("m"))), field(15, []byte{3 << 3, 2})), span(field(15, field(2, []byte("m")), []byte{3 << 3, 2})), true},
		{"empty event counts", span(field(11)), span(), false},
		{"order of events", span(field(11, field(2, []byte("a"))), field(11)), span(field(11), field(11, field(2, []byte("a")))), false},
		{"attributes of an event", span(field(11, field(3, kv("a")), field(3, kv("b")))), span(field(11, field(3, kv("b")), field(3, kv("a")))), true},
		{"unknown fields, order", span([]byte{17<<3&0x7f | 0x80, 1, 1}, field(14)), span(field(14), []byte{17<<3&0x7f | 0x80, 1, 1}), true},
		{"unknown field counts", span([]byte{17<<3&0x7f | 0x80, 1, 1}), span(), false},
		{"wrong wire type counts", span(field(6, []byte{1})), span(), false},
		{"damaged attribute", span(field(9, []byte{0xff})), span(field(9, []byte{0xfe})), false},
		{"64 deep", span(deep(kv("", 0), 60)), span(deep(kv("", 0), 60)), true},
		{"too deep: by bytes", span(deep(field(6, field(1, kv("a")), field(1, kv("b"))), 70)), span(deep(field(6, field(1, kv("b")), field(1, kv("a"))), 70)), false},
		{"not too deep", span(deep(field(6, field(1, kv("a")), field(1, kv("b"))), 60)), span(deep(field(6, field(1, kv("b")), field(1, kv("a"))), 60)), true},
		{"empty resource", content{resource: field(1)}, content{}, true},
		{"empty scope", content{scope: field(1, field(1))}, content{}, true},
		{"resource is not scope", content{resource: field(3, []byte("u"))}, content{scope: field(3, []byte("u"))}, false},
		{"children are passed over", content{resource: join(field(3, []byte("u")), field(2, []byte("x")))}, content{resource: field(3, []byte("u"))}, true},
		{"entity refs", content{resource: field(1, field(3, field(3, []byte("a")), field(3, []byte("b"))))}, content{resource: field(1, field(3, field(3, []byte("b")), field(3, []byte("a"))))}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			x, err := Identity(tc.x.resource, tc.x.scope, tc.x.span)
			if err != nil {
				t.Fatal(err)
			}
			y, err := Identity(tc.y.resource, tc.y.scope, tc.y.span)
			if err != nil {
				t.Fatal(err)
			}
			if (x == y) != tc.same {
				t.Errorf("equal: %v, want %v", x == y, tc.same)
			}
		})
	}
}

func TestIdentityError(t *testing.T) {
	_, err := Identity(nil, nil, []byte{9<<3 | 2, 5, 1})
	if err == nil || !strings.Contains(err.Error(), "Span of 3 bytes: damaged at byte 0") {
		t.Errorf("got error %v", err)
	}
}

// What decoders keep has the same identity as what they were given.
func checkReencoded(t *testing.T, span []byte) {
	t.Helper()
	want, err := Identity(nil, nil, span)
	if err != nil {
		return
	}
	var m, known tracepb.Span
	if (proto.UnmarshalOptions{RecursionLimit: 60}).Unmarshal(span, &m) != nil {
		return
	}
	if (proto.UnmarshalOptions{RecursionLimit: 60, DiscardUnknown: true}).Unmarshal(span, &known) != nil || proto.Size(&known) != proto.Size(&m) {
		return // unknown fields may be groups, and those protobuf knows and NextField does not
	}
	again, err := proto.Marshal(&m)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := Identity(nil, nil, again); err != nil || got != want {
		t.Fatalf("another identity after protobuf (%v):\n%x\n%x", err, span, again)
	}
}

func TestIdentityOutlivesCodecs(t *testing.T) {
	rng := seeded(t)
	for range 2000 {
		sp := ptrace.NewTraces().ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty()
		randomSpan(rng, sp)
		td := ptrace.NewTraces()
		sp.CopyTo(td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty())
		tr := mustAssemble(t, marshal(t, td))
		checkReencoded(t, tr.Spans[0].Raw)
		again := mustAssemble(t, marshal(t, tr.Data()))
		a, _ := Identity(nil, nil, tr.Spans[0].Raw)
		if b, _ := Identity(nil, nil, again.Spans[0].Raw); a != b {
			t.Fatal("another identity after pdata")
		}
	}
}

func FuzzIdentity(f *testing.F) {
	rng := rand.New(rand.NewPCG(1, 1))
	for range 20 {
		tr := mustAssemble(f, marshal(f, randomTrace(rng)))
		for i := range tr.spans() {
			f.Add(tr.Resources[0].Raw, tr.Scopes[0].Raw, tr.Spans[i].Raw)
		}
	}
	f.Fuzz(func(t *testing.T, resource, scope, span []byte) {
		Identity(resource, scope, span)
		checkReencoded(t, span)
	})
}

func (t *Trace) spans() []Span {
	if t == nil {
		return nil
	}
	return t.Spans
}

func BenchmarkIdentity(b *testing.B) {
	span := join(field(1, make([]byte, 15), []byte{1}), field(2, make([]byte, 7), []byte{1}), field(5, []byte("GET /things")))
	for _, k := range []string{"http.request.method", "url.path", "server.address", "network.peer.address", "user_agent.original"} {
		span = append(span, field(9, kv(k, text("some value of usual length")...))...)
	}
	res := field(1, field(1, kv("service.name", text("shop")...)))
	b.ReportAllocs()
	for b.Loop() {
		Identity(res, nil, span)
	}
}
