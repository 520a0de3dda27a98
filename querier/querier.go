// Package querier answers queries from sources: live columns and blocks. It
// merges what they hold of a trace, counts equal spans once, and puts answers in
// the order newest first: trace start descending, then trace ID.
package querier

import (
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
	splits splitCache
	report *reporter
}

// New returns a Querier over what is in blocks and what is not yet.
func New(recent Recent, blocks Blocks, o Options) *Querier {
	return &Querier{recent: recent, blocks: blocks, report: newReporter(o)}
}

// plan is the sources of one query.
type plan struct {
	tenant  tenant.ID
	cache   *splitCache
	report  *reporter
	sources []storage.Source
	bounds  []storage.Bounds
	storage.Completeness

	// Of searches, see findSplits and locate.
	splits   *splits
	sorted   []int // by source: its index in splits, or -1
	bySorted []int // by that index: source
	more     [][]part
	judged   []ordinals // by sorted source
	seen     map[trace.ID]bool
	scratch  []candidate
}

// plan pins one version of the block list, so that no span falls between what
// is live and what is in blocks.
func (q *Querier) plan(ctx context.Context, id tenant.ID) (*plan, error) {
	for {
		v := q.blocks.View(id)
		r, stale := q.recent.Recent(id, v.Version)
		if !stale {
			return q.newPlan(ctx, id, v, r)
		}
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("plan query: %w", context.Cause(ctx))
		}
	}
}

func (q *Querier) newPlan(ctx context.Context, id tenant.ID, v blocklist.View, r storage.Recent) (*plan, error) {
	p := &plan{tenant: id, cache: &q.splits, report: q.report, Completeness: storage.Completeness{Replaying: r.Replaying, Failed: slices.Concat(v.Failed, r.Failed)}}
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
			name := "block " + b.Meta().Block.String()
			p.Failed = append(p.Failed, storage.FailedSource{Name: name, Reason: err.Error()})
			p.report.failed(id, name, err)
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
	p.report.failed(p.tenant, s.Name(), err)
	return nil
}

// Trace returns the whole trace, or nil if no source has it.
func (q *Querier) Trace(ctx context.Context, id tenant.ID, tid trace.ID) (*trace.Trace, storage.Completeness, error) {
	p, err := q.plan(ctx, id)
	if err != nil {
		return nil, storage.Completeness{}, err
	}
	defer p.release()
	t, err := p.trace(ctx, tid, p.sources)
	p.SourcesRead = p.SourcesPlanned - len(p.Failed)
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
		if out[i], err = p.trace(ctx, tid, p.sources); err != nil {
			return nil, p.Completeness, err
		}
	}
	p.SourcesRead = p.SourcesPlanned - len(p.Failed)
	return out, p.Completeness, nil
}

// trace assembles what some of the sources have of a trace; nil if nothing.
func (p *plan) trace(ctx context.Context, id trace.ID, sources []storage.Source) (*trace.Trace, error) {
	var fragments [][]byte
	for _, s := range sources {
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
