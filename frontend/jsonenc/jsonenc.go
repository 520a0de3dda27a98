// Package jsonenc writes JSON front to back: tokens are appended to a buffer
// that is written out when it is full, so that an answer of any size needs
// little memory and no reflection. It checks nothing: the caller writes keys
// and values in an order that makes sense.
package jsonenc

import (
	"encoding/base64"
	"encoding/hex"
	"io"
	"math"
	"strconv"
	"unicode/utf8"
)

// Encoder writes to an io.Writer. The first error of the writer sticks: what
// follows is dropped.
type Encoder struct {
	w     io.Writer
	buf   []byte
	comma bool // a value stands before: the next one needs a comma
	err   error
}

const flushAt = 32 << 10

// New returns an Encoder that writes to w.
func New(w io.Writer) *Encoder { return &Encoder{w: w, buf: make([]byte, 0, flushAt+4096)} }

// Close writes what is left and returns the first error.
func (e *Encoder) Close() error {
	e.flush()
	return e.err
}

func (e *Encoder) flush() {
	if e.err == nil && len(e.buf) > 0 {
		_, e.err = e.w.Write(e.buf)
	}
	e.buf = e.buf[:0]
}

// next makes room for a value.
func (e *Encoder) next() {
	if e.comma {
		e.buf = append(e.buf, ',')
	}
	e.comma = true
	if len(e.buf) >= flushAt {
		e.flush()
	}
}

// Object, EndObject, Array and EndArray write brackets.
func (e *Encoder) Object() { e.open('{') }

// EndObject closes an object.
func (e *Encoder) EndObject() { e.close('}') }

// Array opens an array.
func (e *Encoder) Array() { e.open('[') }

// EndArray closes an array.
func (e *Encoder) EndArray() { e.close(']') }

func (e *Encoder) open(c byte) {
	e.next()
	e.buf = append(e.buf, c)
	e.comma = false
}

func (e *Encoder) close(c byte) {
	e.buf = append(e.buf, c)
	e.comma = true
}

// Key writes the name of a member; name needs no escapes.
func (e *Encoder) Key(name string) {
	e.next()
	e.buf = append(append(append(e.buf, '"'), name...), '"', ':')
	e.comma = false
}

// Raw writes a value that is JSON already.
func (e *Encoder) Raw(json []byte) {
	e.next()
	e.buf = append(e.buf, json...)
}

// Null writes null.
func (e *Encoder) Null() {
	e.next()
	e.buf = append(e.buf, "null"...)
}

// Bool writes true or false.
func (e *Encoder) Bool(v bool) {
	e.next()
	e.buf = strconv.AppendBool(e.buf, v)
}

// Int and Uint write numbers.
func (e *Encoder) Int(v int64) {
	e.next()
	e.buf = strconv.AppendInt(e.buf, v, 10)
}

// Uint writes a number.
func (e *Encoder) Uint(v uint64) {
	e.next()
	e.buf = strconv.AppendUint(e.buf, v, 10)
}

// IntString and UintString write numbers as strings, for values that
// JavaScript cannot hold.
func (e *Encoder) IntString(v int64) {
	e.next()
	e.buf = append(strconv.AppendInt(append(e.buf, '"'), v, 10), '"')
}

// UintString writes a number as a string.
func (e *Encoder) UintString(v uint64) {
	e.next()
	e.buf = append(strconv.AppendUint(append(e.buf, '"'), v, 10), '"')
}

// Float writes a number; NaN and infinities as the strings of protobuf's JSON.
func (e *Encoder) Float(v float64) {
	switch {
	case math.IsNaN(v):
		e.Str("NaN")
	case math.IsInf(v, 1):
		e.Str("Infinity")
	case math.IsInf(v, -1):
		e.Str("-Infinity")
	default:
		e.next()
		format := byte('f')
		if abs := math.Abs(v); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
			format = 'e'
		}
		e.buf = strconv.AppendFloat(e.buf, v, format, -1, 64)
	}
}

// Hex writes bytes as a string of hexadecimal digits.
func (e *Encoder) Hex(b []byte) {
	e.next()
	e.buf = append(hex.AppendEncode(append(e.buf, '"'), b), '"')
}

// Base64 writes bytes as a string in standard base64.
func (e *Encoder) Base64(b []byte) {
	e.next()
	e.buf = append(base64.StdEncoding.AppendEncode(append(e.buf, '"'), b), '"')
}

const hexDigits = "0123456789abcdef"

// Str writes a string. Bytes that are no UTF-8 become U+FFFD; <, > and & are
// escaped, so that the answer is harmless where it is taken for HTML.
func (e *Encoder) Str(s string) {
	e.next()
	b := append(e.buf, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if safe[c] {
				i++
				continue
			}
			b = append(b, s[start:i]...)
			switch c {
			case '"', '\\':
				b = append(b, '\\', c)
			case '\n':
				b = append(b, '\\', 'n')
			case '\r':
				b = append(b, '\\', 'r')
			case '\t':
				b = append(b, '\\', 't')
			default:
				b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
			}
			i++
			start = i
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && size == 1 || r == '\u2028' || r == '\u2029' {
			b = append(b, s[start:i]...)
			switch r {
			case utf8.RuneError:
				b = append(b, "\ufffd"...)
			default:
				b = append(b, `\u202`...)
				b = append(b, hexDigits[r&15])
			}
			start = i + size
		}
		i += size
	}
	e.buf = append(append(b, s[start:]...), '"')
}

// safe marks the ASCII characters that stand for themselves in a string.
var safe = func() (t [utf8.RuneSelf]bool) {
	for c := ' '; c < utf8.RuneSelf; c++ {
		t[c] = c != '"' && c != '\\' && c != '<' && c != '>' && c != '&'
	}
	return t
}()
