package block

import (
	"github.com/clewtrace/clew/storage/columns"
)

// appendTables encodes resources and scopes. Entries that used denies keep
// their number, but not their bytes.
//
//	resources: count, per entry: 0, or 1 + length, raw bytes, service
//	scopes:    count, per entry: 0, or 1 + length, raw bytes
func appendTables(e *encoder, t *Tables, used func(table, i int) bool) {
	e.uvarint(uint64(len(t.Resources)))
	for i := range t.Resources {
		if used != nil && !used(tableResources, i) {
			e.uvarint(0)
			continue
		}
		r := &t.Resources[i]
		e.uvarint(1 + uint64(len(r.Raw)))
		e.raw(r.Raw)
		e.string(r.Service)
	}
	e.uvarint(uint64(len(t.Scopes)))
	for i, raw := range t.Scopes {
		if used != nil && !used(tableScopes, i) {
			e.uvarint(0)
			continue
		}
		e.uvarint(1 + uint64(len(raw)))
		e.raw(raw)
	}
}

// The tables that appendTables and appendShapes ask about.
const (
	tableResources = iota
	tableScopes
	tableShapes
)

func parseTables(p *parser) (resources []Resource, scopes [][]byte) {
	if n := p.count(1); n > 0 {
		resources = make([]Resource, n)
		for i := range resources {
			if raw, ok := p.entry(); ok {
				resources[i] = Resource{Raw: raw, Service: p.string()}
			}
		}
	}
	if n := p.count(1); n > 0 {
		scopes = make([][]byte, n)
		for i := range scopes {
			scopes[i], _ = p.entry()
		}
	}
	return resources, scopes
}

// entry reads an entry of a table; ok is false where it was left out.
func (p *parser) entry() (raw []byte, ok bool) {
	n := p.uvarint()
	if n == 0 || n-1 > uint64(len(p.b)) {
		if n > 0 {
			p.fail()
		}
		return nil, false
	}
	return p.raw(int(n - 1)), true
}

// appendShapes encodes the columns and the shapes.
//
//	rows of the block
//	keys:    count, per key its bytes
//	columns: count, per column: physical | optional<<4 | attr<<5,
//	         then name, or key number and type
//	attrs:   count, per attribute: key number, type, 1 + column or 0
//	shapes:  count, per shape: rows, attributes, per attribute: number<<1 | in column
func appendShapes(e *encoder, rows uint32, cols []Column, shapes []Shape, used func(table, i int) bool) {
	var keys, attrs encoder
	keyNumber := map[string]uint64{}
	key := func(k string) uint64 {
		n, ok := keyNumber[k]
		if !ok {
			n = uint64(len(keyNumber))
			keyNumber[k] = n
			keys.string(k)
		}
		return n
	}
	type attr struct {
		key string
		typ columns.ValueType
	}
	attrNumber := map[attr]uint64{}
	promoted := map[attr]int32{}
	var columns, list encoder
	for i := range cols {
		c := &cols[i]
		tag := byte(c.Physical)
		if c.Optional {
			tag |= 1 << 4
		}
		if !c.Attr {
			columns.byte(tag)
			columns.string(c.Name)
			continue
		}
		columns.byte(tag | 1<<5)
		columns.uvarint(key(c.Key))
		columns.byte(byte(c.Type))
		promoted[attr{c.Key, c.Type}] = int32(i)
	}
	for i := range shapes {
		s := &shapes[i]
		if used != nil && !used(tableShapes, i) {
			list.uvarint(0)
			list.uvarint(0)
			continue
		}
		list.uvarint(uint64(s.Rows))
		list.uvarint(uint64(len(s.Attrs)))
		for _, a := range s.Attrs {
			k := attr{a.Key, a.Type}
			n, ok := attrNumber[k]
			if !ok {
				n = uint64(len(attrNumber))
				attrNumber[k] = n
				attrs.uvarint(key(a.Key))
				attrs.byte(byte(a.Type))
				col, ok := promoted[k]
				if !ok {
					col = -1
				}
				attrs.uvarint(uint64(col + 1))
			}
			n <<= 1
			if a.Column >= 0 {
				n |= 1
			}
			list.uvarint(n)
		}
	}
	e.uvarint(uint64(rows))
	e.uvarint(uint64(len(keyNumber)))
	e.raw(keys.b)
	e.uvarint(uint64(len(cols)))
	e.raw(columns.b)
	e.uvarint(uint64(len(attrNumber)))
	e.raw(attrs.b)
	e.uvarint(uint64(len(shapes)))
	e.raw(list.b)
}

func parseShapes(p *parser, x *Index) {
	x.Rows = p.uint32v()
	keys := make([]string, p.count(1))
	for i := range keys {
		keys[i] = p.string()
	}
	key := func() string {
		n := p.uvarint()
		if n >= uint64(len(keys)) {
			p.fail()
			return ""
		}
		return keys[n]
	}
	typ := func() columns.ValueType {
		t := columns.ValueType(p.byte())
		if t > columns.Any {
			p.fail()
		}
		return t
	}
	x.Columns = make([]Column, p.count(2))
	for i := range x.Columns {
		c := &x.Columns[i]
		tag := p.byte()
		c.Physical, c.Optional, c.Attr = Physical(tag&15), tag&(1<<4) != 0, tag&(1<<5) != 0
		if c.Physical > Fixed16 || tag>>6 != 0 {
			p.fail()
		}
		if c.Attr {
			c.Key, c.Type = key(), typ()
			c.Name = attrColumnName(c.Key)
		} else {
			c.Name = p.string()
		}
	}
	attrs := make([]ShapeAttr, p.count(3))
	for i := range attrs {
		attrs[i] = ShapeAttr{Key: key(), Type: typ()}
		col := p.uvarint()
		if col > uint64(len(x.Columns)) {
			p.fail()
		}
		attrs[i].Column = int32(col) - 1
	}
	x.Tables.Shapes = make([]Shape, p.count(2))
	for i := range x.Tables.Shapes {
		s := &x.Tables.Shapes[i]
		s.Rows = p.uint32v()
		n := p.count(1)
		if n == 0 {
			continue
		}
		s.Attrs = make([]ShapeAttr, n)
		for j := range s.Attrs {
			v := p.uvarint()
			if v>>1 >= uint64(len(attrs)) || v&1 != 0 && attrs[v>>1].Column < 0 {
				p.fail()
				return
			}
			s.Attrs[j] = attrs[v>>1]
			if v&1 == 0 {
				s.Attrs[j].Column = -1
			}
		}
	}
}

// attrColumnName is the name of the column of a promoted attribute.
func attrColumnName(key string) string { return "s." + key }
