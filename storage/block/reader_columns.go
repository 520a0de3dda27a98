package block

import (
	"cmp"
	"context"
	"fmt"
	"slices"
)

// groupReader reads columns of one row group for one query, with as few
// requests as it can. Not for concurrent use.
type groupReader struct {
	b     *Block
	x     *Index
	group int // in the block
	rg    *RowGroup
	want  []int // columns that the query may need: read along if they are near
	spans []fetched
}

type fetched struct {
	off  uint64
	data []byte
}

// group reads row group g of x, whose first one is number first of the block.
func (b *Block) group(x *Index, g, first int) *groupReader {
	return &groupReader{b: b, x: x, group: first + g, rg: &x.RowGroups[g]}
}

// placed says where in the block something went wrong.
func (r *groupReader) placed(col int, err error) error {
	return fmt.Errorf("open block %s: %s: row group %d, column %s: %w", r.b.id, DataObject, r.group, r.x.Columns[col].Name, err)
}

// extent is where the pages of a column lie.
func (c *Chunk) extent() (from, to uint64) {
	if c.Dict.Size > 0 {
		from, to = c.Dict.Offset, c.Dict.Offset+uint64(c.Dict.Size)
	} else if len(c.Pages) > 0 {
		from, to = c.Pages[0].Offset, c.Pages[0].Offset
	}
	if n := len(c.Pages); n > 0 {
		to = c.Pages[n-1].Offset + uint64(c.Pages[n-1].Size)
	}
	return from, to
}

// bytes returns the bytes of page p of a column: from what was read before,
// or by reading the column, together with neighbours in want that are close.
func (r *groupReader) bytes(ctx context.Context, col int, p Page) ([]byte, error) {
	if data := r.have(p); data != nil {
		return data, nil
	}
	from, to := r.rg.Chunks[col].extent()
	for grown := true; grown; {
		grown = false
		for _, c := range r.want {
			f, t := r.rg.Chunks[c].extent()
			key := r.b.key(partVector, r.group, c)
			if f == t || f >= from && t <= to || f > to+r.b.gap || t+r.b.gap < from || r.b.cache.has(&key) {
				continue
			}
			from, to, grown = min(from, f), max(to, t), true
		}
	}
	data, err := r.b.read(ctx, DataObject, from, to-from)
	if err != nil {
		return nil, err
	}
	r.spans = append(r.spans, fetched{from, data})
	if data = r.have(p); data == nil {
		return nil, corruptf("page at %d lies outside its column", p.Offset)
	}
	return data, nil
}

func (r *groupReader) have(p Page) []byte {
	for _, s := range r.spans {
		if p.Offset >= s.off && p.Offset+uint64(p.Size) <= s.off+uint64(len(s.data)) {
			at := p.Offset - s.off
			return s.data[at : at+uint64(p.Size)]
		}
	}
	return nil
}

// dict returns the dictionary of a column, nil if it has none.
func (r *groupReader) dict(ctx context.Context, col int) (*values, error) {
	c := &r.rg.Chunks[col]
	if c.Dict.Size == 0 {
		return nil, nil
	}
	return load(ctx, r.b.cache, r.b.key(partDict, r.group, col), func() (*values, int64, error) {
		raw, err := r.bytes(ctx, col, c.Dict)
		var d *values
		if err == nil {
			d, err = decodeDictionary(raw, c.Dict, r.x.Columns[col].Physical, int(c.DictValues))
		}
		if err != nil {
			return nil, 0, r.placed(col, fmt.Errorf("dictionary: %w", err))
		}
		return d, d.cost(), nil
	})
}

// vector returns a whole column of the row group.
func (r *groupReader) vector(ctx context.Context, col int) (*Vector, error) {
	c := &r.rg.Chunks[col]
	d, err := r.dict(ctx, col)
	if err != nil {
		return nil, err
	}
	return load(ctx, r.b.cache, r.b.key(partVector, r.group, col), func() (*Vector, int64, error) {
		var v Vector
		info := &r.x.Columns[col]
		v.reset(info.Physical, d)
		v.reserve(int(r.rg.Rows), int(r.rg.Rows-min(c.Nulls, r.rg.Rows)), info.Optional)
		if c.empty(r.rg) {
			v.appendNulls(int(r.rg.Rows))
		} else {
			for i := range r.rg.Pages {
				if err := r.appendPage(ctx, &v, col, i); err != nil {
					return nil, 0, err
				}
			}
		}
		v.seal()
		v.clip()
		return &v, v.cost(), nil
	})
}

