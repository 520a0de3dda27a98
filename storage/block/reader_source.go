package block

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"sort"

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

var _ storage.Source = (*Part)(nil)

func (b *Block) indexError(err error) error {
	return fmt.Errorf("open block %s: %s: %w", b.id, IndexObject, err)
}

// Parts returns the sources of the block: one or two, none if it has no spans.
// Their bounds are those of its meta.json.
func (b *Block) Parts(ctx context.Context) ([]storage.Source, error) {
	var out []storage.Source
	for _, wild := range []bool{false, true} {
		var bounds storage.Bounds
		var ok bool
		switch {
		case b.meta == nil:
			x, err := b.index(ctx)
			if err != nil {
				return nil, err
			}
			bounds, ok = x.bounds(wild)
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

// Locate implements storage.Source.
func (p *Part) Locate(ctx context.Context, ids []trace.ID) ([]storage.Location, error) {
	x, err := p.b.index(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]storage.Location, len(ids))
	from, to := x.traces(p.wild)
	at := from // all before are smaller than the ID before
	for i := range ids {
		if i%4096 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if i > 0 && bytes.Compare(ids[i][:], ids[i-1][:]) < 0 {
			at = from
		}
		at = x.Traces.seek(&ids[i], at, to)
		if at < to && x.Traces.IDs[at] == ids[i] {
			out[i] = storage.Location{Ordinal: uint32(at), Start: x.Traces.Start[at], Found: true}
		}
	}
	return out, nil
}

// seek returns the first ordinal in [from, to) whose ID is not less than id. It
// looks near from first, so that sorted IDs are found by merging.
func (t *TraceTable) seek(id *trace.ID, from, to int) int {
	step := 1
	for from+step < to && bytes.Compare(t.IDs[from+step][:], id[:]) < 0 {
		from, step = from+step, 2*step
	}
	end := min(from+step, to)
	return from + sort.Search(end-from, func(k int) bool { return bytes.Compare(t.IDs[from+k][:], id[:]) >= 0 })
}

// Summaries implements storage.Source. It reads the trace table alone.
func (p *Part) Summaries(ctx context.Context, ordinals []uint32) ([]storage.Summary, error) {
	x, err := p.b.index(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]storage.Summary, len(ordinals))
	for i, t := range ordinals {
		if int(t) >= len(x.Traces.IDs) {
			return nil, fmt.Errorf("block %s: no trace %d of %d", p.b.id, t, len(x.Traces.IDs))
		}
		out[i] = x.Traces.summary(t)
	}
	return out, nil
}

func (t *TraceTable) summary(i uint32) storage.Summary {
	s := storage.Summary{ID: t.IDs[i], Start: t.Start[i], End: t.End[i],
		Spans: int(t.FirstRow[i+1] - t.FirstRow[i]), Orphans: int(t.Orphans[i])}
	if t.Root[i] != NoRow {
		s.HasRoot, s.RootService, s.RootName = true, t.Strings[t.RootService[i]], t.Strings[t.RootName[i]]
	}
	services := t.Services[t.SvcFirst[i]:t.SvcFirst[i+1]]
	s.Services = make([]storage.ServiceCount, len(services))
	for k, c := range services {
		s.Services[k] = storage.ServiceCount{Name: t.Strings[c.Service], Spans: int(c.Spans), Errors: int(c.Errors)}
		s.Errors += int(c.Errors)
	}
	return s
}

// Operations implements storage.Source. The first part of a block reports
// those of the whole block.
func (p *Part) Operations(ctx context.Context, add func(service, name string, kind uint8)) error {
	if !p.first {
		return nil
	}
	x, err := p.b.index(ctx)
	if err != nil {
		return err
	}
	for i := range x.Operations {
		o := &x.Operations[i]
		add(o.Service, o.Name, uint8(o.Kind))
	}
	return nil
}
