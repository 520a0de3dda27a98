package querier

import (
	"bytes"
	"context"
	"errors"
	"slices"

	"github.com/clewtrace/clew/storage"
	"github.com/clewtrace/clew/storage/trace"
)

// summaries sums up candidates: a trace that lies in one source there, one
// that is spread over several on all of its spans.
func (p *plan) summaries(ctx context.Context, found []candidate) ([]storage.Summary, error) {
	out := make([]storage.Summary, len(found))
	bySource := make([][]int, len(p.sources))
	var spread []int
	for k := range found {
		if c := &found[k]; c.split < 0 && c.more < 0 {
			bySource[c.source] = append(bySource[c.source], k)
		} else if sum := p.remembered(c); sum != nil {
			out[k] = *sum
		} else {
			spread = append(spread, k)
		}
	}
	// In the order of IDs, so that each part of a source is read once.
	slices.SortFunc(spread, func(a, b int) int { return bytes.Compare(found[a].id[:], found[b].id[:]) })
	for chunk := range slices.Chunk(spread, spreadChunk) {
		if err := p.spread(ctx, found, chunk, out); err != nil {
			return nil, err
		}
	}
	for i, ks := range bySource {
		if len(ks) == 0 {
			continue
		}
		ordinals := make([]uint32, len(ks))
		for n, k := range ks {
			ordinals[n] = found[k].ordinal
		}
		sums, err := p.sources[i].Summaries(ctx, ordinals)
		if err != nil {
			if err := p.fail(ctx, p.sources[i], err); err != nil {
				return nil, err
			}
			continue
		}
		for n, k := range ks {
			out[k] = sums[n]
		}
	}
	// A trace may have lost its source between search and summary.
	return slices.DeleteFunc(out, func(s storage.Summary) bool { return s.Spans == 0 }), nil
}

// spreadChunk is how many spread traces are summed up at once: it bounds the
// outlines in memory.
const spreadChunk = 512

// remembered returns the summary of a split trace that an earlier query made. It
// stands while the sources that have the trace do, and no other one has it.
func (p *plan) remembered(c *candidate) *storage.Summary {
	if c.split < 0 || c.more >= 0 {
		return nil
	}
	sum := p.splits.sums[c.split].Load()
	if sum == nil {
		return nil
	}
	own := *sum
	own.Services = slices.Clone(sum.Services)
	return &own
}

// spread sums up the candidates found[k], k in ks, from the outlines of their
// fragments; where those do not tell, from the assembled trace.
func (p *plan) spread(ctx context.Context, found []candidate, ks []int, out []storage.Summary) error {
	fragments := make([][][]storage.SpanOutline, len(ks))
	unclear := make([]bool, len(ks))
	type want struct {
		ordinals []uint32
		of       []int
	}
	bySource := make([]want, len(p.sources))
	for n, k := range ks {
		for _, part := range p.partsOf(&found[k]) {
			w := &bySource[part.source]
			w.ordinals, w.of = append(w.ordinals, part.ordinal), append(w.of, n)
		}
	}
	for i := range bySource {
		w := &bySource[i]
		if len(w.of) == 0 {
			continue
		}
		err := errNoOutlines
		var lists [][]storage.SpanOutline
		if o, ok := p.sources[i].(storage.Outliner); ok {
			lists, err = o.Outlines(ctx, w.ordinals)
		}
		if err != nil && !errors.Is(err, errNoOutlines) {
			if err := p.fail(ctx, p.sources[i], err); err != nil {
				return err
			}
			continue // of what there is
		}
		for n, of := range w.of {
			if err != nil {
				unclear[of] = true
			} else {
				fragments[of] = append(fragments[of], lists[n])
			}
		}
	}
	for n, k := range ks {
		c := &found[k]
		sum, ok := storage.SummarizeOutlines(c.id, fragments[n]...)
		if !ok || unclear[n] {
			t, err := p.assemble(ctx, c)
			if err != nil {
				return err
			}
			if t == nil {
				continue
			}
			sum = storage.Summarize(t)
		}
		out[k] = sum
		if c.split >= 0 && c.more < 0 && len(p.Failed) == 0 {
			kept := sum
			kept.Services = slices.Clone(sum.Services)
			p.splits.sums[c.split].Store(&kept)
		}
	}
	return nil
}

var errNoOutlines = errors.New("no outlines")

// assemble reads a candidate from the sources that have it.
func (p *plan) assemble(ctx context.Context, c *candidate) (*trace.Trace, error) {
	parts := p.partsOf(c)
	sources := make([]storage.Source, len(parts))
	for k, part := range parts {
		sources[k] = p.sources[part.source]
	}
	return p.trace(ctx, c.id, sources)
}
