package otlpwire

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	collectortrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/clewtrace/clew/storage/trace"
)

// request has spans of many traces under several resources and scopes; every
// bad-th span has a zero span ID.
func request(spans, bad int) []byte {
	td := ptrace.NewTraces()
	n := 0
	for r := range 3 {
		rs := td.ResourceSpans().AppendEmpty()
		rs.SetSchemaUrl("https://example.test/1")
		rs.Resource().Attributes().PutStr("service.name", string(rune('a'+r)))
		for range 2 {
			ss := rs.ScopeSpans().AppendEmpty()
			ss.Scope().SetName("lib")
			for range spans / 6 {
				n++
				sp := ss.Spans().AppendEmpty()
				sp.SetTraceID(pcommon.TraceID{1, byte(n / 10)})
				if bad == 0 || n%bad != 0 {
					sp.SetSpanID(pcommon.SpanID{byte(n), byte(n >> 8), 1})
				}
				sp.SetName("operation")
				sp.SetStartTimestamp(pcommon.Timestamp(n))
				for _, k := range []string{"http.method", "http.route", "net.peer", "user.id", "k8s.pod.name", "db.statement", "rpc.method", "thread.name"} {
					sp.Attributes().PutStr(k, "some value of "+k)
				}
			}
		}
	}
	b, _ := ptraceotlp.NewExportRequestFromTraces(td).MarshalProto()
	return b
}

