package block

import (
	"cmp"
	"math/bits"
	"slices"

	"github.com/clewtrace/clew/storage"
	"github.com/clewtrace/clew/storage/columns"
	"github.com/clewtrace/clew/storage/trace"
)

// collector walks the rows of each row group once and collects all of the index
// that speaks of spans and traces rather than of columns.
type collector struct {
	l *layout
	g *group

	traces     traceEncoder
	halfEdges  halfEdgeEncoder
	operations minuteTable
	edges      minuteTable
	edgeNumber map[edgeKey]uint32
	edgeKeys   []edgeKey // by number
	linked     []linkedEntry
	names      nameTable
	normal     PartMeta
	wild       PartMeta

	next     int // next trace of the order that has not been added
	services []serviceCount
	touched  []uint32 // services of the trace at hand
	ids      map[trace.SpanID]struct{}
	idsOf    int // 1 + the trace whose span IDs are in ids
}

type serviceCount struct{ spans, errors uint32 }

func newCollector(l *layout) *collector {
	c := &collector{l: l, edgeNumber: map[edgeKey]uint32{}, services: make([]serviceCount, len(l.services))}
	for _, s := range l.services { // first, so that their numbers are those of the layout
		c.traces.text(s)
	}
	return c
}

// row returns the row at a position, from the row group at hand if it is there.
func (c *collector) row(at int) *columns.Row {
	if k := at - c.g.first; k >= 0 && k < len(c.g.rows) {
		return &c.g.rows[k]
	}
	return c.l.set.Row(c.l.order.Rows[at])
}

// add collects the traces that end in a row group, and its extras.
func (c *collector) add(g *group) {
	c.g = g
	end := uint32(g.first + len(g.rows))
	for ; c.next < len(c.l.order.Traces); c.next++ {
		t := &c.l.order.Traces[c.next]
		if t.First+t.Rows > end {
			break
		}
		c.trace(c.next, t)
	}
	c.extras(g)
}

// trace collects one trace.
func (c *collector) trace(number int, t *columns.OrderedTrace) {
	l := c.l
	e := traceEntry{id: l.set.TraceAt(t.Trace).ID, rows: t.Rows, root: NoRow, start: ^uint64(0), wild: number >= l.order.Normal}
	part := &c.normal
	if e.wild {
		part = &c.wild
	}
	if part.Traces == 0 {
		part.MinStart = ^uint64(0)
		part.IDs.Min = e.id
	}
	var root *columns.Row
	for at := int(t.First); at < int(t.First+t.Rows); at++ {
		r := c.row(at)
		service := l.opService[r.Op]
		failed := r.Status == storage.StatusError
		e.start, e.end = min(e.start, r.Start), max(e.end, r.End)
		part.MaxStart = max(part.MaxStart, r.Start)
		n := &c.services[service]
		if n.spans == 0 {
			c.touched = append(c.touched, service)
		}
		n.spans++
		if failed {
			n.errors++
		}
		bucket := durationBucket(r.Duration())
		c.operations.add(r.Op, r.Start, bucket, failed, r.Duration())
		if p := l.order.Parent[at]; p != 0 {
			parent := c.row(int(p - 1))
			c.edge(parent, r, bucket, failed)
			if parent.SpanID == r.Parent {
				continue
			}
		}
		if r.Parent.IsZero() {
			if root == nil || r.Start < root.Start || r.Start == root.Start && slices.Compare(r.SpanID[:], root.SpanID[:]) < 0 {
				root, e.root = r, uint32(at)-t.First
			}
		} else if !c.inTrace(number, t, r.Parent) {
			e.orphans++
			c.halfEdges.add(uint32(number), r.Parent, r.SpanID, l.services[service], l.opKind[r.Op], failed, r.Start, r.End)
		}
	}
	if root != nil {
		e.rootService, e.rootName = l.opService[root.Op], c.traces.text(l.set.Op(root.Op).Name)
	}
	slices.Sort(c.touched)
	for _, s := range c.touched {
		n := &c.services[s]
		e.services = append(e.services, TraceService{s, n.spans, n.errors})
		*n = serviceCount{}
	}
	c.touched = c.touched[:0]
	c.traces.add(&e)
	part.Traces++
	part.Rows += uint64(t.Rows)
	part.MinStart, part.MaxEnd = min(part.MinStart, e.start), max(part.MaxEnd, e.end)
	part.MaxTraceStart = max(part.MaxTraceStart, e.start)
	part.IDs.Max = e.id
}

// inTrace reports whether a span of the trace has the ID.
func (c *collector) inTrace(number int, t *columns.OrderedTrace, id trace.SpanID) bool {
	if c.idsOf != number+1 {
		c.idsOf = number + 1
		if c.ids == nil || len(c.ids) > 1<<16 {
			c.ids = map[trace.SpanID]struct{}{}
		}
		clear(c.ids)
		for at := t.First; at < t.First+t.Rows; at++ {
			c.ids[c.row(int(at)).SpanID] = struct{}{}
		}
	}
	_, ok := c.ids[id]
	return ok
}

// durationBucket is the Exp of the bucket of a duration.
func durationBucket(d int64) uint8 {
	if d <= 1 {
		return 0
	}
	return uint8(bits.Len64(uint64(d - 1)))
}

// extras collects links, and attribute names of events and links.
func (c *collector) extras(g *group) {
	for _, b := range g.events.vals {
		c.names.messages(ScopeEvent, b, 11, 3)
	}
	for k, b := range g.links.vals {
		c.names.messages(ScopeLink, b, 13, 4)
		at := uint32(g.first) + g.links.rows[k]
		eachLink(b, func(target trace.ID) {
			c.linked = append(c.linked, linkedEntry{target, c.traceOf(at)})
		})
	}
	for i := range g.rows {
		c.l.resourceRows[c.l.resources[g.rows[i].Resource]]++
		c.l.scopeRows[c.l.scopes[g.rows[i].Scope]]++
		c.l.tables.Shapes[c.l.shapeNumber[g.rows[i].Shape]].Rows++
	}
}

// traceOf is the number of the trace at a position.
func (c *collector) traceOf(at uint32) uint32 {
	i, found := slices.BinarySearchFunc(c.l.order.Traces, at, func(t columns.OrderedTrace, at uint32) int { return cmp.Compare(t.First, at) })
	if !found {
		i--
	}
	return uint32(i)
}

// eachLink calls yield with the trace ID of each link in the wire bytes of links
// fields.
func eachLink(b []byte, yield func(trace.ID)) {
	for i := 0; i < len(b); {
		f, n := trace.NextField(b, i)
		if n < 0 {
			return
		}
		if f.Num == 13 && f.Wire == 2 {
			for j := 0; j < len(f.Data); {
				k, m := trace.NextField(f.Data, j)
				if m < 0 {
					break
				}
				if k.Num == 1 && k.Wire == 2 {
					if id, ok := trace.IDFromBytes(k.Data); ok {
						yield(id)
					}
				}
				j = m
			}
		}
		i = n
	}
}

// sortedLinks returns the links sorted by (target, trace ID), each once.
func (c *collector) sortedLinks() []linkedEntry {
	id := func(t uint32) *trace.ID { return &c.l.set.TraceAt(c.l.order.Traces[t].Trace).ID }
	slices.SortFunc(c.linked, func(a, b linkedEntry) int {
		return cmp.Or(compareIDs(&a.target, &b.target), compareIDs(id(a.trace), id(b.trace)))
	})
	return slices.Compact(c.linked)
}
