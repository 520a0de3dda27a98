package block

import (
	"math/bits"

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
	present presence
	codes   []uint32 // dictionary codes, or 0 and 1
	nums    []uint64 // ints and doubles
}

// presence says which rows of a row group have a value: bit i%8 of byte i/8.
type presence []byte

func (p presence) set(row int) { p[row>>3] |= 1 << (row & 7) }

// appendRange appends the bits of the rows [from, to) to dst, zeros behind them,
// and counts them.
func (p presence) appendRange(dst []byte, from, to int) (out []byte, n int) {
	shift := from & 7
	for i := from; i < to; i += 8 {
		b := p[i>>3] >> shift
		if shift > 0 && i>>3+1 < len(p) {
			b |= p[i>>3+1] << (8 - shift)
		}
		if to-i < 8 {
			b &= 1<<(to-i) - 1
		}
		n += bits.OnesCount8(b)
		dst = append(dst, b)
	}
	return dst, n
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

// reset empties g for a row group of at most the given rows.
func (g *group) reset(l *layout, rows int) {
	g.rows, g.pages, g.restBytes = g.rows[:0], g.pages[:0], g.restBytes[:0]
	for _, b := range []*blobs{&g.rest, &g.events, &g.links, &g.spanRest, &g.messages} {
		b.reset()
	}
	if g.attrs == nil {
		g.attrs = make([]attrValues, len(l.attrs))
		for i := range g.attrs {
			g.attrs[i].present = make(presence, (rows+7)/8)
		}
	}
	for i := range g.attrs {
		a := &g.attrs[i]
		clear(a.present)
		a.codes, a.nums = a.codes[:0], a.nums[:0]
	}
}

// gatherer cuts row groups from the order of a Set.
type gatherer struct {
	l     *layout
	opts  *WriteOptions
	trace int // next trace of the order
	at    int // next position
	group group

	// group.rows[n:] are read ahead, and slots are theirs: one by one, each read
	// of memory out of order would be waited for.
	n       int
	slots   [][]uint32
	left    []columns.Row // read ahead when the row group before was full
	touched uint32
}

// readAhead is how many rows are read at once.
const readAhead = 256

func (c *gatherer) fetch() {
	set, g := c.l.set, &c.group
	from := len(g.rows)
	for _, r := range c.l.order.Rows[c.at:min(c.at+readAhead, len(c.l.order.Rows))] {
		g.rows = append(g.rows, *set.Row(r))
	}
	c.slots = c.slots[:0]
	for i := range g.rows[from:] {
		s := set.SlotsOf(&g.rows[from+i])
		if len(s) > 0 {
			c.touched += s[0] + s[len(s)-1]
		}
		c.slots = append(c.slots, s)
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
	g.reset(l, min(2*c.opts.RowGroupRows, len(l.order.Rows)))
	g.first, g.wild = c.at, c.trace >= l.order.Normal
	g.rows, c.n = append(g.rows, c.left...), 0
	bytes, page, pageStart := 0, 0, 0
	for c.trace < len(l.order.Traces) && (c.trace >= l.order.Normal) == g.wild {
		t := &l.order.Traces[c.trace]
		end := int(t.First + t.Rows)
		for c.at < end && c.n < 2*c.opts.RowGroupRows && bytes < 2*c.opts.RowGroupBytes {
			n := c.add()
			bytes, page = bytes+n, page+n
			if c.n-pageStart >= c.opts.PageRows || page >= c.opts.PageBytes {
				g.pages = append(g.pages, c.n)
				pageStart, page = c.n, 0
			}
		}
		if c.at < end {
			break
		}
		c.trace++
		if c.n >= c.opts.RowGroupRows || bytes >= c.opts.RowGroupBytes {
			break
		}
	}
	if pageStart < c.n {
		g.pages = append(g.pages, c.n)
	}
	c.left = append(c.left[:0], g.rows[c.n:]...)
	g.rows = g.rows[:c.n]
	return true
}

// add gathers one row and returns about how many bytes of variable size it has.
func (c *gatherer) add() (bytes int) {
	g := &c.group
	if c.n == len(g.rows) {
		c.fetch()
	}
	i := c.n
	row := &g.rows[i]
	slots := c.slots[len(c.slots)-len(g.rows)+i] // of the rows read ahead, the last ones
	c.n, c.at = i+1, c.at+1
	shape := &c.l.shapes[row.Shape]
	bit := byte(1) << (i & 7)
	for k := range shape.promoted {
		p := &shape.promoted[k]
		a := &g.attrs[p.col]
		a.present[i>>3] |= bit
		if p.wide {
			a.nums = append(a.nums, uint64(slots[p.slot])|uint64(slots[p.slot+1])<<32)
			continue
		}
		a.codes = append(a.codes, slots[p.slot])
		if p.heavy {
			bytes += len(p.attr.Dict.Value(slots[p.slot]))
		}
	}
	if len(shape.rest) > 0 {
		bytes += c.rest(uint32(i), shape.rest, slots)
	}
	if row.Extra.Len() > 0 {
		bytes += row.Extra.Len()
		c.extra(uint32(i), row)
	}
	return bytes
}

// rest gathers the value of attrs_rest of a row, and returns its size.
func (c *gatherer) rest(row uint32, places []attrPlace, slots []uint32) int {
	g := &c.group
	from := len(g.restBytes)
	for k := range places {
		p := &places[k]
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
	n := len(g.restBytes) - from
	if n > 0 { // the bytes stay where they are when restBytes moves on
		g.rest.add(row, g.restBytes[from:len(g.restBytes):len(g.restBytes)])
	}
	return n
}

// extra gathers events, links and whatever else a row carries.
func (c *gatherer) extra(i uint32, row *columns.Row) {
	g := &c.group
	events, links, rest, message := columns.SplitExtra(c.l.set.ExtraOf(row))
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
