package block

import (
	"github.com/clewtrace/clew/storage/columns"
)

// group is one row group being made: its rows copied together, so that the
// columns are then made from memory that lies in order.
type group struct {
	first int // position in the order
	rows  []columns.Row
	wild  bool
	pages []int // ends of pages, in rows of the group
	attrs []attrValues
	// attrs_rest, events, links and span_rest
	rest, events, links, spanRest blobs
	restBytes                     []byte
	messages                      blobs // status messages
}

// attrValues are the values of one promoted attribute in one row group.
type attrValues struct {
	rows  []uint32 // sorted; rows that have a value
	codes []uint32 // dictionary codes, or 0 and 1
	nums  []uint64 // ints and doubles
}

// blobs are the values of one column of byte strings.
type blobs struct {
	rows []uint32
	vals [][]byte
}

func (b *blobs) add(row uint32, val []byte) {
	b.rows, b.vals = append(b.rows, row), append(b.vals, val)
}

func (b *blobs) reset() {
	clear(b.vals)
	b.rows, b.vals = b.rows[:0], b.vals[:0]
}

func (g *group) reset(l *layout) {
	g.rows, g.pages, g.restBytes = g.rows[:0], g.pages[:0], g.restBytes[:0]
	for _, b := range []*blobs{&g.rest, &g.events, &g.links, &g.spanRest, &g.messages} {
		b.reset()
	}
	if g.attrs == nil {
		g.attrs = make([]attrValues, len(l.attrs))
	}
	for i := range g.attrs {
		a := &g.attrs[i]
		a.rows, a.codes, a.nums = a.rows[:0], a.codes[:0], a.nums[:0]
	}
}

// gatherer cuts row groups from the order of a Set.
type gatherer struct {
	l     *layout
	opts  *WriteOptions
	trace int // next trace of the order
	at    int // next position
	group group

	// Rows and slots of the positions [from, from+len(rows)), read ahead: one
	// by one, each read of memory out of order would be waited for.
	from  int
	rows  []columns.Row
	slots []uint32
	slot  []int // where the slots of a row begin
}

// readAhead is how many rows are read at once.
const readAhead = 256

func (c *gatherer) fetch() {
	set := c.l.set
	c.from, c.rows, c.slots, c.slot = c.at, c.rows[:0], c.slots[:0], c.slot[:0]
	for _, r := range c.l.order.Rows[c.at:min(c.at+readAhead, len(c.l.order.Rows))] {
		c.rows = append(c.rows, *set.Row(r))
	}
	for i := range c.rows {
		c.slot = append(c.slot, len(c.slots))
		c.slots = append(c.slots, set.SlotsOf(&c.rows[i])...)
	}
}

// next gathers the next row group; false means that there is none.
//
// A row group ends with the first trace that fills it, by rows or by bytes.
// A trace that would make it twice as large is cut.
func (c *gatherer) next() bool {
	l, g := c.l, &c.group
	if c.at == len(l.order.Rows) {
		return false
	}
	g.reset(l)
	g.first, g.wild = c.at, c.trace >= l.order.Normal
	bytes, page, pageStart := 0, 0, 0
	for c.trace < len(l.order.Traces) && (c.trace >= l.order.Normal) == g.wild {
		t := &l.order.Traces[c.trace]
		end := int(t.First + t.Rows)
		for c.at < end && len(g.rows) < 2*c.opts.RowGroupRows && bytes < 2*c.opts.RowGroupBytes {
			n := c.add()
			bytes, page = bytes+n, page+n
			if len(g.rows)-pageStart >= c.opts.PageRows || page >= c.opts.PageBytes {
				g.pages = append(g.pages, len(g.rows))
				pageStart, page = len(g.rows), 0
			}
		}
		if c.at < end {
			break
		}
		c.trace++
		if len(g.rows) >= c.opts.RowGroupRows || bytes >= c.opts.RowGroupBytes {
			break
		}
	}
	if pageStart < len(g.rows) {
		g.pages = append(g.pages, len(g.rows))
	}
	return true
}

// add gathers one row and returns about how many bytes of variable size it has.
func (c *gatherer) add() (bytes int) {
	set, g := c.l.set, &c.group
	k := c.at - c.from
	if k >= len(c.rows) {
		c.fetch()
		k = 0
	}
	i := uint32(len(g.rows))
	row, slots := &c.rows[k], c.slots[c.slot[k]:]
	g.rows = append(g.rows, *row)
	c.at++
	shape := &c.l.shapes[row.Shape]
	for k := range shape.promoted {
		p := &shape.promoted[k]
		a := &g.attrs[p.col]
		a.rows = append(a.rows, i)
		switch p.typ {
		case columns.Int, columns.Double:
			a.nums = append(a.nums, uint64(slots[p.slot])|uint64(slots[p.slot+1])<<32)
		default:
			a.codes = append(a.codes, slots[p.slot])
			if c.l.heavy[p.col] {
				bytes += len(p.attr.Dict.Value(slots[p.slot]))
			}
		}
	}
	if len(shape.rest) > 0 {
		from := len(g.restBytes)
		for k := range shape.rest {
			p := &shape.rest[k]
			var bits uint64
			var val []byte
			switch p.typ {
			case columns.String, columns.Bytes, columns.Any:
				val = p.attr.Dict.Value(slots[p.slot])
			case columns.Int, columns.Double:
				bits = uint64(slots[p.slot]) | uint64(slots[p.slot+1])<<32
			case columns.Bool:
				bits = uint64(slots[p.slot])
			}
			g.restBytes = AppendRestValue(g.restBytes, p.typ, bits, val)
		}
		if n := len(g.restBytes) - from; n > 0 { // the bytes stay where they are when restBytes moves on
			g.rest.add(i, g.restBytes[from:len(g.restBytes):len(g.restBytes)])
			bytes += n
		}
	}
	if row.Extra.Len() > 0 {
		bytes += row.Extra.Len()
		events, links, rest, message := columns.SplitExtra(set.ExtraOf(row))
		if len(events) > 0 {
			g.events.add(i, events)
		}
		if len(links) > 0 {
			g.links.add(i, links)
		}
		if len(rest) > 0 {
			g.spanRest.add(i, rest)
		}
		if len(message) > 0 {
			g.messages.add(i, message)
		}
	}
	return bytes
}
