package querier

import (
	"bytes"
	"context"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/clewtrace/clew/storage"
	"github.com/clewtrace/clew/storage/tenant"
	"github.com/clewtrace/clew/storage/trace"
)

// splits says which traces of a list of sorted sources lie in more than one of
// them, and where. Nearly all lie in one: for those that are not here nothing
// else need be asked. It is found by merging the lists of IDs, a few ns per ID,
// and kept while the sources stay the same.
type splits struct {
	names   []string                          // of the sources
	sources [][]splitPlace                    // by source, ascending by ordinal
	first   []int                             // by trace: its first part; one more at the end
	parts   []part                            // source: index of names
	sums    []atomic.Pointer[storage.Summary] // by trace: summaries made so far
}

// splitPlace is one fragment of a split trace.
type splitPlace struct{ ordinal, trace uint32 }

// at returns the parts of a split trace.
func (s *splits) at(trace uint32) []part { return s.parts[s.first[trace]:s.first[trace+1]] }

// idList is a source's list of IDs being merged.
type idList struct {
	source int
	ids    []trace.ID
	next   int
	first  uint32
}

func (l *idList) head() *trace.ID { return &l.ids[l.next] }

// findSplits merges the lists. names are those of the sources by index.
func findSplits(names []string, lists []*idList) *splits {
	s := &splits{names: names, sources: make([][]splitPlace, len(names))}
	heap := slices.DeleteFunc(slices.Clone(lists), func(l *idList) bool { return len(l.ids) == 0 })
	less := func(a, b *idList) bool { return bytes.Compare(a.head()[:], b.head()[:]) < 0 }
	down := func(i int) {
		for {
			c := 2*i + 1
			if c >= len(heap) {
				return
			}
			if c+1 < len(heap) && less(heap[c+1], heap[c]) {
				c++
			}
			if !less(heap[c], heap[i]) {
				return
			}
			heap[i], heap[c] = heap[c], heap[i]
			i = c
		}
	}
	for i := len(heap)/2 - 1; i >= 0; i-- {
		down(i)
	}
	var id trace.ID
	var here []part // where id is
	end := func() {
		if len(here) > 1 {
			n := uint32(len(s.first))
			s.first = append(s.first, len(s.parts))
			for _, p := range here {
				s.sources[p.source] = append(s.sources[p.source], splitPlace{p.ordinal, n})
			}
			s.parts = append(s.parts, here...)
		}
		here = here[:0]
	}
	for len(heap) > 0 {
		l := heap[0]
		if h := l.head(); *h != id || len(here) == 0 {
			end()
			id = *h
		}
		here = append(here, part{l.source, l.first + uint32(l.next)})
		if l.next++; l.next == len(l.ids) {
			heap[0] = heap[len(heap)-1]
			heap = heap[:len(heap)-1]
		}
		down(0)
	}
	end()
	s.sums = make([]atomic.Pointer[storage.Summary], len(s.first))
	s.first = append(s.first, len(s.parts))
	return s
}

// splitCache keeps the splits of the last list of sources of some tenants. What
// it holds is bounded by its budget: parts of split traces.
type splitCache struct {
	mu      sync.Mutex
	tenants map[tenant.ID]*splits
	parts   int
}

// maxSplitParts bounds what the cache keeps: 16 bytes a part, and a summary of
// about 300 bytes for those split traces that were in an answer.
const maxSplitParts = 1 << 20

func (c *splitCache) get(id tenant.ID, names []string) *splits {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.tenants[id]; s != nil && slices.Equal(s.names, names) {
		return s
	}
	return nil
}

func (c *splitCache) put(id tenant.ID, s *splits) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drop(id)
	if len(s.parts) > maxSplitParts {
		return
	}
	if c.tenants == nil {
		c.tenants = map[tenant.ID]*splits{}
	}
	for other := range c.tenants { // any will do
		if c.parts+len(s.parts) <= maxSplitParts && len(c.tenants) < maxSplitTenants {
			break
		}
		c.drop(other)
	}
	c.tenants[id] = s
	c.parts += len(s.parts)
}

// maxSplitTenants bounds the tenants of the cache, whose names take memory too.
const maxSplitTenants = 256

func (c *splitCache) drop(id tenant.ID) {
	if s := c.tenants[id]; s != nil {
		c.parts -= len(s.parts)
		delete(c.tenants, id)
	}
}

// findSplits sets p.splits, p.sorted and p.bySorted. A source that cannot list
// its traces is noted as failed, and asked like one that is not sorted.
func (p *plan) findSplits(ctx context.Context) error {
	if p.sorted != nil {
		return nil
	}
	p.sorted, p.judged = make([]int, len(p.sources)), make([]ordinals, len(p.sources))
	var names []string
	var list []storage.Sorted
	for i, s := range p.sources {
		p.sorted[i] = -1
		if l, ok := s.(storage.Sorted); ok {
			p.sorted[i] = len(names)
			p.bySorted = append(p.bySorted, i)
			names, list = append(names, s.Name()), append(list, l)
		}
	}
	if p.splits = p.cache.get(p.tenant, names); p.splits != nil {
		return nil
	}
	var lists []*idList
	failed := false
	for k, l := range list {
		ids, first, err := l.TraceIDs(ctx)
		if err != nil {
			if err := p.fail(ctx, l, err); err != nil {
				return err
			}
			p.sorted[p.bySorted[k]] = -1
			failed = true
			continue
		}
		lists = append(lists, &idList{source: k, ids: ids, first: first})
	}
	p.splits = findSplits(names, lists)
	if !failed {
		p.cache.put(p.tenant, p.splits)
	}
	return nil
}
