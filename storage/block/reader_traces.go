package block

import (
	"context"
	"fmt"
	"sync"

	"github.com/clewtrace/clew/storage"
	"github.com/clewtrace/clew/storage/trace"
)

// traces is the trace table of a block, of which summaries need more than
// searches do: that is decoded when it is first asked for.
type traces struct {
	heads TraceTable // Normal, IDs, FirstRow and Start are set

	once    sync.Once
	section *traceSection // nil once full is set
	full    TraceTable
	err     error
}

// table returns the whole trace table.
func (t *traces) table() (*TraceTable, error) {
	t.once.Do(func() {
		if t.section == nil {
			return // full was given
		}
		t.full = t.heads
		if !t.section.rest(&t.full) {
			t.err = corruptf("section %d", SectionTraces)
		}
		t.section = nil
	})
	return &t.full, t.err
}

// traces returns the trace table.
func (b *Block) traces(ctx context.Context) (*traces, error) {
	if b.given != nil {
		return &traces{heads: b.given.Traces, full: b.given.Traces}, nil
	}
	t, err := load(ctx, b.cache, b.key(partTraces, 0, 0), func() (*traces, int64, error) {
		ids, err := b.ids(ctx)
		if err != nil {
			return nil, 0, err
		}
		raw, err := b.sections(ctx, 1<<SectionTraces)
		if err != nil {
			return nil, 0, b.indexError(err)
		}
		t := &traces{heads: TraceTable{IDs: ids}}
		p := parser{b: raw[SectionTraces]}
		d := openTraces(&p, &t.heads)
		if !p.end() || !d.heads(&t.heads) {
			return nil, 0, b.indexError(corruptf("section %d", SectionTraces))
		}
		if h := &t.heads; uint64(h.FirstRow[len(ids)]) != b.meta.Rows || uint64(h.Normal) != b.meta.Normal.Traces {
			return nil, 0, b.indexError(corruptf("%d rows, %d normal traces: %s says %d, %d", h.FirstRow[len(ids)], h.Normal, MetaObject, b.meta.Rows, b.meta.Normal.Traces))
		}
		t.section = &d
		// Counted from the beginning: heads, rest, and the services.
		return t, int64(len(ids))*(12+28) + int64(len(d.services))*4 + int64(len(raw[SectionTraces])), nil
	})
	return t, err
}

// normal is how many traces of the block are of normal times.
func (b *Block) normal() int {
	if b.given != nil {
		return b.given.Traces.Normal
	}
	return int(b.meta.Normal.Traces)
}

// Summaries implements storage.Source. It reads the trace table alone.
func (p *Part) Summaries(ctx context.Context, ordinals []uint32) ([]storage.Summary, error) {
	traces, err := p.b.traces(ctx)
	if err != nil {
		return nil, err
	}
	t, err := traces.table()
	if err != nil {
		return nil, p.b.indexError(err)
	}
	services := 0
	for _, i := range ordinals {
		if int(i) >= len(t.IDs) {
			return nil, fmt.Errorf("block %s: no trace %d of %d", p.b.id, i, len(t.IDs))
		}
		services += int(t.SvcFirst[i+1] - t.SvcFirst[i])
	}
	out := make([]storage.Summary, len(ordinals))
	counts := make([]storage.ServiceCount, services) // one allocation for all
	for k, i := range ordinals {
		if k%4096 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		n := int(t.SvcFirst[i+1] - t.SvcFirst[i])
		t.summary(i, &out[k], counts[:n:n])
		counts = counts[n:]
	}
	return out, nil
}

// summary fills s, and counts with its services.
func (t *TraceTable) summary(i uint32, s *storage.Summary, counts []storage.ServiceCount) {
	s.ID, s.Start, s.End = t.IDs[i], t.Start[i], t.End[i]
	s.Spans, s.Orphans = int(t.FirstRow[i+1]-t.FirstRow[i]), int(t.Orphans[i])
	if t.Root[i] != NoRow {
		s.HasRoot, s.RootService, s.RootName = true, t.Strings[t.RootService[i]], t.Strings[t.RootName[i]]
	}
	for k, c := range t.Services[t.SvcFirst[i]:t.SvcFirst[i+1]] {
		counts[k] = storage.ServiceCount{Name: t.Strings[c.Service], Spans: int(c.Spans), Errors: int(c.Errors)}
		s.Errors += int(c.Errors)
	}
	s.Services = counts
}

// seek returns the first place in [from, to) whose ID is not less than id. It
// looks near from first, so that sorted IDs are found by merging.
func seek(ids []trace.ID, id *trace.ID, from, to int) int {
	step := 1
	for from+step < to && compareIDs(&ids[from+step], id) < 0 {
		from, step = from+step, 2*step
	}
	end := min(from+step, to)
	for from < end {
		if mid := int(uint(from+end) >> 1); compareIDs(&ids[mid], id) < 0 {
			from = mid + 1
		} else {
			end = mid
		}
	}
	return from
}
