package columns

import "unsafe"

const rowSize = int64(unsafe.Sizeof(Row{}))

// ValueType is the type of an attribute's value. The numbers are part of the
// block format.
type ValueType uint8

// The types of OTLP's AnyValue. Any holds arrays, maps and whatever else: the
// wire bytes of the AnyValue message itself, verbatim.
const (
	Empty  ValueType = 0
	String ValueType = 1
	Bool   ValueType = 2
	Int    ValueType = 3
	Double ValueType = 4
	Bytes  ValueType = 5
	Any    ValueType = 6
)

func (t ValueType) String() string {
	return [...]string{"empty", "string", "bool", "int", "double", "bytes", "any"}[t]
}

// slots is the number of 32-bit slots that a value of the type takes:
// String, Bytes and Any hold a code into the attribute's Dict, Bool 0 or 1,
// Int and Double the low and the high half of 64 bits.
func (t ValueType) slots() int {
	switch t {
	case Empty:
		return 0
	case Int, Double:
		return 2
	default:
		return 1
	}
}

// HasDict reports whether values of the type are codes into a Dict.
func (t ValueType) HasDict() bool { return t == String || t == Bytes || t == Any }

// Attr is one attribute column: a key with one type of value.
type Attr struct {
	Key  string
	Type ValueType
	Dict Dict // of HasDict types

	head   []byte   // what a KeyValue of this key begins with, see templateEntry
	shapes []uint32 // those that hold it, once for each time
}

// Shape is an ordered list of attributes, as spans carry them. The same key
// may appear more than once.
type Shape struct {
	Attrs []ShapeAttr
	Slots int // slots that a row of this shape takes
	Rows  uint64
}

// ShapeAttr is one entry of a Shape.
type ShapeAttr struct {
	Attr uint32 // index for Set.Attr
	Slot int    // position of the value within the slots of the row
}

// attr interns the column of key and typ.
func (s *Set) attr(key []byte, typ ValueType) uint32 {
	k := attrKey{s.keys.intern(key), typ}
	if id, ok := s.attrIndex[k]; ok {
		return id
	}
	id := uint32(len(s.attrs))
	a := &Attr{Key: string(key), Type: typ}
	a.head = append(appendBytesField(make([]byte, 0, len(key)+8), 1, key), tagValue)
	if typ.HasDict() {
		a.Dict.init(s.keys.seed, &s.blobs)
	}
	s.attrs = append(s.attrs, a)
	s.attrIndex[k] = id
	s.bytes += 2*int64(len(key)) + 256
	return id
}

// AttrCount is the number of values in attribute column id. It takes time in
// proportion to the number of shapes that hold the column.
func (s *Set) AttrCount(id uint32) (n uint64) {
	for _, sh := range s.attrs[id].shapes {
		n += s.shapes[sh].Rows
	}
	return n
}

// shapeKey is what an ordered list of attribute columns is interned by. It
// aliases attrs.
func shapeKey(attrs []uint32) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(attrs))), len(attrs)*4)
}

// shape interns an ordered list of attribute columns.
func (s *Set) shape(attrs []uint32) uint32 {
	id := s.shapeIDs.intern(shapeKey(attrs))
	if int(id) < len(s.shapes) {
		return id
	}
	sh := &Shape{Attrs: make([]ShapeAttr, len(attrs))}
	for i, a := range attrs {
		sh.Attrs[i] = ShapeAttr{Attr: a, Slot: sh.Slots}
		sh.Slots += s.attrs[a].Type.slots()
		s.attrs[a].shapes = append(s.attrs[a].shapes, id)
	}
	s.shapes = append(s.shapes, sh)
	s.bytes += int64(len(attrs))*20 + 64
	return id
}
