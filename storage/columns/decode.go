package columns

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/clewtrace/clew/storage/trace"
)

// ErrMalformed reports bytes that are not OTLP TracesData down to the spans.
var ErrMalformed = errors.New("malformed OTLP")

// Reasons for which single spans are left out of a Set.
const (
	ReasonMalformedSpan      = "malformed_span"
	ReasonMalformedAttribute = "malformed_attribute"
	ReasonMalformedEvent     = "malformed_event"
	ReasonMalformedLink      = "malformed_link"
	ReasonMalformedResource  = "malformed_resource"
	ReasonMalformedScope     = "malformed_scope"
	ReasonInvalidTraceID     = "invalid_trace_id"
	ReasonInvalidSpanID      = "invalid_span_id"
	ReasonInvalidParentID    = "invalid_parent_span_id"
)

// AppendResult says what became of the spans of one Append.
type AppendResult struct {
	Spans    int            // appended
	Rejected map[string]int // left out, by reason; nil if none
}

// Append decodes OTLP TracesData and appends its spans. It keeps no reference
// to otlp. A span that cannot be decoded is left out alone and counted; an
// error (ErrMalformed) means that the envelope above the spans is broken: spans
// before the damage may have been appended. receivedUnixNano is the clock at
// arrival, against which wild times are judged.
//
// One goroutine at a time may append; readers may run beside it and wait for
// the whole of it.
func (s *Set) Append(otlp []byte, receivedUnixNano uint64) (AppendResult, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sealed {
		panic("columns: Append to a sealed Set")
	}
	d := &s.dec
	d.result = AppendResult{}
	d.earliest, d.latest = 0, ^uint64(0)
	if age := uint64(s.opts.MaxAge); age > 0 && receivedUnixNano > age {
		d.earliest = receivedUnixNano - age
	}
	if ahead := uint64(s.opts.MaxAhead); ahead > 0 && receivedUnixNano > 0 {
		d.latest = receivedUnixNano + ahead
	}
	for i := 0; i < len(otlp); {
		f, n := trace.NextField(otlp, i)
		if n < 0 {
			return d.result, fmt.Errorf("%w: TracesData at byte %d", ErrMalformed, i)
		}
		if f.Num == 1 && f.Wire == 2 {
			if err := s.appendResourceSpans(f.Data); err != nil {
				return d.result, err
			}
		}
		i = n
	}
	return d.result, nil
}

// decoder is the scratch space of Append, and what the last spans looked like.
type decoder struct {
	result           AppendResult
	earliest, latest uint64
	envelope         []byte
	scopes, spans    [][]byte  // of the open ResourceSpans, ScopeSpans
	attrs            []uint32  // attribute columns of the span
	slots            []uint32  // its values, see Shape
	news             []pending // those of slots that are not known yet
	extra            []byte
	lastTrace        trace.ID
	lastTraceIdx     uint32
	haveTrace        bool
	badEnvelope      string // why the spans of the open ResourceSpans are left out
	templates        templates
}

// value is one decoded attribute value.
type value struct {
	bits uint64
	data []byte
}

// pending is a value that has to be looked up in its column once the whole span
// has been read.
type pending struct {
	data []byte
	attr uint32
	slot int32
	tmpl int32 // entry of the template that gets the code; -1 = none
}

func (d *decoder) reject(reason string) {
	if d.result.Rejected == nil {
		d.result.Rejected = map[string]int{}
	}
	d.result.Rejected[reason]++
}

// splitEnvelope separates the fields numbered child, which it appends to
// children, from the others. The others are verbatim, in order; where they are
// contiguous no byte is copied. child is at most 15.
func splitEnvelope(b []byte, child uint32, scratch []byte, children [][]byte) (own, buf []byte, kids [][]byte, err error) {
	start, end, contiguous := 0, 0, true
	buf = scratch[:0]
	tag := byte(child<<3 | 2)
	for i := 0; i < len(b); {
		// Nearly all fields are children of less than 16 KiB.
		if b[i] == tag && len(b)-i > 3 {
			l, j := int(b[i+1]), i+2
			if l >= 0x80 {
				l, j = l&0x7f|int(b[i+2])<<7, i+3
			}
			if l < 1<<14 && l <= len(b)-j {
				children = append(children, b[j:j+l:j+l])
				i = j + l
				continue
			}
		}
		f, n := trace.NextField(b, i)
		if n < 0 {
			return nil, buf, children, ErrMalformed
		}
		if f.Num == child {
			if f.Wire == 2 {
				children = append(children, f.Data)
			}
		} else if contiguous && (end == i || start == end) {
			if start == end {
				start = i
			}
			end = n
		} else {
			if contiguous {
				buf = append(buf, b[start:end]...)
				contiguous = false
			}
			buf = append(buf, b[i:n]...)
		}
		i = n
	}
	if contiguous {
		return b[start:end], buf, children, nil
	}
	return buf, buf, children, nil
}

