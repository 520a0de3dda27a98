package trace

import "encoding/binary"

// Field is one field of a protobuf message on the wire. Data is set for wire
// type 2 and aliases the message, Val for the others.
type Field struct {
	Num  uint32
	Wire uint8
	Val  uint64
	Data []byte
}

// NextField reads the field at b[i:], i < len(b), and returns the offset behind
// it; next is -1 if there is no sound field. Groups are not sound: OTLP has none.
func NextField(b []byte, i int) (f Field, next int) {
	var tag uint64
	if c := b[i]; c < 0x80 {
		tag, i = uint64(c), i+1
	} else {
		v, n := binary.Uvarint(b[i:])
		if n <= 0 || v > 1<<32-1 {
			return f, -1
		}
		tag, i = v, i+n
	}
	f.Num, f.Wire = uint32(tag>>3), uint8(tag&7)
	if f.Num == 0 {
		return f, -1
	}
	switch f.Wire {
	case 0:
		if i < len(b) && b[i] < 0x80 {
			f.Val = uint64(b[i])
			return f, i + 1
		}
		v, n := binary.Uvarint(b[i:])
		if n <= 0 {
			return f, -1
		}
		f.Val = v
		return f, i + n
	case 1:
		if len(b)-i < 8 {
			return f, -1
		}
		f.Val = binary.LittleEndian.Uint64(b[i:])
		return f, i + 8
	case 5:
		if len(b)-i < 4 {
			return f, -1
		}
		f.Val = uint64(binary.LittleEndian.Uint32(b[i:]))
		return f, i + 4
	case 2:
		var l uint64
		if i < len(b) && b[i] < 0x80 {
			l, i = uint64(b[i]), i+1
		} else {
			v, n := binary.Uvarint(b[i:])
			if n <= 0 {
				return f, -1
			}
			l, i = v, i+n
		}
		if l > uint64(len(b)-i) {
			return f, -1
		}
		end := i + int(l)
		f.Data = b[i:end:end]
		return f, end
	}
	return f, -1
}

// EachAttribute walks message b down to its sub-messages in field outer and
// calls yield with the key and the AnyValue bytes of each KeyValue in their
// field attrs, until yield says no or the bytes end. Damaged parts are passed
// over in silence.
func EachAttribute(b []byte, outer, attrs uint32, yield func(key, value []byte) bool) {
	for i := 0; i < len(b); {
		f, n := NextField(b, i)
		if n < 0 {
			return
		}
		if f.Num == outer && f.Wire == 2 && !eachKeyValue(f.Data, attrs, yield) {
			return
		}
		i = n
	}
}

func eachKeyValue(b []byte, attrs uint32, yield func(key, value []byte) bool) bool {
	for i := 0; i < len(b); {
		f, n := NextField(b, i)
		if n < 0 {
			return true
		}
		if f.Num == attrs && f.Wire == 2 {
			var key, val []byte
			for j := 0; j < len(f.Data); {
				kv, m := NextField(f.Data, j)
				if m < 0 {
					break
				}
				if kv.Wire == 2 && kv.Num == 1 {
					key = kv.Data
				} else if kv.Wire == 2 && kv.Num == 2 {
					val = kv.Data
				}
				j = m
			}
			if !yield(key, val) {
				return false
			}
		}
		i = n
	}
	return true
}
