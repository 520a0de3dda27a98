package querier

import (
	"bytes"
	"cmp"
	"context"
	"slices"

	"github.com/clewtrace/clew/storage"
	"github.com/clewtrace/clew/storage/tenant"
	"github.com/clewtrace/clew/storage/trace"
)

// candidate is a trace that matches, by its place in the answer. It lies in
// source at ordinal alone, unless more or split say otherwise.
type candidate struct {
	id      trace.ID
	start   uint64
	source  int32
	split   int32 // number in plan.splits, -1 if it is in no two sorted sources
	ordinal uint32
	more    int32 // index of plan.more, -1 if split says all
}

// part is one fragment of a trace.
type part struct {
	source  int
	ordinal uint32
}

// newer orders candidates as answers are: start descending, then ID.
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

func (p *plan) search(ctx context.Context, query *storage.Query, limit int) ([]candidate, error) {
	if limit <= 0 {
		return nil, nil
	}
	order := make([]int, len(p.sources))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(p.bounds[b].MaxTraceStart, p.bounds[a].MaxTraceStart) })
	best := newest{limit: limit}
	for k, i := range order {
		b, s := p.bounds[i], p.sources[i]
		// A trace with a match in a source that is not read starts at or before
		// the newest fragment there; one that starts with the last answer could
		// still come before it by its ID.
		if !best.wants(b.MaxTraceStart) {
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
		if err := p.judge(ctx, i, matches, &best); err != nil {
			return nil, err
		}
	}
	return best.take(), nil
}

// judge offers the traces that matched in source i to best. A trace starts no
// later than its fragment here: so matches are taken newest first, and those
// behind the one that best no longer wants are not looked at.
func (p *plan) judge(ctx context.Context, i int, matches []storage.Match, best *newest) error {
	matches = slices.DeleteFunc(matches, func(m storage.Match) bool { return !best.wants(m.Start) })
	if len(matches) == 0 {
		return nil
	}
	if err := p.findSplits(ctx); err != nil {
		return err
	}
	for batch := best.limit; len(matches) > 0; batch *= 2 {
		now := matches
		if batch > 0 && batch < len(matches) {
			selectNewest(matches, batch)
			now = matches[:batch]
			// In the order of the source others find them by merging.
			slices.SortFunc(now, func(a, b storage.Match) int { return cmp.Compare(a.Ordinal, b.Ordinal) })
		}
		matches = matches[len(now):]
		if err := p.locate(ctx, i, now, best); err != nil {
			return err
		}
		matches = slices.DeleteFunc(matches, func(m storage.Match) bool { return !best.wants(m.Start) })
	}
	return nil
}

// selectNewest moves the n matches with the largest starts to the front.
func selectNewest(m []storage.Match, n int) {
	for lo, hi := 0, len(m); hi-lo > 1; {
		a, b, c := m[lo].Start, m[lo+(hi-lo)/2].Start, m[hi-1].Start
		pivot := max(min(a, b), min(max(a, b), c)) // their median
		i, j := lo, hi-1
		for i <= j {
			for m[i].Start > pivot {
				i++
			}
			for m[j].Start < pivot {
				j--
			}
			if i <= j {
				m[i], m[j] = m[j], m[i]
				i, j = i+1, j-1
			}
		}
		switch { // [lo, j] are not older than [i, hi), what is between equals the pivot
		case n <= j:
			hi = j + 1
		case n > i:
			lo = i
		default:
			return
		}
	}
}

// newest keeps the limit newest candidates that it was offered. Memory is
// bounded by the limit, or by the traces there are.
type newest struct {
	limit int
	list  []candidate // once it has limit entries a heap, the oldest on top
}

// wants reports whether a candidate with that start could be among them.
func (n *newest) wants(start uint64) bool {
	return len(n.list) < n.limit || start >= n.list[0].start
}

func (n *newest) offer(c candidate) {
	switch {
	case len(n.list) < n.limit:
		if n.list = append(n.list, c); len(n.list) == n.limit {
			for i := len(n.list)/2 - 1; i >= 0; i-- {
				n.down(i)
			}
		}
	case newer(&c, &n.list[0]) < 0:
		n.list[0] = c
		n.down(0)
	}
}

func (n *newest) down(i int) {
	for {
		c := 2*i + 1
		if c >= len(n.list) {
			return
		}
		if c+1 < len(n.list) && newer(&n.list[c+1], &n.list[c]) > 0 {
			c++
		}
		if newer(&n.list[c], &n.list[i]) <= 0 {
			return
		}
		n.list[i], n.list[c] = n.list[c], n.list[i]
		i = c
	}
}

// take returns them, newest first.
func (n *newest) take() []candidate {
	if len(n.list) < radixFrom {
		slices.SortFunc(n.list, func(a, b candidate) int { return newer(&a, &b) })
		return n.list
	}
	return sortNewest(n.list)
}
