package columns

import (
	"context"

	"github.com/clewtrace/clew/storage"
)

// Search implements storage.Source: one pass over the rows, comparing numbers.
func (p *Part) Search(ctx context.Context, q *storage.Query) ([]storage.Match, error) {
	s := p.s
	s.mu.RLock()
	defer s.mu.RUnlock()
	c, possible := s.compile(q)
	if !possible {
		return nil, nil
	}
	seen := make([]bool, s.traces.n)
	var out []storage.Match
	for r := uint32(0); r < s.nrows; r++ {
		if r%rowChunk == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		row := s.Row(r)
		if !c.ops[row.Op] || row.Start < q.Start || q.End != 0 && row.Start >= q.End || seen[row.Trace] {
			continue
		}
		if d := row.Duration(); d < c.minDur || d > c.maxDur {
			continue
		}
		if !c.tags(s, row) {
			continue
		}
		t := s.traces.at(row.Trace)
		seen[row.Trace] = true
		if t.Wild == p.wild {
			out = append(out, storage.Match{ID: t.ID, Ordinal: row.Trace, Start: t.Start})
		}
	}
	return out, nil
}

// compiled is a query against the dictionaries of one Set.
type compiled struct {
	ops            []bool
	minDur, maxDur int64
	conds          []tagCond
}

// tagCond is one tag against the dictionaries of one Set.
type tagCond struct {
	m         *TagMatcher
	resources []bool
	scopes    []bool
	codes     map[uint32]map[uint32]bool // by String attribute: the codes that match
	shapes    [][]ShapeAttr              // by shape: where the key stands with a type that can match
}

func (s *Set) compile(q *storage.Query) (c *compiled, possible bool) {
	c = &compiled{ops: make([]bool, len(s.ops)), minDur: -1 << 63, maxDur: 1<<63 - 1}
	if q.MinDuration > 0 {
		c.minDur = int64(q.MinDuration)
	}
	if q.MaxDuration > 0 {
		c.maxDur = int64(q.MaxDuration)
	}
	any := false
	for i, o := range s.ops {
		c.ops[i] = (q.Service == "" || o.Service == q.Service) && (q.Operation == "" || o.Name == q.Operation)
		any = any || c.ops[i]
	}
	if !any {
		return c, false
	}
	for _, t := range q.Tags {
		c.conds = append(c.conds, s.compileTag(CompileTag(t)))
	}
	return c, true
}

func (s *Set) compileTag(m *TagMatcher) tagCond {
	t := tagCond{m: m, resources: make([]bool, s.resources.len()), scopes: make([]bool, s.scopes.len()),
		shapes: make([][]ShapeAttr, len(s.shapes)), codes: map[uint32]map[uint32]bool{}}
	for i := range t.resources {
		t.resources[i] = m.Resource(s.Resource(uint32(i)))
	}
	for i := range t.scopes {
		t.scopes[i] = m.Scope(s.Scope(uint32(i)))
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
	if t.resources[row.Resource] || t.scopes[row.Scope] || t.m.Field(s.ops[row.Op].Kind, row.Status) {
		return true
	}
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
	if row.Extra.Len() == 0 {
		return false
	}
	events, _, _, msg := SplitExtra(s.ExtraOf(row))
	return t.m.StatusText && len(msg) > 0 && string(msg) == t.m.Text || len(events) > 0 && t.m.Events(events)
}
