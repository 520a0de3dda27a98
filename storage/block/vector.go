package block

import (
	"encoding/binary"
	"math"
	"math/bits"
)

// values are values of one physical type, without nulls: what a PLAIN page or a
// dictionary holds.
type values struct {
	physical Physical
	n        int
	i32      []int32
	i64      []int64 // Int64, and Double as bits
	u8       []uint8 // Boolean
	fixed    []byte  // Fixed8, Fixed16
	// Byte arrays stand in data as Parquet writes them: each value behind its
	// length in 4 bytes, little endian. offs are where the values begin.
	data []byte
	offs []uint32
}

func (v *values) reset(p Physical) {
	v.physical, v.n = p, 0
	v.i32, v.i64, v.u8 = v.i32[:0], v.i64[:0], v.u8[:0]
	v.fixed, v.data, v.offs = v.fixed[:0], v.data[:0], v.offs[:0]
}

// bytes returns byte array i, or fixed-size value i. Do not write.
func (v *values) bytes(i int) []byte {
	switch v.physical {
	case ByteArray:
		off := v.offs[i]
		end := off + binary.LittleEndian.Uint32(v.data[off-4:])
		return v.data[off:end:end]
	case Fixed8:
		return v.fixed[8*i : 8*i+8 : 8*i+8]
	case Fixed16:
		return v.fixed[16*i : 16*i+16 : 16*i+16]
	}
	return nil
}

// bits returns number i: an Int32 or Int64 extended by its sign, a Double as
// its bits, a Boolean as 0 or 1.
func (v *values) bits(i int) uint64 {
	switch v.physical {
	case Int32:
		return uint64(v.i32[i])
	case Int64, Double:
		return uint64(v.i64[i])
	case Boolean:
		return uint64(v.u8[i])
	}
	return 0
}

func (v *values) cost() int64 {
	return int64(4*cap(v.i32) + 8*cap(v.i64) + cap(v.u8) + cap(v.fixed) + cap(v.data) + 4*cap(v.offs))
}

// reserve makes room for n more values. Byte arrays grow with their pages.
func (v *values) reserve(n int) {
	switch v.physical {
	case Int32:
		v.i32 = grow(v.i32, n)
	case Int64, Double:
		v.i64 = grow(v.i64, n)
	case Boolean:
		v.u8 = grow(v.u8, n)
	case Fixed8:
		v.fixed = grow(v.fixed, 8*n)
	case Fixed16:
		v.fixed = grow(v.fixed, 16*n)
	case ByteArray:
		v.offs = grow(v.offs, n)
	}
}

// grow returns s with room for n more elements.
func grow[T any](s []T, n int) []T {
	if cap(s)-len(s) >= n {
		return s
	}
	out := make([]T, len(s), max(len(s)+n, cap(s)+cap(s)/2))
	copy(out, s)
	return out
}

// appendPlain appends n values from a PLAIN body and reports whether it holds
// just them. A body of byte arrays must be the end of v.data.
func (v *values) appendPlain(body []byte, n int) bool {
	switch v.physical {
	case Int32:
		if len(body) != 4*n {
			return false
		}
		v.i32 = grow(v.i32, n)
		out := v.i32[len(v.i32) : len(v.i32)+n]
		for i := range out {
			out[i] = int32(binary.LittleEndian.Uint32(body[4*i:]))
		}
		v.i32 = v.i32[:len(v.i32)+n]
	case Int64, Double:
		if len(body) != 8*n {
			return false
		}
		v.i64 = grow(v.i64, n)
		out := v.i64[len(v.i64) : len(v.i64)+n]
		for i := range out {
			out[i] = int64(binary.LittleEndian.Uint64(body[8*i:]))
		}
		v.i64 = v.i64[:len(v.i64)+n]
	case Boolean:
		if len(body) != (n+7)/8 {
			return false
		}
		v.u8 = grow(v.u8, n)
		for i := range n {
			v.u8 = append(v.u8, body[i>>3]>>(i&7)&1)
		}
	case Fixed8, Fixed16:
		size := 8
		if v.physical == Fixed16 {
			size = 16
		}
		if len(body) != size*n {
			return false
		}
		v.fixed = append(v.fixed, body...)
	case ByteArray:
		if !v.appendOffsets(len(v.data)-len(body), n) {
			return false
		}
	default:
		return false
	}
	v.n += n
	return true
}