func (s *Set) appendResourceSpans(b []byte) (err error) {
	d := &s.dec
	var own []byte
	own, d.envelope, d.scopes, err = splitEnvelope(b, 2, d.envelope, d.scopes[:0])
	if err != nil {
		return fmt.Errorf("%w: ResourceSpans", ErrMalformed)
	}
	res := s.resources.intern(own)
	if int(res) == len(s.services) {
		svc := trace.ServiceNameFromResource(own)
		num, ok := s.serviceIndex[svc]
		if !ok {
			num = uint32(len(s.serviceIndex))
			s.serviceIndex[svc] = num
		}
		s.services = append(s.services, svc)
		s.serviceNums = append(s.serviceNums, num)
		s.badResource = append(s.badResource, !validResourceSpans(own))
		s.bytes += int64(len(svc)) + 21
	}
	d.badEnvelope = ""
	if s.badResource[res] {
		d.badEnvelope = ReasonMalformedResource
	}
	for _, scope := range d.scopes {
		if err := s.appendScopeSpans(scope, res); err != nil {
			return err
		}
	}
	return nil
}

func (s *Set) appendScopeSpans(b []byte, res uint32) (err error) {
	d := &s.dec
	var own []byte
	own, d.envelope, d.spans, err = splitEnvelope(b, 2, d.envelope, d.spans[:0])
	if err != nil {
		return fmt.Errorf("%w: ScopeSpans", ErrMalformed)
	}
	scope := s.scopes.intern(own)
	if int(scope) == len(s.badScope) {
		s.badScope = append(s.badScope, !validScopeSpans(own))
	}
	bad := d.badEnvelope
	if bad == "" && s.badScope[scope] {
		bad = ReasonMalformedScope
	}
	for _, span := range d.spans {
		reason := bad
		if reason == "" {
			reason = s.appendSpan(span, res, scope)
		}
		if reason != "" {
			d.reject(reason)
		}
	}
	return nil
}

// Tags of the fields of a span as encoders write them.
const (
	tagTraceID   = 1<<3 | 2
	tagSpanID    = 2<<3 | 2
	tagParent    = 4<<3 | 2
	tagName      = 5<<3 | 2
	tagKind      = 6 << 3
	tagStart     = 7<<3 | 1
	tagEnd       = 8<<3 | 1
	tagAttribute = 9<<3 | 2
	tagStatus    = 15<<3 | 2
	tagFlags     = 16<<3 | 5 // of two bytes
)