// empty reports whether a column has nothing but nulls, and so no pages.
func (c *Chunk) empty(rg *RowGroup) bool { return c.Pages == nil && c.Nulls == rg.Rows }

// appendPage appends page i of a column to v.
func (r *groupReader) appendPage(ctx context.Context, v *Vector, col, i int) error {
	info, c := &r.x.Columns[col], &r.rg.Chunks[col]
	if i >= len(c.Pages) {
		return r.placed(col, corruptf("page %d: not in the index", i))
	}
	raw, err := r.bytes(ctx, col, c.Pages[i])
	if err == nil {
		err = v.appendPage(raw, c.Pages[i], columnForm{info.Physical, info.Optional}, int(r.rg.Pages[i].Rows))
	}
	if err != nil {
		return r.placed(col, fmt.Errorf("page %d: %w", i, err))
	}
	return nil
}

// readAll reads the whole row group at once, or takes it from the cache.
func (r *groupReader) readAll(ctx context.Context) error {
	data, err := load(ctx, r.b.cache, r.b.key(partRowGroup, r.group, 0), func() ([]byte, int64, error) {
		data, err := r.b.read(ctx, DataObject, r.rg.Offset, r.rg.Bytes)
		return data, int64(len(data)), err
	})
	if err != nil {
		return fmt.Errorf("open block %s: %s: row group %d: %w", r.b.id, DataObject, r.group, err)
	}
	r.spans = append(r.spans[:0], fetched{r.rg.Offset, data})
	return nil
}

// readPages reads page i of columns, and their dictionaries unless they are
// cached, with one request for pages near each other.
func (r *groupReader) readPages(ctx context.Context, cols []int, i int) error {
	var pages []Page
	for _, col := range cols {
		c := &r.rg.Chunks[col]
		if i >= len(c.Pages) {
			continue // nulls alone; or an error, which decoding names
		}
		key := r.b.key(partDict, r.group, col)
		if c.Dict.Size > 0 && !r.b.cache.has(&key) && r.have(c.Dict) == nil {
			pages = append(pages, c.Dict)
		}
		if r.have(c.Pages[i]) == nil {
			pages = append(pages, c.Pages[i])
		}
	}
	slices.SortFunc(pages, func(a, b Page) int { return cmp.Compare(a.Offset, b.Offset) })
	for len(pages) > 0 {
		from, to, n := pages[0].Offset, pages[0].Offset+uint64(pages[0].Size), 1
		for ; n < len(pages) && pages[n].Offset <= to+r.b.gap; n++ {
			to = max(to, pages[n].Offset+uint64(pages[n].Size))
		}
		data, err := r.b.read(ctx, DataObject, from, to-from)
		if err != nil {
			return fmt.Errorf("open block %s: %s: row group %d: %w", r.b.id, DataObject, r.group, err)
		}
		r.spans = append(r.spans, fetched{from, data})
		pages = pages[n:]
	}
	return nil
}

// Places of the fixed columns in Index.Columns, by name.
type fixedColumns struct {
	start, duration, resource, service, name, kind, status, scope, shape int
	subtree, parentDelta, traceID, spanID, parentSpanID, flags           int
	statusMessage, rest, events, links, spanRest                         int
}

// fixed finds the fixed columns. A column that is not there is an error.
func (x *Index) fixed() (f fixedColumns, err error) {
	places := [...]struct {
		name string
		at   *int
	}{
		{"start_unix_nano", &f.start}, {"duration_ns", &f.duration}, {"resource_id", &f.resource}, {"service", &f.service},
		{"name", &f.name}, {"kind", &f.kind}, {"status_code", &f.status}, {"scope_id", &f.scope}, {"attr_shape", &f.shape},
		{"subtree", &f.subtree}, {"parent_delta", &f.parentDelta}, {"trace_id", &f.traceID}, {"span_id", &f.spanID},
		{"parent_span_id", &f.parentSpanID}, {"flags", &f.flags}, {"status_message", &f.statusMessage},
		{"attrs_rest", &f.rest}, {"events", &f.events}, {"links", &f.links}, {"span_rest", &f.spanRest},
	}
	i := 0
	for _, p := range places { // they come in this order, promoted attributes between
		for i < len(x.Columns) && (x.Columns[i].Attr || x.Columns[i].Name != p.name) {
			i++
		}
		if i == len(x.Columns) {
			return f, corruptf("no column %s in its place", p.name)
		}
		*p.at = i
	}
	return f, nil
}
