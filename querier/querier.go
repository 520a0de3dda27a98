// Package querier answers queries from sources: live columns and blocks. It
// merges what they hold of a trace, counts equal spans once, and puts answers in
// the order newest first: trace start descending, then trace ID.
package querier

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/clewtrace/clew/storage"
	"github.com/clewtrace/clew/storage/blocklist"
	"github.com/clewtrace/clew/storage/tenant"
	"github.com/clewtrace/clew/storage/trace"
)

// Recent gives the sources of spans that are in no block of a version of the
// tenant's block list. stale means that spans have moved into newer blocks.
type Recent interface {
	Recent(id tenant.ID, version uint64) (r storage.Recent, stale bool)
}

// Blocks gives the blocks of a tenant.
type Blocks interface {
	View(id tenant.ID) blocklist.View
}

// Querier is safe for concurrent use.
type Querier struct {
	recent Recent
	blocks Blocks
}

// New returns a Querier over what is in blocks and what is not yet.
func New(recent Recent, blocks Blocks) *Querier { return &Querier{recent, blocks} }

// plan is the sources of one query.
type plan struct {
	sources []storage.Source
	bounds  []storage.Bounds
	storage.Completeness
}

// plan pins one version of the block list, so that no span falls between what
// is live and what is in blocks.
func (q *Querier) plan(ctx context.Context, id tenant.ID) (*plan, error) {
	for {
		v := q.blocks.View(id)
		r, stale := q.recent.Recent(id, v.Version)
		if !stale {
			return newPlan(ctx, v, r)
		}
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("plan query: %w", context.Cause(ctx))
		}
	}
}

func newPlan(ctx context.Context, v blocklist.View, r storage.Recent) (*plan, error) {
	p := &plan{Completeness: storage.Completeness{Replaying: r.Replaying, Failed: slices.Concat(v.Failed, r.Failed)}}
	add := func(sources []storage.Source) {
		for _, s := range sources {
			b, ok := s.Bounds()
			if !ok {
				s.Release()
				continue
			}
			p.sources, p.bounds = append(p.sources, s), append(p.bounds, b)
		}
	}
	add(r.Sources)
	for _, b := range v.Blocks {
		parts, err := b.Parts(ctx)
		if err != nil {
			p.Failed = append(p.Failed, storage.FailedSource{Name: "block " + b.Meta().Block.String(), Reason: err.Error()})
			continue
		}
		add(parts)
	}
	p.SourcesPlanned = len(p.sources) + len(p.Failed)
	return p, nil
}

func (p *plan) release() {
	for _, s := range p.sources {
		s.Release()
	}
}

// fail notes a source that could not be read. Only the end of the query itself
// is an error.
func (p *plan) fail(ctx context.Context, s storage.Source, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("query %s: %w", s.Name(), context.Cause(ctx))
	}
	for _, f := range p.Failed {
		if f.Name == s.Name() {
			return nil
		}
	}
	p.Failed = append(p.Failed, storage.FailedSource{Name: s.Name(), Reason: err.Error()})
	return nil
}

// Trace returns the whole trace, or nil if no source has it.
func (q *Querier) Trace(ctx context.Context, id tenant.ID, tid trace.ID) (*trace.Trace, storage.Completeness, error) {
	p, err := q.plan(ctx, id)
	if err != nil {
		return nil, storage.Completeness{}, err
	}
	defer p.release()
	t, err := p.trace(ctx, tid)
	p.SourcesRead = p.SourcesPlanned
	return t, p.Completeness, err
}

// Traces returns whole traces in the order of ids, nil where there is none.
func (q *Querier) Traces(ctx context.Context, id tenant.ID, ids []trace.ID) ([]*trace.Trace, storage.Completeness, error) {
	p, err := q.plan(ctx, id)
	if err != nil {
		return nil, storage.Completeness{}, err
	}
	defer p.release()
	out := make([]*trace.Trace, len(ids))
	for i, tid := range ids {
		var err error
		if out[i], err = p.trace(ctx, tid); err != nil {
			return nil, p.Completeness, err
		}
	}
	p.SourcesRead = p.SourcesPlanned
	return out, p.Completeness, nil
}

func (p *plan) trace(ctx context.Context, id trace.ID) (*trace.Trace, error) {
	var fragments [][]byte
	for _, s := range p.sources {
		b, found, err := s.Fragment(ctx, nil, id)
		if err != nil {
			if err := p.fail(ctx, s, err); err != nil {
				return nil, err
			}
		} else if found {
			fragments = append(fragments, b)
		}
	}
	return trace.Assemble(fragments...)
}

// candidate is a trace that matches, by its place in the answer.
type candidate struct {
	id    trace.ID
	start uint64
	// parts are where its fragments are: source and ordinal.
	parts []part
}

type part struct {
	source  int
	ordinal uint32
}

func newer(a, b *candidate) int {
	if c := cmp.Compare(b.start, a.start); c != 0 {
		return c
	}
	return bytes.Compare(a.id[:], b.id[:])
}

