package trace

import (
	"encoding/binary"
	"sync"

	"go.opentelemetry.io/collector/pdata/ptrace"
)

// Trace is one whole trace: every distinct span once, in an order that is a
// function of the set of spans alone. It is made by Assemble and never changes;
// it may be read by many goroutines at once.
//
// The spans stay on the wire, so that nothing a client sent is lost, and are
// decoded as a whole only if somebody asks for Data.
type Trace struct {
	ID ID
	// Resources are ordered by (smallest start of their spans, bytes), Scopes
	// by (resource, smallest start of their spans, bytes), Spans by (resource,
	// scope, start, span ID, identity).
	Resources []Resource
	Scopes    []Scope
	Spans     []Span

	decode sync.Once
	data   ptrace.Traces
}

// Resource is a resource with its schema URL.
type Resource struct {
	// Raw is the wire form of ResourceSpans without scope_spans.
	Raw []byte
	// Service is the service name, as ServiceNameFromResource says.
	Service string
	// Scopes of this resource are Trace.Scopes[First:End].
	First, End int32
}

// Scope is an instrumentation scope of one resource, with its schema URL.
type Scope struct {
	// Raw is the wire form of ScopeSpans without spans.
	Raw []byte
	// Resource indexes Trace.Resources.
	Resource int32
	// Spans of this scope are Trace.Spans[First:End].
	First, End int32
}

// Span is a span on the wire with the fields that trees and summaries need.
type Span struct {
	// Raw is the wire form of the span; its trace ID has 16 bytes.
	Raw        []byte
	ID, Parent SpanID
	// Start and End are nanoseconds since the Unix epoch.
	Start, End uint64
	// Kind and Status are the numbers of OTLP.
	Kind, Status int32
	// Scope indexes Trace.Scopes.
	Scope int32
	// name aliases Raw.
	name []byte
	// identity is computed only for spans that share their ID with another.
	identity *[32]byte
}

// Name is the span's name, as it came: it may be empty or no UTF-8.
func (s *Span) Name() string { return string(s.name) }

// Service returns the service name of a span of t.
func (t *Trace) Service(s *Span) string { return t.Resources[t.Scopes[s.Scope].Resource].Service }

// AppendWire appends the trace as OTLP TracesData: one resource_spans for each
// resource, one scope_spans in it for each scope.
func (t *Trace) AppendWire(dst []byte) []byte {
	for r := range t.Resources {
		dst = t.appendResource(dst, r)
	}
	return dst
}

// Wire returns the trace as OTLP TracesData.
func (t *Trace) Wire() []byte {
	size := 0
	for i := range t.Spans {
		size += len(t.Spans[i].Raw) + 6
	}
	return t.AppendWire(make([]byte, 0, size+512*len(t.Scopes)))
}

func (t *Trace) appendResource(dst []byte, r int) []byte {
	res := &t.Resources[r]
	size := len(res.Raw)
	for s := res.First; s < res.End; s++ {
		size += fieldSize(t.scopeSize(int(s)))
	}
	dst = appendHeader(dst, 1, size)
	dst = append(dst, res.Raw...)
	for s := res.First; s < res.End; s++ {
		scope := &t.Scopes[s]
		dst = appendHeader(dst, 2, t.scopeSize(int(s)))
		dst = append(dst, scope.Raw...)
		for i := scope.First; i < scope.End; i++ {
			dst = appendHeader(dst, 2, len(t.Spans[i].Raw))
			dst = append(dst, t.Spans[i].Raw...)
		}
	}
	return dst
}

func (t *Trace) scopeSize(s int) int {
	scope := &t.Scopes[s]
	size := len(scope.Raw)
	for i := scope.First; i < scope.End; i++ {
		size += fieldSize(len(t.Spans[i].Raw))
	}
	return size
}

// appendHeader appends tag and length of a length-delimited field with a
// number below 16.
func appendHeader(dst []byte, num byte, length int) []byte {
	return binary.AppendUvarint(append(dst, num<<3|2), uint64(length))
}

// fieldSize is the size of a field of n bytes with its header.
func fieldSize(n int) int {
	size := 2 + n
	for v := n; v >= 0x80; v >>= 7 {
		size++
	}
	return size
}

// Nodes appends what the tree of t is built from, in the order of Spans.
func (t *Trace) Nodes(dst []Node) []Node {
	for i := range t.Spans {
		s := &t.Spans[i]
		dst = append(dst, Node{ID: s.ID, Parent: s.Parent, Start: s.Start, Kind: s.Kind})
	}
	return dst
}

// Less orders spans that share an ID by identity, as a Linker asks for it.
func (t *Trace) Less(i, j int32) bool {
	return compareIdentity(&t.Spans[i], &t.Spans[j]) < 0
}

// Parents returns, for each of t.Spans, the index of its parent or NoParent;
// the rule is that of Linker.Parents.
func (t *Trace) Parents() []int32 {
	var l Linker
	return l.Parents(t.Nodes(nil), t.Less)
}

// Bounds returns the smallest start and the largest end.
func (t *Trace) Bounds() (start, end uint64) {
	if len(t.Spans) == 0 {
		return 0, 0
	}
	start = t.Spans[0].Start
	for i := range t.Spans {
		start, end = min(start, t.Spans[i].Start), max(end, t.Spans[i].End)
	}
	return start, end
}
