package columns

import (
	"encoding/binary"

	"github.com/clewtrace/clew/storage/trace"
)

// Emitter writes spans as OTLP TracesData wire bytes. Spans that follow each
// other with the same resource and scope share one ResourceSpans and one
// ScopeSpans. Use: Reset, then for each span Begin, Attr…, Raw, End; Finish.
type Emitter struct {
	dst                []byte
	resBuf, scopeBuf   []byte // body of the open ResourceSpans, ScopeSpans
	span               []byte // body of the open Span
	res, scope         uint32
	resOpen, scopeOpen bool
	nested, name       []byte
}

// Reset starts a new message that is appended to dst.
func (e *Emitter) Reset(dst []byte) {
	e.dst = dst
	e.resBuf, e.scopeBuf, e.span = e.resBuf[:0], e.scopeBuf[:0], e.span[:0]
	e.resOpen, e.scopeOpen = false, false
}

// Fixed is the fixed part of a span for Begin.
type Fixed struct {
	TraceID        trace.ID
	SpanID, Parent trace.SpanID
	Name           []byte
	Kind           int32
	Start, End     uint64
	Flags          uint32
	Status         int32
	StatusMessage  []byte
}

// Begin starts a span. res and scope are any numbers that tell resources and
// scopes apart; resRaw and scopeRaw are their wire bytes (see Set.Resource).
func (e *Emitter) Begin(res, scope uint32, resRaw, scopeRaw []byte, f *Fixed) {
	if !e.resOpen || res != e.res {
		e.closeResource()
		e.res, e.resOpen = res, true
		e.resBuf = append(e.resBuf[:0], resRaw...)
	}
	if !e.scopeOpen || scope != e.scope {
		e.closeScope()
		e.scope, e.scopeOpen = scope, true
		e.scopeBuf = append(e.scopeBuf[:0], scopeRaw...)
	}
	b := e.span[:0]
	b = append(append(b, 1<<3|2, 16), f.TraceID[:]...)
	b = append(append(b, 2<<3|2, 8), f.SpanID[:]...)
	if !f.Parent.IsZero() {
		b = append(append(b, 4<<3|2, 8), f.Parent[:]...)
	}
	b = appendBytesField(b, 5, f.Name)
	if f.Kind != 0 {
		b = binary.AppendUvarint(append(b, 6<<3), uint64(int64(f.Kind)))
	}
	if f.Start != 0 {
		b = binary.LittleEndian.AppendUint64(append(b, 7<<3|1), f.Start)
	}
	if f.End != 0 {
		b = binary.LittleEndian.AppendUint64(append(b, 8<<3|1), f.End)
	}
	if f.Status != 0 || len(f.StatusMessage) > 0 {
		n := appendBytesField(e.nested[:0], 2, f.StatusMessage)
		if f.Status != 0 {
			n = binary.AppendUvarint(append(n, 3<<3), uint64(int64(f.Status)))
		}
		b = binary.AppendUvarint(append(b, 15<<3|2), uint64(len(n)))
		b = append(b, n...)
		e.nested = n
	}
	if f.Flags != 0 {
		b = binary.LittleEndian.AppendUint32(append(b, 0x85, 0x01), f.Flags)
	}
	e.span = b
}

// Attr adds one attribute. bits holds Bool (0 or 1), Int and Double (as bits);
// val holds String, Bytes and Any.
func (e *Emitter) Attr(key string, typ ValueType, bits uint64, val []byte) {
	n := e.nested[:0]
	if len(key) > 0 {
		n = binary.AppendUvarint(append(n, 1<<3|2), uint64(len(key)))
		n = append(n, key...)
	}
	n = appendAnyValue(n, typ, bits, val)
	e.span = binary.AppendUvarint(append(e.span, 9<<3|2), uint64(len(n)))
	e.span = append(e.span, n...)
	e.nested = n
}

