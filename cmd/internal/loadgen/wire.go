package loadgen

import (
	"encoding/binary"
	"math"
)

// Tags of the OTLP protobuf fields that the generator writes.
const (
	tagResourceSpans  = 0x0a // ExportTraceServiceRequest.resource_spans
	tagResource       = 0x0a // ResourceSpans.resource
	tagScopeSpans     = 0x12 // ResourceSpans.scope_spans
	tagSchemaURL      = 0x1a // ResourceSpans.schema_url
	tagScope          = 0x0a // ScopeSpans.scope
	tagSpan           = 0x12 // ScopeSpans.spans
	tagTraceID        = 0x0a // Span, and Link
	tagSpanID         = 0x12
	tagParentSpanID   = 0x22
	tagName           = 0x2a
	tagKind           = 0x30
	tagStart          = 0x39
	tagEnd            = 0x41
	tagAttribute      = 0x4a
	tagEvent          = 0x5a
	tagLink           = 0x6a
	tagStatus         = 0x7a
	tagEventTime      = 0x09 // Event.time_unix_nano
	tagEventName      = 0x12
	tagEventAttribute = 0x1a
	tagLinkAttribute  = 0x22
	tagLinkFlags      = 0x35
	tagResourceAttr   = 0x0a // Resource.attributes
)

// flags of spans and links: W3C's sampled bit, "is remote is known" and "the
// parent is remote", as the SDKs send them.
const (
	flagsLocal  = 0x101
	flagsRemote = 0x301
)

func uvarintLen(v uint64) int {
	n := 1
	for ; v >= 0x80; v >>= 7 {
		n++
	}
	return n
}

func appendUvarint(b []byte, v uint64) []byte {
	if v < 0x80 {
		return append(b, byte(v))
	}
	return binary.AppendUvarint(b, v)
}

func appendField(b []byte, tag byte, value []byte) []byte {
	b = appendUvarint(append(b, tag), uint64(len(value)))
	return append(b, value...)
}

func appendText(b []byte, tag byte, value string) []byte {
	b = appendUvarint(append(b, tag), uint64(len(value)))
	return append(b, value...)
}

// keyPart is the encoded key field of a KeyValue.
func keyPart(key string) []byte { return appendText(nil, 0x0a, key) }

// appendString appends a KeyValue whose value is a string; key is a keyPart.
func appendString[S string | []byte](b []byte, tag byte, key []byte, value S) []byte {
	n := len(value)
	anyLen := 1 + uvarintLen(uint64(n)) + n
	b = appendUvarint(append(b, tag), uint64(len(key)+1+uvarintLen(uint64(anyLen))+anyLen))
	b = append(b, key...)
	b = appendUvarint(append(b, 0x12), uint64(anyLen))
	b = appendUvarint(append(b, 0x0a), uint64(n))
	return append(b, value...)
}

func appendInt(b []byte, tag byte, key []byte, value int64) []byte {
	n := uvarintLen(uint64(value))
	b = appendUvarint(append(b, tag), uint64(len(key)+3+n))
	b = append(b, key...)
	b = append(b, 0x12, byte(1+n), 0x18)
	return appendUvarint(b, uint64(value))
}

func appendBool(b []byte, tag byte, key []byte, value bool) []byte {
	b = appendUvarint(append(b, tag), uint64(len(key)+4))
	b = append(b, key...)
	v := byte(0)
	if value {
		v = 1
	}
	return append(b, 0x12, 2, 0x10, v)
}

func appendDouble(b []byte, tag byte, key []byte, value float64) []byte {
	b = appendUvarint(append(b, tag), uint64(len(key)+11))
	b = append(b, key...)
	b = append(b, 0x12, 9, 0x21)
	return binary.LittleEndian.AppendUint64(b, math.Float64bits(value))
}

// appendStrings appends a KeyValue whose value is an array of strings.
func appendStrings(b []byte, tag byte, key []byte, values []string) []byte {
	var array []byte
	for _, v := range values {
		array = appendField(array, 0x0a, appendText(nil, 0x0a, v))
	}
	value := appendField(nil, 0x2a, array)
	kv := append([]byte(nil), key...)
	kv = appendField(kv, 0x12, value)
	return appendField(b, tag, kv)
}
