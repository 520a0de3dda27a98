package distributor

import (
	"strings"
	"testing"

	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"

	"github.com/clewtrace/clew/distributor/otlpwire"
)

// TestJSONSpansAlone holds JSON to what protobuf does: a span that cannot be
// read is left out alone; what is around the spans is refused, in words.
func TestJSONSpansAlone(t *testing.T) {
	good := `{"traceId":"0102030405060708090a0b0c0d0e0f10","spanId":"0102030405060708","name":"good","startTimeUnixNano":"1700000000000000001","attributes":[{"key":"n","value":{"intValue":"9007199254740993"}}]}`
	around := func(spans ...string) string {
		return `{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"a"}}]},"scopeSpans":[{"spans":[` + strings.Join(spans, ",") + `]}]}]}`
	}
	for _, c := range []struct {
		name, body    string
		spans, reject int
		err           string
	}{
		{"all good", around(good, good), 2, 0, ""},
		{"short trace ID", around(good, `{"traceId":"0102","spanId":"0102030405060708"}`, good), 2, 1, ""},
		{"no hexadecimal", around(`{"traceId":"zz02030405060708090a0b0c0d0e0f10","spanId":"0102030405060708"}`, good), 1, 1, ""},
		{"span ID of another length", around(good, `{"traceId":"0102030405060708090a0b0c0d0e0f10","spanId":"01"}`), 1, 1, ""},
		{"a span that is a number", around(`7`, good), 1, 1, ""},
		{"none good", around(`{"traceId":"01"}`), 0, 0, "length mismatch"},
		{"old names of fields", strings.NewReplacer("resourceSpans", "resource_spans", "scopeSpans", "scope_spans").Replace(around(good)), 1, 0, ""},
		{"no JSON", `{"resourceSpans":[`, 0, 0, "at byte"},
		{"no JSON at all", "\x8a", 0, 0, "invalid character"},
		{"spans are no list", `{"resourceSpans":[{"scopeSpans":[{"spans":7}]}]}`, 0, 0, "ReadArray"},
	} {
		b, refused, err := protoOfJSON([]byte(c.body))
		if (err != nil) != (c.err != "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: error %v; want %q", c.name, err, c.err)
			continue
		}
		if err != nil {
			continue
		}
		req := ptraceotlp.NewExportRequest()
		if err := req.UnmarshalProto(b); err != nil {
			t.Fatal(err)
		}
		if n := req.Traces().SpanCount(); n != c.spans || refused[otlpwire.ReasonSpan] != c.reject {
			t.Errorf("%s: %d spans, refused %v; want %d and %d", c.name, n, refused, c.spans, c.reject)
		}
		if c.spans > 0 && c.reject > 0 {
			sp := req.Traces().ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0)
			if v, _ := sp.Attributes().Get("n"); v.Int() != 9007199254740993 || sp.StartTimestamp() != 1700000000000000001 || sp.Name() != "good" {
				t.Errorf("%s: the good span changed: %v", c.name, sp.Attributes().AsRaw())
			}
		}
	}
}