// appendAnyValue appends field 2 (value) of a KeyValue.
func appendAnyValue(n []byte, typ ValueType, bits uint64, val []byte) []byte {
	n = append(n, 2<<3|2)
	switch typ {
	case Empty:
		return append(n, 0)
	case String, Bytes:
		tag := byte(1<<3 | 2)
		if typ == Bytes {
			tag = 7<<3 | 2
		}
		n = binary.AppendUvarint(n, uint64(1+uvarintLen(uint64(len(val)))+len(val)))
		n = binary.AppendUvarint(append(n, tag), uint64(len(val)))
		return append(n, val...)
	case Bool:
		return append(n, 2, 2<<3, byte(bits))
	case Int:
		n = append(n, byte(1+uvarintLen(bits)), 3<<3)
		return binary.AppendUvarint(n, bits)
	case Double:
		return binary.LittleEndian.AppendUint64(append(n, 9, 4<<3|1), bits)
	default:
		n = binary.AppendUvarint(n, uint64(len(val)))
		return append(n, val...)
	}
}

// Raw adds fields of the Span message as wire bytes.
func (e *Emitter) Raw(fields []byte) { e.span = append(e.span, fields...) }

// End closes the span.
func (e *Emitter) End() {
	e.scopeBuf = binary.AppendUvarint(append(e.scopeBuf, 2<<3|2), uint64(len(e.span)))
	e.scopeBuf = append(e.scopeBuf, e.span...)
}

func (e *Emitter) closeScope() {
	if !e.scopeOpen {
		return
	}
	e.scopeOpen = false
	e.resBuf = binary.AppendUvarint(append(e.resBuf, 2<<3|2), uint64(len(e.scopeBuf)))
	e.resBuf = append(e.resBuf, e.scopeBuf...)
}

func (e *Emitter) closeResource() {
	e.closeScope()
	if !e.resOpen {
		return
	}
	e.resOpen = false
	e.dst = binary.AppendUvarint(append(e.dst, 1<<3|2), uint64(len(e.resBuf)))
	e.dst = append(e.dst, e.resBuf...)
}

// Finish returns the message. The Emitter keeps no reference to it.
func (e *Emitter) Finish() []byte {
	e.closeResource()
	d := e.dst
	e.dst = nil
	return d
}

func appendBytesField(b []byte, field byte, val []byte) []byte {
	if len(val) == 0 {
		return b
	}
	b = binary.AppendUvarint(append(b, field<<3|2), uint64(len(val)))
	return append(b, val...)
}

func uvarintLen(v uint64) int {
	n := 1
	for v >= 0x80 {
		v >>= 7
		n++
	}
	return n
}

// Span returns the body of the span that Begin, Attr and Raw have built so
// far. It is valid until the next Begin.
func (e *Emitter) Span() []byte { return e.span }

// emit writes row r, as it came, into e, up to but without End.
func (s *Set) emit(e *Emitter, row *Row) {
	op := &s.ops[row.Op]
	events, links, rest, msg := SplitExtra(s.ExtraOf(row))
	e.name = append(e.name[:0], op.Name...)
	e.Begin(row.Resource, row.Scope, s.Resource(row.Resource), s.Scope(row.Scope), &Fixed{
		TraceID: s.traces.at(row.Trace).ID, SpanID: row.SpanID, Parent: row.Parent,
		Name: e.name, Kind: op.Kind, Start: row.Start, End: row.End,
		Flags: row.Flags, Status: row.Status, StatusMessage: msg,
	})
	slots := s.SlotsOf(row)
	for _, a := range s.shapes[row.Shape].Attrs {
		col := s.attrs[a.Attr]
		bits, val := col.value(slots, a.Slot)
		e.Attr(col.Key, col.Type, bits, val)
	}
	e.Raw(rest)
	e.Raw(events)
	e.Raw(links)
}

// value reads one value from the slots of a row: bits for Bool, Int and
// Double, val for String, Bytes and Any.
func (a *Attr) value(slots []uint32, at int) (bits uint64, val []byte) {
	switch a.Type {
	case String, Bytes, Any:
		return 0, a.Dict.Value(slots[at])
	case Int, Double:
		return uint64(slots[at]) | uint64(slots[at+1])<<32, nil
	case Bool:
		return uint64(slots[at]), nil
	}
	return 0, nil
}

func (s *Set) appendSpanBytes(dst []byte, row *Row) []byte {
	var e Emitter
	e.Reset(nil)
	s.emit(&e, row)
	return append(dst, e.Span()...)
}

// appendTrace appends the spans of trace t, in arrival order.
func (s *Set) appendTrace(e *Emitter, dst []byte, t uint32) []byte {
	e.Reset(dst)
	rows := s.distinctRows(t, nil)
	for _, r := range rows {
		s.emit(e, s.Row(r))
		e.End()
	}
	return e.Finish()
}
