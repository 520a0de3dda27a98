package block

import (
	"slices"

	"github.com/clewtrace/clew/storage/columns"
)

// layout is how the rows of one Set become a block: what its columns are, where
// each attribute goes, and the numbers of the tables.
type layout struct {
	set    *columns.Set
	order  *columns.Order
	cols   []Column
	attrs  []uint32 // by promoted column: attribute of the Set
	first  int      // number of the first promoted column
	shapes []shapeLayout

	tables            Tables
	resources, scopes []uint32 // by number in the Set: number in the tables
	shapeNumber       []uint32
	services          []string // sorted
	opService         []uint32 // by operation: index of services
	names             [][]byte // distinct span names
	opName            []uint32 // by operation: index of names
	serviceBytes      [][]byte
	resourceRows      []uint64 // by number in the tables, counted while writing
	scopeRows         []uint64
	opKind            []int32
	maxDict           int // size of the largest dictionary
}

// shapeLayout says where the values of a shape go.
type shapeLayout struct {
	promoted []attrPlace
	rest     []attrPlace
}

// attrPlace is one attribute of a shape.
type attrPlace struct {
	attr  *columns.Attr
	slot  int
	col   uint16 // promoted column
	typ   columns.ValueType
	wide  bool // takes two slots: Int, Double
	heavy bool // some values are large
}

// The columns of data.parquet before and behind the promoted attributes. The
// first ones are what searches need most.
var (
	hotColumns = []Column{
		{Name: startColumn, Physical: Int64},
		{Name: "duration_ns", Physical: Int64},
		{Name: "resource_id", Physical: Int32},
		{Name: "service", Physical: ByteArray},
		{Name: "name", Physical: ByteArray},
		{Name: "kind", Physical: Int32},
		{Name: "status_code", Physical: Int32},
		{Name: "scope_id", Physical: Int32},
		{Name: "attr_shape", Physical: Int32},
		{Name: "subtree", Physical: Int32},
		{Name: "parent_delta", Physical: Int32},
	}
	coldColumns = []Column{
		{Name: "trace_id", Physical: Fixed16},
		{Name: "span_id", Physical: Fixed8},
		{Name: "parent_span_id", Physical: Fixed8, Optional: true},
		{Name: "flags", Physical: Int32},
		{Name: "status_message", Physical: ByteArray, Optional: true},
		{Name: "attrs_rest", Physical: ByteArray, Optional: true},
		{Name: "events", Physical: ByteArray, Optional: true},
		{Name: "links", Physical: ByteArray, Optional: true},
		{Name: "span_rest", Physical: ByteArray, Optional: true},
	}
)

// physicalOf is the physical type of promoted attributes.
func physicalOf(t columns.ValueType) Physical {
	switch t {
	case columns.Int:
		return Int64
	case columns.Double:
		return Double
	case columns.Bool:
		return Boolean
	}
	return ByteArray
}

func newLayout(set *columns.Set, order *columns.Order, rule *Promotion) *layout {
	l := &layout{set: set, order: order}
	var c census
	c.count(set)
	l.attrs = rule.choose(set, &c)
	l.columns()
	l.number(&c)
	return l
}

// columns fills cols and shapes.
func (l *layout) columns() {
	set := l.set
	l.cols = slices.Clone(hotColumns)
	l.first = len(l.cols)
	places := make(map[uint32]attrPlace, len(l.attrs)) // by attribute, but for the slot
	for i, a := range l.attrs {
		attr := set.Attr(a)
		places[a] = attrPlace{attr: attr, typ: attr.Type, col: uint16(i),
			wide: attr.Type == columns.Int || attr.Type == columns.Double, heavy: isHeavy(&attr.Dict)}
		l.cols = append(l.cols, Column{Name: attrColumnName(attr.Key), Physical: physicalOf(attr.Type), Optional: true,
			Attr: true, Key: attr.Key, Type: attr.Type})
		l.maxDict = max(l.maxDict, attr.Dict.Len())
	}
	l.cols = append(l.cols, coldColumns...)
	l.shapes = make([]shapeLayout, set.NumShapes())
	for s, firsts := range firstEntries(set) {
		sl := &l.shapes[s]
		for _, e := range set.Shape(uint32(s)).Attrs {
			if len(firsts) > 0 && firsts[0] == e.Attr {
				firsts = firsts[1:]
				if p, ok := places[e.Attr]; ok {
					p.slot = e.Slot
					sl.promoted = append(sl.promoted, p)
					continue
				}
			}
			a := set.Attr(e.Attr)
			sl.rest = append(sl.rest, attrPlace{attr: a, typ: a.Type, slot: e.Slot})
		}
	}
}

