package block

import (
	"context"
	"runtime"
	"slices"
	"sort"
	"sync"
	"sync/atomic"

	"github.com/clewtrace/clew/storage"
)

// minSearchers is how many row groups are read at once at least: waiting for
// objects takes no processor.
const minSearchers = 8

// search returns the matches among the row groups of one part of the block. It
// needs memory for three bitmaps of a row group and the columns in hand in each
// goroutine, and for the numbers of the traces that match.
func (b *Block) search(ctx context.Context, x *Index, wild bool, q *storage.Query) ([]storage.Match, error) {
	p, err := newPlan(x, q)
	if err != nil {
		return nil, b.indexError(err)
	}
	if p == nil {
		return nil, nil
	}
	p.traces = sync.OnceValues(func() (*traces, error) { return b.traces(ctx) })
	var groups []int
	for g := range x.RowGroups {
		if rg := &x.RowGroups[g]; rg.Wild == wild && rg.Rows > 0 && !p.prune(rg) {
			groups = append(groups, g)
		}
	}
	if len(groups) == 0 {
		return nil, nil
	}
	var (
		found = make([][]uint32, len(groups)) // ordinals, ascending
		errs  = make([]error, len(groups))
		next  atomic.Int64
		stop  atomic.Bool
		wg    sync.WaitGroup
	)
	worker := func() {
		var s searcher
		for !stop.Load() {
			i := int(next.Add(1)) - 1
			if i >= len(groups) {
				return
			}
			if errs[i] = ctx.Err(); errs[i] == nil {
				found[i], errs[i] = s.group(ctx, b, p, groups[i])
			}
			if errs[i] != nil {
				stop.Store(true)
			}
		}
	}
	for range min(len(groups), max(minSearchers, runtime.GOMAXPROCS(0))) - 1 {
		wg.Go(worker)
	}
	worker()
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return p.matches(found)
}

// matches names the traces of each row group's result. A trace that lies in
// several row groups is one match.
func (p *plan) matches(found [][]uint32) ([]storage.Match, error) {
	n := 0
	for _, f := range found {
		n += len(f)
	}
	if n == 0 {
		return nil, nil
	}
	traces, err := p.traces()
	if err != nil {
		return nil, err
	}
	out := make([]storage.Match, 0, n)
	for _, f := range found {
		for _, t := range f {
			if len(out) == 0 || out[len(out)-1].Ordinal != t {
				out = append(out, storage.Match{ID: traces.heads.IDs[t], Ordinal: t, Start: traces.heads.Start[t]})
			}
		}
	}
	return out, nil
}

// searcher is the scratch space of one worker.
type searcher struct {
	live, hits, left bitmap
	traces           []uint32
}

// group evaluates one row group and returns the traces that match.
func (s *searcher) group(ctx context.Context, b *Block, p *plan, g int) ([]uint32, error) {
	usageOf(ctx).RowGroups.Add(1)
	r := b.group(p.x, g, 0)
	r.want = p.want
	rows := int(r.rg.Rows)
	s.live, s.hits, s.left = s.live.resize(rows), s.hits.resize(rows), s.left.resize(rows)
	checkStart, checkDuration := s.pages(p, r.rg)
	for _, c := range [...]struct {
		col  int
		text string
	}{{p.f.service, p.service}, {p.f.name, p.name}} {
		if c.text == "" || !s.live.any() {
			continue
		}
		clear(s.hits)
		if err := r.scanText(ctx, c.col, c.text, s.live, s.hits); err != nil {
			return nil, err
		}
		s.live, s.hits = s.hits, s.live
	}
	// Tags on fields, then what costs eight bytes a row, then other tags.
	for pass := range 2 {
		for i := range p.tags {
			if t := &p.tags[i]; t.cheap() == (pass == 0) && s.live.any() {
				if err := s.tag(ctx, r, p, t); err != nil {
					return nil, err
				}
			}
		}
		if pass == 1 {
			break
		}
		if checkDuration && s.live.any() {
			if err := s.numbers(ctx, r, p.f.duration, uint64(p.durLo), uint64(p.durHi)-uint64(p.durLo)); err != nil {
				return nil, err
			}
		}
		if checkStart && s.live.any() {
			if err := s.numbers(ctx, r, p.f.start, p.startLo, p.startHi-p.startLo); err != nil {
				return nil, err
			}
		}
	}
	if !s.live.any() {
		return nil, nil
	}
	t, err := p.traces()
	if err != nil {
		return nil, err
	}
	return s.tracesOf(t.heads.FirstRow, r.rg), nil
}

// pages sets live to the rows of the pages whose zones allow a match, and says
// whether starts and durations must still be looked at.
func (s *searcher) pages(p *plan, rg *RowGroup) (checkStart, checkDuration bool) {
	for i := range rg.Pages {
		z := &rg.Pages[i]
		if z.MaxStart < p.startLo || z.MinStart > p.startHi || z.MaxDur < p.durLo || z.MinDur > p.durHi {
			continue
		}
		from := int(z.FirstRow - rg.FirstRow)
		s.live.setRange(from, from+int(z.Rows))
		checkStart = checkStart || z.MinStart < p.startLo || z.MaxStart > p.startHi
		checkDuration = checkDuration || z.MinDur < p.durLo || z.MaxDur > p.durHi
	}
	return checkStart, checkDuration
}

func (s *searcher) numbers(ctx context.Context, r *groupReader, col int, lo, span uint64) error {
	v, err := r.vector(ctx, col)
	if err != nil {
		return err
	}
	if v.dict != nil || v.present != nil {
		return r.placed(col, corruptf("want plain numbers without nulls"))
	}
	clear(s.hits)
	v.scanRange(lo, span, s.live, s.hits)
	s.live, s.hits = s.hits, s.live
	return nil
}

// tracesOf returns the traces of the live rows, ascending.
func (s *searcher) tracesOf(first []uint32, rg *RowGroup) []uint32 {
	out := s.traces[:0]
	t, end := 0, uint32(0) // the trace found last, and the row behind it
	for i := range s.live.each {
		row := rg.FirstRow + uint32(i)
		if row < end {
			continue
		}
		for step := 1; ; step *= 2 { // matches tend to be near each other
			if t+step >= len(first) || first[t+step] > row {
				lo, hi := t+step/2, min(t+step, len(first)-1)
				t = lo + sort.Search(hi-lo, func(k int) bool { return first[lo+k+1] > row })
				break
			}
		}
		out = append(out, uint32(t))
		end = first[t+1]
	}
	s.traces = out
	return slices.Clone(out)
}