func decode(t testing.TB, b []byte) ptrace.Traces {
	t.Helper()
	td, err := (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(b)
	if err != nil {
		t.Fatal(err)
	}
	return td
}

func TestSplitOneGroup(t *testing.T) {
	req := request(60, 0)
	res, err := new(Splitter).Split(req, 1, nil)
	if err != nil || res.Rejected != nil || res.Parts[0].Spans != 60 {
		t.Fatalf("%+v, %v", res, err)
	}
	if &res.Parts[0].Payload[0] != &req[0] {
		t.Error("a request that needs no change was copied")
	}
}

func TestSplitRefusesBadSpansAlone(t *testing.T) {
	res, err := new(Splitter).Split(request(60, 7), 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	if res.Rejected[ReasonSpanID] != 8 || res.Parts[0].Spans != 52 {
		t.Fatalf("%+v", res)
	}
	td := decode(t, res.Parts[0].Payload)
	if td.SpanCount() != 52 || td.ResourceSpans().At(0).SchemaUrl() != "https://example.test/1" {
		t.Errorf("%d spans", td.SpanCount())
	}
}

func TestSplitByGroup(t *testing.T) {
	req := request(120, 11)
	group := func(id trace.ID) int { return int(id[1]) % 3 }
	res, err := new(Splitter).Split(req, 3, group)
	if err != nil {
		t.Fatal(err)
	}
	total := 0
	for g, p := range res.Parts {
		td := decode(t, p.Payload)
		if td.SpanCount() != p.Spans {
			t.Errorf("group %d: %d spans, said %d", g, td.SpanCount(), p.Spans)
		}
		for _, rs := range td.ResourceSpans().All() {
			for _, ss := range rs.ScopeSpans().All() {
				if ss.Spans().Len() == 0 {
					t.Error("empty scope kept")
				}
				for _, sp := range ss.Spans().All() {
					if group(trace.ID(sp.TraceID())) != g {
						t.Fatalf("trace %s in group %d", sp.TraceID(), g)
					}
				}
			}
		}
		total += p.Spans
	}
	if total+res.Rejected[ReasonSpanID] != 120 {
		t.Errorf("%d spans kept, %v refused", total, res.Rejected)
	}
}

func TestSplitReasons(t *testing.T) {
	span := func(fields ...[]byte) []byte {
		return appendMessage(nil, 1, appendMessage(nil, 2, appendMessage(nil, 2, bytes.Join(fields, nil))))
	}
	id16, id8 := appendMessage(nil, 1, bytes.Repeat([]byte{1}, 16)), appendMessage(nil, 2, bytes.Repeat([]byte{2}, 8))
	for name, tc := range map[string]struct {
		req  []byte
		want string
	}{
		"good":            {span(id16, id8), ""},
		"8-byte trace ID": {span(appendMessage(nil, 1, []byte("12345678")), id8), ""},
		"no trace ID":     {span(id8), ReasonTraceID},
		"zero trace ID":   {span(appendMessage(nil, 1, make([]byte, 16)), id8), ReasonTraceID},
		"short trace ID":  {span(appendMessage(nil, 1, make([]byte, 5)), id8), ReasonTraceID},
		"no span ID":      {span(id16), ReasonSpanID},
		"zero span ID":    {span(id16, appendMessage(nil, 2, make([]byte, 8))), ReasonSpanID},
		"bad parent":      {span(id16, id8, appendMessage(nil, 4, []byte("abc"))), ReasonParentID},
		"broken span":     {span(id16, id8, []byte{0xff}), ReasonSpan},
		"times as varint": {span(id16, id8, []byte{7 << 3, 1}), ReasonSpan},
	} {
		res, err := new(Splitter).Split(tc.req, 1, nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if tc.want == "" && res.Parts[0].Spans != 1 || tc.want != "" && res.Rejected[tc.want] != 1 {
			t.Errorf("%s: %+v", name, res)
		}
	}
	if _, err := new(Splitter).Split([]byte{0x0a, 0x05, 0x01}, 1, nil); err == nil {
		t.Error("broken envelope accepted")
	}
}

// checkPlain is check without shortcuts.
func checkPlain(b []byte) (id trace.ID, reason string) {
	var haveTrace, haveSpan bool
	for i := 0; i < len(b); {
		f, n := trace.NextField(b, i)
		if n < 0 {
			return id, ReasonSpan
		}
		i = n
		switch f.Num {
		case 1:
			if id, haveTrace = trace.IDFromBytes(f.Data); !haveTrace {
				return id, ReasonTraceID
			}
		case 2:
			if haveSpan = len(f.Data) == 8 && !bytes.Equal(f.Data, make([]byte, 8)); !haveSpan {
				return id, ReasonSpanID
			}
		case 4:
			if f.Wire != 2 || len(f.Data) != 0 && len(f.Data) != 8 {
				return id, ReasonParentID
			}
		case 7, 8:
			if f.Wire != 1 {
				return id, ReasonSpan
			}
		}
	}
	switch {
	case !haveTrace:
		return id, ReasonTraceID
	case !haveSpan:
		return id, ReasonSpanID
	}
	return id, ""
}

// asSDK writes a request, which the Collector's encoder has written from the
// last field to the first, as nearly all others do.
func asSDK(t testing.TB, req []byte) []byte {
	t.Helper()
	var m collectortrace.ExportTraceServiceRequest
	if err := proto.Unmarshal(req, &m); err != nil {
		t.Fatal(err)
	}
	b, err := proto.Marshal(&m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func spansOf(b []byte) (out [][]byte) {
	for i := 0; i < len(b); {
		rs, n, _ := message(b, i, 1, "")
		for j := 0; j < len(rs); {
			ss, m, _ := message(rs, j, 2, "")
			for k := 0; k < len(ss); {
				span, o, _ := message(ss, k, 2, "")
				if k = o; span != nil {
					out = append(out, span)
				}
			}
			j = m
		}
		i = n
	}
	return out
}

func TestUsualEncodingIsOnlyFaster(t *testing.T) {
	seed := rand.Uint64()
	rng := rand.New(rand.NewPCG(seed, 0))
	req := request(60, 7)
	spans := append(spansOf(req), spansOf(asSDK(t, req))...)
	if len(spans) != 120 {
		t.Fatalf("%d spans", len(spans))
	}
	for range 500 {
		for _, span := range spans {
			b := bytes.Clone(span)
			switch rng.IntN(3) {
			case 0:
				b[rng.IntN(len(b))] ^= 1 << rng.IntN(8)
			case 1:
				b = b[:rng.IntN(len(b))]
			}
			id, reason := check(b)
			if wantID, want := checkPlain(b); reason != want || reason == "" && id != wantID {
				t.Fatalf("seed %d: span %x: %s %q, want %s %q", seed, b, id, reason, wantID, want)
			}
		}
	}
}

func FuzzSplit(f *testing.F) {
	f.Add(request(12, 0))
	f.Add(request(12, 5))
	f.Fuzz(func(t *testing.T, b []byte) {
		var s Splitter
		res, err := s.Split(b, 2, func(id trace.ID) int { return int(id[15] & 1) })
		if err != nil {
			return
		}
		for g, p := range res.Parts {
			if p.Spans == 0 {
				continue
			}
			again, err := new(Splitter).Split(p.Payload, 1, nil)
			if err != nil || again.Parts[0].Spans != p.Spans || again.Rejected != nil {
				t.Fatalf("group %d: %d spans became %+v, %v", g, p.Spans, again, err)
			}
		}
	})
}

func BenchmarkSplit(b *testing.B) {
	req := request(498, 0)
	for name, req := range map[string][]byte{"wire": req, "wire-SDK": asSDK(b, req)} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			var s Splitter
			for b.Loop() {
				if _, err := s.Split(req, 1, nil); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/498, "ns/span")
		})
	}
	b.Run("wire-3-groups", func(b *testing.B) {
		b.ReportAllocs()
		var s Splitter
		for b.Loop() {
			if _, err := s.Split(req, 3, func(id trace.ID) int { return int(id[1]) % 3 }); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/498, "ns/span")
	})
	b.Run("pdata", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			r := ptraceotlp.NewExportRequest()
			if err := r.UnmarshalProto(req); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/498, "ns/span")
	})
}