// appendSpan decodes one span and appends it. Nothing is appended before the
// whole span has been read.
//
// Fields are read in any order and any legal encoding. What encoders really
// write is recognised by its bytes; all else takes the way through
// trace.NextField at the end of the loop.
func (s *Set) appendSpan(b []byte, res, scope uint32) (reason string) {
	d := &s.dec
	r := s.nextRow() // not part of the Set before addRow
	*r = Row{Resource: res, Scope: scope}
	var (
		id       trace.ID
		idOK     bool
		spanOK   bool
		haveName bool
		nameIdx  uint32
		kind     int32
		t        *template // chosen at the first attribute
		at       int       // next entry of t
	)
	d.attrs, d.slots, d.news, d.extra = d.attrs[:0], d.slots[:0], d.news[:0], d.extra[:0]
	for i := 0; i < len(b); {
		if rest := b[i:]; len(rest) >= 2 {
			switch rest[0] {
			case tagAttribute:
				if t == nil {
					t = s.expect(res, nameIdx, kind, haveName, rest)
				}
				if n, next := s.knownAttrs(t, at, rest); n > 0 {
					i, at = i+n, next
					continue
				}
			case tagTraceID:
				if rest[1] == 16 && len(rest) >= 18 {
					if id, idOK = trace.ID(rest[2:18]), true; id.IsZero() {
						return ReasonInvalidTraceID
					}
					i += 18
					continue
				}
			case tagSpanID:
				if rest[1] == 8 && len(rest) >= 10 {
					r.SpanID = trace.SpanID(rest[2:10])
					spanOK = !r.SpanID.IsZero()
					i += 10
					continue
				}
			case tagParent:
				if rest[1] == 8 && len(rest) >= 10 {
					r.Parent = trace.SpanID(rest[2:10])
					i += 10
					continue
				}
			case tagName:
				if l := int(rest[1]); l < 0x80 && l <= len(rest)-2 {
					nameIdx, haveName = s.names.intern(rest[2:2+l]), true
					i += 2 + l
					continue
				}
			case tagKind:
				if rest[1] < 0x80 {
					kind = int32(rest[1])
					i += 2
					continue
				}
			case tagStart:
				if len(rest) >= 9 {
					r.Start = binary.LittleEndian.Uint64(rest[1:])
					i += 9
					continue
				}
			case tagEnd:
				if len(rest) >= 9 {
					r.End = binary.LittleEndian.Uint64(rest[1:])
					i += 9
					continue
				}
			case tagStatus:
				if rest[1] == 0 {
					r.Status = 0
					i += 2
					continue
				}
				if rest[1] == 2 && len(rest) >= 4 && rest[2] == 3<<3 && rest[3] < 0x80 {
					r.Status = int32(rest[3])
					i += 4
					continue
				}
			case tagFlags&0x7f | 0x80:
				if rest[1] == tagFlags>>7 && len(rest) >= 6 {
					r.Flags = binary.LittleEndian.Uint32(rest[2:])
					i += 6
					continue
				}
			}
		}
		start := i
		f, n := trace.NextField(b, i)
		if n < 0 {
			return ReasonMalformedSpan
		}
		i = n
		switch {
		case f.Num == 9 && f.Wire == 2:
			if t == nil {
				t = s.expect(res, nameIdx, kind, haveName, b[start:])
			}
			if at = s.otherAttr(t, at, f.Data); at < 0 {
				return ReasonMalformedAttribute
			}
		case f.Num == 1 && f.Wire == 2:
			id, idOK = trace.IDFromBytes(f.Data)
			if !idOK {
				return ReasonInvalidTraceID
			}
		case f.Num == 2 && f.Wire == 2:
			if len(f.Data) != 8 {
				return ReasonInvalidSpanID
			}
			copy(r.SpanID[:], f.Data)
			spanOK = !r.SpanID.IsZero()
		case f.Num == 4 && f.Wire == 2:
			switch len(f.Data) {
			case 0:
				r.Parent = trace.SpanID{}
			case 8:
				copy(r.Parent[:], f.Data)
			default:
				return ReasonInvalidParentID
			}
		case f.Num == 5 && f.Wire == 2:
			nameIdx, haveName = s.names.intern(f.Data), true
		case f.Num == 6 && f.Wire == 0:
			kind = int32(f.Val)
		case f.Num == 7 && f.Wire == 1:
			r.Start = f.Val
		case f.Num == 8 && f.Wire == 1:
			r.End = f.Val
		case f.Num == 16 && f.Wire == 5:
			r.Flags = uint32(f.Val)
		case f.Num == 15 && f.Wire == 2:
			code, msg, ok := parseStatus(f.Data)
			if !ok {
				return ReasonMalformedSpan
			}
			r.Status = code
			if len(msg) > 0 {
				d.extra = append(d.extra, b[start:n]...)
			}
		default:
			switch {
			case f.Num <= maxSpanField && f.Wire != spanWire[f.Num]:
				return ReasonMalformedSpan
			case f.Num == 11 && !validEvent(f.Data):
				return ReasonMalformedEvent
			case f.Num == 13 && !validLink(f.Data):
				return ReasonMalformedLink
			}
			d.extra = append(d.extra, b[start:n]...)
		}
	}
	if !idOK {
		return ReasonInvalidTraceID
	}
	if !spanOK {
		return ReasonInvalidSpanID
	}
	if !haveName {
		nameIdx = s.names.intern(nil)
	}
	if t == nil {
		t = s.template(res, nameIdx, kind)
	}
	if t.is(s.serviceNums[res], nameIdx, kind) {
		r.Op = t.op
	} else {
		r.Op = s.op(res, nameIdx, kind)
	}
	s.store(r, t)
	if len(d.extra) > 0 {
		r.Extra = s.blobs.put(d.extra)
	}
	if !d.haveTrace || id != d.lastTrace {
		d.lastTraceIdx, d.lastTrace, d.haveTrace = s.traces.intern(&id), id, true
	}
	r.Trace = d.lastTraceIdx
	s.addRow(r, r.Start < d.earliest || r.Start > d.latest)
	d.result.Spans++
	return ""
}

// store finds the shape of the span that has been read, and keeps its values.
func (s *Set) store(r *Row, t *template) {
	d := &s.dec
	if len(d.attrs) == 0 {
		r.Shape = 0
	} else if string(shapeKey(d.attrs)) == string(s.shapeIDs.value(t.shape)) {
		r.Shape = t.shape
	} else {
		r.Shape = s.shape(d.attrs)
		t.shape = r.Shape
	}
	s.shapes[r.Shape].Rows++
	for k := range d.news {
		p := &d.news[k]
		dict := &s.attrs[p.attr].Dict
		code, judge := dict.add(p.data)
		if judge && 2*uint64(dict.Len()) > s.AttrCount(p.attr) {
			dict.stopHashing()
		}
		d.slots[p.slot] = code
		if p.tmpl >= 0 {
			e := &t.entries[p.tmpl]
			e.code, e.val, e.known = code, dict.Value(code), true
		}
		p.data = nil
	}
	if len(d.slots) > 0 {
		addr, slots := s.slots.reserve(len(d.slots))
		copy(slots, d.slots)
		r.Slots = addr
	}
}

