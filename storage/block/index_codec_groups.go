package block

import (
	"math"
)

// appendRowGroups encodes row groups without the places of their pages, which
// are in appendPages. Starts are differences from the smallest of the group.
//
//	texts: count, per text its bytes: what Chunk.Small lists refer to
//	groups: count, per group: rows, wild, min start, max start - min, max end
//	  - min, min and max duration, errors,
//	  pages: count, per page: rows, min start - group's, max start - page's min,
//	    min duration, max duration - min,
//	  shapes: count, differences,
//	  chunks, one per column: nulls, dictionary values; unless all are null and
//	    where the type is an integer: min, max - min, number of values, or 0 for
//	    more than 256, differences between them but for the first and the last;
//	    where it is a byte array: 0, or 1 + number of small values, text numbers
func appendRowGroups(e *encoder, groups []RowGroup, cols []Column) {
	var texts, list encoder
	number := map[string]uint64{}
	for i := range groups {
		g := &groups[i]
		list.uvarint(uint64(g.Rows))
		list.bool(g.Wild)
		list.uvarint(g.MinStart)
		list.uvarint(g.MaxStart - g.MinStart)
		list.uvarint(g.MaxEnd - g.MinStart) // wraps where all spans are inverted
		list.varint(g.MinDuration)
		list.varint(g.MaxDuration)
		list.uvarint(uint64(g.Errors))
		list.uvarint(uint64(len(g.Pages)))
		for j := range g.Pages {
			z := &g.Pages[j]
			list.uvarint(uint64(z.Rows))
			list.uvarint(z.MinStart - g.MinStart)
			list.uvarint(z.MaxStart - z.MinStart)
			list.varint(z.MinDur)
			list.uvarint(uint64(z.MaxDur) - uint64(z.MinDur))
		}
		list.uvarint(uint64(len(g.Shapes)))
		last := uint32(0)
		for _, s := range g.Shapes {
			list.uvarint(uint64(s - last))
			last = s
		}
		for j := range g.Chunks {
			c := &g.Chunks[j]
			list.uvarint(uint64(c.Nulls))
			list.uvarint(uint64(c.DictValues))
			if c.Nulls == g.Rows {
				continue
			}
			switch cols[j].Physical {
			case Int32, Int64:
				list.varint(c.Min)
				list.uvarint(uint64(c.Max) - uint64(c.Min))
				appendInts(&list, c.Ints)
			case ByteArray:
				if c.Small == nil {
					list.uvarint(0)
					continue
				}
				list.uvarint(1 + uint64(len(c.Small)))
				for _, v := range c.Small {
					n, ok := number[string(v)]
					if !ok {
						n = uint64(len(number))
						number[string(v)] = n
						texts.bytes(v)
					}
					list.uvarint(n)
				}
			}
		}
	}
	e.uvarint(uint64(len(number)))
	e.raw(texts.b)
	e.uvarint(uint64(len(groups)))
	e.raw(list.b)
}

func parseRowGroups(p *parser, x *Index) {
	texts := make([][]byte, p.count(1))
	for i := range texts {
		texts[i] = p.bytes()
	}
	x.RowGroups = make([]RowGroup, p.count(10+2*len(x.Columns)))
	row := uint64(0)
	for i := range x.RowGroups {
		g := &x.RowGroups[i]
		g.FirstRow, g.Rows, g.Wild = uint32(row), p.uint32v(), p.bool()
		row += uint64(g.Rows)
		g.MinStart = p.uvarint()
		g.MaxStart = g.MinStart + p.uvarint()
		g.MaxEnd = g.MinStart + p.uvarint()
		g.MinDuration, g.MaxDuration = p.varint(), p.varint()
		g.Errors = p.uint32v()
		g.Pages = make([]PageZone, p.count(5))
		at := uint64(g.FirstRow)
		for j := range g.Pages {
			z := &g.Pages[j]
			z.FirstRow, z.Rows = uint32(at), p.uint32v()
			at += uint64(z.Rows)
			z.MinStart = g.MinStart + p.uvarint()
			z.MaxStart = z.MinStart + p.uvarint()
			z.MinDur = p.varint()
			z.MaxDur = int64(uint64(z.MinDur) + p.uvarint())
			if z.Rows == 0 || z.Rows > maxPageRows {
				p.fail()
			}
		}
		if at != row || g.Rows == 0 {
			p.fail()
			return
		}
		g.Shapes = make([]uint32, p.count(1))
		last := uint64(0)
		for j := range g.Shapes {
			last += p.uvarint()
			if last >= uint64(len(x.Tables.Shapes)) {
				p.fail()
				return
			}
			g.Shapes[j] = uint32(last)
		}
		g.Chunks = make([]Chunk, len(x.Columns))
		for j := range g.Chunks {
			c := &g.Chunks[j]
			c.Nulls, c.DictValues = p.uint32v(), p.uint32v()
			if c.Nulls >= g.Rows {
				if c.Nulls > g.Rows || c.DictValues > 0 {
					p.fail()
				}
				continue
			}
			switch x.Columns[j].Physical {
			case Int32, Int64:
				c.Min = p.varint()
				c.Max = int64(uint64(c.Min) + p.uvarint())
				c.Ints = parseInts(p, c.Min, c.Max)
			case ByteArray:
				c.Small = parseSmall(p, texts)
			}
		}
		if p.bad {
			return
		}
	}
	if row > math.MaxUint32 || uint32(row) != x.Rows {
		p.fail()
	}
}

