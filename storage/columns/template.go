package columns

import (
	"encoding/binary"
	"slices"
	"unsafe"

	"github.com/clewtrace/clew/storage/trace"
)

// template is what spans of one operation have looked like: a list of
// attributes that contains, in order, those of the spans before, each with its
// last value. An attribute that is in it is recognised by comparing bytes, and
// a value that has not changed needs no hashing.
//
// A template is a guess: what it does not know costs time and nothing else.
type template struct {
	service, name uint32 // numbers
	kind          int32
	bound         bool // the four fields around are set; else it stands for any operation
	op            uint32
	shape         uint32 // that of the span before
	entries       []templateEntry
	unknown       uint32 // attributes that found no entry and got none
}

// templateEntry is one attribute of a template.
type templateEntry struct {
	head  []byte // of the KeyValue: the key and the tag of the value, up to its length
	val   []byte // the last value of types with a Dict; aliases the columns
	attr  uint32
	code  uint32 // of val
	tag   byte   // of the AnyValue's field; 0 for types that are not recognised
	typ   ValueType
	known bool // val and code are set
}

const (
	templateSize      = int64(unsafe.Sizeof(template{}))
	templateEntrySize = int64(unsafe.Sizeof(templateEntry{}))
	// maxTemplates bounds the templates of a Set; all are dropped when there
	// are more. Operations that are seen once get none.
	maxTemplates = 1024
	// maxEntries bounds a template. It fills up where attributes come in
	// another order every time, and starts again after templateTrial of them.
	maxEntries    = 96
	templateTrial = 1 << 14
	// lookAhead is how many attributes of a template may be missing in a row.
	lookAhead = 4
)

// is reports whether t is the template of an operation.
func (t *template) is(service, name uint32, kind int32) bool {
	return t.bound && t.name == name && t.service == service && t.kind == kind
}

// templates finds templates by operation.
type templates struct {
	slots []*template // power of two, at most half full
	n     int
	bytes int64
	other template // of operations without a template
}

func hashOp(service, name uint32, kind int32) uint32 {
	h := (uint64(name)<<32 | uint64(service)<<4 ^ uint64(uint32(kind))) * 0x9E3779B97F4A7C15
	return uint32(h >> 32)
}

func (ts *templates) add(t *template) {
	if ts.n == maxTemplates {
		*ts = templates{other: ts.other}
		ts.bytes = int64(cap(ts.other.entries)) * templateEntrySize
	}
	if 2*(ts.n+1) > len(ts.slots) {
		old := ts.slots
		ts.slots = make([]*template, max(16, 2*len(old)))
		for _, o := range old {
			if o != nil {
				ts.place(o)
			}
		}
	}
	ts.place(t)
	ts.n++
	ts.bytes += templateSize + 16
}

func (ts *templates) place(t *template) {
	mask := uint32(len(ts.slots) - 1)
	i := hashOp(t.service, t.name, t.kind) & mask
	for ts.slots[i] != nil {
		i = (i + 1) & mask
	}
	ts.slots[i] = t
}

// expect returns the template for a span whose first attribute is at the head of
// rest. If the name of the span is not known yet, it is looked for in rest:
// the Collector writes the fields of a message from the last to the first.
func (s *Set) expect(res, name uint32, kind int32, haveName bool, rest []byte) *template {
	if haveName {
		return s.template(res, name, kind)
	}
	for i := 0; i < len(rest); {
		f, n := trace.NextField(rest, i)
		if n < 0 {
			break
		}
		switch {
		case f.Num == 5 && f.Wire == 2:
			name, haveName = s.names.find(f.Data)
		case f.Num == 6 && f.Wire == 0:
			kind = int32(f.Val)
		}
		i = n
	}
	if !haveName {
		return &s.dec.templates.other
	}
	return s.template(res, name, kind)
}

// template returns the template for spans of an operation.
func (s *Set) template(res, name uint32, kind int32) *template {
	ts := &s.dec.templates
	service := s.serviceNums[res]
	if len(ts.slots) > 0 {
		mask := uint32(len(ts.slots) - 1)
		for i := hashOp(service, name, kind) & mask; ts.slots[i] != nil; i = (i + 1) & mask {
			if t := ts.slots[i]; t.is(service, name, kind) {
				return t
			}
		}
	}
	op, ok := s.opIndex[opKey{service, name, kind}]
	if !ok {
		return &ts.other
	}
	t := &template{service: service, name: name, kind: kind, bound: true, op: op}
	ts.add(t)
	return t
}

// Tags of the value of a KeyValue and of the fields of an AnyValue.
const (
	tagValue  = 2<<3 | 2
	tagString = 1<<3 | 2
	tagBool   = 2 << 3
	tagInt    = 3 << 3
	tagDouble = 4<<3 | 1
	tagBytes  = 7<<3 | 2
)

var valueTags = [...]byte{String: tagString, Bool: tagBool, Int: tagInt, Double: tagDouble, Bytes: tagBytes, Any: 0}

