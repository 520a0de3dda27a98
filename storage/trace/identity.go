package trace

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
)

// fieldKind says how a field of a message enters the canonical form.
type fieldKind uint8

const (
	unknown  fieldKind = iota // not of this message: enters by its bytes
	skipped                   // children of an envelope
	varint64                  // int64, uint64
	varint32                  // int32, uint32, enums
	boolean                   // any varint but 0 is true
	fixed64                   // fixed64, double: by bits
	fixed32                   // by bits
	octets                    // string, bytes
	texts                     // repeated string: order counts
	traceID                   // 8 bytes are padded to 16, all zero is absent
	spanID                    // all zero is absent
	single                    // one message; repetitions are merged
	list                      // repeated message: order counts
	multiset                  // repeated message: order does not count
)

// wireOf is the protobuf wire type of each kind.
var wireOf = [...]uint8{varint64: 0, varint32: 0, boolean: 0, fixed64: 1, fixed32: 5, octets: 2, texts: 2,
	traceID: 2, spanID: 2, single: 2, list: 2, multiset: 2}

// maxField is the largest field number of a known field.
const maxField = 16

// message describes one OTLP message.
type message struct {
	name  string
	kinds [maxField + 1]fieldKind
	subs  [maxField + 1]*message
	// oneof: all known fields are members of one oneof, and zero is a value.
	oneof bool
}

func (m *message) with(num int, k fieldKind, sub *message) *message {
	m.kinds[num], m.subs[num] = k, sub
	return m
}

var (
	anyValue = (&message{name: "AnyValue", oneof: true}).
			with(1, octets, nil).with(2, boolean, nil).with(3, varint64, nil).with(4, fixed64, nil).with(7, octets, nil).with(8, varint32, nil)
	keyValue     = (&message{name: "KeyValue"}).with(1, octets, nil).with(2, single, anyValue).with(3, varint32, nil)
	arrayValue   = (&message{name: "ArrayValue"}).with(1, list, anyValue)
	keyValueList = (&message{name: "KeyValueList"}).with(1, multiset, keyValue)
	entityRef    = (&message{name: "EntityRef"}).with(1, octets, nil).with(2, octets, nil).with(3, texts, nil).with(4, texts, nil)
	eventMessage = (&message{name: "Event"}).with(1, fixed64, nil).with(2, octets, nil).with(3, multiset, keyValue).with(4, varint32, nil)
	linkMessage  = (&message{name: "Link"}).with(1, traceID, nil).with(2, spanID, nil).with(3, octets, nil).
			with(4, multiset, keyValue).with(5, varint32, nil).with(6, fixed32, nil)
	statusMessage = (&message{name: "Status"}).with(2, octets, nil).with(3, varint32, nil)
	spanMessage   = (&message{name: "Span"}).with(1, traceID, nil).with(2, spanID, nil).with(3, octets, nil).with(4, spanID, nil).
			with(5, octets, nil).with(6, varint32, nil).with(7, fixed64, nil).with(8, fixed64, nil).with(9, multiset, keyValue).
			with(10, varint32, nil).with(11, list, eventMessage).with(12, varint32, nil).with(13, list, linkMessage).
			with(14, varint32, nil).with(15, single, statusMessage).with(16, fixed32, nil)
	resourceMessage      = (&message{name: "Resource"}).with(1, multiset, keyValue).with(2, varint32, nil).with(3, list, entityRef)
	resourceSpansMessage = (&message{name: "ResourceSpans"}).with(1, single, resourceMessage).with(2, skipped, nil).with(3, octets, nil)
	scopeMessage         = (&message{name: "InstrumentationScope"}).with(1, octets, nil).with(2, octets, nil).
				with(3, multiset, keyValue).with(4, varint32, nil)
	scopeSpansMessage = (&message{name: "ScopeSpans"}).with(1, single, scopeMessage).with(2, skipped, nil).with(3, octets, nil)
)

func init() { anyValue.with(5, single, arrayValue).with(6, single, keyValueList) }

// maxDepth is how many values may lie within each other; what is deeper enters
// by its bytes.
const maxDepth = 64

// Identity is the canonical identity of a span's content together with its
// resource and scope. resource is the wire form of a ResourceSpans message,
// scope that of a ScopeSpans message (fields 2 of both, their children, are
// passed over and may be left out), span that of a Span.
//
// Two identities are equal if and only if the messages mean the same: the order
// of fields and of attributes (all attributes, in maps too) does not count,
// the number of equal attributes does; arrays, events and links are ordered; an
// unset field equals its zero value and an empty message an absent one, but an
// attribute without a value differs from an empty string; doubles are compared
// by bits; an 8-byte trace ID equals its padded form, an all-zero ID no ID.
// Fields that OTLP does not know, nested messages that are not protobuf, and
// values more than 64 deep count by their bytes. An error means that one of
// the three messages itself is not protobuf.
func Identity(resource, scope, span []byte) ([32]byte, error) {
	r, err := contentHash(resource, resourceSpansMessage)
	if err != nil {
		return r, err
	}
	s, err := contentHash(scope, scopeSpansMessage)
	if err != nil {
		return s, err
	}
	return identity(r, s, span)
}

// identity is Identity for a resource and a scope whose hashes are known.
func identity(resource, scope [32]byte, span []byte) ([32]byte, error) {
	s, err := contentHash(span, spanMessage)
	if err != nil {
		return s, err
	}
	var all [96]byte
	copy(all[:], resource[:])
	copy(all[32:], scope[:])
	copy(all[64:], s[:])
	return sha256.Sum256(all[:]), nil
}

