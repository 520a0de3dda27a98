package trace

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
)

// message says how the fields of a protobuf message enter the canonical form.
type message struct {
	name string
	// sub maps fields that hold messages to their kind.
	sub map[uint32]*message
	// set marks repeated fields whose order does not matter (attributes).
	set uint32
	// repeated marks repeated fields whose order matters.
	repeated []uint32
	// oneof: a zero value is a value (AnyValue).
	oneof bool
}

// The messages of OTLP that hold attributes. Fields not named here enter by
// their bytes.
var (
	anyValue     = &message{name: "AnyValue", oneof: true}
	keyValue     = &message{name: "KeyValue", sub: map[uint32]*message{2: anyValue}}
	arrayValue   = &message{name: "ArrayValue", sub: map[uint32]*message{1: anyValue}, repeated: []uint32{1}}
	keyValueList = &message{name: "KeyValueList", sub: map[uint32]*message{1: keyValue}, set: 1}
	event        = &message{name: "Event", sub: map[uint32]*message{3: keyValue}, set: 3}
	link         = &message{name: "Link", sub: map[uint32]*message{4: keyValue}, set: 4}
	status       = &message{name: "Status"}
	spanMessage  = &message{name: "Span", sub: map[uint32]*message{9: keyValue, 11: event, 13: link, 15: status}, set: 9, repeated: []uint32{11, 13}}
	resourceMsg  = &message{name: "Resource", sub: map[uint32]*message{1: keyValue}, set: 1, repeated: []uint32{3}}
	scopeMsg     = &message{name: "InstrumentationScope", sub: map[uint32]*message{3: keyValue}, set: 3}
	resourceSpan = &message{name: "ResourceSpans", sub: map[uint32]*message{1: resourceMsg}}
	scopeSpans   = &message{name: "ScopeSpans", sub: map[uint32]*message{1: scopeMsg}}
)

func init() { anyValue.sub = map[uint32]*message{5: arrayValue, 6: keyValueList} }

// maxDepth bounds nesting; what is deeper enters by its bytes.
const maxDepth = 130 // 64 nested values are two messages each

// Identity is the canonical identity of a span: equal for spans that differ
// only in the order of attributes, in the order of fields, or in how absence is
// written. resource is the wire form of ResourceSpans without scope_spans,
// scope that of ScopeSpans without spans, span that of the Span. The identity
// is the SHA-256 of the canonical encoding. It fails on bytes that are not
// protobuf.
func Identity(resource, scope, span []byte) ([32]byte, error) {
	h := sha256.New()
	for _, part := range []struct {
		m *message
		b []byte
	}{{resourceSpan, resource}, {scopeSpans, scope}, {spanMessage, span}} {
		c, err := canonical(nil, part.b, part.m, 0)
		if err != nil {
			return [32]byte{}, fmt.Errorf("identity of a span: %w", err)
		}
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(c)))
		h.Write(n[:])
		h.Write(c)
	}
	return [32]byte(h.Sum(nil)), nil
}

// canonItem is one field in canonical form.
type canonItem struct {
	num uint32
	enc []byte // wire type and value
}

// canonical appends the canonical form of message b: fields by number, of
// singular ones the last, sets sorted, zero values left out.
func canonical(dst, b []byte, m *message, depth int) ([]byte, error) {
	var items []canonItem
	for i := 0; i < len(b); {
		f, n := NextField(b, i)
		if n < 0 {
			return dst, fmt.Errorf("%s: damaged at byte %d", m.name, i)
		}
		enc, present, err := canonicalField(&f, m, depth)
		if err != nil {
			return dst, err
		}
		known := f.Num <= 16
		list := !known || f.Num == m.set && m.set != 0 || slices.Contains(m.repeated, f.Num)
		if !list {
			// Singular: the last one counts. Of a oneof any later member wins.
			items = slices.DeleteFunc(items, func(it canonItem) bool { return it.num == f.Num || m.oneof && it.num <= 16 })
		}
		if present || list {
			items = append(items, canonItem{f.Num, enc})
		}
		i = n
	}
	slices.SortStableFunc(items, func(a, b canonItem) int {
		if a.num != b.num {
			return int(a.num) - int(b.num)
		}
		if a.num == m.set {
			return bytes.Compare(a.enc, b.enc)
		}
		return 0
	})
	for _, it := range items {
		dst = binary.AppendUvarint(dst, uint64(it.num))
		dst = binary.AppendUvarint(dst, uint64(len(it.enc)))
		dst = append(dst, it.enc...)
	}
	return dst, nil
}

// canonicalField encodes one field; present is false for a value that means
// the same as absence.
func canonicalField(f *Field, m *message, depth int) (enc []byte, present bool, err error) {
	enc = append(enc, f.Wire)
	switch f.Wire {
	case 0, 1, 5:
		return binary.AppendUvarint(enc, f.Val), m.oneof || f.Val != 0, nil
	}
	sub := m.sub[f.Num]
	if sub != nil && depth < maxDepth {
		enc, err = canonical(enc, f.Data, sub, depth+1)
		return enc, m.oneof || len(enc) > 1, err
	}
	data := f.Data
	if m == spanMessage {
		switch {
		case f.Num == 1 && len(data) == 8: // an 8-byte trace ID is its padded form
			data = append(make([]byte, 8), data...)
		case f.Num == 4 && len(data) == 8 && binary.BigEndian.Uint64(data) == 0:
			data = nil
		}
	}
	return append(enc, data...), m.oneof || len(data) > 0, nil
}
