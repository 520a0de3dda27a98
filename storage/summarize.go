package storage

import (
	"cmp"
	"slices"
	"strings"

	"github.com/clewtrace/clew/storage/trace"
)

// Summarize sums up a whole trace in one line; Summary says what its fields
// mean. A span without a service counts for trace.UnknownService.
func Summarize(t *trace.Trace) Summary {
	s := Summary{ID: t.ID, Spans: len(t.Spans)}
	s.Start, s.End = t.Bounds()
	services := make(map[string]*ServiceCount, len(t.Resources))
	ids := make(map[trace.SpanID]struct{}, len(t.Spans))
	root := -1
	for i := range t.Spans {
		sp := &t.Spans[i]
		ids[sp.ID] = struct{}{}
		if sp.Parent.IsZero() && (root < 0 || earlier(t, int32(i), int32(root))) {
			root = i
		}
		name := t.Service(sp)
		c := services[name]
		if c == nil {
			c = &ServiceCount{Name: name}
			services[name] = c
		}
		c.Spans++
		if sp.Status == StatusError {
			c.Errors++
			s.Errors++
		}
	}
	for i := range t.Spans {
		if p := t.Spans[i].Parent; !p.IsZero() {
			if _, ok := ids[p]; !ok {
				s.Orphans++
			}
		}
	}
	if root >= 0 {
		s.HasRoot = true
		s.RootService, s.RootName = t.Service(&t.Spans[root]), t.Spans[root].Name()
	}
	s.Services = make([]ServiceCount, 0, len(services))
	for _, c := range services {
		s.Services = append(s.Services, *c)
	}
	slices.SortFunc(s.Services, func(a, b ServiceCount) int { return strings.Compare(a.Name, b.Name) })
	return s
}

// earlier orders spans by (start, span ID, identity).
func earlier(t *trace.Trace, i, j int32) bool {
	a, b := &t.Spans[i], &t.Spans[j]
	if c := cmp.Or(cmp.Compare(a.Start, b.Start), slices.Compare(a.ID[:], b.ID[:])); c != 0 {
		return c < 0
	}
	return t.Less(i, j)
}
