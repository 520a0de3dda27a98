package jaegerapi

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/clewtrace/clew/storage/trace"
)

// trace writes a whole trace as Jaeger's UI, Kiali and Grafana read it. Unless
// raw it is repaired as Jaeger does it: SERVER spans that share the ID of a
// CLIENT span get one of their own, links to nowhere go, attributes are sorted,
// and warnings tell of what is odd. Times are never changed. note, if not
// empty, is a warning about the trace.
func (e encoder) trace(t *trace.Trace, raw bool, note string) {
	var warn *warnings
	if !raw {
		t = t.Unshare()
		warn = newWarnings(t)
	}
	id := t.ID.String()
	spans := flatten(t)
	e.Object()
	e.Key("traceID")
	e.Str(id)
	e.Key("spans")
	e.Array()
	process := make([]int, len(t.Resources)) // number by resource, 0 = none yet
	var resources []int
	for _, k := range byStart(t) {
		s := &spans[k]
		r := int(t.Scopes[t.Spans[s.index].Scope].Resource)
		if process[r] == 0 {
			resources = append(resources, r)
			process[r] = len(resources)
		}
		e.span(s, id, process[r], warn)
	}
	e.EndArray()
	e.Key("processes")
	e.Object()
	data := t.Data().ResourceSpans()
	for k, r := range resources {
		e.Key("p" + strconv.Itoa(k+1))
		e.process(t.Resources[r].Service, data.At(r).Resource().Attributes(), raw)
	}
	e.EndObject()
	e.Key("warnings")
	e.warnings(note)
	e.EndObject()
}

// span is a decoded span and its place in the trace.
type span struct {
	ptrace.Span
	scope pcommon.InstrumentationScope
	index int
}

// flatten lists the spans of a trace in its order.
func flatten(t *trace.Trace) []span {
	spans := make([]span, 0, len(t.Spans))
	for _, rs := range t.Data().ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			for _, s := range ss.Spans().All() {
				spans = append(spans, span{s, ss.Scope(), len(spans)})
			}
		}
	}
	return spans
}

// byStart is the order in which spans are written: by (start, place).
func byStart(t *trace.Trace) []int {
	order := make([]int, len(t.Spans))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(t.Spans[a].Start, t.Spans[b].Start), a-b)
	})
	return order
}

func (e encoder) process(service string, attributes pcommon.Map, raw bool) {
	e.Object()
	e.Key("serviceName")
	e.Str(service)
	e.Key("tags")
	e.Array()
	named := false
	for _, a := range attributesOf(attributes, raw) {
		if a.key == "service.name" && !named && a.value.Type() == pcommon.ValueTypeStr && a.value.Str() == service {
			named = true // it is serviceName already
			continue
		}
		e.keyValue(a.key, a.value)
	}
	e.EndArray()
	e.EndObject()
}

func (e encoder) span(s *span, traceID string, process int, warn *warnings) {
	raw := warn == nil
	start, end := uint64(s.StartTimestamp()), uint64(s.EndTimestamp())
	e.Object()
	e.Key("traceID")
	e.Str(traceID)
	e.Key("spanID")
	id := s.SpanID()
	e.Hex(id[:])
	if flags := s.Flags() & 0xff; flags != 0 {
		e.Key("flags")
		e.Uint(uint64(flags))
	}
	e.Key("operationName")
	e.Str(s.Name())
	e.Key("references")
	dropped := e.references(s, traceID, raw)
	e.Key("startTime")
	e.Uint(start / 1000)
	e.Key("duration")
	e.Uint((max(end, start) - start) / 1000)
	e.Key("tags")
	stored := e.tags(s, raw)
	e.Key("logs")
	e.logs(s.Events(), raw)
	e.Key("processID")
	e.Str("p" + strconv.Itoa(process))
	e.Key("warnings")
	if !raw {
		stored = append(stored, warn.of(s.index)...)
	}
	if dropped {
		stored = append(stored, "Invalid span link removed")
	}
	e.warnings(stored...)
	e.EndObject()
}

// warnings writes a list without its empty members, null if there is none.
func (e encoder) warnings(list ...string) {
	list = slices.DeleteFunc(list, func(s string) bool { return s == "" })
	if len(list) == 0 {
		e.Null()
		return
	}
	e.strings(list)
}

// references writes the parent first, then the links. It reports whether a link
// was left out because it leads nowhere.
func (e encoder) references(s *span, traceID string, raw bool) (dropped bool) {
	e.Array()
	if p := s.ParentSpanID(); !p.IsEmpty() {
		e.reference("CHILD_OF", traceID, p)
	}
	for _, l := range s.Links().All() {
		to := l.TraceID()
		if to.IsEmpty() && !raw {
			dropped = true
			continue
		}
		kind := "FOLLOWS_FROM"
		if v, ok := l.Attributes().Get("opentracing.ref_type"); ok && v.AsString() == "child_of" {
			kind = "CHILD_OF"
		}
		e.reference(kind, trace.ID(to).String(), l.SpanID())
	}
	e.EndArray()
	return dropped
}

func (e encoder) reference(kind, traceID string, id pcommon.SpanID) {
	e.Object()
	e.Key("refType")
	e.Str(kind)
	e.Key("traceID")
	e.Str(traceID)
	e.Key("spanID")
	e.Hex(id[:])
	e.EndObject()
}

