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
	for i := 0; i < len(req); {
		rs, n, err := message(req, i, 1, "ExportTraceServiceRequest")
		if err != nil {
			return Result{}, err
		}
		for j := 0; j < len(rs); {
			ss, m, err := message(rs, j, 2, "ResourceSpans")
			if err != nil {
				return Result{}, err
			}
			for k := 0; k < len(ss); {
				span, o, err := message(ss, k, 2, "ScopeSpans")
				if err != nil {
					return Result{}, err
				}
				if k = o; span == nil {
					continue
				}
				id, reason := check(span)
				if reason != "" {
					if res.Rejected == nil {
						res.Rejected = map[string]int{}
					}
					res.Rejected[reason]++
					s.group = append(s.group, -1)
					continue
				}
				g := 0
				if groups > 1 {
					g = groupOf(id)
				}
				s.group = append(s.group, int32(g))
				res.Parts[g].Spans++
			}
			j = m
		}
		i = n
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

// message reads the field at b[i:], i < len(b), and returns the offset behind
// it. m is nil unless it is the sub-message num; num is at most 15.
func message(b []byte, i int, num uint32, name string) (m []byte, next int, err error) {
	if rest := b[i:]; len(rest) > 3 && rest[0] == byte(num<<3|2) {
		l, j := int(rest[1]), 2
		if l >= 0x80 {
			l, j = l&0x7f|int(rest[2])<<7, 3
		}
		if l < 1<<14 && l <= len(rest)-j {
			return rest[j : j+l : j+l], i + j + l, nil
		}
	}
	f, n := trace.NextField(b, i)
	if n < 0 {
		return nil, 0, fmt.Errorf("%w: %s: byte %d of %d cannot be read", ErrMalformed, name, i, len(b))
	}
	if f.Num != num {
		return nil, n, nil
	}
	if f.Wire != 2 {
		return nil, 0, fmt.Errorf("%w: %s: field %d has wire type %d, want 2", ErrMalformed, name, num, f.Wire)
	}
	return f.Data, n, nil
}

// check reads the IDs of a span; reason says why it cannot be taken. What
// encoders usually write is recognised by its bytes; trace.NextField reads all
// else.
func check(b []byte) (id trace.ID, reason string) {
	var haveTrace, haveSpan bool
	for i := 0; i < len(b); {
		if rest := b[i:]; len(rest) >= 10 {
			switch c := rest[0]; c {
			case 9<<3 | 2, 5<<3 | 2, 11<<3 | 2, 13<<3 | 2, 15<<3 | 2: // attribute, name, event, link, status
				l, j := int(rest[1]), 2
				if l >= 0x80 {
					l, j = l&0x7f|int(rest[2])<<7, 3
				}
				if l < 1<<14 && l <= len(rest)-j {
					i += j + l
					continue
				}
			case 1<<3 | 2:
				if rest[1] == 16 && len(rest) >= 18 {
					if id = trace.ID(rest[2:18]); id.IsZero() {
						return id, ReasonTraceID
					}
					haveTrace = true
					i += 18
					continue
				}
			case 2<<3 | 2:
				if rest[1] == 8 {
					if binary.LittleEndian.Uint64(rest[2:]) == 0 {
						return id, ReasonSpanID
					}
					haveSpan = true
					i += 10
					continue
				}
			case 4<<3 | 2:
				if rest[1] == 8 {
					i += 10
					continue
				}
			case 7<<3 | 1, 8<<3 | 1: // times
				i += 9
				continue
			case 6 << 3: // kind
				if rest[1] < 0x80 {
					i += 2
					continue
				}
			}
		}
		f, n := trace.NextField(b, i)
		if n < 0 {
			return id, ReasonSpan
		}
		i = n
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
