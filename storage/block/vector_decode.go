package block

import (
	"fmt"
)

// columnForm is what decoding needs to know of a column.
type columnForm struct {
	physical Physical
	optional bool
}

// decodeDictionary decodes a dictionary page of n values.
func decodeDictionary(raw []byte, p Page, physical Physical, n int) (*values, error) {
	h, body, err := openPage(raw, p)
	if err != nil {
		return nil, err
	}
	if h.Kind != pageKindDictionary || h.Encoding != encodingPlain && h.Encoding != encodingPlainDictionary {
		return nil, corruptf("page of kind %d in encoding %d: want a dictionary", h.Kind, h.Encoding)
	}
	if h.Values != n {
		return nil, corruptf("dictionary of %d values: want %d", h.Values, n)
	}
	d := &values{physical: physical}
	if physical == ByteArray {
		d.data, err = decompress(nil, body, &h)
		body = d.data
	} else {
		body, err = decompress(nil, body, &h)
	}
	if err != nil {
		return nil, err
	}
	if !d.appendPlain(body, n) {
		return nil, corruptf("dictionary of %d values in %d bytes", n, len(body))
	}
	return d, nil
}

// reserve makes room for rows more rows with n values, where these numbers can
// be trusted.
func (v *Vector) reserve(rows, n int, optional bool) {
	switch {
	case v.dict == nil:
		v.plain.reserve(n)
	case v.dict.n <= 1<<8:
		v.codes8 = grow(v.codes8, n)
	case v.dict.n <= 1<<16:
		v.codes16 = grow(v.codes16, n)
	default:
		v.codes32 = grow(v.codes32, n)
	}
	if optional {
		v.bits = grow(v.bits, (v.rows+rows+63)/64)
	}
}

// appendPage appends a data page that must hold the given number of rows. A
// page in dictionary codes needs a vector with a dictionary, any other one
// without. After an error v is unusable until reset.
func (v *Vector) appendPage(raw []byte, p Page, f columnForm, rows int) error {
	h, body, err := openPage(raw, p)
	if err != nil {
		return err
	}
	if h.Kind != pageKindData {
		return corruptf("page of kind %d: want a data page", h.Kind)
	}
	if h.Values != rows || rows > maxPageRows {
		return corruptf("page of %d rows: want %d", h.Values, rows)
	}
	coded := h.Encoding == encodingRLEDictionary || h.Encoding == encodingPlainDictionary
	if coded != (v.dict != nil) {
		return corruptf("page in encoding %d: the column has a dictionary: %t", h.Encoding, v.dict != nil)
	}
	inPlace := f.physical == ByteArray && !coded
	if inPlace {
		v.plain.data, err = decompress(v.plain.data, body, &h)
		if err == nil {
			body = v.plain.data[len(v.plain.data)-h.Uncompressed:]
		}
	} else {
		v.scratch, err = decompress(v.scratch[:0], body, &h)
		body = v.scratch
	}
	if err != nil {
		return err
	}
	n := rows
	if f.optional {
		if h.DefEncoding != encodingRLE {
			return corruptf("definition levels in encoding %d", h.DefEncoding)
		}
		v.growBits(rows)
		var ok bool
		if n, body, ok = decodeLevels(v.bits, v.rows, rows, body); !ok {
			return corruptf("damaged definition levels")
		}
	}
	ok := false
	switch {
	case coded:
		ok = v.appendCodes(body, n)
	case h.Encoding == encodingPlain:
		ok = v.plain.appendPlain(body, n)
	case h.Encoding == encodingDelta && f.physical == Int64:
		v.plain.i64 = grow(v.plain.i64, n)
		at := len(v.plain.i64)
		v.plain.i64 = v.plain.i64[:at+n]
		ok = decodeDelta(v.plain.i64[at:], body)
		v.plain.n += n
	default:
		return corruptf("encoding %d of %s values", h.Encoding, f.physical)
	}
	if !ok {
		return corruptf("%d damaged values in encoding %d", n, h.Encoding)
	}
	v.rows, v.n = v.rows+rows, v.n+n
	return nil
}

// appendNulls appends rows without values.
func (v *Vector) appendNulls(rows int) {
	v.growBits(rows)
	v.rows += rows
}

// growBits makes bits cover rows more rows.
func (v *Vector) growBits(rows int) {
	at, words := len(v.bits), (v.rows+rows+63)/64
	if words > at {
		v.bits = grow(v.bits, words-at)[:words]
		clear(v.bits[at:])
	}
}

func (v *Vector) appendCodes(body []byte, n int) bool {
	switch limit := v.dict.n; {
	case limit <= 1<<8:
		v.codes8 = grow(v.codes8, n)
		at := len(v.codes8)
		v.codes8 = v.codes8[:at+n]
		return decodeCodes(v.codes8[at:], body, limit)
	case limit <= 1<<16:
		v.codes16 = grow(v.codes16, n)
		at := len(v.codes16)
		v.codes16 = v.codes16[:at+n]
		return decodeCodes(v.codes16[at:], body, limit)
	default:
		v.codes32 = grow(v.codes32, n)
		at := len(v.codes32)
		v.codes32 = v.codes32[:at+n]
		return decodeCodes(v.codes32[at:], body, limit)
	}
}

// String names p as Parquet does.
func (p Physical) String() string {
	names := [...]string{"INT32", "INT64", "DOUBLE", "BOOLEAN", "BYTE_ARRAY", "FIXED_LEN_BYTE_ARRAY(8)", "FIXED_LEN_BYTE_ARRAY(16)"}
	if int(p) < len(names) {
		return names[p]
	}
	return fmt.Sprintf("physical type %d", uint8(p))
}