// appendOffsets finds n byte arrays in v.data from base to its end.
func (v *values) appendOffsets(base, n int) bool {
	if len(v.data) > math.MaxUint32 || n > (len(v.data)-base)/4 {
		return false
	}
	v.offs = grow(v.offs, n)
	data, offs := v.data, v.offs
	at := base
	for range n {
		if len(data)-at < 4 {
			return false
		}
		size := binary.LittleEndian.Uint32(data[at:])
		at += 4
		if uint64(size) > uint64(len(data)-at) {
			return false
		}
		offs = append(offs, uint32(at))
		at += int(size)
	}
	v.offs = offs
	return at == len(data)
}

// Vector is one column of a run of rows, decoded. Of its values, those that are
// not null are numbered from 0; index says which one a row has.
type Vector struct {
	rows    int
	present bitmap   // rows that have a value; nil: all
	rank    []uint32 // values before each word of present
	n       int      // values
	dict    *values  // nil: the values themselves are plain
	codes8  []uint8  // if dict has at most 1<<8 entries
	codes16 []uint16 // at most 1<<16
	codes32 []uint32
	plain   values
	bits    bitmap // memory of present
	scratch []byte
}

// reset makes v an empty vector in the memory that it has.
func (v *Vector) reset(p Physical, dict *values) {
	v.rows, v.n, v.present, v.bits, v.dict = 0, 0, nil, v.bits[:0], dict
	v.codes8, v.codes16, v.codes32, v.rank = v.codes8[:0], v.codes16[:0], v.codes32[:0], v.rank[:0]
	v.plain.reset(p)
}

// index returns the number of the value of a row; ok is false for null.
func (v *Vector) index(row int) (i int, ok bool) {
	if v.present == nil {
		return row, true
	}
	w := v.present[row>>6]
	bit := uint64(1) << (row & 63)
	if w&bit == 0 {
		return 0, false
	}
	return int(v.rank[row>>6]) + bits.OnesCount64(w&(bit-1)), true
}

// code returns the dictionary code of value i. v.dict must not be nil.
func (v *Vector) code(i int) int {
	switch {
	case v.dict.n <= 1<<8:
		return int(v.codes8[i])
	case v.dict.n <= 1<<16:
		return int(v.codes16[i])
	}
	return int(v.codes32[i])
}

// bytes returns value i of a column of byte arrays or fixed-size values.
func (v *Vector) bytes(i int) []byte {
	if v.dict != nil {
		return v.dict.bytes(v.code(i))
	}
	return v.plain.bytes(i)
}

// number returns value i of any other column, see values.bits.
func (v *Vector) number(i int) uint64 {
	if v.dict != nil {
		return v.dict.bits(v.code(i))
	}
	return v.plain.bits(i)
}

// cost is the memory of v in bytes, without the dictionary.
func (v *Vector) cost() int64 {
	return int64(8*cap(v.bits)+4*cap(v.rank)+cap(v.codes8)+2*cap(v.codes16)+4*cap(v.codes32)+cap(v.scratch)) +
		v.plain.cost() + 256
}

// seal ends appending: it makes the index of rows with values.
func (v *Vector) seal() {
	if v.n == v.rows {
		v.present = nil
		return
	}
	v.present = v.bits
	v.rank = grow(v.rank[:0], len(v.present))
	n := uint32(0)
	for _, w := range v.present {
		v.rank = append(v.rank, n)
		n += uint32(bits.OnesCount64(w))
	}
}

// clip gives back memory that is not used, before v is kept.
func (v *Vector) clip() {
	v.scratch = nil
	if v.present == nil {
		v.bits, v.rank = nil, nil
	}
	if c := &v.plain; cap(c.data)-len(c.data) > len(c.data)/8 {
		c.data = append(make([]byte, 0, len(c.data)), c.data...)
	}
}