func (s *Set) op(res, name uint32, kind int32) uint32 {
	k := opKey{s.serviceNums[res], name, kind}
	if id, ok := s.opIndex[k]; ok {
		return id
	}
	id := uint32(len(s.ops))
	s.ops = append(s.ops, Op{Service: s.services[res], Name: string(s.names.value(name)), Kind: kind})
	s.opIndex[k] = id
	s.bytes += int64(len(s.ops[id].Name)) + 128
	return id
}

// parseKeyValue reads a KeyValue message. Odd but legal encodings (fields
// repeated, several members of the oneof) keep their meaning: the last wins,
// as protobuf says. data aliases b.
func parseKeyValue(b []byte) (key []byte, typ ValueType, v value, ok bool) {
	var val []byte
	seen := 0
	for i := 0; i < len(b); {
		f, n := trace.NextField(b, i)
		if n < 0 {
			return nil, 0, v, false
		}
		if f.Num <= 2 && f.Wire != 2 {
			return nil, 0, v, false
		}
		if f.Wire == 2 {
			switch f.Num {
			case 1:
				key = f.Data
			case 2:
				if seen == 0 {
					val = f.Data
				} else {
					val = append(bytes.Clone(val), f.Data...) // protobuf merges by concatenation
				}
				seen++
			}
		}
		i = n
	}
	typ, v, ok = parseAnyValue(val)
	return key, typ, v, ok
}

func parseAnyValue(b []byte) (typ ValueType, v value, ok bool) {
	if len(b) == 0 {
		return Empty, v, true
	}
	f, n := trace.NextField(b, 0)
	if n < 0 || f.Num <= 7 && f.Wire != anyWire[f.Num] {
		return 0, v, false
	}
	if n != len(b) {
		return Any, value{data: b}, validAny(b, 0)
	}
	switch {
	case f.Num == 1 && f.Wire == 2:
		return String, value{data: f.Data}, true
	case f.Num == 2 && f.Wire == 0:
		v.bits = f.Val
		if v.bits > 1 {
			v.bits = 1
		}
		return Bool, v, true
	case f.Num == 3 && f.Wire == 0:
		v.bits = f.Val
		return Int, v, true
	case f.Num == 4 && f.Wire == 1:
		v.bits = f.Val
		return Double, v, true
	case f.Num == 7 && f.Wire == 2:
		return Bytes, value{data: f.Data}, true
	}
	return Any, value{data: b}, validAny(b, 0)
}

func parseStatus(b []byte) (code int32, msg []byte, ok bool) {
	for i := 0; i < len(b); {
		f, n := trace.NextField(b, i)
		if n < 0 {
			return 0, nil, false
		}
		switch {
		case f.Num == 2 && f.Wire != 2, f.Num == 3 && f.Wire != 0:
			return 0, nil, false
		case f.Num == 2 && f.Wire == 2:
			msg = f.Data
		case f.Num == 3 && f.Wire == 0:
			code = int32(f.Val)
		}
		i = n
	}
	return code, msg, true
}

// SplitExtra separates the fields of Set.ExtraOf: the wire bytes of all
// events fields, of all links fields, and of all others (trace state, dropped
// counts, unknown fields), each in order; and the status message. The results
// may alias extra.
func SplitExtra(extra []byte) (events, links, rest, statusMessage []byte) {
	// What lies together is not copied.
	var runs [3]struct {
		from, to int
		copied   []byte
	}
	for i := 0; i < len(extra); {
		f, n := trace.NextField(extra, i)
		if n < 0 {
			break
		}
		k := 2
		switch f.Num {
		case 11:
			k = 0
		case 13:
			k = 1
		case 15:
			_, statusMessage, _ = parseStatus(f.Data)
			i = n
			continue
		}
		switch r := &runs[k]; {
		case r.copied != nil:
			r.copied = append(r.copied, extra[i:n]...)
		case r.to == 0:
			r.from, r.to = i, n
		case r.to == i:
			r.to = n
		default:
			r.copied = append(append([]byte(nil), extra[r.from:r.to]...), extra[i:n]...)
		}
		i = n
	}
	var out [3][]byte
	for k := range runs {
		switch r := &runs[k]; {
		case r.copied != nil:
			out[k] = r.copied
		case r.to > 0:
			out[k] = extra[r.from:r.to:r.to]
		}
	}
	return out[0], out[1], out[2], statusMessage
}
