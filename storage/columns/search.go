package columns

import (
	"bytes"
	"context"
	"math/bits"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/clewtrace/clew/storage"
)

// searchSlice is how many rows are looked at before the lock is given back: it
// bounds how long an append waits for a search, to about a millisecond.
const searchSlice = 16 * rowChunk

// Search implements storage.Source: one pass over the rows that are there when it
// begins, comparing numbers, by as many goroutines as may run. Beside the
// matches it needs a bit for each trace and goroutine.
func (p *Part) Search(ctx context.Context, q *storage.Query) ([]storage.Match, error) {
	s := p.s
	s.mu.RLock()
	c, possible := s.compile(q)
	// Rows before c.rows refer to nothing that was not there for compile.
	c.rows, c.traces = s.nrows, s.traces.n
	s.mu.RUnlock()
	if !possible || c.rows == 0 {
		return nil, nil
	}
	slices := int((c.rows + searchSlice - 1) / searchSlice)
	hits := make([]traceBits, min(slices, runtime.GOMAXPROCS(0)))
	var next atomic.Int64
	scan := func(w int) {
		hits[w] = make(traceBits, (c.traces+63)/64)
		for ctx.Err() == nil {
			i := uint32(next.Add(1)) - 1
			if i >= uint32(slices) {
				return
			}
			s.mu.RLock()
			c.scan(s, i*searchSlice, min((i+1)*searchSlice, c.rows), hits[w])
			s.mu.RUnlock()
		}
	}
	var wg sync.WaitGroup
	for w := 1; w < len(hits); w++ {
		wg.Go(func() { scan(w) })
	}
	scan(0)
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	for _, h := range hits[1:] {
		for i := range h {
			hits[0][i] |= h[i]
		}
	}
	return p.matches(hits[0]), nil
}

// matches names the traces of the part that are in the set.
func (p *Part) matches(set traceBits) []storage.Match {
	n := 0
	for _, w := range set {
		n += bits.OnesCount64(w)
	}
	if n == 0 {
		return nil
	}
	out := make([]storage.Match, 0, n)
	s := p.s
	for from := 0; from < len(set); from += traceSlice {
		s.mu.RLock()
		for i := from; i < min(from+traceSlice, len(set)); i++ {
			for w := set[i]; w != 0; w &= w - 1 {
				n := uint32(i<<6 | bits.TrailingZeros64(w))
				if t := s.traces.at(n); p.has(t) {
					out = append(out, storage.Match{ID: t.ID, Ordinal: n, Start: t.Start})
				}
			}
		}
		s.mu.RUnlock()
	}
	return out
}

// traceSlice is how many words of bits matches looks at before it gives back
// the lock.
const traceSlice = 512

// traceBits has a bit for each trace of a Set.
type traceBits []uint64

func (b traceBits) has(t uint32) bool { return b[t>>6]>>(t&63)&1 != 0 }
func (b traceBits) set(t uint32)      { b[t>>6] |= 1 << (t & 63) }

// compiled is a query against the dictionaries of one Set.
type compiled struct {
	rows             uint32
	traces           int
	ops              []bool // nil: any
	startLo, startHi uint64 // both included
	minDur, maxDur   int64
	conds            []tagCond
}

// scan sets the traces of the rows [from, to) that match. The caller holds the
// lock.
func (c *compiled) scan(s *Set, from, to uint32, hits traceBits) {
	for from < to {
		chunk := s.rows[from>>rowChunkBits]
		end := min(to, from&^(rowChunk-1)+rowChunk)
		for r := from; r < end; r++ {
			row := &chunk[r&(rowChunk-1)]
			if c.ops != nil && !c.ops[row.Op] || row.Start < c.startLo || row.Start > c.startHi {
				continue
			}
			if d := row.Duration(); d < c.minDur || d > c.maxDur || hits.has(row.Trace) {
				continue
			}
			if len(c.conds) == 0 || c.tags(s, row) {
				hits.set(row.Trace)
			}
		}
		from = end
	}
}

