// Package trace holds what every part of Clew knows about traces: identifiers,
// the identity of a span, how fragments become one whole trace, and how a
// trace is summed up in one line.
package trace

import (
	"encoding/hex"
	"fmt"
)

// ID is a trace identifier: 16 bytes, ordered as bytes. An 8-byte identifier
// is stored in the low half with zeros before it.
type ID [16]byte

// SpanID is a span identifier: 8 bytes. The zero SpanID means "none".
type SpanID [8]byte

// IsZero reports whether id is the invalid all-zero identifier.
func (id ID) IsZero() bool { return id == ID{} }

// String is the 32-digit lower-case hexadecimal form.
func (id ID) String() string { return hex.EncodeToString(id[:]) }

// IsZero reports whether id is the all-zero identifier, which means "none".
func (id SpanID) IsZero() bool { return id == SpanID{} }

// String is the 16-digit lower-case hexadecimal form.
func (id SpanID) String() string { return hex.EncodeToString(id[:]) }

// ParseID reads a trace identifier of 1 to 32 hexadecimal digits in either
// case; a shorter one is padded with zeros on the left, as Jaeger and Tempo do.
func ParseID(s string) (ID, error) {
	var id ID
	if s == "" || len(s) > 32 {
		return id, fmt.Errorf("trace ID %.64q: want 1 to 32 hexadecimal digits, have %d characters", s, len(s))
	}
	var padded [32]byte
	for i := range padded {
		padded[i] = '0'
	}
	copy(padded[32-len(s):], s)
	if _, err := hex.Decode(id[:], padded[:]); err != nil {
		return ID{}, fmt.Errorf("trace ID %q: want hexadecimal digits only", s)
	}
	return id, nil
}

// IDFromBytes reads an identifier of 16 bytes, or of 8 bytes (then padded).
// ok is false for any other length and for the all-zero identifier.
func IDFromBytes(b []byte) (id ID, ok bool) {
	switch len(b) {
	case 16:
		copy(id[:], b)
	case 8:
		copy(id[8:], b)
	default:
		return id, false
	}
	return id, !id.IsZero()
}
