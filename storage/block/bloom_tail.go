package block

import (
	"bytes"
	"fmt"
	"math"

	"github.com/clewtrace/clew/storage/trace"
)

func compareIDs(a, b *trace.ID) int { return bytes.Compare(a[:], b[:]) }

// tailUse marks what rows of some row groups refer to.
type tailUse struct{ resources, scopes, shapes []bool }

func (u *tailUse) has(table, i int) bool {
	switch table {
	case tableResources:
		return u.resources[i]
	case tableScopes:
		return u.scopes[i]
	}
	return u.shapes[i]
}

// appendBloomTail encodes the tail of a shard that covers groups.
//
//	first group | first row | behind their length each: the forms of
//	SectionShapes, SectionTables, SectionRowGroups, SectionPages for the range |
//	IDs of the first rows of pages, 16 bytes each
func appendBloomTail(e *encoder, x *Index, first int, groups []RowGroup, use *tailUse, pageIDs []trace.ID) {
	rows := uint32(0)
	plain := make([]RowGroup, len(groups))
	for i := range groups {
		plain[i] = withoutZones(&groups[i])
		rows += groups[i].Rows
	}
	e.uvarint(uint64(first))
	e.uvarint(uint64(groups[0].FirstRow))
	var s encoder
	appendShapes(&s, rows, x.Columns, x.Tables.Shapes, use.has)
	e.section(&s)
	s.b = s.b[:0]
	appendTables(&s, &x.Tables, use.has)
	e.section(&s)
	s.b = s.b[:0]
	appendRowGroups(&s, plain, x.Columns)
	e.section(&s)
	s.b = s.b[:0]
	appendPages(&s, groups)
	e.section(&s)
	for i := range pageIDs {
		e.raw(pageIDs[i][:])
	}
}

// withoutZones is g without all that prunes.
func withoutZones(g *RowGroup) RowGroup {
	out := RowGroup{Rows: g.Rows, Wild: g.Wild, Offset: g.Offset, Bytes: g.Bytes}
	for i := range g.Pages {
		out.Pages = append(out.Pages, PageZone{Rows: g.Pages[i].Rows})
	}
	for i := range g.Chunks {
		c := &g.Chunks[i]
		out.Chunks = append(out.Chunks, Chunk{Nulls: c.Nulls, DictValues: c.DictValues})
	}
	return out
}

// DecodeTail decodes the tail of a bloom object, the TailLength bytes from Probe
// on. The result keeps parts of stored.
func (h *BloomHeader) DecodeTail(stored []byte) (*BloomTail, error) {
	if uint64(len(stored)) != h.TailLength {
		return nil, corruptf("bloom tail of %d bytes: want %d", len(stored), h.TailLength)
	}
	raw, err := unpack(h.TailCodec, h.TailRaw, h.TailCRC, stored)
	if err != nil {
		return nil, fmt.Errorf("bloom tail: %w", err)
	}
	p := parser{b: raw}
	t := new(BloomTail)
	x := &t.Index
	group, row := p.uvarint(), uint64(p.uint32v())
	shapes, tables, groups, pages := p.section(), p.section(), p.section(), p.section()
	parseShapes(&shapes, x)
	x.Tables.Resources, x.Tables.Scopes = parseTables(&tables)
	parseRowGroups(&groups, x)
	if !shapes.end() || !tables.end() || !groups.end() || p.bad || group > math.MaxInt32 || row+uint64(x.Rows) > math.MaxUint32 {
		return nil, corruptf("bloom tail")
	}
	parsePages(&pages, x.RowGroups)
	n := 0
	for i := range x.RowGroups {
		g := &x.RowGroups[i]
		g.FirstRow += uint32(row)
		for j := range g.Pages {
			g.Pages[j].FirstRow += uint32(row)
		}
		n += len(g.Pages)
	}
	ids := p.raw(16 * n)
	if !pages.end() || !p.end() {
		return nil, corruptf("bloom tail")
	}
	t.FirstGroup = int(group)
	t.PageIDs = make([]trace.ID, n)
	for i := range t.PageIDs {
		t.PageIDs[i] = trace.ID(ids[16*i:])
	}
	return t, nil
}
