package block

import (
	"cmp"
	"slices"

	"github.com/clewtrace/clew/storage/columns"
	"github.com/clewtrace/clew/storage/trace"
)

// nameTable counts attribute names.
type nameTable struct {
	keys [ScopeLink + 1]map[string]*[columns.Any + 1]uint64
}

func (t *nameTable) add(scope AttrScope, key []byte, typ columns.ValueType, n uint64) {
	m := t.keys[scope]
	if m == nil {
		m = map[string]*[columns.Any + 1]uint64{}
		t.keys[scope] = m
	}
	c := m[string(key)]
	if c == nil {
		c = new([columns.Any + 1]uint64)
		m[string(key)] = c
	}
	c[typ] += n
}

// messages counts the attributes in field attrs of the messages that are the
// fields numbered outer of b.
func (t *nameTable) messages(scope AttrScope, b []byte, outer, attrs uint32) {
	trace.EachAttribute(b, outer, attrs, func(key, value []byte) bool {
		t.add(scope, key, anyType(value), 1)
		return true
	})
}

// tables counts the attributes of resources, scopes and shapes by the rows that
// refer to them.
func (t *nameTable) tables(l *layout) {
	weigh := func(scope AttrScope, raw []byte, outer, attrs uint32, rows uint64) {
		trace.EachAttribute(raw, outer, attrs, func(key, value []byte) bool {
			t.add(scope, key, anyType(value), rows)
			return true
		})
	}
	for i := range l.tables.Resources {
		weigh(ScopeResource, l.tables.Resources[i].Raw, 1, 1, l.resourceRows[i])
	}
	for i, raw := range l.tables.Scopes {
		weigh(ScopeInstrumentation, raw, 1, 3, l.scopeRows[i])
	}
	for i := range l.tables.Shapes {
		s := &l.tables.Shapes[i]
		for _, a := range s.Attrs {
			t.add(ScopeSpan, []byte(a.Key), a.Type, uint64(s.Rows))
		}
	}
}

// sorted returns the names sorted by (scope, key, type).
func (t *nameTable) sorted() []AttrName {
	var out []AttrName
	for scope := range t.keys {
		for key, counts := range t.keys[scope] {
			for typ, n := range counts {
				if n > 0 {
					out = append(out, AttrName{AttrScope(scope), key, columns.ValueType(typ), n})
				}
			}
		}
	}
	slices.SortFunc(out, func(a, b AttrName) int {
		return cmp.Or(cmp.Compare(a.Scope, b.Scope), cmp.Compare(a.Key, b.Key), cmp.Compare(a.Type, b.Type))
	})
	return out
}

// anyType is the type of an AnyValue on the wire, as live columns see it.
func anyType(b []byte) columns.ValueType {
	if len(b) == 0 {
		return columns.Empty
	}
	f, n := trace.NextField(b, 0)
	if n != len(b) {
		return columns.Any
	}
	switch {
	case f.Num == 1 && f.Wire == 2:
		return columns.String
	case f.Num == 2 && f.Wire == 0:
		return columns.Bool
	case f.Num == 3 && f.Wire == 0:
		return columns.Int
	case f.Num == 4 && f.Wire == 1:
		return columns.Double
	case f.Num == 7 && f.Wire == 2:
		return columns.Bytes
	}
	return columns.Any
}
