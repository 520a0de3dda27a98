package trace

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// UndecodedAttribute marks, in Data, a span, scope or resource of which a part
// is no OTLP; its value says what was left out.
const UndecodedAttribute = "clew.undecoded"

// Data returns the trace decoded: resources, scopes and spans in the order of
// the Trace. It is decoded at the first call and must not be written to.
//
// Fields that are unknown to this version of OTLP are in Wire only. A span that
// cannot be decoded keeps its IDs, name, kind, times and status code and gets
// UndecodedAttribute: one odd span does not make a trace unreadable.
func (t *Trace) Data() ptrace.Traces {
	t.decode.Do(func() {
		td, err := (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(t.Wire())
		if err != nil {
			td = t.decodeApart()
		}
		td.MarkReadOnly()
		t.data = td
	})
	return t.data
}

// decodeApart decodes what can be decoded, each part by itself.
func (t *Trace) decodeApart() ptrace.Traces {
	td := ptrace.NewTraces()
	for r := range t.Resources {
		res := &t.Resources[r]
		rs := td.ResourceSpans().AppendEmpty()
		if one, ok := decodeOne(appendMessageField(nil, 1, res.Raw)); ok {
			one.CopyTo(rs)
		} else {
			rs.Resource().Attributes().PutStr("service.name", res.Service)
			rs.Resource().Attributes().PutStr(UndecodedAttribute, "resource")
		}
		for s := res.First; s < res.End; s++ {
			t.decodeScope(&t.Scopes[s], rs.ScopeSpans().AppendEmpty())
		}
	}
	return td
}

func (t *Trace) decodeScope(scope *Scope, ss ptrace.ScopeSpans) {
	wrap := func(scopeSpans []byte) []byte {
		return appendMessageField(nil, 1, appendMessageField(nil, 2, scopeSpans))
	}
	if one, ok := decodeOne(wrap(scope.Raw)); ok {
		one.ScopeSpans().At(0).CopyTo(ss)
	} else {
		ss.Scope().Attributes().PutStr(UndecodedAttribute, "scope")
	}
	for i := scope.First; i < scope.End; i++ {
		s := &t.Spans[i]
		dest := ss.Spans().AppendEmpty()
		if one, ok := decodeOne(wrap(appendMessageField(nil, 2, s.Raw))); ok {
			one.ScopeSpans().At(0).Spans().At(0).CopyTo(dest)
			continue
		}
		dest.SetTraceID([16]byte(t.ID))
		dest.SetSpanID([8]byte(s.ID))
		dest.SetParentSpanID([8]byte(s.Parent))
		dest.SetName(s.Name())
		dest.SetKind(ptrace.SpanKind(s.Kind))
		dest.SetStartTimestamp(pcommon.Timestamp(s.Start))
		dest.SetEndTimestamp(pcommon.Timestamp(s.End))
		dest.Status().SetCode(ptrace.StatusCode(s.Status))
		dest.Attributes().PutStr(UndecodedAttribute, "attributes, events, links, status message")
	}
}

func decodeOne(tracesData []byte) (ptrace.ResourceSpans, bool) {
	td, err := (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(tracesData)
	if err != nil || td.ResourceSpans().Len() != 1 {
		return ptrace.ResourceSpans{}, false
	}
	return td.ResourceSpans().At(0), true
}

func appendMessageField(dst []byte, num byte, data []byte) []byte {
	return append(appendHeader(dst, num, len(data)), data...)
}
