package block

import (
	"context"
	"slices"

	"github.com/clewtrace/clew/storage"
	"github.com/clewtrace/clew/storage/trace"
)

// Part is a block as a storage.Source: its traces of normal times, or its wild
// ones.
type Part struct {
	b      *Block
	wild   bool
	first  bool // reports the operations of the whole block
	bounds storage.Bounds
}

var (
	_ storage.Sorted   = (*Part)(nil)
	_ storage.Outliner = (*Part)(nil)
)

// Parts returns the sources of the block: one or two, none if it has no spans.
// Their bounds are those of its meta.json.
func (b *Block) Parts(ctx context.Context) ([]storage.Source, error) {
	var out []storage.Source
	for _, wild := range []bool{false, true} {
		var bounds storage.Bounds
		var ok bool
		switch {
		case b.meta == nil:
			bounds, ok = b.given.bounds(wild)
		case wild:
			bounds, ok = b.meta.Wild.bounds()
		default:
			bounds, ok = b.meta.Normal.bounds()
		}
		if ok {
			out = append(out, &Part{b: b, wild: wild, first: len(out) == 0, bounds: bounds})
		}
	}
	return out, nil
}

func (m *PartMeta) bounds() (storage.Bounds, bool) {
	return storage.Bounds{MinStart: m.MinStart, MaxStart: m.MaxStart, MaxEnd: m.MaxEnd, MaxTraceStart: m.MaxTraceStart,
		Spans: int(m.Rows), Traces: int(m.Traces)}, m.Traces > 0
}

// traces returns the ordinals [from, to) of a part.
func (x *Index) traces(wild bool) (from, to int) {
	if wild {
		return x.Traces.Normal, len(x.Traces.IDs)
	}
	return 0, x.Traces.Normal
}

func (x *Index) bounds(wild bool) (b storage.Bounds, ok bool) {
	from, to := x.traces(wild)
	if from == to {
		return b, false
	}
	b.Traces, b.Spans = to-from, int(x.Traces.FirstRow[to]-x.Traces.FirstRow[from])
	b.MaxTraceStart = slices.Max(x.Traces.Start[from:to])
	b.MinStart = slices.Min(x.Traces.Start[from:to])
	b.MaxEnd = slices.Max(x.Traces.End[from:to])
	for i := range x.RowGroups {
		if g := &x.RowGroups[i]; g.Wild == wild {
			b.MaxStart = max(b.MaxStart, g.MaxStart)
		}
	}
	return b, true
}

// Name implements storage.Source.
func (p *Part) Name() string {
	if p.wild {
		return "block " + p.b.id.String() + " (wild times)"
	}
	return "block " + p.b.id.String()
}

// Release implements storage.Source. A Block holds nothing to give back.
func (p *Part) Release() {}

// Bounds implements storage.Source.
func (p *Part) Bounds() (storage.Bounds, bool) { return p.bounds, true }

// Search implements storage.Source.
func (p *Part) Search(ctx context.Context, q *storage.Query) ([]storage.Match, error) {
	if p.bounds.MaxStart < q.Start || q.End != 0 && p.bounds.MinStart >= q.End {
		return nil, nil
	}
	x, err := p.b.index(ctx)
	if err != nil {
		return nil, err
	}
	return p.b.search(ctx, x, p.wild, q)
}

// span returns the ordinals [from, to) of the part among those of the block.
func (p *Part) span(ids []trace.ID) (from, to int) {
	if p.wild {
		return p.b.normal(), len(ids)
	}
	return 0, p.b.normal()
}

// TraceIDs implements storage.Sorted.
func (p *Part) TraceIDs(ctx context.Context) (ids []trace.ID, first uint32, err error) {
	own, err := p.b.ids(ctx)
	if err != nil {
		return nil, 0, err
	}
	from, to := p.span(own)
	return own[from:to:to], uint32(from), nil
}

// Locate implements storage.Source. IDs in ascending order are found by
// merging. Where nothing is found, it reads the IDs of the block alone.
func (p *Part) Locate(ctx context.Context, ids []trace.ID) ([]storage.Location, error) {
	own, err := p.b.ids(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]storage.Location, len(ids))
	from, to := p.span(own)
	at, any := from, false // all before at are smaller than the ID before
	for i := range ids {
		if i%4096 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if i > 0 && compareIDs(&ids[i], &ids[i-1]) < 0 {
			at = from
		}
		at = seek(own, &ids[i], at, to)
		if at < to && own[at] == ids[i] {
			out[i] = storage.Location{Ordinal: uint32(at), Found: true}
			any = true
		}
	}
	if !any {
		return out, nil
	}
	t, err := p.b.traces(ctx)
	if err != nil {
		return nil, err
	}
	for i := range out {
		if out[i].Found {
			out[i].Start = t.heads.Start[out[i].Ordinal]
		}
	}
	return out, nil
}

// Operations implements storage.Source. The first part of a block reports
// those of the whole block.
func (p *Part) Operations(ctx context.Context, add func(service, name string, kind uint8)) error {
	if !p.first {
		return nil
	}
	ops, err := p.b.operations(ctx)
	if err != nil {
		return err
	}
	for i := range ops {
		o := &ops[i]
		add(o.Service, o.Name, uint8(o.Kind))
	}
	return nil
}
