package loadgen

import (
	"fmt"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	coltracepb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// Decoder turns requests of a Generator into spans of the OpenTelemetry SDK:
// an exporter that is given them sends the spans of the request. It keeps the
// resources that it has seen. Not for concurrent use.
type Decoder struct {
	resources map[string]*resource.Resource // by service.instance.id
}

// NewDecoder returns a Decoder that has seen nothing.
func NewDecoder() *Decoder {
	return &Decoder{resources: make(map[string]*resource.Resource)}
}

// Decode returns the spans of a request, in its order. They do not refer to
// body. It is made for what a Generator writes and is no general decoder.
func (d *Decoder) Decode(body []byte) ([]sdktrace.ReadOnlySpan, error) {
	var req coltracepb.ExportTraceServiceRequest
	if err := proto.Unmarshal(body, &req); err != nil {
		return nil, fmt.Errorf("decode request: %w", err)
	}
	var spans []sdktrace.ReadOnlySpan
	for _, rs := range req.ResourceSpans {
		res, err := d.resource(rs)
		if err != nil {
			return nil, err
		}
		for _, ss := range rs.ScopeSpans {
			sc := instrumentation.Scope{Name: ss.GetScope().GetName(), Version: ss.GetScope().GetVersion(), SchemaURL: ss.SchemaUrl}
			for _, s := range ss.Spans {
				stub, err := spanStub(s)
				if err != nil {
					return nil, err
				}
				stub.Resource, stub.InstrumentationScope = res, sc
				spans = append(spans, stub.Snapshot())
			}
		}
	}
	return spans, nil
}

func (d *Decoder) resource(rs *tracepb.ResourceSpans) (*resource.Resource, error) {
	instance := ""
	for _, kv := range rs.GetResource().GetAttributes() {
		if kv.Key == "service.instance.id" {
			instance = kv.Value.GetStringValue()
		}
	}
	if res := d.resources[instance]; res != nil {
		return res, nil
	}
	attrs, err := keyValues(rs.GetResource().GetAttributes())
	if err != nil {
		return nil, err
	}
	res := resource.NewWithAttributes(rs.SchemaUrl, attrs...)
	d.resources[instance] = res
	return res, nil
}

func spanStub(s *tracepb.Span) (tracetest.SpanStub, error) {
	stub := tracetest.SpanStub{
		Name:        s.Name,
		SpanContext: spanContext(s.TraceId, s.SpanId, false),
		SpanKind:    trace.SpanKind(s.Kind),
		StartTime:   time.Unix(0, int64(s.StartTimeUnixNano)),
		EndTime:     time.Unix(0, int64(s.EndTimeUnixNano)),
	}
	if len(s.ParentSpanId) > 0 {
		stub.Parent = spanContext(s.TraceId, s.ParentSpanId, s.Flags == flagsRemote)
	}
	switch s.GetStatus().GetCode() {
	case tracepb.Status_STATUS_CODE_ERROR:
		stub.Status = sdktrace.Status{Code: codes.Error, Description: s.Status.Message}
	case tracepb.Status_STATUS_CODE_OK:
		stub.Status.Code = codes.Ok
	}
	var err error
	if stub.Attributes, err = keyValues(s.Attributes); err != nil {
		return stub, err
	}
	for _, e := range s.Events {
		attrs, err := keyValues(e.Attributes)
		if err != nil {
			return stub, err
		}
		stub.Events = append(stub.Events, sdktrace.Event{Name: e.Name, Time: time.Unix(0, int64(e.TimeUnixNano)), Attributes: attrs})
	}
	for _, l := range s.Links {
		attrs, err := keyValues(l.Attributes)
		if err != nil {
			return stub, err
		}
		stub.Links = append(stub.Links, sdktrace.Link{SpanContext: spanContext(l.TraceId, l.SpanId, l.Flags == flagsRemote), Attributes: attrs})
	}
	return stub, nil
}

func spanContext(traceID, spanID []byte, remote bool) trace.SpanContext {
	c := trace.SpanContextConfig{TraceFlags: trace.FlagsSampled, Remote: remote}
	copy(c.TraceID[:], traceID)
	copy(c.SpanID[:], spanID)
	return trace.NewSpanContext(c)
}

func keyValues(kvs []*commonpb.KeyValue) ([]attribute.KeyValue, error) {
	if len(kvs) == 0 {
		return nil, nil
	}
	out := make([]attribute.KeyValue, 0, len(kvs))
	for _, kv := range kvs {
		key := attribute.Key(kv.Key)
		switch v := kv.GetValue().GetValue().(type) {
		case *commonpb.AnyValue_StringValue:
			out = append(out, key.String(v.StringValue))
		case *commonpb.AnyValue_IntValue:
			out = append(out, key.Int64(v.IntValue))
		case *commonpb.AnyValue_BoolValue:
			out = append(out, key.Bool(v.BoolValue))
		case *commonpb.AnyValue_DoubleValue:
			out = append(out, key.Float64(v.DoubleValue))
		case *commonpb.AnyValue_ArrayValue:
			var texts []string
			for _, e := range v.ArrayValue.Values {
				texts = append(texts, e.GetStringValue())
			}
			out = append(out, key.StringSlice(texts))
		default:
			return nil, fmt.Errorf("attribute %s: the generator makes no %T", kv.Key, v)
		}
	}
	return out, nil
}