func parseSmall(p *parser, texts [][]byte) [][]byte {
	n := p.uvarint()
	if n == 0 {
		return nil
	}
	if n--; n > uint64(len(p.b)) || n > maxSmallValues {
		p.fail()
		return nil
	}
	out := make([][]byte, n)
	for i := range out {
		t := p.uvarint()
		if t >= uint64(len(texts)) {
			p.fail()
			return nil
		}
		out[i] = texts[t]
	}
	return out
}

// appendInts encodes Chunk.Ints, of which the bounds of the chunk are the ends.
func appendInts(e *encoder, list []int64) {
	e.uvarint(uint64(len(list)))
	for i := 1; i < len(list)-1; i++ {
		e.uvarint(uint64(list[i]) - uint64(list[i-1]))
	}
}

func parseInts(p *parser, lo, hi int64) []int64 {
	n := p.uvarint()
	if n == 0 {
		return nil
	}
	if n > maxSmallValues || n > 2+uint64(len(p.b)) || (n == 1) != (lo == hi) {
		p.fail()
		return nil
	}
	out := make([]int64, n)
	out[0], out[n-1] = lo, hi
	for i := 1; i < len(out)-1; i++ {
		out[i] = int64(uint64(out[i-1]) + p.uvarint())
		if out[i] <= out[i-1] || out[i] >= hi {
			p.fail()
			return nil
		}
	}
	return out
}

// Bounds of Chunk.Small and Chunk.Ints.
const (
	maxSmallValues = 256
	maxSmallBytes  = 8 << 10
)

// appendPages encodes where pages lie.
//
//	per group: offset, bytes, per chunk with values: gap from the end of the
//	  chunk before, dictionary size if it has one, size of each page
func appendPages(e *encoder, groups []RowGroup) {
	for i := range groups {
		g := &groups[i]
		e.uvarint(g.Offset)
		e.uvarint(g.Bytes)
		end := g.Offset
		for j := range g.Chunks {
			c := &g.Chunks[j]
			if c.Pages == nil {
				continue
			}
			from, to := c.extent()
			e.uvarint(from - end)
			end = to
			if c.DictValues > 0 {
				e.uvarint(uint64(c.Dict.Size))
			}
			for _, p := range c.Pages {
				e.uvarint(uint64(p.Size))
			}
		}
	}
}

// parsePages fills the places of the pages of groups.
func parsePages(p *parser, groups []RowGroup) {
	for i := range groups {
		g := &groups[i]
		g.Offset, g.Bytes = p.uvarint(), p.uvarint()
		end, limit := g.Offset, g.Offset+g.Bytes
		if limit < end {
			p.fail()
		}
		place := func() (page Page) {
			page.Offset, page.Size = end, p.uint32v()
			end += uint64(page.Size)
			if page.Size == 0 || end < page.Offset || end > limit {
				p.fail()
			}
			return page
		}
		for j := range g.Chunks {
			c := &g.Chunks[j]
			if c.Nulls == g.Rows {
				continue
			}
			if len(g.Pages) > len(p.b) {
				p.fail()
			}
			if p.bad {
				return
			}
			gap := p.uvarint()
			if end += gap; end < gap {
				p.fail()
			}
			if c.DictValues > 0 {
				c.Dict = place()
			}
			c.Pages = make([]Page, len(g.Pages))
			for k := range c.Pages {
				c.Pages[k] = place()
			}
		}
	}
}
