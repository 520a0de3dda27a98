package block

import (
	"encoding/binary"

	"github.com/clewtrace/clew/storage/columns"
)

// The column attrs_rest holds, for each row, the values of those attributes of
// its shape that stand in no column, in the order of the shape. Keys and types
// are the shape's. The value is null where nothing would be in it.
//
//	empty               nothing
//	bool                1 byte, 0 or 1
//	int                 zigzag varint, at most 10 bytes
//	double              8 bytes, little endian
//	string, bytes, any  length as a varint, bytes

// AppendRestValue appends one value to attrs_rest. bits holds Bool, Int and
// Double, val holds String, Bytes and Any.
func AppendRestValue(dst []byte, typ columns.ValueType, bits uint64, val []byte) []byte {
	switch typ {
	case columns.Empty:
		return dst
	case columns.Bool:
		return append(dst, byte(bits))
	case columns.Int:
		return binary.AppendVarint(dst, int64(bits))
	case columns.Double:
		return binary.LittleEndian.AppendUint64(dst, bits)
	default:
		return append(binary.AppendUvarint(dst, uint64(len(val))), val...)
	}
}

// NextRestValue reads the value of the given type at the front of b and returns
// what follows it. val aliases b. ok is false if b is damaged.
func NextRestValue(b []byte, typ columns.ValueType) (bits uint64, val, rest []byte, ok bool) {
	switch typ {
	case columns.Empty:
		return 0, nil, b, true
	case columns.Bool:
		if len(b) < 1 || b[0] > 1 {
			return 0, nil, nil, false
		}
		return uint64(b[0]), nil, b[1:], true
	case columns.Int:
		v, n := binary.Varint(b)
		if n <= 0 {
			return 0, nil, nil, false
		}
		return uint64(v), nil, b[n:], true
	case columns.Double:
		if len(b) < 8 {
			return 0, nil, nil, false
		}
		return binary.LittleEndian.Uint64(b), nil, b[8:], true
	case columns.String, columns.Bytes, columns.Any:
		var l uint64
		n := 1
		if len(b) > 0 && b[0] < 0x80 {
			l = uint64(b[0])
		} else if l, n = binary.Uvarint(b); n <= 0 {
			return 0, nil, nil, false
		}
		if l > uint64(len(b)-n) {
			return 0, nil, nil, false
		}
		end := n + int(l)
		return 0, b[n:end:end], b[end:], true
	}
	return 0, nil, nil, false
}
