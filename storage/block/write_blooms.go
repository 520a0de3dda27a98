package block

import (
	"context"
	"slices"
	"sort"

	"github.com/clewtrace/clew/storage/trace"
)

// marks finds what the rows of a row group refer to.
type marks struct {
	l                         *layout
	resources, scopes, shapes marker
}

// marker collects distinct numbers.
type marker struct {
	seen []bool
	list []uint32
}

func (m *marker) add(n uint32) {
	if !m.seen[n] {
		m.seen[n] = true
		m.list = append(m.list, n)
	}
}

// take returns the numbers, sorted, and forgets them.
func (m *marker) take() []uint32 {
	slices.Sort(m.list)
	out := slices.Clone(m.list)
	for _, n := range m.list {
		m.seen[n] = false
	}
	m.list = m.list[:0]
	return out
}

func newMarks(l *layout) *marks {
	t := &l.tables
	return &marks{l: l, resources: marker{seen: make([]bool, len(t.Resources))},
		scopes: marker{seen: make([]bool, len(t.Scopes))}, shapes: marker{seen: make([]bool, len(t.Shapes))}}
}

func (m *marks) of(g *group) (use groupUse, shapes []uint32) {
	for i := range g.rows {
		r := &g.rows[i]
		m.resources.add(m.l.resources[r.Resource])
		m.scopes.add(m.l.scopes[r.Scope])
		m.shapes.add(m.l.shapeNumber[r.Shape])
	}
	return groupUse{m.resources.take(), m.scopes.take()}, m.shapes.take()
}

// writeBlooms writes the bloom objects: each covers as many row groups as hold
// shardTraces traces, one at least, and never a part of a trace.
func (w *blockWriter) writeBlooms(ctx context.Context) error {
	groups := w.index.RowGroups
	// first is the first trace that begins in row group g.
	first := func(g int) int {
		if g == len(groups) {
			return len(w.order.Traces)
		}
		return sort.Search(len(w.order.Traces), func(t int) bool { return w.order.Traces[t].First >= groups[g].FirstRow })
	}
	whole := func(g int) bool { // row group g begins with a trace
		return g == len(groups) || w.order.Traces[min(first(g), len(w.order.Traces)-1)].First == groups[g].FirstRow
	}
	for from := 0; from < len(groups); {
		to := from + 1
		for !whole(to) {
			to++
		}
		for to < len(groups) && groups[to].Wild == groups[from].Wild {
			next := to + 1
			for !whole(next) {
				next++
			}
			if first(next)-first(from) > w.opts.shardTraces {
				break
			}
			to = next
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := w.writeBloom(from, to, first(from), first(to)); err != nil {
			return err
		}
		from = to
	}
	return nil
}

// writeBloom writes the bloom object for the row groups and traces [from, to).
func (w *blockWriter) writeBloom(fromGroup, toGroup, fromTrace, toTrace int) error {
	groups := w.index.RowGroups[fromGroup:toGroup]
	t := &w.index.Tables
	use := tailUse{make([]bool, len(t.Resources)), make([]bool, len(t.Scopes)), make([]bool, len(t.Shapes))}
	var pageIDs []trace.ID
	for i := range groups {
		mark(use.resources, w.use[fromGroup+i].resources)
		mark(use.scopes, w.use[fromGroup+i].scopes)
		mark(use.shapes, groups[i].Shapes)
		for j := range groups[i].Pages {
			row := groups[i].Pages[j].FirstRow
			n := fromTrace + sort.Search(toTrace-fromTrace, func(k int) bool { return w.order.Traces[fromTrace+k].First > row }) - 1
			pageIDs = append(pageIDs, *w.id(n))
		}
	}
	var tail encoder
	appendBloomTail(&tail, &w.index, fromGroup, groups, &use, pageIDs)
	ids := func(yield func(*trace.ID) bool) {
		for n := fromTrace; n < toTrace && yield(w.id(n)); n++ {
		}
	}
	b := appendBloom(nil, ids, toTrace-fromTrace, pack(0, tail.b))
	h, err := ParseBloomHeader(b)
	if err != nil {
		return err
	}
	o, err := writeObject(w.out, BloomObject(len(w.blooms)), b)
	if err != nil {
		return err
	}
	w.objects = append(w.objects, o)
	w.blooms = append(w.blooms, BloomMeta{
		IDs: IDRange{*w.id(fromTrace), *w.id(toTrace - 1)}, Wild: groups[0].Wild, Traces: uint64(toTrace - fromTrace),
		Probe: h.Probe(), Size: o.Size,
	})
	return nil
}

func mark(seen []bool, list []uint32) {
	for _, n := range list {
		seen[n] = true
	}
}
