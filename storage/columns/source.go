package columns

import (
	"bytes"
	"cmp"
	"context"
	"slices"

	"github.com/clewtrace/clew/storage"
	"github.com/clewtrace/clew/storage/trace"
)

// Part is a Set as a storage.Source: either its traces of normal times, or its
// wild ones.
//
// A trace turns wild when a wild span of it arrives. The two parts of an open
// Set divide its traces as they were when Parts was called: a trace that turns
// while a query asks one part after the other is missed by neither.
type Part struct {
	s    *Set
	wild bool
	rows uint32 // of the Set when Parts was called
}

// Parts returns the two sources of the Set.
func (s *Set) Parts() [2]storage.Source {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return [2]storage.Source{&Part{s, false, s.nrows}, &Part{s, true, s.nrows}}
}

// has reports whether the trace is of this part.
func (p *Part) has(t *Trace) bool { return (t.Wild && t.turned < p.rows) == p.wild }

var _ storage.Outliner = (*Part)(nil)

// Name implements storage.Source.
func (p *Part) Name() string {
	if p.wild {
		return p.s.name + " (wild times)"
	}
	return p.s.name
}

// Release implements storage.Source. A Set lives as long as it is referenced.
func (p *Part) Release() {}

// Bounds implements storage.Source. The bounds of an open Set hold for what
// was appended before the call. They are enclosing, not tight.
func (p *Part) Bounds() (b storage.Bounds, ok bool) {
	s := p.s
	s.mu.RLock()
	defer s.mu.RUnlock()
	t := s.bounds[0]
	if p.wild {
		if !s.bounds[1].any {
			return b, false
		}
		// A wild trace may hold normal spans too.
		if t.any {
			t.add(s.bounds[1].minStart, s.bounds[1].maxEnd)
			t.add(s.bounds[1].maxStart, s.bounds[1].maxEnd)
		} else {
			t = s.bounds[1]
		}
	}
	if !t.any {
		return b, false
	}
	return storage.Bounds{
		MinStart: t.minStart, MaxStart: t.maxStart, MaxEnd: t.maxEnd,
		MaxTraceStart: t.maxStart, Spans: int(s.nrows), Traces: s.traces.n,
	}, true
}

// Fragment implements storage.Source.
func (p *Part) Fragment(_ context.Context, dst []byte, id trace.ID) ([]byte, bool, error) {
	s := p.s
	s.mu.RLock()
	defer s.mu.RUnlock()
	t, ok := s.traces.find(&id)
	if !ok || !p.has(s.traces.at(t)) {
		return dst, false, nil
	}
	var e Emitter
	return s.appendTrace(&e, dst, t), true, nil
}

// Locate implements storage.Source.
func (p *Part) Locate(_ context.Context, ids []trace.ID) ([]storage.Location, error) {
	s := p.s
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := make([]storage.Location, len(ids))
	for i := range ids {
		if t, ok := s.traces.find(&ids[i]); ok {
			if tr := s.traces.at(t); p.has(tr) {
				out[i] = storage.Location{Ordinal: t, Start: tr.Start, Found: true}
			}
		}
	}
	return out, nil
}

// Operations implements storage.Source. Each part reports all of the Set: the
// other one may have no spans, and then it is not asked.
func (p *Part) Operations(_ context.Context, add func(service, name string, kind uint8)) error {
	s := p.s
	s.mu.RLock()
	ops := s.ops // append-only: what is there does not change
	s.mu.RUnlock()
	for i := range ops {
		add(ops[i].Service, ops[i].Name, uint8(ops[i].Kind))
	}
	return nil
}

// Summaries implements storage.Source.
func (p *Part) Summaries(ctx context.Context, ordinals []uint32) ([]storage.Summary, error) {
	s := p.s
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := make([]storage.Summary, len(ordinals))
	var w summer
	for i, t := range ordinals {
		if i%1024 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		out[i] = w.sum(s, t)
	}
	return out, nil
}

// Outlines implements storage.Outliner.
func (p *Part) Outlines(ctx context.Context, ordinals []uint32) ([][]storage.SpanOutline, error) {
	s := p.s
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := make([][]storage.SpanOutline, len(ordinals))
	var rows []uint32
	for i, t := range ordinals {
		if i%1024 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		rows = s.distinctRows(t, rows[:0])
		out[i] = make([]storage.SpanOutline, len(rows))
		for k, r := range rows {
			row := s.Row(r)
			op := &s.ops[row.Op]
			out[i][k] = storage.SpanOutline{ID: row.SpanID, Parent: row.Parent, Start: row.Start, End: row.End,
				Service: op.Service, Name: op.Name, Error: row.Status == storage.StatusError}
		}
	}
	return out, nil
}

// summer is the scratch space of summaries.
type summer struct {
	rows []uint32
	ids  []trace.SpanID
}

func (w *summer) sum(s *Set, t uint32) storage.Summary {
	tr := s.traces.at(t)
	w.rows = s.distinctRows(t, w.rows[:0])
	sum := storage.Summary{ID: tr.ID, Start: tr.Start, End: tr.End, Spans: len(w.rows)}
	var root *Row
	w.ids = w.ids[:0]
	for _, r := range w.rows {
		row := s.Row(r)
		w.ids = append(w.ids, row.SpanID)
		failed := row.Status == storage.StatusError
		if failed {
			sum.Errors++
		}
		sum.Services = countService(sum.Services, s.ops[row.Op].Service, failed)
		if row.Parent.IsZero() && (root == nil || row.Start < root.Start ||
			row.Start == root.Start && bytes.Compare(row.SpanID[:], root.SpanID[:]) < 0) {
			root = row
		}
	}
	if root != nil {
		sum.HasRoot = true
		sum.RootService, sum.RootName = s.ops[root.Op].Service, s.ops[root.Op].Name
	}
	slices.SortFunc(w.ids, func(a, b trace.SpanID) int { return bytes.Compare(a[:], b[:]) })
	for _, r := range w.rows {
		if row := s.Row(r); !row.Parent.IsZero() {
			_, found := slices.BinarySearchFunc(w.ids, row.Parent, func(a, b trace.SpanID) int { return bytes.Compare(a[:], b[:]) })
			if !found {
				sum.Orphans++
			}
		}
	}
	slices.SortFunc(sum.Services, func(a, b storage.ServiceCount) int { return cmp.Compare(a.Name, b.Name) })
	return sum
}

func countService(list []storage.ServiceCount, name string, failed bool) []storage.ServiceCount {
	e := 0
	if failed {
		e = 1
	}
	for i := range list {
		if list[i].Name == name {
			list[i].Spans++
			list[i].Errors += e
			return list
		}
	}
	return append(list, storage.ServiceCount{Name: name, Spans: 1, Errors: e})
}