// warningsAttribute holds the warnings of a span that came from a Jaeger.
const warningsAttribute = "@jaeger@warnings"

// tags writes the attributes and the fields that Jaeger shows as tags. A field
// that an attribute repeats is written once. It returns the stored warnings.
func (e encoder) tags(s *span, raw bool) (stored []string) {
	attributes := s.Attributes()
	e.Array()
	field := func(key, value string) {
		if value == "" {
			return
		}
		if v, ok := attributes.Get(key); ok && v.Type() == pcommon.ValueTypeStr && v.Str() == value {
			return
		}
		e.tag(key, "string")
		e.Str(value)
		e.EndObject()
	}
	field("otel.scope.name", s.scope.Name())
	field("otel.scope.version", s.scope.Version())
	for _, a := range attributesOf(s.scope.Attributes(), raw) {
		if _, own := attributes.Get(a.key); !own {
			e.keyValue(a.key, a.value)
		}
	}
	for _, a := range attributesOf(attributes, raw) {
		if a.key == warningsAttribute {
			stored = append(stored, textsOf(a.value)...)
			continue
		}
		e.keyValue(a.key, a.value)
	}
	field("span.kind", kindName(int32(s.Kind())))
	switch s.Status().Code() {
	case ptrace.StatusCodeError:
		field("otel.status_code", "ERROR")
		if v, ok := attributes.Get("error"); !ok || v.Type() != pcommon.ValueTypeBool || !v.Bool() {
			e.tag("error", "bool")
			e.Bool(true)
			e.EndObject()
		}
	case ptrace.StatusCodeOk:
		field("otel.status_code", "OK")
	}
	field("otel.status_description", s.Status().Message())
	field("w3c.tracestate", s.TraceState().AsRaw())
	e.EndArray()
	return stored
}

func textsOf(v pcommon.Value) []string {
	if v.Type() != pcommon.ValueTypeSlice {
		return []string{v.AsString()}
	}
	var out []string
	for _, x := range v.Slice().All() {
		out = append(out, x.AsString())
	}
	return out
}

func (e encoder) logs(events ptrace.SpanEventSlice, raw bool) {
	order := make([]ptrace.SpanEvent, 0, events.Len())
	for _, ev := range events.All() {
		order = append(order, ev)
	}
	if !raw {
		slices.SortStableFunc(order, func(a, b ptrace.SpanEvent) int {
			return int(min(max(int64(a.Timestamp()-b.Timestamp()), -1), 1))
		})
	}
	e.Array()
	for _, ev := range order {
		e.Object()
		e.Key("timestamp")
		e.Uint(uint64(ev.Timestamp()) / 1000)
		e.Key("fields")
		e.Array()
		if name := ev.Name(); name != "" {
			if v, ok := ev.Attributes().Get("event"); !ok || v.AsString() != name {
				e.tag("event", "string")
				e.Str(name)
				e.EndObject()
			}
		}
		for _, a := range attributesOf(ev.Attributes(), raw) {
			e.keyValue(a.key, a.value)
		}
		e.EndArray()
		e.EndObject()
	}
	e.EndArray()
}

type attribute struct {
	key   string
	value pcommon.Value
}

// attributesOf lists a map, by key unless raw.
func attributesOf(m pcommon.Map, raw bool) []attribute {
	list := make([]attribute, 0, m.Len())
	for k, v := range m.All() {
		list = append(list, attribute{k, v})
	}
	if !raw {
		slices.SortStableFunc(list, func(a, b attribute) int { return strings.Compare(a.key, b.key) })
	}
	return list
}

// maxSafeInt is the largest integer that JavaScript holds exactly.
const maxSafeInt = 1<<53 - 1

// keyValue writes an attribute as a tag. Arrays and maps become JSON text.
func (e encoder) keyValue(key string, v pcommon.Value) {
	switch v.Type() {
	case pcommon.ValueTypeBool:
		e.tag(key, "bool")
		e.Bool(v.Bool())
	case pcommon.ValueTypeInt:
		e.tag(key, "int64")
		if n := v.Int(); n > maxSafeInt || n < -maxSafeInt {
			e.IntString(n)
		} else {
			e.Int(n)
		}
	case pcommon.ValueTypeDouble:
		if d := v.Double(); math.IsNaN(d) || math.IsInf(d, 0) { // no numbers in JSON
			e.tag(key, "string")
		} else {
			e.tag(key, "float64")
		}
		e.Float(v.Double())
	case pcommon.ValueTypeBytes:
		e.tag(key, "binary")
		e.Base64(v.Bytes().AsRaw())
	default:
		e.tag(key, "string")
		e.Str(v.AsString())
	}
	e.EndObject()
}

// tag opens a tag up to its value.
func (e encoder) tag(key, typ string) {
	e.Object()
	e.Key("key")
	e.Str(key)
	e.Key("type")
	e.Str(typ)
	e.Key("value")
}

// kindName is a span kind of OTLP as Jaeger spells it, "" for none.
func kindName(kind int32) string {
	switch kind {
	case 1:
		return "internal"
	case 2:
		return "server"
	case 3:
		return "client"
	case 4:
		return "producer"
	case 5:
		return "consumer"
	}
	return ""
}