// Search returns the limit newest traces that match, summed up over all of
// their spans. Sources whose newest trace is older than the limit-th answer are
// not read.
func (q *Querier) Search(ctx context.Context, id tenant.ID, query *storage.Query, limit int) ([]storage.Summary, storage.Completeness, error) {
	p, err := q.plan(ctx, id)
	if err != nil {
		return nil, storage.Completeness{}, err
	}
	defer p.release()
	found, err := p.search(ctx, query, limit)
	if err != nil {
		return nil, p.Completeness, err
	}
	out, err := p.summaries(ctx, found)
	return out, p.Completeness, err
}

func (p *plan) search(ctx context.Context, query *storage.Query, limit int) ([]*candidate, error) {
	order := make([]int, len(p.sources))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(p.bounds[b].MaxTraceStart, p.bounds[a].MaxTraceStart) })
	var found []*candidate
	seen := map[trace.ID]bool{}
	for k, i := range order {
		b, s := p.bounds[i], p.sources[i]
		if len(found) >= limit && found[limit-1].start > b.MaxTraceStart {
			p.SourcesPruned += len(order) - k
			break
		}
		if b.MaxStart < query.Start || query.End != 0 && b.MinStart >= query.End {
			p.SourcesPruned++
			continue
		}
		matches, err := s.Search(ctx, query)
		if err != nil {
			if err := p.fail(ctx, s, err); err != nil {
				return nil, err
			}
			continue
		}
		p.SourcesRead++
		fresh, err := p.locate(ctx, i, matches, seen)
		if err != nil {
			return nil, err
		}
		found = append(found, fresh...)
		slices.SortFunc(found, newer)
		if len(found) > limit {
			found = found[:limit]
		}
	}
	return found, nil
}

// locate finds all fragments of the traces that matched in source i, and with
// them each trace's start. seen keeps traces from being judged twice.
func (p *plan) locate(ctx context.Context, i int, matches []storage.Match, seen map[trace.ID]bool) ([]*candidate, error) {
	var out []*candidate
	var ids []trace.ID
	for _, m := range matches {
		if seen[m.ID] {
			continue
		}
		seen[m.ID] = true
		ids = append(ids, m.ID)
		out = append(out, &candidate{id: m.ID, start: m.Start, parts: []part{{i, m.Ordinal}}})
	}
	for j, s := range p.sources {
		if j == i || len(ids) == 0 {
			continue
		}
		at, err := s.Locate(ctx, ids)
		if err != nil {
			if err := p.fail(ctx, s, err); err != nil {
				return nil, err
			}
			continue
		}
		for k, l := range at {
			if l.Found {
				out[k].start = min(out[k].start, l.Start)
				out[k].parts = append(out[k].parts, part{j, l.Ordinal})
			}
		}
	}
	return out, nil
}

// summaries sums up candidates: a trace that lies in one source there, one
// that is spread over several on the assembled whole.
func (p *plan) summaries(ctx context.Context, found []*candidate) ([]storage.Summary, error) {
	out := make([]storage.Summary, len(found))
	bySource := map[int][]int{}
	for k, c := range found {
		if len(c.parts) == 1 {
			bySource[c.parts[0].source] = append(bySource[c.parts[0].source], k)
			continue
		}
		t, err := p.trace(ctx, c.id)
		if err != nil {
			return nil, err
		}
		if t != nil {
			out[k] = storage.Summarize(t)
		}
	}
	for i, ks := range bySource {
		ordinals := make([]uint32, len(ks))
		for n, k := range ks {
			ordinals[n] = found[k].parts[0].ordinal
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

// Services returns the names of all services, sorted.
func (q *Querier) Services(ctx context.Context, id tenant.ID) ([]string, storage.Completeness, error) {
	seen := map[string]bool{}
	c, err := q.operations(ctx, id, func(service, _ string, _ uint8) { seen[service] = true })
	out := make([]string, 0, len(seen))
	for s := range seen {
		out = append(out, s)
	}
	slices.Sort(out)
	return out, c, err
}

// Operations returns the operations of a service, sorted by name and kind.
func (q *Querier) Operations(ctx context.Context, id tenant.ID, service string) ([]storage.Operation, storage.Completeness, error) {
	seen := map[storage.Operation]bool{}
	c, err := q.operations(ctx, id, func(s, name string, kind uint8) {
		if s == service {
			seen[storage.Operation{Name: name, Kind: kind}] = true
		}
	})
	out := make([]storage.Operation, 0, len(seen))
	for o := range seen {
		out = append(out, o)
	}
	slices.SortFunc(out, func(a, b storage.Operation) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Kind, b.Kind))
	})
	return out, c, err
}

func (q *Querier) operations(ctx context.Context, id tenant.ID, add func(service, name string, kind uint8)) (storage.Completeness, error) {
	p, err := q.plan(ctx, id)
	if err != nil {
		return storage.Completeness{}, err
	}
	defer p.release()
	for _, s := range p.sources {
		if err := s.Operations(ctx, add); err != nil {
			if err := p.fail(ctx, s, err); err != nil {
				return p.Completeness, err
			}
			continue
		}
		p.SourcesRead++
	}
	return p.Completeness, nil
}
