package frontendtest

import (
	"math"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/clewtrace/clew/storage/trace"
)

// Epoch is when the traces of this package begin, in nanoseconds:
// 2023-11-14T22:13:20Z.
const Epoch = uint64(1_700_000_000_000_000_000)

// ms is a millisecond in nanoseconds.
const ms = uint64(1_000_000)

// IDs of the traces.
var (
	ShopID   = trace.ID{0x0a, 0xf7, 0x65, 0x19, 0x16, 0xcd, 0x43, 0xdd, 0x84, 0x48, 0xeb, 0x21, 0x1c, 0x80, 0x31, 0x9c}
	ZipkinID = trace.ID{8: 0x5b, 0x4c, 0x3d, 0x2e, 0x1f, 0x00, 0x11, 0x22}
	OrphanID = trace.ID{0xff, 15: 1}
)

// Traces returns Shop, Zipkin and Orphan.
func Traces() []*trace.Trace { return []*trace.Trace{Shop(), Zipkin(), Orphan()} }

// Shop is a trace of two services and two scopes, with every kind of value, an
// event, links, a trace state and an error.
func Shop() *trace.Trace {
	td := ptrace.NewTraces()
	rs := resource(td, "frontend")
	rs.SetSchemaUrl("https://opentelemetry.io/schemas/1.26.0")
	rs.Resource().Attributes().PutStr("host.name", "web-1")
	ss := rs.ScopeSpans().AppendEmpty()
	ss.Scope().SetName("net/http")
	ss.Scope().SetVersion("0.49.0")
	root := span(ss, ShopID, 1, 0, "GET /cart", ptrace.SpanKindServer, Epoch, 20*ms)
	root.SetFlags(0x101)
	root.TraceState().FromRaw("vendor=1")
	a := root.Attributes()
	a.PutStr("http.request.method", "GET")
	a.PutInt("http.response.status_code", 500)
	a.PutInt("big", math.MaxInt64)
	a.PutDouble("ratio", 0.25)
	a.PutDouble("nan", math.NaN())
	a.PutBool("cached", false)
	a.PutEmptyBytes("raw").FromRaw([]byte{0xff, 0x00, 0x10})
	a.PutStr("odd", "\xff <b> \"q\"\n")
	a.PutEmpty("nothing")
	list := a.PutEmptySlice("items")
	list.AppendEmpty().SetStr("apple")
	list.AppendEmpty().SetInt(2)
	a.PutEmptyMap("user").PutStr("name", "Ada")
	root.Status().SetCode(ptrace.StatusCodeError)
	root.Status().SetMessage("cart is gone")
	ev := root.Events().AppendEmpty()
	ev.SetName("exception")
	ev.SetTimestamp(pcommon.Timestamp(Epoch + 5*ms))
	ev.Attributes().PutStr("exception.message", "no such cart")
	link := root.Links().AppendEmpty()
	link.SetTraceID(pcommon.TraceID(ZipkinID))
	link.SetSpanID(pcommon.SpanID{7: 9})
	root.Links().AppendEmpty() // leads nowhere

	ss = rs.ScopeSpans().AppendEmpty()
	ss.Scope().SetName("grpc")
	ss.Scope().Attributes().PutStr("library.kind", "rpc")
	span(ss, ShopID, 2, 1, "GetCart", ptrace.SpanKindClient, Epoch+2*ms, 10*ms)

	rs = resource(td, "cartservice")
	rs.Resource().Attributes().PutStr("host.name", "db-1")
	span(rs.ScopeSpans().AppendEmpty(), ShopID, 3, 2, "GetCart", ptrace.SpanKindServer, Epoch+1*ms, 4*ms).Status().SetCode(ptrace.StatusCodeOk)
	return assemble(td)
}

// Zipkin is a trace with an ID of 8 bytes in which client and server share a
// span ID.
func Zipkin() *trace.Trace {
	td := ptrace.NewTraces()
	span(resource(td, "web").ScopeSpans().AppendEmpty(), ZipkinID, 2, 1, "get", ptrace.SpanKindClient, Epoch+60_000*ms, 30*ms)
	ss := resource(td, "backend").ScopeSpans().AppendEmpty()
	span(ss, ZipkinID, 2, 1, "get", ptrace.SpanKindServer, Epoch+60_005*ms, 20*ms)
	span(ss, ZipkinID, 3, 2, "query", ptrace.SpanKindUnspecified, Epoch+60_010*ms, 5*ms)
	span(resource(td, "web").ScopeSpans().AppendEmpty(), ZipkinID, 1, 0, "page", ptrace.SpanKindServer, Epoch+60_000*ms, 40*ms)
	return assemble(td)
}

// Orphan is one span of no service whose parent is not there.
func Orphan() *trace.Trace {
	td := ptrace.NewTraces()
	rs := td.ResourceSpans().AppendEmpty()
	span(rs.ScopeSpans().AppendEmpty(), OrphanID, 5, 4, "", ptrace.SpanKindConsumer, Epoch+120_000*ms, 0)
	return assemble(td)
}

func resource(td ptrace.Traces, service string) ptrace.ResourceSpans {
	rs := td.ResourceSpans().AppendEmpty()
	rs.Resource().Attributes().PutStr("service.name", service)
	return rs
}

func span(ss ptrace.ScopeSpans, id trace.ID, sid, parent byte, name string, kind ptrace.SpanKind, start, length uint64) ptrace.Span {
	s := ss.Spans().AppendEmpty()
	s.SetTraceID(pcommon.TraceID(id))
	s.SetSpanID(pcommon.SpanID{7: sid})
	if parent != 0 {
		s.SetParentSpanID(pcommon.SpanID{7: parent})
	}
	s.SetName(name)
	s.SetKind(kind)
	s.SetStartTimestamp(pcommon.Timestamp(start))
	s.SetEndTimestamp(pcommon.Timestamp(start + length))
	return s
}

func assemble(td ptrace.Traces) *trace.Trace {
	b, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(td)
	if err != nil {
		panic(err)
	}
	t, err := trace.Assemble(b)
	if err != nil {
		panic(err)
	}
	return t
}
