package block

import (
	"fmt"

	"github.com/clewtrace/clew/storage"
	"github.com/clewtrace/clew/storage/columns"
)

// rowGroup writes all columns of a row group and returns what the index says of
// it, Shapes excepted.
func (m *chunkMaker) rowGroup(l *layout, g *group) (RowGroup, error) {
	rg := RowGroup{FirstRow: uint32(g.first), Rows: uint32(len(g.rows)), Wild: g.wild,
		Offset: m.file.out.size, Chunks: make([]Chunk, 0, len(l.cols))}
	rg.zones(g)
	m.rows, m.pages = len(g.rows), g.pages
	m.file.beginGroup(len(g.rows))
	for i := range l.cols {
		c, err := m.column(l, g, i)
		if err == nil {
			err = m.file.out.err
		}
		if err != nil {
			return rg, fmt.Errorf("column %s: %w", l.cols[i].Name, err)
		}
		rg.Chunks = append(rg.Chunks, c)
	}
	rg.Bytes = m.file.out.size - rg.Offset
	return rg, m.file.endGroup()
}

// column writes column i of l.cols.
func (m *chunkMaker) column(l *layout, g *group, i int) (Chunk, error) {
	col := &l.cols[i]
	if col.Attr {
		return m.attribute(l, g, i-l.first)
	}
	number := func(f func(r *columns.Row) uint64) (Chunk, error) {
		return m.numbers(Int32, nil, m.each(g, f))
	}
	texts := func(b *blobs, coded bool) (Chunk, error) { return m.texts(m.rowsOf(b.rows), b.vals, coded) }
	switch col.Name {
	case startColumn:
		return m.delta(nil, m.each(g, func(r *columns.Row) uint64 { return r.Start }))
	case "duration_ns":
		return m.delta(nil, m.each(g, func(r *columns.Row) uint64 { return uint64(r.Duration()) }))
	case "resource_id":
		return number(func(r *columns.Row) uint64 { return uint64(l.resources[r.Resource]) })
	case "service":
		return m.operation(g, l.opService, l.serviceBytes)
	case "name":
		return m.operation(g, l.opName, l.names)
	case "kind":
		return number(func(r *columns.Row) uint64 { return uint64(l.opKind[r.Op]) })
	case "status_code":
		return number(func(r *columns.Row) uint64 { return uint64(r.Status) })
	case "scope_id":
		return number(func(r *columns.Row) uint64 { return uint64(l.scopes[r.Scope]) })
	case "attr_shape":
		return number(func(r *columns.Row) uint64 { return uint64(l.shapeNumber[r.Shape]) })
	case "subtree":
		m.values = m.values[:0]
		for _, n := range l.order.Subtree[g.first : g.first+len(g.rows)] {
			m.values = append(m.values, uint64(n))
		}
		return m.numbers(Int32, nil, m.values)
	case "parent_delta":
		m.values = m.values[:0]
		for i, p := range l.order.Parent[g.first : g.first+len(g.rows)] {
			d := 0
			if p != 0 {
				d = g.first + i + 1 - int(p)
			}
			m.values = append(m.values, uint64(d))
		}
		return m.numbers(Int32, nil, m.values)
	case "trace_id":
		m.fixed = m.fixed[:0]
		for i := range g.rows {
			m.fixed = append(m.fixed, l.set.TraceAt(g.rows[i].Trace).ID[:]...)
		}
		return m.fixedSize(nil, m.fixed, 16)
	case "span_id":
		m.fixed = m.fixed[:0]
		for i := range g.rows {
			m.fixed = append(m.fixed, g.rows[i].SpanID[:]...)
		}
		return m.fixedSize(nil, m.fixed, 8)
	case "parent_span_id":
		return m.fixedSize(m.rowsOf(m.parents(l, g)), m.fixed, 8)
	case "flags":
		return number(func(r *columns.Row) uint64 { return uint64(int32(r.Flags)) })
	case "status_message":
		return texts(&g.messages, true)
	case "attrs_rest":
		return texts(&g.rest, false)
	case "events":
		return texts(&g.events, false)
	case "links":
		return texts(&g.links, false)
	case "span_rest":
		return texts(&g.spanRest, false)
	}
	panic("block: no column " + col.Name)
}

