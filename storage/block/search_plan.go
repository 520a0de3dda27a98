package block

import (
	"math"
	"slices"

	"github.com/clewtrace/clew/storage"
	"github.com/clewtrace/clew/storage/columns"
)

// plan is a query made ready for one block.
type plan struct {
	x                *Index
	traces           func() (*traces, error) // read when the first row matches
	f                fixedColumns
	service, name    string
	startLo, startHi uint64 // both included
	durLo, durHi     int64  // both included
	tags             []tagPlan
	// columns that any row group may need, for prefetching
	want []int
}

// tagPlan says where in a block a tag can hold.
type tagPlan struct {
	m         *columns.TagMatcher
	resources map[int32]bool
	scopes    map[int32]bool
	promoted  []int
	rest      map[int32][]restPlace // by shape
	events    bool
}

// restPlace is an entry of a shape that stands in attrs_rest, as its number
// among the entries that stand there.
type restPlace int

// newPlan returns nil if no row of the block can match.
func newPlan(x *Index, q *storage.Query) (*plan, error) {
	f, err := x.fixed()
	if err != nil {
		return nil, err
	}
	p := &plan{x: x, f: f, service: q.Service, name: q.Operation, startLo: q.Start, startHi: math.MaxUint64, durLo: math.MinInt64, durHi: math.MaxInt64}
	if q.End != 0 {
		p.startHi = q.End - 1
	}
	if q.MinDuration > 0 {
		p.durLo = int64(q.MinDuration)
	}
	if q.MaxDuration > 0 {
		p.durHi = int64(q.MaxDuration)
	}
	if p.startLo > p.startHi || p.durLo > p.durHi || q.Service != "" && !x.hasService(q.Service) {
		return nil, nil
	}
	for _, t := range q.Tags {
		tag := x.planTag(columns.CompileTag(t))
		if !tag.possible() {
			return nil, nil
		}
		p.tags = append(p.tags, tag)
	}
	if p.service != "" {
		p.want = append(p.want, f.service)
	}
	if p.name != "" {
		p.want = append(p.want, f.name)
	}
	if q.MinDuration > 0 || q.MaxDuration > 0 {
		p.want = append(p.want, f.duration)
	}
	for i := range p.tags {
		p.want = p.tags[i].appendColumns(p.want, &f)
	}
	return p, nil
}

func (x *Index) hasService(name string) bool {
	for i := range x.Tables.Resources {
		if x.Tables.Resources[i].Service == name {
			return true
		}
	}
	return false
}

func (x *Index) planTag(m *columns.TagMatcher) tagPlan {
	t := tagPlan{m: m}
	for i := range x.Tables.Resources {
		if m.Resource(x.Tables.Resources[i].Raw) {
			if t.resources == nil {
				t.resources = map[int32]bool{}
			}
			t.resources[int32(i)] = true
		}
	}
	for i, raw := range x.Tables.Scopes {
		if m.Scope(raw) {
			if t.scopes == nil {
				t.scopes = map[int32]bool{}
			}
			t.scopes[int32(i)] = true
		}
	}
	for i := range x.Columns {
		if c := &x.Columns[i]; c.Attr && c.Key == m.Key && m.Possible(c.Type) {
			t.promoted = append(t.promoted, i)
		}
	}
	for i := range x.Tables.Shapes {
		at := restPlace(0)
		for _, a := range x.Tables.Shapes[i].Attrs {
			if a.Column >= 0 {
				continue
			}
			if a.Key == m.Key && m.Possible(a.Type) {
				if t.rest == nil {
					t.rest = map[int32][]restPlace{}
				}
				t.rest[int32(i)] = append(t.rest[int32(i)], at)
			}
			at++
		}
	}
	for i := range x.Names {
		if n := &x.Names[i]; n.Scope == ScopeEvent && n.Key == m.Key && m.Possible(n.Type) {
			t.events = true
		}
	}
	return t
}

func (t *tagPlan) field() bool { return t.m.Kind >= 0 || t.m.Status >= 0 }

func (t *tagPlan) possible() bool {
	return t.resources != nil || t.scopes != nil || t.field() || t.promoted != nil || t.rest != nil || t.events || t.m.StatusText
}

func (t *tagPlan) appendColumns(want []int, f *fixedColumns) []int {
	if t.resources != nil {
		want = append(want, f.resource)
	}
	if t.scopes != nil {
		want = append(want, f.scope)
	}
	if t.m.Kind >= 0 {
		want = append(want, f.kind)
	}
	if t.m.Status >= 0 {
		want = append(want, f.status)
	}
	if t.rest != nil {
		want = append(want, f.shape)
	}
	return append(want, t.promoted...)
}

// prune reports whether the zone maps of a row group say that no row matches.
func (p *plan) prune(g *RowGroup) bool {
	if g.MaxStart < p.startLo || g.MinStart > p.startHi || g.MaxDuration < p.durLo || g.MinDuration > p.durHi {
		return true
	}
	if p.service != "" && !smallMayHold(&g.Chunks[p.f.service], p.service) ||
		p.name != "" && !smallMayHold(&g.Chunks[p.f.name], p.name) {
		return true
	}
	for i := range p.tags {
		if !p.tags[i].mayHold(g, &p.f, p.x) {
			return true
		}
	}
	return false
}

func smallMayHold(c *Chunk, text string) bool {
	if c.Small == nil {
		return true
	}
	for _, v := range c.Small {
		if string(v) == text {
			return true
		}
	}
	return false
}

func (t *tagPlan) mayHold(g *RowGroup, f *fixedColumns, x *Index) bool {
	if inRange(t.resources, &g.Chunks[f.resource]) || inRange(t.scopes, &g.Chunks[f.scope]) {
		return true
	}
	if t.m.Kind >= 0 && g.Chunks[f.kind].mayHold(int64(t.m.Kind)) {
		return true
	}
	if t.m.Status >= 0 {
		if c := &g.Chunks[f.status]; t.m.Status != storage.StatusError {
			if t.m.StatusNot || c.mayHold(int64(t.m.Status)) {
				return true
			}
		} else if t.m.StatusNot && g.Errors < g.Rows || !t.m.StatusNot && g.Errors > 0 {
			return true
		}
	}
	for _, col := range t.promoted {
		if c := &g.Chunks[col]; c.Nulls < g.Rows && smallMayHold(c, t.m.Text) && t.intsMayHold(c) {
			return true
		}
	}
	for _, s := range g.Shapes {
		if t.rest[int32(s)] != nil {
			return true
		}
	}
	if c := &g.Chunks[f.statusMessage]; t.m.StatusText && c.Nulls < g.Rows && smallMayHold(c, t.m.Text) {
		return true
	}
	return t.events && g.Chunks[f.events].Nulls < g.Rows
}

func (t *tagPlan) intsMayHold(c *Chunk) bool {
	return c.Ints == nil || slices.ContainsFunc(c.Ints, func(v int64) bool { return t.m.Value(columns.Int, uint64(v), nil) })
}

func inRange(set map[int32]bool, c *Chunk) bool {
	for v := range set {
		if c.mayHold(int64(v)) {
			return true
		}
	}
	return false
}

// mayHold reports whether a value may be among those of an integer column.
func (c *Chunk) mayHold(v int64) bool {
	if c.Ints == nil {
		return v >= c.Min && v <= c.Max
	}
	_, found := slices.BinarySearch(c.Ints, v)
	return found
}
