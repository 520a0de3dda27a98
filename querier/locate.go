package querier

import (
	"bytes"
	"context"
	"slices"

	"github.com/clewtrace/clew/storage"
	"github.com/clewtrace/clew/storage/trace"
)

// locate finds all fragments of the traces that matched in source i, with them
// each trace's start, and offers the traces to best. No trace is offered twice.
//
// Where the fragments are is known of sorted sources (plan.splits); the others
// are asked.
func (p *plan) locate(ctx context.Context, i int, matches []storage.Match, best *newest) error {
	out := p.scratch[:0]
	self := p.sorted[i]
	var places []splitPlace
	if self >= 0 {
		places = p.splits.sources[self]
	}
	at := 0
	for k := range matches {
		m := &matches[k]
		if p.wasJudged(i, m) {
			continue
		}
		c := candidate{id: m.ID, start: m.Start, source: int32(i), ordinal: m.Ordinal, split: -1, more: -1}
		if len(places) > 0 {
			if k > 0 && m.Ordinal < matches[k-1].Ordinal {
				at = 0
			}
			if at = seekPlace(places, m.Ordinal, at); at < len(places) && places[at].ordinal == m.Ordinal {
				c.split = int32(places[at].trace)
			}
		}
		out = append(out, c)
	}
	p.scratch = out
	if err := p.startSplits(ctx, self, out); err != nil {
		return err
	}
	if err := p.ask(ctx, i, out); err != nil {
		return err
	}
	for k := range out {
		if p.judgeOnce(&out[k]) {
			best.offer(out[k])
		}
	}
	return nil
}

// wasJudged reports whether a match of source i is of a trace that was offered.
func (p *plan) wasJudged(i int, m *storage.Match) bool {
	if p.sorted[i] >= 0 && p.judged[i].has(m.Ordinal) {
		return true
	}
	// Where a source could not be asked, bits do not tell.
	return (p.sorted[i] < 0 || len(p.Failed) > 0) && p.seen[m.ID]
}

// judgeOnce notes a located candidate in each source that has it. It reports
// false if that was done before: while a query runs a trace may arrive in a
// source that changes.
func (p *plan) judgeOnce(c *candidate) bool {
	fresh := true
	note := func(source int, ordinal uint32) {
		if p.sorted[source] >= 0 {
			fresh = fresh && !p.judged[source].has(ordinal)
			p.judged[source].set(ordinal)
			return
		}
		fresh = fresh && !p.seen[c.id]
		if p.seen == nil {
			p.seen = map[trace.ID]bool{}
		}
		p.seen[c.id] = true
	}
	if c.split < 0 && c.more < 0 {
		note(int(c.source), c.ordinal)
		return fresh
	}
	unsorted := false
	for _, part := range p.partsOf(c) {
		if p.sorted[part.source] >= 0 {
			note(part.source, part.ordinal)
		} else if !unsorted { // once for all of them
			unsorted = true
			note(part.source, part.ordinal)
		}
	}
	return fresh
}

// ordinals is a set of ordinals of one source, a bit for each.
type ordinals []uint64

func (o ordinals) has(n uint32) bool { return int(n>>6) < len(o) && o[n>>6]>>(n&63)&1 != 0 }

func (o *ordinals) set(n uint32) {
	if w := int(n >> 6); w >= len(*o) {
		*o = append(*o, make([]uint64, w+1-len(*o))...)
	}
	(*o)[n>>6] |= 1 << (n & 63)
}

// seekPlace returns the first place from at on whose ordinal is not less.
func seekPlace(places []splitPlace, ordinal uint32, at int) int {
	step := 1
	for at+step < len(places) && places[at+step].ordinal < ordinal {
		at, step = at+step, 2*step
	}
	end := min(at+step, len(places))
	for at < end {
		if mid := (at + end) / 2; places[mid].ordinal < ordinal {
			at = mid + 1
		} else {
			end = mid
		}
	}
	return at
}

// startSplits asks the sorted sources other than self for the starts of those
// candidates that they are known to have.
func (p *plan) startSplits(ctx context.Context, self int, list []candidate) error {
	var ids map[int][]int // candidates by sorted source
	for k := range list {
		if list[k].split < 0 {
			continue
		}
		for _, part := range p.splits.at(uint32(list[k].split)) {
			if part.source != self {
				if ids == nil {
					ids = map[int][]int{}
				}
				ids[part.source] = append(ids[part.source], k)
			}
		}
	}
	for source, ks := range ids {
		if err := p.startsIn(ctx, p.bySorted[source], ks, list, nil); err != nil {
			return err
		}
	}
	return nil
}

// startsIn asks source j for the fragments of list[k], k in ks; what it has
// lowers their start and goes to found, if that is not nil.
func (p *plan) startsIn(ctx context.Context, j int, ks []int, list []candidate, found func(k int, ordinal uint32)) error {
	byID := func(a, b int) int { return bytes.Compare(list[a].id[:], list[b].id[:]) }
	if !slices.IsSortedFunc(ks, byID) { // sorted, they are found by merging
		slices.SortFunc(ks, byID)
	}
	ids := make([]trace.ID, len(ks))
	for n, k := range ks {
		ids[n] = list[k].id
	}
	at, err := p.sources[j].Locate(ctx, ids)
	if err != nil {
		return p.fail(ctx, p.sources[j], err)
	}
	for n, k := range ks {
		if at[n].Found {
			list[k].start = min(list[k].start, at[n].Start)
			if found != nil {
				found(k, at[n].Ordinal)
			}
		}
	}
	return nil
}

// ask asks for the candidates of source i those sources of which it is not
// known where they lie: what is not sorted, and all others if i is not.
func (p *plan) ask(ctx context.Context, i int, list []candidate) error {
	if len(list) == 0 {
		return nil
	}
	var ks []int
	for j := range p.sources {
		if j == i || p.sorted[i] >= 0 && p.sorted[j] >= 0 {
			continue
		}
		if ks == nil {
			ks = make([]int, len(list))
			for k := range ks {
				ks[k] = k
			}
		}
		err := p.startsIn(ctx, j, ks, list, func(k int, ordinal uint32) {
			c := &list[k]
			if c.more < 0 {
				first := []part{{int(c.source), c.ordinal}}
				if c.split >= 0 {
					first = p.partsOf(c)
				}
				c.more = int32(len(p.more))
				p.more = append(p.more, first)
			}
			p.more[c.more] = append(p.more[c.more], part{j, ordinal})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// partsOf returns the fragments of a candidate that lies in several sources.
func (p *plan) partsOf(c *candidate) []part {
	if c.more >= 0 {
		return p.more[c.more]
	}
	out := slices.Clone(p.splits.at(uint32(c.split)))
	for k := range out {
		out[k].source = p.bySorted[out[k].source]
	}
	return out
}