// each collects a number from each row. It is valid until the next call.
func (m *chunkMaker) each(g *group, f func(r *columns.Row) uint64) []uint64 {
	m.values = m.values[:0]
	for i := range g.rows {
		m.values = append(m.values, f(&g.rows[i]))
	}
	return m.values
}

// operation writes a property of the operations of rows.
func (m *chunkMaker) operation(g *group, number []uint32, values [][]byte) (Chunk, error) {
	m.global = m.global[:0]
	for i := range g.rows {
		m.global = append(m.global, number[g.rows[i].Op])
	}
	m.fill(len(values))
	return m.coded(nil, m.global, func(c uint32) []byte { return values[c] })
}

// attribute writes promoted attribute i.
func (m *chunkMaker) attribute(l *layout, g *group, i int) (Chunk, error) {
	v := &g.attrs[i]
	attr := l.set.Attr(l.attrs[i])
	switch attr.Type {
	case columns.Int:
		return m.numbers(Int64, v.present, v.nums)
	case columns.Double:
		return m.numbers(Double, v.present, v.nums)
	case columns.Bool:
		return m.bools(v.present, v.codes)
	}
	if attr.Dict.Distinct() {
		m.fill(attr.Dict.Len())
		return m.coded(v.present, v.codes, attr.Dict.Value)
	}
	if len(v.codes) <= minPlainValues {
		vals := make([][]byte, len(v.codes))
		for k, c := range v.codes {
			vals[k] = attr.Dict.Value(c)
		}
		return m.texts(v.present, vals, true)
	}
	return m.plainCoded(v.present, v.codes, attr.Dict.Value)
}

// parents returns the rows whose parent ID is not the span ID of the row that
// parent_delta names, and puts those IDs into m.fixed.
func (m *chunkMaker) parents(l *layout, g *group) []uint32 {
	m.fixed = m.fixed[:0]
	var rows []uint32
	for i := range g.rows {
		r := &g.rows[i]
		p := l.order.Parent[g.first+i]
		switch {
		case p == 0:
			if r.Parent.IsZero() {
				continue
			}
		case int(p) > g.first: // in this row group
			if g.rows[int(p)-1-g.first].SpanID == r.Parent {
				continue
			}
		default:
			if l.set.Row(l.order.Rows[p-1]).SpanID == r.Parent {
				continue
			}
		}
		rows = append(rows, uint32(i))
		m.fixed = append(m.fixed, r.Parent[:]...)
	}
	return rows
}

// zones fills the bounds of the row group and its pages.
func (rg *RowGroup) zones(g *group) {
	from := 0
	for _, to := range g.pages {
		z := PageZone{FirstRow: uint32(g.first + from), Rows: uint32(to - from), MinStart: ^uint64(0), MinDur: 1<<63 - 1, MaxDur: -1 << 63}
		for i := from; i < to; i++ {
			r := &g.rows[i]
			d := r.Duration()
			z.MinStart, z.MaxStart = min(z.MinStart, r.Start), max(z.MaxStart, r.Start)
			z.MinDur, z.MaxDur = min(z.MinDur, d), max(z.MaxDur, d)
			rg.MaxEnd = max(rg.MaxEnd, r.End)
			if r.Status == storage.StatusError {
				rg.Errors++
			}
		}
		rg.Pages = append(rg.Pages, z)
		from = to
	}
	rg.MinStart, rg.MinDuration, rg.MaxDuration = ^uint64(0), 1<<63-1, -1<<63
	for i := range rg.Pages {
		z := &rg.Pages[i]
		rg.MinStart, rg.MaxStart = min(rg.MinStart, z.MinStart), max(rg.MaxStart, z.MaxStart)
		rg.MinDuration, rg.MaxDuration = min(rg.MinDuration, z.MinDur), max(rg.MaxDuration, z.MaxDur)
	}
}
