package block

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Kinds of pages and encodings, by their numbers in Parquet.
const (
	pageKindData       = 0
	pageKindDictionary = 2

	encodingPlain           = 0
	encodingPlainDictionary = 2 // how older writers name dictionary indexes
	encodingRLE             = 3
	encodingDelta           = 5
	encodingRLEDictionary   = 8
)

// pageHeader is what Clew reads of a Parquet page header.
type pageHeader struct {
	Kind         int32
	Uncompressed int // bytes of the body once decompressed
	Compressed   int // bytes of the body as it stands
	Values       int // rows, nulls included; for a dictionary its entries
	Encoding     int32
	DefEncoding  int32  // of definition levels; data pages only
	CRC          uint32 // CRC-32 (IEEE) of the body as it stands
	HasCRC       bool
}

var errPageHeader = errors.New("damaged page header")

// parsePageHeader reads the Thrift compact form of a page header and returns
// its length. It accepts data pages V1 and dictionary pages only.
func parsePageHeader(b []byte) (h pageHeader, n int, err error) {
	h.Kind, h.Uncompressed, h.Compressed, h.Values, h.Encoding = -1, -1, -1, -1, -1
	t := thriftReader{b: b}
	var inner int16
	t.fields(0, func(id int16, typ byte) {
		switch {
		case id == 1 && typ == thriftI32:
			h.Kind = t.i32()
		case id == 2 && typ == thriftI32:
			h.Uncompressed = int(t.i32())
		case id == 3 && typ == thriftI32:
			h.Compressed = int(t.i32())
		case id == 4 && typ == thriftI32:
			h.CRC, h.HasCRC = uint32(t.i32()), true
		case (id == 5 || id == 7) && typ == thriftStruct:
			inner = id
			t.fields(1, func(id int16, typ byte) {
				switch {
				case id == 1 && typ == thriftI32:
					h.Values = int(t.i32())
				case id == 2 && typ == thriftI32:
					h.Encoding = t.i32()
				case id == 3 && typ == thriftI32:
					h.DefEncoding = t.i32()
				default:
					t.skip(typ, 1)
				}
			})
		default:
			t.skip(typ, 0)
		}
	})
	switch {
	case t.bad:
		return h, 0, errPageHeader
	case h.Kind != pageKindData && h.Kind != pageKindDictionary:
		return h, 0, fmt.Errorf("page of kind %d: want a data page V1 or a dictionary page", h.Kind)
	case h.Kind == pageKindData && inner != 5 || h.Kind == pageKindDictionary && inner != 7,
		h.Uncompressed < 0, h.Compressed < 0, h.Values < 0:
		return h, 0, errPageHeader
	}
	return h, t.i, nil
}

// Types of the Thrift compact protocol.
const (
	thriftTrue   = 1
	thriftFalse  = 2
	thriftByte   = 3
	thriftI16    = 4
	thriftI32    = 5
	thriftI64    = 6
	thriftDouble = 7
	thriftBinary = 8
	thriftList   = 9
	thriftSet    = 10
	thriftMap    = 11
	thriftStruct = 12
)

// thriftDepth bounds nesting.
const thriftDepth = 16

// thriftReader walks bytes of the Thrift compact protocol. After damage bad is
// set and every method returns zero.
type thriftReader struct {
	b   []byte
	i   int
	bad bool
}

func (t *thriftReader) uvarint() uint64 {
	v, n := binary.Uvarint(t.b[t.i:])
	if n <= 0 || t.bad {
		t.bad = true
		return 0
	}
	t.i += n
	return v
}

func (t *thriftReader) zigzag() int64 {
	v := t.uvarint()
	return int64(v>>1) ^ -int64(v&1)
}

func (t *thriftReader) i32() int32 {
	v := t.zigzag()
	if int64(int32(v)) != v {
		t.bad = true
		return 0
	}
	return int32(v)
}

func (t *thriftReader) byte() byte {
	if t.bad || t.i >= len(t.b) {
		t.bad = true
		return 0
	}
	t.i++
	return t.b[t.i-1]
}

func (t *thriftReader) advance(n uint64) {
	if t.bad || n > uint64(len(t.b)-t.i) {
		t.bad = true
		return
	}
	t.i += int(n)
}

// fields calls read for each field of a struct; read must consume it.
func (t *thriftReader) fields(depth int, read func(id int16, typ byte)) {
	if depth > thriftDepth {
		t.bad = true
	}
	id := int16(0)
	for !t.bad {
		c := t.byte()
		if c == 0 {
			return
		}
		if d := c >> 4; d != 0 {
			id += int16(d)
		} else {
			id = int16(t.zigzag())
		}
		read(id, c&15)
	}
}

func (t *thriftReader) skip(typ byte, depth int) {
	switch typ {
	case thriftTrue, thriftFalse:
	case thriftByte:
		t.advance(1)
	case thriftI16, thriftI32, thriftI64:
		t.uvarint()
	case thriftDouble:
		t.advance(8)
	case thriftBinary:
		t.advance(t.uvarint())
	case thriftStruct:
		t.fields(depth+1, func(_ int16, typ byte) { t.skip(typ, depth+1) })
	case thriftList, thriftSet:
		c := t.byte()
		n := uint64(c >> 4)
		if n == 15 {
			n = t.uvarint()
		}
		t.elements(n, depth, c&15)
	case thriftMap:
		if n := t.uvarint(); n > 0 {
			c := t.byte()
			t.elements(n, depth, c>>4, c&15)
		}
	default:
		t.bad = true
	}
}

// elements skips n elements of a container, or n pairs. A bool in a container
// takes a byte.
func (t *thriftReader) elements(n uint64, depth int, types ...byte) {
	if depth >= thriftDepth || n > uint64(len(t.b)) {
		t.bad = true
	}
	for ; n > 0 && !t.bad; n-- {
		for _, typ := range types {
			if typ == thriftTrue || typ == thriftFalse {
				typ = thriftByte
			}
			t.skip(typ, depth+1)
		}
	}
}
