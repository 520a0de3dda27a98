package tempoapi

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/clewtrace/clew/frontend/jsonenc"
	"github.com/clewtrace/clew/storage/trace"
)

// encoder writes traces as gogo's jsonpb writes them.
type encoder struct{ *jsonenc.Encoder }

// batches writes one entry for each scope of each resource: some clients read
// only the first scope of a batch.
func (e encoder) batches(t *trace.Trace) {
	e.Array()
	for _, rs := range t.Data().ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			e.beginResource(rs)
			e.scopeSpans(ss)
			e.endResource(rs)
		}
	}
	e.EndArray()
}

// resourceSpans writes one entry for each resource.
func (e encoder) resourceSpans(t *trace.Trace) {
	e.Array()
	for _, rs := range t.Data().ResourceSpans().All() {
		e.beginResource(rs)
		for _, ss := range rs.ScopeSpans().All() {
			e.scopeSpans(ss)
		}
		e.endResource(rs)
	}
	e.EndArray()
}

func (e encoder) beginResource(rs ptrace.ResourceSpans) {
	e.Object()
	e.Key("resource")
	e.Object()
	e.attributes(rs.Resource().Attributes())
	e.count("droppedAttributesCount", rs.Resource().DroppedAttributesCount())
	e.EndObject()
	e.Key("scopeSpans")
	e.Array()
}

func (e encoder) endResource(rs ptrace.ResourceSpans) {
	e.EndArray()
	e.text("schemaUrl", rs.SchemaUrl())
	e.EndObject()
}

func (e encoder) scopeSpans(ss ptrace.ScopeSpans) {
	e.Object()
	e.Key("scope")
	e.Object()
	e.text("name", ss.Scope().Name())
	e.text("version", ss.Scope().Version())
	e.attributes(ss.Scope().Attributes())
	e.count("droppedAttributesCount", ss.Scope().DroppedAttributesCount())
	e.EndObject()
	e.Key("spans")
	e.Array()
	for _, s := range ss.Spans().All() {
		e.span(s)
	}
	e.EndArray()
	e.text("schemaUrl", ss.SchemaUrl())
	e.EndObject()
}

func (e encoder) span(s ptrace.Span) {
	e.Object()
	e.traceID(s.TraceID())
	e.spanID("spanId", s.SpanID())
	e.text("traceState", s.TraceState().AsRaw())
	e.spanID("parentSpanId", s.ParentSpanID())
	e.text("name", s.Name())
	if k := s.Kind(); k != 0 {
		e.Key("kind")
		e.enum(int32(k), "SPAN_KIND_INTERNAL", "SPAN_KIND_SERVER", "SPAN_KIND_CLIENT", "SPAN_KIND_PRODUCER", "SPAN_KIND_CONSUMER")
	}
	e.time("startTimeUnixNano", s.StartTimestamp())
	e.time("endTimeUnixNano", s.EndTimestamp())
	e.attributes(s.Attributes())
	e.count("droppedAttributesCount", s.DroppedAttributesCount())
	if s.Events().Len() > 0 {
		e.Key("events")
		e.Array()
		for _, ev := range s.Events().All() {
			e.Object()
			e.time("timeUnixNano", ev.Timestamp())
			e.text("name", ev.Name())
			e.attributes(ev.Attributes())
			e.count("droppedAttributesCount", ev.DroppedAttributesCount())
			e.EndObject()
		}
		e.EndArray()
	}
	e.count("droppedEventsCount", s.DroppedEventsCount())
	if s.Links().Len() > 0 {
		e.Key("links")
		e.Array()
		for _, l := range s.Links().All() {
			e.Object()
			e.traceID(l.TraceID())
			e.spanID("spanId", l.SpanID())
			e.text("traceState", l.TraceState().AsRaw())
			e.attributes(l.Attributes())
			e.count("droppedAttributesCount", l.DroppedAttributesCount())
			e.count("flags", l.Flags())
			e.EndObject()
		}
		e.EndArray()
	}
	e.count("droppedLinksCount", s.DroppedLinksCount())
	e.Key("status")
	e.Object()
	e.text("message", s.Status().Message())
	if c := s.Status().Code(); c != 0 {
		e.Key("code")
		e.enum(int32(c), "STATUS_CODE_OK", "STATUS_CODE_ERROR")
	}
	e.EndObject()
	e.count("flags", s.Flags())
	e.EndObject()
}

// enum writes value v, from 1 on, by name; what has no name as a number.
func (e encoder) enum(v int32, names ...string) {
	if v < 1 || int(v) > len(names) {
		e.Int(int64(v))
		return
	}
	e.Str(names[v-1])
}

func (e encoder) traceID(id pcommon.TraceID) {
	if !id.IsEmpty() {
		e.Key("traceId")
		e.Base64(id[:])
	}
}

func (e encoder) spanID(key string, id pcommon.SpanID) {
	if !id.IsEmpty() {
		e.Key(key)
		e.Base64(id[:])
	}
}

func (e encoder) text(key, s string) {
	if s != "" {
		e.Key(key)
		e.Str(s)
	}
}

func (e encoder) count(key string, n uint32) {
	if n != 0 {
		e.Key(key)
		e.Uint(uint64(n))
	}
}

func (e encoder) time(key string, t pcommon.Timestamp) {
	if t != 0 {
		e.Key(key)
		e.UintString(uint64(t))
	}
}

func (e encoder) attributes(m pcommon.Map) {
	if m.Len() > 0 {
		e.Key("attributes")
		e.keyValues(m)
	}
}

func (e encoder) keyValues(m pcommon.Map) {
	e.Array()
	for k, v := range m.All() {
		e.Object()
		e.Key("key")
		e.Str(k)
		e.Key("value")
		e.value(v)
		e.EndObject()
	}
	e.EndArray()
}

// value writes an AnyValue; its depth is bounded by the decoder's.
func (e encoder) value(v pcommon.Value) {
	e.Object()
	switch v.Type() {
	case pcommon.ValueTypeStr:
		e.Key("stringValue")
		e.Str(v.Str())
	case pcommon.ValueTypeBool:
		e.Key("boolValue")
		e.Bool(v.Bool())
	case pcommon.ValueTypeInt:
		e.Key("intValue")
		e.IntString(v.Int())
	case pcommon.ValueTypeDouble:
		e.Key("doubleValue")
		e.Float(v.Double())
	case pcommon.ValueTypeBytes:
		e.Key("bytesValue")
		e.Base64(v.Bytes().AsRaw())
	case pcommon.ValueTypeSlice:
		e.Key("arrayValue")
		e.Object()
		if v.Slice().Len() > 0 {
			e.Key("values")
			e.Array()
			for _, x := range v.Slice().All() {
				e.value(x)
			}
			e.EndArray()
		}
		e.EndObject()
	case pcommon.ValueTypeMap:
		e.Key("kvlistValue")
		e.Object()
		if v.Map().Len() > 0 {
			e.Key("values")
			e.keyValues(v.Map())
		}
		e.EndObject()
	}
	e.EndObject()
}
