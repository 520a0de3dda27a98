package block

import (
	"encoding/binary"
	"math"
	"unsafe"
)

// encoder appends the primitives of which sections are made: unsigned numbers
// as varints, signed ones as zigzag varints, strings behind their length.
type encoder struct{ b []byte }

func (e *encoder) uvarint(v uint64)   { e.b = binary.AppendUvarint(e.b, v) }
func (e *encoder) varint(v int64)     { e.b = binary.AppendVarint(e.b, v) }
func (e *encoder) byte(v byte)        { e.b = append(e.b, v) }
func (e *encoder) raw(b []byte)       { e.b = append(e.b, b...) }
func (e *encoder) bytes(b []byte)     { e.uvarint(uint64(len(b))); e.b = append(e.b, b...) }
func (e *encoder) string(s string)    { e.uvarint(uint64(len(s))); e.b = append(e.b, s...) }
func (e *encoder) section(o *encoder) { e.bytes(o.b) }

func (e *encoder) bool(v bool) {
	if v {
		e.b = append(e.b, 1)
	} else {
		e.b = append(e.b, 0)
	}
}

// parser reads what encoder wrote. After damage bad is set, and every method
// returns zero. Strings and bytes alias the input.
type parser struct {
	b   []byte
	bad bool
}

func (p *parser) fail() {
	p.bad, p.b = true, nil
}

func (p *parser) uvarint() uint64 {
	if len(p.b) > 0 && p.b[0] < 0x80 {
		v := uint64(p.b[0])
		p.b = p.b[1:]
		return v
	}
	v, n := binary.Uvarint(p.b)
	if n <= 0 {
		p.fail()
		return 0
	}
	p.b = p.b[n:]
	return v
}

func (p *parser) varint() int64 {
	v := p.uvarint()
	return int64(v>>1) ^ -int64(v&1)
}

func (p *parser) uint32v() uint32 {
	v := p.uvarint()
	if v > math.MaxUint32 {
		p.fail()
		return 0
	}
	return uint32(v)
}

func (p *parser) byte() byte {
	if len(p.b) == 0 {
		p.fail()
		return 0
	}
	v := p.b[0]
	p.b = p.b[1:]
	return v
}

func (p *parser) bool() bool {
	v := p.byte()
	if v > 1 {
		p.fail()
	}
	return v == 1
}

// raw returns the next n bytes, nil if there are fewer.
func (p *parser) raw(n int) []byte {
	if n < 0 || n > len(p.b) {
		p.fail()
		return nil
	}
	v := p.b[:n:n]
	p.b = p.b[n:]
	return v
}

func (p *parser) bytes() []byte {
	n := p.uvarint()
	if n > uint64(len(p.b)) {
		p.fail()
		return nil
	}
	return p.raw(int(n))
}

func (p *parser) string() string { return text(p.bytes()) }

// count reads a number of elements that take at least least bytes each, so
// that what is allocated for them stays a multiple of the input.
func (p *parser) count(least int) int {
	n := p.uvarint()
	if n > uint64(len(p.b)/least) {
		p.fail()
		return 0
	}
	return int(n)
}

// section returns a parser for bytes that stand behind their length.
func (p *parser) section() parser { return parser{b: p.bytes(), bad: p.bad} }

// end reports whether all was read and nothing was damaged.
func (p *parser) end() bool { return !p.bad && len(p.b) == 0 }

// text is a string in the memory of b, which never changes.
func text(b []byte) string {
	return unsafe.String(unsafe.SliceData(b), len(b))
}
