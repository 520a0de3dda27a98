package trace

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
)

// Assemble makes one whole trace of fragments, each the OTLP TracesData wire
// bytes of spans of the same trace. Spans that are equal by Identity are one
// span, and resources and scopes with equal content are one. The result is a
// function of the set of spans: the order of the fragments, how the spans are
// spread over them and how often each comes change nothing. Of several byte
// forms of equal content the smallest stands.
//
// Assemble returns nil if there is no span. It fails if the bytes are not OTLP
// down to the fields of the spans, if an ID has a wrong length or if the spans
// belong to several traces. The Trace keeps references into the fragments:
// they must not change afterwards.
func Assemble(fragments ...[]byte) (*Trace, error) {
	var a assembly
	if err := a.addAll(fragments); err != nil {
		return nil, fmt.Errorf("assemble trace: %w", err)
	}
	if len(a.spans) == 0 {
		return nil, nil
	}
	for i := range a.spans {
		if a.spans[i].trace != a.spans[0].trace {
			return nil, fmt.Errorf("assemble trace %s: span %s belongs to trace %s", a.spans[0].trace, a.spans[i].ID, a.spans[i].trace)
		}
	}
	return a.assemble(pointers(a.spans))
}

// AssembleAll is Assemble for fragments that hold any number of traces; the
// traces are ordered by ID.
func AssembleAll(fragments ...[]byte) ([]*Trace, error) {
	var a assembly
	if err := a.addAll(fragments); err != nil {
		return nil, fmt.Errorf("assemble traces: %w", err)
	}
	pieces := pointers(a.spans)
	slices.SortFunc(pieces, func(x, y *piece) int { return bytes.Compare(x.trace[:], y.trace[:]) })
	var traces []*Trace
	for from := 0; from < len(pieces); {
		to := from + 1
		for to < len(pieces) && pieces[to].trace == pieces[from].trace {
			to++
		}
		t, err := a.assemble(pieces[from:to])
		if err != nil {
			return nil, err
		}
		traces, from = append(traces, t), to
	}
	return traces, nil
}

// piece is a span on its way into a Trace.
type piece struct {
	Span
	trace ID
	// resource and scope index the distinct envelopes of the assembly.
	resource, scope int32
	group           *scopeGroup
}

// pointers returns pointers to pieces: they are sorted more than once, and big.
func pointers(pieces []piece) []*piece {
	out := make([]*piece, len(pieces))
	for i := range pieces {
		out[i] = &pieces[i]
	}
	return out
}

// envelope is a distinct byte form of a resource or scope.
type envelope struct {
	raw []byte
	// hash stands for the content: of equal content it is equal.
	hash [32]byte
}

// assembly collects spans and the envelopes around them.
type assembly struct {
	spans             []piece
	resources, scopes envelopes
}

type envelopes struct {
	m     *message
	all   []envelope
	byRaw map[string]int32
}

func (e *envelopes) intern(raw []byte) (int32, error) {
	if i, ok := e.byRaw[string(raw)]; ok {
		return i, nil
	}
	h, err := contentHash(raw, e.m)
	if err != nil {
		return 0, err
	}
	if e.byRaw == nil {
		e.byRaw = map[string]int32{}
	}
	i := int32(len(e.all))
	e.all = append(e.all, envelope{raw, h})
	e.byRaw[string(raw)] = i
	return i, nil
}

func (a *assembly) addAll(fragments [][]byte) error {
	a.resources.m, a.scopes.m = resourceSpansMessage, scopeSpansMessage
	for i, b := range fragments {
		if err := a.add(b); err != nil {
			return fmt.Errorf("fragment %d of %d bytes: %w", i, len(b), err)
		}
	}
	return nil
}

func (a *assembly) add(tracesData []byte) error {
	return eachField(tracesData, func(f Field) error {
		if f.Num != 1 || f.Wire != 2 {
			return nil
		}
		resource := int32(-1)
		return eachField(f.Data, func(g Field) (err error) {
			if g.Num != 2 || g.Wire != 2 {
				return nil
			}
			if resource < 0 {
				if resource, err = a.resources.intern(withoutChildren(f.Data)); err != nil {
					return err
				}
			}
			scope := int32(-1)
			return eachField(g.Data, func(h Field) (err error) {
				if h.Num != 2 || h.Wire != 2 {
					return nil
				}
				if scope < 0 {
					if scope, err = a.scopes.intern(withoutChildren(g.Data)); err != nil {
						return err
					}
				}
				p := piece{resource: resource, scope: scope}
				if err := p.read(h.Data); err != nil {
					return err
				}
				a.spans = append(a.spans, p)
				return nil
			})
		})
	})
}

