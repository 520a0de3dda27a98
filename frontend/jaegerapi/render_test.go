package jaegerapi

import (
	"bytes"
	"fmt"
	"io"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/clewtrace/clew/frontend/jsonenc"
	"github.com/clewtrace/clew/storage/trace"
)

func render(t *trace.Trace, raw bool) []byte {
	var b bytes.Buffer
	e := encoder{jsonenc.New(&b)}
	e.trace(t, raw, "")
	e.Close()
	return b.Bytes()
}

func TestSkewOf(t *testing.T) {
	for _, tc := range []struct {
		name                     string
		start, end, pStart, pEnd uint64
		want                     time.Duration
	}{
		{"within", 2, 8, 0, 10, 0},
		{"same", 0, 10, 0, 10, 0},
		{"before its parent", 0, 4, 10, 20, 13},
		{"after its parent", 30, 34, 10, 20, -17},
		{"over the end", 8, 12, 0, 10, -5},
		{"longer, begins later", 12, 50, 10, 20, 0},
		{"longer, begins before", 5, 50, 10, 20, 5},
	} {
		got := skewOf(&trace.Span{Start: tc.start, End: tc.end}, &trace.Span{Start: tc.pStart, End: tc.pEnd})
		if got != tc.want {
			t.Errorf("%s: got %d, want %d", tc.name, got, tc.want)
		}
	}
}

// fragment is a trace of n spans as they are in practice.
func fragment(n int, id byte) []byte {
	td := ptrace.NewTraces()
	for s := range 4 {
		rs := td.ResourceSpans().AppendEmpty()
		for k, v := range map[string]string{"service.name": fmt.Sprint("service-", s), "host.name": fmt.Sprint("host-", s), "telemetry.sdk.language": "go"} {
			rs.Resource().Attributes().PutStr(k, v)
		}
		ss := rs.ScopeSpans().AppendEmpty()
		ss.Scope().SetName("otelhttp")
		for i := s; i < n; i += 4 {
			sp := ss.Spans().AppendEmpty()
			sp.SetTraceID(pcommon.TraceID{15: id})
			sp.SetSpanID(pcommon.SpanID{5: byte(i >> 16), 6: byte(i >> 8), 7: byte(i), 0: 1})
			if i > 0 {
				p := i / 2
				sp.SetParentSpanID(pcommon.SpanID{5: byte(p >> 16), 6: byte(p >> 8), 7: byte(p), 0: 1})
			}
			sp.SetName("GET /api/things")
			sp.SetKind(ptrace.SpanKindServer)
			sp.SetStartTimestamp(pcommon.Timestamp(1e18 + i*1000))
			sp.SetEndTimestamp(pcommon.Timestamp(1e18 + 100e6 - i*1000)) // within its parent
			sp.Attributes().PutStr("http.request.method", "GET")
			sp.Attributes().PutStr("url.path", "/api/things/17")
			sp.Attributes().PutInt("http.response.status_code", 200)
			sp.Attributes().PutStr("server.address", "127.0.0.1")
			sp.Attributes().PutInt("server.port", 8080)
			if i%10 == 0 {
				ev := sp.Events().AppendEmpty()
				ev.SetName("cache miss")
				ev.Attributes().PutStr("key", "thing-17")
			}
		}
	}
	b, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(td)
	if err != nil {
		panic(err)
	}
	return b
}

// BenchmarkTraces is a page of Jaeger's search: whole traces from fragments to
// JSON, decoding included.
func BenchmarkTraces(b *testing.B) {
	for _, c := range []struct{ traces, spans int }{{20, 20}, {20, 50}, {1, 14000}} {
		b.Run(fmt.Sprintf("traces=%d/spans=%d", c.traces, c.spans), func(b *testing.B) {
			var frags [][]byte
			for i := range c.traces {
				frags = append(frags, fragment(c.spans, byte(i+1)))
			}
			b.ReportAllocs()
			for b.Loop() {
				e := encoder{jsonenc.New(io.Discard)}
				e.Array()
				for _, f := range frags {
					t, err := trace.Assemble(f)
					if err != nil {
						b.Fatal(err)
					}
					e.trace(t, false, "")
				}
				e.EndArray()
				e.Close()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*c.traces*c.spans), "ns/span")
		})
	}
}
