package block

import (
	"bytes"
	"context"
	"fmt"
	"sort"
	"sync"

	"github.com/clewtrace/clew/storage/columns"
	"github.com/clewtrace/clew/storage/trace"
)

// Fragment implements storage.Source. It asks the bloom object whose range has
// the ID; then it reads what the trace needs of the row groups that it lies in,
// and decodes the pages of the trace alone, of the attribute columns only those
// that the shapes of its spans name.
func (p *Part) Fragment(ctx context.Context, dst []byte, id trace.ID) (out []byte, found bool, err error) {
	at, found, err := p.b.locate(ctx, p.wild, &id)
	if err != nil || !found {
		return dst, false, err
	}
	f := fragments.Get().(*fragment)
	defer fragments.Put(f)
	out, err = f.read(ctx, dst, p.b, &at, id)
	if err != nil {
		return dst, false, err
	}
	return out, len(f.spanIDs) > 0, nil // a bloom filter may have been wrong
}

var fragments = sync.Pool{New: func() any { return new(fragment) }}

// fragment is the scratch space of one reading of one trace.
type fragment struct {
	em      columns.Emitter
	cols    []Vector // by column, for the pages in hand
	loaded  []bool
	want    []int          // columns to read
	spanIDs []trace.SpanID // of the rows of the trace so far
	id      trace.ID
}

// read appends the rows of a trace.
func (f *fragment) read(ctx context.Context, dst []byte, b *Block, at *place, id trace.ID) ([]byte, error) {
	fixed, err := at.x.fixed()
	if err != nil {
		return dst, b.indexError(err)
	}
	f.spanIDs, f.id = f.spanIDs[:0], id
	f.grow(at.x)
	f.em.Reset(dst)
	page := 0
	for g := range at.x.RowGroups {
		n := len(at.x.RowGroups[g].Pages)
		if page += n; page <= at.from {
			continue
		}
		if page-n >= at.to {
			break
		}
		if err := ctx.Err(); err != nil {
			return dst, err
		}
		r := b.group(at.x, g, at.group)
		if !b.local() {
			if err := r.readAll(ctx); err != nil {
				return dst, err
			}
		}
		for i := max(at.from-(page-n), 0); i < min(at.to-(page-n), n); i++ {
			if err := f.page(ctx, r, &fixed, i); err != nil {
				return dst, err
			}
		}
	}
	return f.em.Finish(), nil
}

// grow makes room for the columns of a block.
func (f *fragment) grow(x *Index) {
	if len(f.cols) < len(x.Columns) {
		f.cols, f.loaded = make([]Vector, len(x.Columns)), make([]bool, len(x.Columns))
	}
}

// load decodes page i of a column. A column of nulls alone is not read.
func (f *fragment) load(ctx context.Context, r *groupReader, col, i int) (*Vector, error) {
	v := &f.cols[col]
	if f.loaded[col] {
		return v, nil
	}
	f.loaded[col] = true
	if r.rg.Chunks[col].empty(r.rg) {
		v.reset(r.x.Columns[col].Physical, nil)
		v.appendNulls(int(r.rg.Pages[i].Rows))
		v.seal()
		return v, nil
	}
	d, err := r.dict(ctx, col)
	if err != nil {
		return nil, err
	}
	v.reset(r.x.Columns[col].Physical, d)
	if err := r.appendPage(ctx, v, col, i); err != nil {
		return nil, err
	}
	v.seal()
	return v, nil
}

// loadAll reads page i of the columns in f.want with few requests and decodes
// them.
func (f *fragment) loadAll(ctx context.Context, r *groupReader, i int) error {
	if r.b.local() {
		if err := r.readPages(ctx, f.want, i); err != nil {
			return err
		}
	}
	for _, col := range f.want {
		if _, err := f.load(ctx, r, col, i); err != nil {
			return err
		}
	}
	return nil
}

// rows finds the rows [from, to) of page i that belong to the trace. IDs are in
// ascending order.
func (f *fragment) rows(ctx context.Context, r *groupReader, c *fixedColumns, i int) (from, to int, err error) {
	f.want = append(f.want[:0], c.traceID)
	if err := f.loadAll(ctx, r, i); err != nil {
		return 0, 0, err
	}
	ids := &f.cols[c.traceID]
	if ids.n != ids.rows {
		return 0, 0, r.placed(c.traceID, corruptf("page %d: rows without a trace ID", i))
	}
	from = sort.Search(ids.n, func(k int) bool { return bytes.Compare(ids.bytes(k), f.id[:]) >= 0 })
	to = from + sort.Search(ids.n-from, func(k int) bool { return bytes.Compare(ids.bytes(from+k), f.id[:]) > 0 })
	return from, to, nil
}

