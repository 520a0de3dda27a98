// Package otlpwire splits OTLP trace requests on the wire. It walks the
// protobuf down to the IDs of each span and leaves everything else as it came:
// attributes are neither decoded nor copied one by one.
package otlpwire

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/clewtrace/clew/storage/trace"
)

// ErrMalformed reports a request whose envelope above the spans cannot be
// walked; nothing of it can be told apart.
var ErrMalformed = errors.New("malformed OTLP request")

// Reasons for which single spans are refused.
const (
	ReasonTraceID  = "invalid_trace_id"
	ReasonSpanID   = "invalid_span_id"
	ReasonParentID = "invalid_parent_span_id"
	ReasonSpan     = "malformed_span"
)

// Part is what one group of owners gets.
type Part struct {
	// Payload is OTLP TracesData. It is the request itself if that is one group
	// without refused spans, else newly made.
	Payload []byte
	Spans   int
}

// Result of a split.
type Result struct {
	// Parts has one entry per group; an entry without spans has no payload.
	Parts []Part
	// Rejected counts refused spans by reason; nil if there are none.
	Rejected map[string]int
}

// Splitter holds the scratch space of Split. The zero Splitter is ready. Not
// for concurrent use.
type Splitter struct {
	group []int32 // by span, in order; -1 = refused
	parts []Part
	scope []byte
}

// Split divides the spans of an ExportTraceServiceRequest over groups by
// groupOf (with groups == 1 it is not called). A span with a bad ID is refused
// alone. The result is valid until the next Split; payloads stay valid.
//
// Of one request, spans of the same group keep their order, resource and scope.
func (s *Splitter) Split(req []byte, groups int, groupOf func(trace.ID) int) (Result, error) {
	var res Result
	s.group = s.group[:0]
	s.parts = append(s.parts[:0], make([]Part, groups)...)
	res.Parts = s.parts
	err := eachMessage(req, 1, "ExportTraceServiceRequest", func(rs []byte) error {
		return eachMessage(rs, 2, "ResourceSpans", func(ss []byte) error {
			return eachMessage(ss, 2, "ScopeSpans", func(span []byte) error {
				id, reason := check(span)
				if reason != "" {
					if res.Rejected == nil {
						res.Rejected = map[string]int{}
					}
					res.Rejected[reason]++
					s.group = append(s.group, -1)
					return nil
				}
				g := 0
				if groups > 1 {
					g = groupOf(id)
				}
				s.group = append(s.group, int32(g))
				res.Parts[g].Spans++
				return nil
			})
		})
	})
	if err != nil {
		return Result{}, err
	}
	for g := range res.Parts {
		switch n := res.Parts[g].Spans; {
		case n == 0:
		case n == len(s.group):
			res.Parts[g].Payload = req
		default:
			res.Parts[g].Payload = s.build(req, int32(g))
		}
	}
	return res, nil
}

// eachMessage calls yield for each sub-message in field num.
func eachMessage(b []byte, num uint32, name string, yield func([]byte) error) error {
	for i := 0; i < len(b); {
		f, n := trace.NextField(b, i)
		if n < 0 {
			return fmt.Errorf("%w: %s: byte %d of %d cannot be read", ErrMalformed, name, i, len(b))
		}
		if f.Num == num {
			if f.Wire != 2 {
				return fmt.Errorf("%w: %s: field %d has wire type %d, want 2", ErrMalformed, name, num, f.Wire)
			}
			if err := yield(f.Data); err != nil {
				return err
			}
		}
		i = n
	}
	return nil
}

// check reads the IDs of a span; reason says why it cannot be taken.
func check(b []byte) (id trace.ID, reason string) {
	var haveTrace, haveSpan bool
	for i := 0; i < len(b); {
		f, n := trace.NextField(b, i)
		if n < 0 {
			return id, ReasonSpan
		}
		i = n
		if f.Num > 8 {
			continue
		}
		switch f.Num {
		case 1:
			var ok bool
			if id, ok = trace.IDFromBytes(f.Data); !ok {
				return id, ReasonTraceID
			}
			haveTrace = true
		case 2:
			if len(f.Data) != 8 || binary.LittleEndian.Uint64(f.Data) == 0 {
				return id, ReasonSpanID
			}
			haveSpan = true
		case 4:
			if f.Wire != 2 || len(f.Data) != 0 && len(f.Data) != 8 {
				return id, ReasonParentID
			}
		case 7, 8:
			if f.Wire != 1 {
				return id, ReasonSpan
			}
		}
	}
	switch {
	case !haveTrace:
		return id, ReasonTraceID
	case !haveSpan:
		return id, ReasonSpanID
	}
	return id, ""
}

// build makes the message of one group: the envelope of the request with the
// spans of that group. What becomes empty is left out.
func (s *Splitter) build(req []byte, group int32) []byte {
	out := make([]byte, 0, len(req))
	var resource []byte
	at := 0 // span number
	for i := 0; i < len(req); {
		f, n := trace.NextField(req, i)
		if f.Num != 1 {
			out = append(out, req[i:n]...)
			i = n
			continue
		}
		resource = resource[:0]
		kept := false
		for j := 0; j < len(f.Data); {
			g, m := trace.NextField(f.Data, j)
			if g.Num != 2 {
				resource = append(resource, f.Data[j:m]...)
				j = m
				continue
			}
			if n, any := s.buildScope(g.Data, group, at); any {
				resource = appendMessage(resource, 2, s.scope)
				kept, at = true, n
			} else {
				at = n
			}
			j = m
		}
		if kept {
			out = appendMessage(out, 1, resource)
		}
		i = n
	}
	return out
}

// buildScope fills s.scope with the spans of group; at is the number of the
// first span, next that behind the last.
func (s *Splitter) buildScope(b []byte, group int32, at int) (next int, any bool) {
	s.scope = s.scope[:0]
	for i := 0; i < len(b); {
		f, n := trace.NextField(b, i)
		keep := true
		if f.Num == 2 {
			keep = s.group[at] == group
			any = any || keep
			at++
		}
		if keep {
			s.scope = append(s.scope, b[i:n]...)
		}
		i = n
	}
	return at, any
}

func appendMessage(dst []byte, num byte, b []byte) []byte {
	dst = binary.AppendUvarint(append(dst, num<<3|2), uint64(len(b)))
	return append(dst, b...)
}