// heavyValue is the size from which values count one by one toward the bytes
// of a page.
const heavyValue = 256

func isHeavy(d *columns.Dict) bool {
	for c := range uint32(d.Len()) {
		if len(d.Value(c)) >= heavyValue {
			return true
		}
	}
	return false
}

// number fills the tables with what rows use.
func (l *layout) number(c *census) {
	set := l.set
	l.shapeNumber = make([]uint32, set.NumShapes())
	used := make([]bool, set.NumShapes())
	for i := range c.counts {
		used[c.counts[i].shape] = true
	}
	for s := range l.shapeNumber {
		if !used[s] {
			continue
		}
		l.shapeNumber[s] = uint32(len(l.tables.Shapes))
		l.tables.Shapes = append(l.tables.Shapes, l.shape(uint32(s)))
	}
	l.resources, l.scopes = make([]uint32, set.NumResources()), make([]uint32, set.NumScopes())
	for i := range l.resources {
		l.resources[i] = NoRow
	}
	for i := range l.scopes {
		l.scopes[i] = NoRow
	}
	for r := range uint32(set.Len()) {
		row := set.Row(r)
		if n := &l.resources[row.Resource]; *n == NoRow {
			*n = uint32(len(l.tables.Resources))
			l.tables.Resources = append(l.tables.Resources, Resource{Raw: set.Resource(row.Resource), Service: set.ResourceService(row.Resource)})
		}
		if n := &l.scopes[row.Scope]; *n == NoRow {
			*n = uint32(len(l.tables.Scopes))
			l.tables.Scopes = append(l.tables.Scopes, set.Scope(row.Scope))
		}
	}
	l.resourceRows, l.scopeRows = make([]uint64, len(l.tables.Resources)), make([]uint64, len(l.tables.Scopes))
	l.operations()
}

// shape is the table form of a shape of the Set.
func (l *layout) shape(s uint32) Shape {
	sl := &l.shapes[s]
	entries := l.set.Shape(s).Attrs
	out := Shape{Attrs: make([]ShapeAttr, len(entries))}
	promoted := sl.promoted
	for i, e := range entries {
		a := l.set.Attr(e.Attr)
		out.Attrs[i] = ShapeAttr{Key: a.Key, Type: a.Type, Column: -1}
		if len(promoted) > 0 && promoted[0].slot == e.Slot && promoted[0].attr == a {
			out.Attrs[i].Column = int32(l.first) + int32(promoted[0].col)
			promoted = promoted[1:]
		}
	}
	return out
}

// operations numbers the services, in the order of their names, and span names.
func (l *layout) operations() {
	n := l.set.NumOps()
	l.opService, l.opName, l.opKind = make([]uint32, n), make([]uint32, n), make([]int32, n)
	names, services := map[string]uint32{}, map[string]bool{}
	for i := range n {
		op := l.set.Op(uint32(i))
		services[op.Service] = true
		k, ok := names[op.Name]
		if !ok {
			k = uint32(len(l.names))
			names[op.Name] = k
			l.names = append(l.names, []byte(op.Name))
		}
		l.opName[i], l.opKind[i] = k, op.Kind
	}
	for s := range services {
		l.services = append(l.services, s)
	}
	slices.Sort(l.services)
	for i := range n {
		k, _ := slices.BinarySearch(l.services, l.set.Op(uint32(i)).Service)
		l.opService[i] = uint32(k)
	}
	for _, s := range l.services {
		l.serviceBytes = append(l.serviceBytes, []byte(s))
	}
	l.maxDict = max(l.maxDict, len(l.names), len(l.services))
}