// page emits the rows of the trace in page i.
func (f *fragment) page(ctx context.Context, r *groupReader, c *fixedColumns, i int) error {
	clear(f.loaded)
	from, to, err := f.rows(ctx, r, c, i)
	if err != nil || from == to {
		return err
	}
	f.want = append(f.want[:0], c.start, c.duration, c.resource, c.name, c.kind, c.status, c.scope, c.shape, c.parentDelta,
		c.spanID, c.parentSpanID, c.flags, c.statusMessage, c.rest, c.events, c.links, c.spanRest)
	if err := f.loadAll(ctx, r, i); err != nil {
		return err
	}
	// The shapes say which attributes there are.
	f.want = f.want[:0]
	shapes := &f.cols[c.shape]
	for row := from; row < to; row++ {
		k, ok := shapes.index(row)
		if shape := shapes.number(k); ok && shape < uint64(len(r.x.Tables.Shapes)) {
			for _, a := range r.x.Tables.Shapes[shape].Attrs {
				if a.Column >= 0 && !f.loaded[a.Column] {
					f.loaded[a.Column] = true
					f.want = append(f.want, int(a.Column))
				}
			}
		}
	}
	for _, col := range f.want {
		f.loaded[col] = false
	}
	if err := f.loadAll(ctx, r, i); err != nil {
		return err
	}
	for row := from; row < to; row++ {
		if err := f.span(r, c, i, row); err != nil {
			return err
		}
	}
	return nil
}

func (f *fragment) num(col, row int) uint64 {
	v := &f.cols[col]
	at, ok := v.index(row)
	if !ok {
		return 0
	}
	return v.number(at)
}

func (f *fragment) raw(col, row int) []byte {
	v := &f.cols[col]
	at, ok := v.index(row)
	if !ok {
		return nil
	}
	return v.bytes(at)
}

// span emits one row of page i, whose columns are loaded.
func (f *fragment) span(r *groupReader, c *fixedColumns, i, row int) error {
	tables := &r.x.Tables
	where := func(k int, format string, args ...any) error {
		return r.placed(k, fmt.Errorf("page %d: row %d: %w", i, row, corruptf(format, args...)))
	}
	res, scope, shape := uint32(f.num(c.resource, row)), uint32(f.num(c.scope, row)), uint32(f.num(c.shape, row))
	switch {
	case int(res) >= len(tables.Resources):
		return where(c.resource, "no resource %d", res)
	case int(scope) >= len(tables.Scopes):
		return where(c.scope, "no scope %d", scope)
	case int(shape) >= len(tables.Shapes):
		return where(c.shape, "no shape %d", shape)
	}
	span := columns.Fixed{TraceID: f.id, SpanID: trace.SpanID(f.raw(c.spanID, row)), Name: f.raw(c.name, row),
		Kind: int32(f.num(c.kind, row)), Start: f.num(c.start, row), Flags: uint32(f.num(c.flags, row)),
		Status: int32(f.num(c.status, row)), StatusMessage: f.raw(c.statusMessage, row)}
	span.End = span.Start + f.num(c.duration, row)
	if own := f.raw(c.parentSpanID, row); own != nil {
		span.Parent = trace.SpanID(own)
	} else if delta := uint32(f.num(c.parentDelta, row)); delta != 0 {
		if int64(delta) > int64(len(f.spanIDs)) {
			return where(c.parentDelta, "parent %d rows before", delta)
		}
		span.Parent = f.spanIDs[len(f.spanIDs)-int(delta)]
	}
	f.spanIDs = append(f.spanIDs, span.SpanID)
	f.em.Begin(res, scope, tables.Resources[res].Raw, tables.Scopes[scope], &span)
	rest := f.raw(c.rest, row)
	for _, a := range tables.Shapes[shape].Attrs {
		var bits uint64
		var val []byte
		if a.Column < 0 {
			var ok bool
			if bits, val, rest, ok = NextRestValue(rest, a.Type); !ok {
				return where(c.rest, "values do not fit shape %d", shape)
			}
		} else {
			v := &f.cols[a.Column]
			at, ok := v.index(row)
			if !ok {
				return where(int(a.Column), "no value: shape %d has one", shape)
			}
			if a.Type.HasDict() {
				val = v.bytes(at)
			} else {
				bits = v.number(at)
			}
		}
		f.em.Attr(a.Key, a.Type, bits, val)
	}
	f.em.Raw(f.raw(c.spanRest, row))
	f.em.Raw(f.raw(c.events, row))
	f.em.Raw(f.raw(c.links, row))
	f.em.End()
	return nil
}
