package block

import (
	"context"
	"fmt"
	"sync"

	"github.com/clewtrace/clew/storage/columns"
	"github.com/clewtrace/clew/storage/trace"
)

// Fragment implements storage.Source. It reads each row group that the trace
// lies in with one request, and decodes the pages of the trace alone; of the
// attribute columns only those that the shapes of its spans name.
func (p *Part) Fragment(ctx context.Context, dst []byte, id trace.ID) (out []byte, found bool, err error) {
	x, err := p.b.index(ctx)
	if err != nil {
		return dst, false, err
	}
	from, to := x.traces(p.wild)
	t := x.Traces.seek(&id, from, to)
	if t == to || x.Traces.IDs[t] != id {
		return dst, false, nil
	}
	f := fragments.Get().(*fragment)
	defer fragments.Put(f)
	out, err = f.read(ctx, dst, p.b, x, id, x.Traces.FirstRow[t], x.Traces.FirstRow[t+1])
	if err != nil {
		return dst, false, err
	}
	return out, true, nil
}

var fragments = sync.Pool{New: func() any { return new(fragment) }}

// fragment is the scratch space of one reading of one trace.
type fragment struct {
	em      columns.Emitter
	cols    []Vector // by column, for the pages in hand
	loaded  []bool
	spanIDs []trace.SpanID // of the rows of the trace so far
	id      trace.ID
	first   uint32 // row of the trace
}

// read appends the rows [first, end), which are one trace.
func (f *fragment) read(ctx context.Context, dst []byte, b *Block, x *Index, id trace.ID, first, end uint32) ([]byte, error) {
	fixed, err := x.fixed()
	if err != nil {
		return dst, b.indexError(err)
	}
	f.spanIDs, f.id, f.first = f.spanIDs[:0], id, first
	if len(f.cols) < len(x.Columns) {
		f.cols, f.loaded = make([]Vector, len(x.Columns)), make([]bool, len(x.Columns))
	}
	f.em.Reset(dst)
	for g := range x.RowGroups {
		rg := &x.RowGroups[g]
		if rg.FirstRow+rg.Rows <= first || rg.FirstRow >= end {
			continue
		}
		if err := ctx.Err(); err != nil {
			return dst, err
		}
		r := b.group(x, g)
		if err := r.readAll(ctx); err != nil {
			return dst, err
		}
		for i := range rg.Pages {
			z := &rg.Pages[i]
			if z.FirstRow+z.Rows <= first || z.FirstRow >= end {
				continue
			}
			from, to := max(first, z.FirstRow)-z.FirstRow, min(end, z.FirstRow+z.Rows)-z.FirstRow
			if err := f.page(ctx, r, &fixed, i, int(from), int(to)); err != nil {
				return dst, err
			}
		}
	}
	return f.em.Finish(), nil
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

// page emits the rows [from, to) of page i.
func (f *fragment) page(ctx context.Context, r *groupReader, c *fixedColumns, i, from, to int) error {
	clear(f.loaded)
	col := func(k int) (v *Vector) { return &f.cols[k] }
	for _, k := range [...]int{c.start, c.duration, c.resource, c.name, c.kind, c.status, c.scope, c.shape, c.parentDelta, c.traceID,
		c.spanID, c.parentSpanID, c.flags, c.statusMessage, c.rest, c.events, c.links, c.spanRest} {
		if _, err := f.load(ctx, r, k, i); err != nil {
			return err
		}
	}
	num := func(k, row int) uint64 {
		v := col(k)
		at, ok := v.index(row)
		if !ok {
			return 0
		}
		return v.number(at)
	}
	raw := func(k, row int) []byte {
		v := col(k)
		at, ok := v.index(row)
		if !ok {
			return nil
		}
		return v.bytes(at)
	}
	tables := &r.x.Tables
	for row := from; row < to; row++ {
		where := func(k int, format string, args ...any) error {
			return r.b.placed(r.x, r.group, k, fmt.Errorf("page %d: row %d: %w", i, row, corruptf(format, args...)))
		}
		if trace.ID(raw(c.traceID, row)) != f.id {
			return where(c.traceID, "trace %x: want %s", raw(c.traceID, row), f.id)
		}
		res, scope, shape := uint32(num(c.resource, row)), uint32(num(c.scope, row)), uint32(num(c.shape, row))
		switch {
		case int(res) >= len(tables.Resources):
			return where(c.resource, "no resource %d", res)
		case int(scope) >= len(tables.Scopes):
			return where(c.scope, "no scope %d", scope)
		case int(shape) >= len(tables.Shapes):
			return where(c.shape, "no shape %d", shape)
		}
		span := columns.Fixed{TraceID: f.id, SpanID: trace.SpanID(raw(c.spanID, row)), Name: raw(c.name, row),
			Kind: int32(num(c.kind, row)), Start: num(c.start, row), Flags: uint32(num(c.flags, row)),
			Status: int32(num(c.status, row)), StatusMessage: raw(c.statusMessage, row)}
		span.End = span.Start + num(c.duration, row)
		if own := raw(c.parentSpanID, row); own != nil {
			span.Parent = trace.SpanID(own)
		} else if delta := uint32(num(c.parentDelta, row)); delta != 0 {
			if int64(delta) > int64(len(f.spanIDs)) {
				return where(c.parentDelta, "parent %d rows before", delta)
			}
			span.Parent = f.spanIDs[len(f.spanIDs)-int(delta)]
		}
		f.spanIDs = append(f.spanIDs, span.SpanID)
		f.em.Begin(res, scope, tables.Resources[res].Raw, tables.Scopes[scope], &span)
		rest := raw(c.rest, row)
		for _, a := range tables.Shapes[shape].Attrs {
			var bits uint64
			var val []byte
			if a.Column < 0 {
				var ok bool
				if bits, val, rest, ok = NextRestValue(rest, a.Type); !ok {
					return where(c.rest, "values do not fit shape %d", shape)
				}
			} else {
				v, err := f.load(ctx, r, int(a.Column), i)
				if err != nil {
					return err
				}
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
		f.em.Raw(raw(c.spanRest, row))
		f.em.Raw(raw(c.events, row))
		f.em.Raw(raw(c.links, row))
		f.em.End()
	}
	return nil
}
