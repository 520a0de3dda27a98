package storage

import (
	"reflect"
	"testing"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/clewtrace/clew/storage/trace"
)

func TestSummarize(t *testing.T) {
	td := ptrace.NewTraces()
	add := func(service, name string, id, parent byte, start, end uint64, err bool) {
		rs := td.ResourceSpans().AppendEmpty()
		if service != "" {
			rs.Resource().Attributes().PutStr("service.name", service)
		}
		sp := rs.ScopeSpans().AppendEmpty().Spans().AppendEmpty()
		sp.SetTraceID(pcommon.TraceID{15: 1})
		sp.SetSpanID(pcommon.SpanID{7: id})
		sp.SetParentSpanID(pcommon.SpanID{7: parent})
		sp.SetName(name)
		sp.SetStartTimestamp(pcommon.Timestamp(start))
		sp.SetEndTimestamp(pcommon.Timestamp(end))
		if err {
			sp.Status().SetCode(ptrace.StatusCodeError)
		}
	}
	summary := func() Summary {
		b, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(td)
		if err != nil {
			t.Fatal(err)
		}
		tr, err := trace.Assemble(b, b)
		if err != nil {
			t.Fatal(err)
		}
		return Summarize(tr)
	}

	add("b", "orphan", 3, 9, 5, 99, true)
	add("", "child", 4, 3, 60, 70, false)
	want := Summary{ID: trace.ID{15: 1}, Start: 5, End: 99, Spans: 2, Errors: 1, Orphans: 1,
		Services: []ServiceCount{{"b", 1, 1}, {trace.UnknownService, 1, 0}}}
	if got := summary(); !reflect.DeepEqual(got, want) {
		t.Errorf("without a root:\ngot  %+v\nwant %+v", got, want)
	}

	add("a", "second root", 2, 0, 10, 20, true)
	add("a", "root", 1, 0, 10, 30, false)
	want = Summary{ID: trace.ID{15: 1}, Start: 5, End: 99, Spans: 4, Errors: 2, Orphans: 1,
		HasRoot: true, RootService: "a", RootName: "root",
		Services: []ServiceCount{{"a", 2, 1}, {"b", 1, 1}, {trace.UnknownService, 1, 0}}}
	if got := summary(); !reflect.DeepEqual(got, want) {
		t.Errorf("with two roots:\ngot  %+v\nwant %+v", got, want)
	}
}
