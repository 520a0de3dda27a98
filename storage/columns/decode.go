package columns

import (
	"bytes"
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

// decoder is the scratch space of Append, and what the last span looked like.
type decoder struct {
	result           AppendResult
	earliest, latest uint64
	envelope         []byte
	attrs            []uint32 // attribute columns of the span
	vals             []value  // parallel to attrs
	extra            []byte
	lastTrace        trace.ID
	lastTraceIdx     uint32
	haveTrace        bool
	lastShape        uint32
	badEnvelope      string // why the spans of the open ResourceSpans are left out
}

// value is one decoded attribute value.
type value struct {
	bits uint64
	data []byte
}

func (d *decoder) reject(reason string) {
	if d.result.Rejected == nil {
		d.result.Rejected = map[string]int{}
	}
	d.result.Rejected[reason]++
}

// splitEnvelope separates the fields numbered child from the others. The
// others are verbatim, in order; where they are contiguous no byte is copied.
func splitEnvelope(b []byte, child uint32, scratch []byte) (own, buf []byte, err error) {
	start, end, contiguous := 0, 0, true
	buf = scratch[:0]
	for i := 0; i < len(b); {
		f, n := trace.NextField(b, i)
		if n < 0 {
			return nil, buf, ErrMalformed
		}
		if f.Num != child {
			if contiguous && (end == i || start == end) {
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
		}
		i = n
	}
	if contiguous {
		return b[start:end], buf, nil
	}
	return buf, buf, nil
}

func (s *Set) appendResourceSpans(b []byte) error {
	d := &s.dec
	own, buf, err := splitEnvelope(b, 2, d.envelope)
	d.envelope = buf
	if err != nil {
		return fmt.Errorf("%w: ResourceSpans", ErrMalformed)
	}
	res := s.resources.intern(own)
	if int(res) == len(s.services) {
		svc := trace.ServiceNameFromResource(own)
		s.services = append(s.services, svc)
		s.badResource = append(s.badResource, !validResourceSpans(own))
		s.bytes += int64(len(svc)) + 17
	}
	d.badEnvelope = ""
	if s.badResource[res] {
		d.badEnvelope = ReasonMalformedResource
	}
	for i := 0; i < len(b); {
		f, n := trace.NextField(b, i)
		if f.Num == 2 && f.Wire == 2 {
			if err := s.appendScopeSpans(f.Data, res); err != nil {
				return err
			}
		}
		i = n
	}
	return nil
}

func (s *Set) appendScopeSpans(b []byte, res uint32) error {
	d := &s.dec
	own, buf, err := splitEnvelope(b, 2, d.envelope)
	d.envelope = buf
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
	for i := 0; i < len(b); {
		f, n := trace.NextField(b, i)
		if f.Num == 2 && f.Wire == 2 {
			reason := bad
			if reason == "" {
				reason = s.appendSpan(f.Data, res, scope)
			}
			if reason != "" {
				d.reject(reason)
			}
		}
		i = n
	}
	return nil
}

// appendSpan decodes one span and appends it. Nothing is appended before the
// whole span has been read.
func (s *Set) appendSpan(b []byte, res, scope uint32) (reason string) {
	d := &s.dec
	var (
		r        = Row{Resource: res, Scope: scope}
		id       trace.ID
		idOK     bool
		spanOK   bool
		nameData []byte
		nameIdx  uint32
		haveName bool
		kind     int32
		pred     *Shape // guess: the shape last seen with this name
		predID   uint32
		hit      = true // every attribute so far is as guessed
	)
	d.attrs, d.vals, d.extra = d.attrs[:0], d.vals[:0], d.extra[:0]
	for i := 0; i < len(b); {
		start := i
		f, n := trace.NextField(b, i)
		if n < 0 {
			return ReasonMalformedSpan
		}
		i = n
		switch {
		case f.Num == 9 && f.Wire == 2:
			if pred == nil {
				predID = d.lastShape
				if haveName && s.nameShape[nameIdx] != 0 {
					predID = s.nameShape[nameIdx] - 1
				}
				pred = s.shapes[predID]
			}
			key, typ, v, ok := parseKeyValue(f.Data)
			if !ok {
				return ReasonMalformedAttribute
			}
			k := len(d.attrs)
			var id uint32
			if k < len(pred.Attrs) {
				id = pred.Attrs[k].Attr
				if a := s.attrs[id]; a.Type != typ || a.Key != string(key) {
					id, hit = s.attr(key, typ), false
				}
			} else {
				id, hit = s.attr(key, typ), false
			}
			d.attrs = append(d.attrs, id)
			d.vals = append(d.vals, v)
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
			nameData, haveName = f.Data, true
			nameIdx = s.names.intern(nameData)
			for int(nameIdx) >= len(s.nameShape) {
				s.nameShape = append(s.nameShape, 0)
			}
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
		for int(nameIdx) >= len(s.nameShape) {
			s.nameShape = append(s.nameShape, 0)
		}
	}
	r.Op = s.op(res, nameIdx, kind)
	switch {
	case len(d.attrs) == 0:
		r.Shape = 0
	case hit && len(d.attrs) == len(pred.Attrs):
		r.Shape = predID
	default:
		r.Shape = s.shape(d.attrs)
	}
	d.lastShape, s.nameShape[nameIdx] = r.Shape, r.Shape+1
	s.storeSlots(&r)
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

// storeSlots puts the values of the span into its attribute columns.
func (s *Set) storeSlots(r *Row) {
	sh := s.shapes[r.Shape]
	sh.Rows++
	if sh.Slots == 0 {
		for _, a := range sh.Attrs {
			s.attrs[a.Attr].Count++
		}
		return
	}
	addr, slots := s.slots.reserve(sh.Slots)
	r.Slots = addr
	for i, e := range sh.Attrs {
		a, v := s.attrs[e.Attr], &s.dec.vals[i]
		a.Count++
		switch a.Type {
		case String, Bytes, Any:
			slots[e.Slot] = a.Dict.add(v.data)
		case Int, Double:
			slots[e.Slot], slots[e.Slot+1] = uint32(v.bits), uint32(v.bits>>32)
		case Bool:
			slots[e.Slot] = uint32(v.bits)
		}
	}
}

func (s *Set) op(res, name uint32, kind int32) uint32 {
	k := opKey{s.services[res], name, kind}
	if id, ok := s.opIndex[k]; ok {
		return id
	}
	id := uint32(len(s.ops))
	s.ops = append(s.ops, Op{Service: k.service, Name: string(s.names.value(name)), Kind: kind})
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