// tagCond is one tag against the dictionaries of one Set.
type tagCond struct {
	m         *TagMatcher
	resources []bool                     // nil: none
	scopes    []bool                     // nil: none
	field     bool                       // the key speaks of a field
	codes     map[uint32]map[uint32]bool // by String attribute: the codes that match
	shapes    [][]ShapeAttr              // by shape: where the key stands with a type that can match; nil: nowhere
	key       []byte
}

func (s *Set) compile(q *storage.Query) (c *compiled, possible bool) {
	c = &compiled{startLo: q.Start, startHi: 1<<64 - 1, minDur: -1 << 63, maxDur: 1<<63 - 1}
	if q.End != 0 {
		c.startHi = q.End - 1
	}
	if q.MinDuration > 0 {
		c.minDur = int64(q.MinDuration)
	}
	if q.MaxDuration > 0 {
		c.maxDur = int64(q.MaxDuration)
	}
	if c.startLo > c.startHi {
		return c, false
	}
	if q.Service != "" || q.Operation != "" {
		c.ops = make([]bool, len(s.ops))
		any := false
		for i := range s.ops {
			o := &s.ops[i]
			c.ops[i] = (q.Service == "" || o.Service == q.Service) && (q.Operation == "" || o.Name == q.Operation)
			any = any || c.ops[i]
		}
		if !any {
			return c, false
		}
	}
	for _, t := range q.Tags {
		c.conds = append(c.conds, s.compileTag(CompileTag(t)))
	}
	return c, true
}

func (s *Set) compileTag(m *TagMatcher) tagCond {
	t := tagCond{m: m, field: m.Kind >= 0 || m.Status >= 0, codes: map[uint32]map[uint32]bool{}, key: []byte(m.Key)}
	mark := func(set *[]bool, i, n int) {
		if *set == nil {
			*set = make([]bool, n)
		}
		(*set)[i] = true
	}
	for i, n := 0, s.resources.len(); i < n; i++ {
		if m.Resource(s.Resource(uint32(i))) {
			mark(&t.resources, i, n)
		}
	}
	for i, n := 0, s.scopes.len(); i < n; i++ {
		if m.Scope(s.Scope(uint32(i))) {
			mark(&t.scopes, i, n)
		}
	}
	possible := map[uint32]bool{}
	for i, a := range s.attrs {
		if a.Key != m.Key || !m.Possible(a.Type) {
			continue
		}
		if a.Type == String {
			codes := map[uint32]bool{}
			a.Dict.codes([]byte(m.Text), func(c uint32) { codes[c] = true })
			if len(codes) == 0 {
				continue
			}
			t.codes[uint32(i)] = codes
		}
		possible[uint32(i)] = true
	}
	if len(possible) > 0 {
		t.shapes = make([][]ShapeAttr, len(s.shapes))
		for i, sh := range s.shapes {
			for _, e := range sh.Attrs {
				if possible[e.Attr] {
					t.shapes[i] = append(t.shapes[i], e)
				}
			}
		}
	}
	return t
}

func (c *compiled) tags(s *Set, row *Row) bool {
	for i := range c.conds {
		if !c.conds[i].holds(s, row) {
			return false
		}
	}
	return true
}

func (t *tagCond) holds(s *Set, row *Row) bool {
	if t.resources != nil && t.resources[row.Resource] || t.scopes != nil && t.scopes[row.Scope] ||
		t.field && t.m.Field(s.ops[row.Op].Kind, row.Status) {
		return true
	}
	if t.shapes != nil {
		if list := t.shapes[row.Shape]; list != nil {
			slots := s.SlotsOf(row)
			for _, e := range list {
				a := s.attrs[e.Attr]
				if a.Type == String {
					if t.codes[e.Attr][slots[e.Slot]] {
						return true
					}
				} else if bits, _ := a.value(slots, e.Slot); t.m.Value(a.Type, bits, nil) {
					return true
				}
			}
		}
	}
	if row.Extra.Len() == 0 {
		return false
	}
	extra := s.ExtraOf(row)
	if !t.m.StatusText && !bytes.Contains(extra, t.key) { // far cheaper than walking messages
		return false
	}
	events, _, _, msg := SplitExtra(extra)
	return t.m.StatusText && len(msg) > 0 && string(msg) == t.m.Text || len(events) > 0 && t.m.Events(events)
}