var errNotProtobuf = errors.New("not protobuf")

// eachField calls yield for every field of b.
func eachField(b []byte, yield func(f Field) error) error {
	for i := 0; i < len(b); {
		f, n := NextField(b, i)
		if n < 0 {
			return fmt.Errorf("%w at byte %d of a message of %d", errNotProtobuf, i, len(b))
		}
		if err := yield(f); err != nil {
			return err
		}
		i = n
	}
	return nil
}

// withoutChildren returns b, which is sound, without its fields 2; where the
// others are contiguous it aliases b.
func withoutChildren(b []byte) []byte {
	var out []byte
	start, end := 0, 0
	for i := 0; i < len(b); {
		f, n := NextField(b, i)
		if n < 0 {
			n = len(b) // take it all, so that damage is found later
		}
		if f.Num != 2 {
			if i != end {
				out = append(out, b[start:end]...)
				start = i
			}
			end = n
		}
		i = n
	}
	if out == nil {
		return b[start:end:end]
	}
	return append(out, b[start:end]...)
}

// read takes the fields that assembling needs out of a span.
func (p *piece) read(b []byte) error {
	p.Raw = b
	var traceID, spanID, parent []byte
	for i := 0; i < len(b); {
		f, n := NextField(b, i)
		if n < 0 {
			return fmt.Errorf("span: %w at byte %d of %d", errNotProtobuf, i, len(b))
		}
		switch {
		case f.Num == 1 && f.Wire == 2:
			traceID = f.Data
		case f.Num == 2 && f.Wire == 2:
			spanID = f.Data
		case f.Num == 4 && f.Wire == 2:
			parent = f.Data
		case f.Num == 5 && f.Wire == 2:
			p.name = f.Data
		case f.Num == 6 && f.Wire == 0:
			p.Kind = int32(f.Val)
		case f.Num == 7 && f.Wire == 1:
			p.Start = f.Val
		case f.Num == 8 && f.Wire == 1:
			p.End = f.Val
		case f.Num == 15 && f.Wire == 2:
			for j := 0; j < len(f.Data); {
				g, m := NextField(f.Data, j)
				if m < 0 {
					break
				}
				if g.Num == 3 && g.Wire == 0 {
					p.Status = int32(g.Val)
				}
				j = m
			}
		}
		i = n
	}
	id, ok := IDFromBytes(traceID)
	switch {
	case !ok:
		return fmt.Errorf("span %x: trace ID %x: want 16 or 8 bytes, not all zero", spanID, traceID)
	case len(spanID) != 8:
		return fmt.Errorf("span of trace %s: span ID %x: want 8 bytes", id, spanID)
	case len(parent) != 8 && len(parent) != 0:
		return fmt.Errorf("span %x of trace %s: parent span ID %x: want 8 bytes or none", spanID, id, parent)
	}
	p.trace, p.ID = id, SpanID(spanID)
	copy(p.Parent[:], parent)
	if len(traceID) != 16 {
		p.Raw = withTraceID(b, id)
	}
	return nil
}

// withTraceID returns a copy of the span b, which is sound, with another trace ID.
func withTraceID(b []byte, id ID) []byte {
	out := appendMessageField(make([]byte, 0, len(b)+10), 1, id[:])
	for i := 0; i < len(b); {
		f, n := NextField(b, i)
		if f.Num != 1 || f.Wire != 2 {
			out = append(out, b[i:n]...)
		}
		i = n
	}
	return out
}

func compareIdentity(a, b *Span) int {
	switch {
	case a.identity == nil || b.identity == nil:
		return cmp.Compare(btoi(a.identity != nil), btoi(b.identity != nil))
	default:
		return bytes.Compare(a.identity[:], b.identity[:])
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}