// knownAttrs reads the attributes at the head of b, a part of a Span message,
// that are written as the entries of t at or a little behind at say: n is the
// number of bytes read, next the place behind the last of these entries.
//
// It knows two encodings of a KeyValue: key and value in their order, as most
// write them, and value first, as the Collector does.
func (s *Set) knownAttrs(t *template, at int, b []byte) (n, next int) {
	d := &s.dec
	attrs, slots := d.attrs, d.slots
attributes:
	for len(b)-n > 3 && b[n] == tagAttribute {
		i := n + 2
		size := int(b[n+1])
		if size >= 0x80 {
			size, i = size&0x7f|int(b[n+2])<<7, i+1
		}
		if size < 4 || size >= 1<<14 || size > len(b)-i {
			break
		}
		kv := b[i : i+size]
		var e *templateEntry
		var value []byte // the AnyValue
		q := at
		if kv[0] == tagValue {
			k, j := int(kv[1]), 2
			if k >= 0x80 {
				k, j = k&0x7f|int(kv[2])<<7, 3
			}
			if k < 2 || k >= 1<<14 || k > size-j {
				break
			}
			value = kv[j : j+k]
			key := kv[j+k:]
			for ; ; q++ {
				if q >= len(t.entries) || q >= at+lookAhead {
					break attributes
				}
				e = &t.entries[q]
				if value[0] == e.tag && len(e.head) == len(key)+1 && string(key) == string(e.head[:len(key)]) {
					break
				}
			}
		} else {
			for ; ; q++ {
				if q >= len(t.entries) || q >= at+lookAhead {
					break attributes
				}
				e = &t.entries[q]
				h := len(e.head)
				if size < h+3 || string(kv[:h]) != string(e.head) {
					continue
				}
				k := int(kv[h])
				value = kv[h+1:]
				if k >= 0x80 {
					k, value = k&0x7f|int(value[0])<<7, value[1:]
				}
				if k == len(value) && k < 1<<14 && k >= 2 && value[0] == e.tag {
					break
				}
				// Perhaps the same key with another type follows.
			}
		}
		switch e.tag {
		case tagString, tagBytes:
			k, data := int(value[1]), value[2:]
			if k >= 0x80 {
				if len(data) == 0 || data[0] >= 0x80 {
					break attributes
				}
				k, data = k&0x7f|int(data[0])<<7, data[1:]
			}
			if k != len(data) {
				break attributes
			}
			if e.known && string(data) == string(e.val) {
				slots = append(slots, e.code)
			} else {
				d.news = append(d.news, pending{data, e.attr, int32(len(slots)), int32(q)})
				slots = append(slots, 0)
			}
		case tagInt:
			v := uint64(value[1])
			if v >= 0x80 || len(value) != 2 {
				var k int
				if v, k = binary.Uvarint(value[1:]); k != len(value)-1 {
					break attributes
				}
			}
			slots = append(slots, uint32(v), uint32(v>>32))
		case tagBool:
			if len(value) != 2 || value[1] > 1 {
				break attributes
			}
			slots = append(slots, uint32(value[1]))
		case tagDouble:
			if len(value) != 9 {
				break attributes
			}
			slots = append(slots, binary.LittleEndian.Uint32(value[1:]), binary.LittleEndian.Uint32(value[5:]))
		default:
			break attributes
		}
		attrs = append(attrs, e.attr)
		n, at = i+size, q+1
	}
	d.attrs, d.slots = attrs, slots
	return n, at
}

// otherAttr reads any KeyValue and returns the place in t behind it; -1 if it
// is malformed.
func (s *Set) otherAttr(t *template, at int, kv []byte) int {
	d := &s.dec
	key, typ, v, ok := parseKeyValue(kv)
	if !ok {
		return -1
	}
	var e *templateEntry
	q, end := at, min(at+lookAhead, len(t.entries))
	for ; q < end; q++ {
		if c := &t.entries[q]; c.typ == typ && s.attrs[c.attr].Key == string(key) {
			e = c
			break
		}
	}
	var id uint32
	if e != nil {
		id = e.attr
	} else {
		id = s.attr(key, typ)
		q, e = at, s.dec.templates.extend(t, at, s.attrs[id], id)
	}
	d.attrs = append(d.attrs, id)
	switch {
	case typ.HasDict():
		if e != nil && e.known && string(v.data) == string(e.val) {
			d.slots = append(d.slots, e.code)
			break
		}
		p := pending{v.data, id, int32(len(d.slots)), -1}
		if e != nil {
			p.tmpl = int32(q)
		}
		d.news = append(d.news, p)
		d.slots = append(d.slots, 0)
	case typ == Bool:
		d.slots = append(d.slots, uint32(v.bits))
	case typ != Empty:
		d.slots = append(d.slots, uint32(v.bits), uint32(v.bits>>32))
	}
	if e == nil {
		return at
	}
	return q + 1
}

// extend puts an entry for attribute id into t before entry at; nil if t takes
// no more.
func (ts *templates) extend(t *template, at int, a *Attr, id uint32) *templateEntry {
	if len(t.entries) == maxEntries {
		if t.unknown++; t.unknown < templateTrial || at > 0 {
			return nil
		}
		t.entries, t.unknown = t.entries[:0], 0
	}
	before := cap(t.entries)
	t.entries = slices.Insert(t.entries, at, templateEntry{head: a.head, attr: id, tag: valueTags[a.Type], typ: a.Type})
	ts.bytes += int64(cap(t.entries)-before) * templateEntrySize
	return &t.entries[at]
}