// contentHash is the SHA-256 of the canonical form of one message.
func contentHash(b []byte, m *message) ([32]byte, error) {
	var buf [1024]byte
	c, bad := canonical(buf[:0], b, m, 0)
	if bad >= 0 {
		return [32]byte{}, fmt.Errorf("identity of a span: %s of %d bytes: damaged at byte %d", m.name, len(b), bad)
	}
	return sha256.Sum256(c), nil
}

// canonical appends the canonical form of message b: for each field that is not
// zero its number, the length of its value and the value, by field number;
// unknown fields last, sorted. Of a singular field the last occurrence counts.
// bad is the offset of the first damage, or -1; then nothing is appended.
func canonical(dst, b []byte, m *message, depth int) (out []byte, bad int) {
	var (
		last    [maxField + 1]Field
		present [maxField + 1]bool
		member  uint32 // the oneof member set last
		others  [][]byte
	)
	for i := 0; i < len(b); {
		f, n := NextField(b, i)
		if n < 0 {
			return dst, i
		}
		k := unknown
		if f.Num <= maxField {
			k = m.kinds[f.Num]
		}
		switch {
		case k == skipped:
		case k == unknown || f.Wire != wireOf[k]:
			others = append(others, b[i:n])
		default:
			if m.oneof && member != 0 && member != f.Num {
				present[member] = false
			}
			if k == single && present[f.Num] { // protobuf merges by concatenation
				f.Data = append(last[f.Num].Data[:len(last[f.Num].Data):len(last[f.Num].Data)], f.Data...)
			}
			last[f.Num], present[f.Num], member = f, true, f.Num
		}
		i = n
	}
	for num := uint32(1); num <= maxField; num++ {
		if present[num] {
			dst = appendField(dst, b, m, &last[num], depth)
		}
	}
	slices.SortFunc(others, bytes.Compare)
	for _, o := range others {
		dst = appendValue(append(dst, 0), o)
	}
	return dst, -1
}

// appendField appends the canonical form of field f of message b, whose last
// occurrence is f.
func appendField(dst, b []byte, m *message, f *Field, depth int) []byte {
	num, sub := byte(f.Num), m.subs[f.Num]
	switch k := m.kinds[f.Num]; k {
	case varint64, fixed64, varint32, fixed32, boolean:
		v := f.Val
		switch k {
		case varint32:
			v = uint64(uint32(v))
		case boolean:
			v = min(v, 1)
		}
		if v != 0 || m.oneof {
			dst = binary.BigEndian.AppendUint64(append(dst, num), v)
		}
	case octets:
		if len(f.Data) > 0 || m.oneof {
			dst = appendValue(append(dst, num), f.Data)
		}
	case traceID, spanID:
		if len(bytes.Trim(f.Data, "\x00")) == 0 {
			break
		}
		if k == traceID && len(f.Data) == 8 {
			dst = append(dst, num, 0, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0)
			dst = append(dst, f.Data...)
			break
		}
		dst = appendValue(append(dst, num), f.Data)
	case single:
		before := len(dst)
		dst = appendNested(append(dst, num), f.Data, sub, depth)
		if len(dst) == before+1+lengthSize && !m.oneof {
			dst = dst[:before]
		}
	case texts:
		eachOccurrence(b, f.Num, func(data []byte) { dst = appendValue(append(dst, num), data) })
	case list:
		eachOccurrence(b, f.Num, func(data []byte) { dst = appendNested(append(dst, num), data, sub, depth) })
	case multiset:
		dst = appendSorted(dst, b, f.Num, sub, depth)
	}
	return dst
}

// appendSorted appends the canonical forms of a repeated message in the order
// of their bytes: for attributes that is key, type, value.
func appendSorted(dst, b []byte, num uint32, sub *message, depth int) []byte {
	var space [16][2]int
	items := space[:0]
	base := len(dst)
	eachOccurrence(b, num, func(data []byte) {
		from := len(dst)
		dst = appendNested(append(dst, byte(num)), data, sub, depth)
		items = append(items, [2]int{from, len(dst)})
	})
	compare := func(x, y [2]int) int {
		const header = 1 + lengthSize
		return bytes.Compare(dst[x[0]+header:x[1]], dst[y[0]+header:y[1]])
	}
	if slices.IsSortedFunc(items, compare) {
		return dst
	}
	slices.SortFunc(items, compare)
	end := len(dst)
	for _, it := range items {
		dst = append(dst, dst[it[0]:it[1]]...)
	}
	return append(dst[:base], dst[end:]...)
}

// opaque marks a message that enters by its bytes. It is no field number.
const opaque = 0xff

// appendMessage appends the canonical form of a nested message; its bytes, so
// marked, if it is damaged or too deep.
func appendMessage(dst, b []byte, m *message, depth int) []byte {
	if m == anyValue {
		depth++
	}
	if depth <= maxDepth {
		if out, bad := canonical(dst, b, m, depth); bad < 0 {
			return out
		}
	}
	return append(append(dst, opaque), b...)
}

// appendNested is appendMessage with the length before it.
func appendNested(dst, b []byte, m *message, depth int) []byte {
	at := len(dst)
	dst = appendMessage(append(dst, 0, 0, 0, 0), b, m, depth)
	binary.BigEndian.PutUint32(dst[at:], uint32(len(dst)-at-lengthSize))
	return dst
}

// lengthSize is the size of the length before a value.
const lengthSize = 4

func appendValue(dst, v []byte) []byte {
	return append(binary.BigEndian.AppendUint32(dst, uint32(len(v))), v...)
}

// eachOccurrence calls f with the data of each field num of b, which is sound.
func eachOccurrence(b []byte, num uint32, f func(data []byte)) {
	for i := 0; i < len(b); {
		fld, n := NextField(b, i)
		if n < 0 {
			return
		}
		if fld.Num == num && fld.Wire == 2 {
			f(fld.Data)
		}
		i = n
	}
}
