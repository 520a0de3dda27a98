package trace

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
)

// assemble makes a Trace of pieces, which are of one trace. It reorders them.
func (a *assembly) assemble(pieces []*piece) (*Trace, error) {
	a.group(pieces)
	kept, err := a.distinct(pieces)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(kept, comparePieces)

	t := &Trace{ID: kept[0].trace, Spans: make([]Span, len(kept))}
	var last *scopeGroup
	for i := range kept {
		g := kept[i].group
		if g != last {
			if last == nil || g.resource != last.resource {
				t.Resources = append(t.Resources, Resource{
					Raw:     g.resource.raw,
					Service: ServiceNameFromResource(g.resource.raw),
					First:   int32(len(t.Scopes)),
				})
			}
			t.Scopes = append(t.Scopes, Scope{Raw: g.raw, Resource: int32(len(t.Resources) - 1), First: int32(i)})
			last = g
		}
		t.Resources[len(t.Resources)-1].End = int32(len(t.Scopes))
		t.Scopes[len(t.Scopes)-1].End = int32(i + 1)
		t.Spans[i] = kept[i].Span
		t.Spans[i].Scope = int32(len(t.Scopes) - 1)
	}
	return t, nil
}

// resourceGroup is a resource by content: its smallest byte form and the
// smallest start of its spans.
type resourceGroup struct {
	raw   []byte
	start uint64
}

// scopeGroup is a scope by content under a resource by content.
type scopeGroup struct {
	resource *resourceGroup
	raw      []byte
	start    uint64
}

// group gives each piece its group.
func (a *assembly) group(pieces []*piece) {
	resources := map[[32]byte]*resourceGroup{}
	scopes := map[[2][32]byte]*scopeGroup{}
	seen := map[[2]int32]*scopeGroup{} // by envelopes, of which there are few
	for i := range pieces {
		p := pieces[i]
		s := seen[[2]int32{p.resource, p.scope}]
		if s == nil {
			resource, scope := &a.resources.all[p.resource], &a.scopes.all[p.scope]
			r := resources[resource.hash]
			if r == nil {
				r = &resourceGroup{raw: resource.raw, start: p.Start}
				resources[resource.hash] = r
			}
			r.raw = smaller(r.raw, resource.raw)
			key := [2][32]byte{resource.hash, scope.hash}
			if s = scopes[key]; s == nil {
				s = &scopeGroup{resource: r, raw: scope.raw, start: p.Start}
				scopes[key] = s
			}
			s.raw = smaller(s.raw, scope.raw)
			seen[[2]int32{p.resource, p.scope}] = s
		}
		s.start = min(s.start, p.Start)
		s.resource.start = min(s.resource.start, p.Start)
		p.group = s
	}
}

func smaller(a, b []byte) []byte {
	if bytes.Compare(b, a) < 0 {
		return b
	}
	return a
}

// comparePieces is the order of a Trace.
func comparePieces(a, b *piece) int {
	if s, t := a.group, b.group; s != t {
		if s.resource != t.resource {
			return cmp.Or(cmp.Compare(s.resource.start, t.resource.start), bytes.Compare(s.resource.raw, t.resource.raw))
		}
		return cmp.Or(cmp.Compare(s.start, t.start), bytes.Compare(s.raw, t.raw))
	}
	if c := cmp.Compare(a.Start, b.Start); c != 0 {
		return c
	}
	if c := cmp.Compare(idKey(a.ID), idKey(b.ID)); c != 0 {
		return c
	}
	return compareIdentity(&a.Span, &b.Span)
}

// distinct returns the pieces, equal spans once, with identities where several
// share a span ID. It works in place.
func (a *assembly) distinct(pieces []*piece) ([]*piece, error) {
	slices.SortFunc(pieces, func(a, b *piece) int { return cmp.Compare(idKey(a.ID), idKey(b.ID)) })
	kept := pieces[:0]
	for from := 0; from < len(pieces); {
		to := from + 1
		for to < len(pieces) && pieces[to].ID == pieces[from].ID {
			to++
		}
		same := pieces[from:to]
		from = to
		if len(same) > 1 {
			same = withoutCopies(same)
		}
		if len(same) > 1 {
			for i := range same {
				p := same[i]
				id, err := identity(a.resources.all[p.resource].hash, a.scopes.all[p.scope].hash, p.Raw)
				if err != nil {
					return nil, fmt.Errorf("span %s of trace %s: %w", p.ID, p.trace, err)
				}
				p.identity = &id
			}
			slices.SortFunc(same, func(a, b *piece) int {
				return cmp.Or(compareIdentity(&a.Span, &b.Span), bytes.Compare(a.Raw, b.Raw))
			})
			same = slices.CompactFunc(same, func(a, b *piece) bool { return *a.identity == *b.identity })
			if len(same) == 1 {
				same[0].identity = nil
			}
		}
		kept = append(kept, same...)
	}
	return kept, nil
}

// withoutCopies drops pieces that are another's copy byte for byte, the usual
// case of a push repeated: no identity is needed to tell.
func withoutCopies(same []*piece) []*piece {
	if len(same) > 8 { // sort first, lest many spans of one ID cost a square
		slices.SortFunc(same, func(a, b *piece) int { return bytes.Compare(a.Raw, b.Raw) })
		return slices.CompactFunc(same, isCopy)
	}
	kept := same[:0]
	for i := range same {
		if !slices.ContainsFunc(kept, func(k *piece) bool { return isCopy(same[i], k) }) {
			kept = append(kept, same[i])
		}
	}
	return kept
}

func isCopy(a, b *piece) bool { return a.group == b.group && bytes.Equal(a.Raw, b.Raw) }
