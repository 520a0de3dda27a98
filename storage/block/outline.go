package block

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sort"

	"github.com/clewtrace/clew/storage"
	"github.com/clewtrace/clew/storage/trace"
)

// Outlines implements storage.Outliner. Fragments are visited in the order of
// their rows, so that each page of the eight columns is decoded at most once,
// whatever the number of fragments. Memory is bounded by what is returned.
func (p *Part) Outlines(ctx context.Context, ordinals []uint32) ([][]storage.SpanOutline, error) {
	x, err := p.b.index(ctx)
	if err != nil {
		return nil, err
	}
	t, err := p.b.traces(ctx)
	if err != nil {
		return nil, err
	}
	o := outliner{b: p.b, x: x, page: -1, texts: map[string]string{}, f: fragments.Get().(*fragment)}
	defer fragments.Put(o.f)
	if o.c, err = x.fixed(); err != nil {
		return nil, p.b.indexError(err)
	}
	o.f.grow(x)
	order := make([]int, len(ordinals))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(ordinals[a], ordinals[b]) })
	out := make([][]storage.SpanOutline, len(ordinals))
	first := t.heads.FirstRow
	for _, i := range order {
		n := ordinals[i]
		if int(n)+1 >= len(first) {
			return nil, fmt.Errorf("block %s: no trace %d of %d", p.b.id, n, len(first)-1)
		}
		if out[i], err = o.trace(ctx, first[n], first[n+1]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// outliner walks through the pages of a block.
type outliner struct {
	b     *Block
	x     *Index
	c     fixedColumns
	f     *fragment
	r     *groupReader
	page  int // of r.rg, whose columns are in f.cols; -1: none
	texts map[string]string
}

// trace returns the outlines of the rows [from, to), which are one trace.
func (o *outliner) trace(ctx context.Context, from, to uint32) ([]storage.SpanOutline, error) {
	out := make([]storage.SpanOutline, 0, to-from)
	for row := from; row < to; {
		if err := o.seek(ctx, row); err != nil {
			return nil, err
		}
		z := &o.r.rg.Pages[o.page]
		for ; row < to && row < z.FirstRow+z.Rows; row++ {
			at := int(row - z.FirstRow)
			sp := storage.SpanOutline{ID: trace.SpanID(o.f.raw(o.c.spanID, at)), Start: o.f.num(o.c.start, at),
				Service: o.text(o.f.raw(o.c.service, at)), Name: o.text(o.f.raw(o.c.name, at)),
				Error: int32(o.f.num(o.c.status, at)) == storage.StatusError}
			sp.End = sp.Start + o.f.num(o.c.duration, at)
			if own := o.f.raw(o.c.parentSpanID, at); own != nil {
				sp.Parent = trace.SpanID(own)
			} else if delta := uint32(o.f.num(o.c.parentDelta, at)); delta != 0 {
				if int64(delta) > int64(len(out)) {
					return nil, o.r.placed(o.c.parentDelta, corruptf("row %d: parent %d rows before", row, delta))
				}
				sp.Parent = out[len(out)-int(delta)].ID
			}
			out = append(out, sp)
		}
	}
	return out, nil
}

// seek loads the page of a row.
func (o *outliner) seek(ctx context.Context, row uint32) error {
	if o.r == nil || row < o.r.rg.FirstRow || row >= o.r.rg.FirstRow+o.r.rg.Rows {
		if err := ctx.Err(); err != nil {
			return err
		}
		g := sort.Search(len(o.x.RowGroups), func(i int) bool { return o.x.RowGroups[i].FirstRow+o.x.RowGroups[i].Rows > row })
		if g == len(o.x.RowGroups) {
			return o.b.indexError(corruptf("no row %d", row))
		}
		o.r, o.page = o.b.group(o.x, g, 0), -1
	}
	pages := o.r.rg.Pages
	page := sort.Search(len(pages), func(i int) bool { return pages[i].FirstRow+pages[i].Rows > row })
	if page == len(pages) {
		return o.b.indexError(corruptf("no page for row %d", row))
	}
	if page == o.page {
		return nil
	}
	o.page = -1
	clear(o.f.loaded)
	o.f.want = append(o.f.want[:0], o.c.start, o.c.duration, o.c.service, o.c.name, o.c.status, o.c.parentDelta, o.c.spanID, o.c.parentSpanID)
	if o.b.local() {
		o.r.spans = o.r.spans[:0]
	} else {
		o.r.want = o.f.want // whole columns, neighbours with one request
	}
	if err := o.f.loadAll(ctx, o.r, page); err != nil {
		return err
	}
	o.page = page
	return nil
}

// text returns b as a string, the same memory for the same text.
func (o *outliner) text(b []byte) string {
	s, ok := o.texts[string(b)]
	if !ok {
		s = string(b)
		o.texts[s] = s
	}
	return s
}
