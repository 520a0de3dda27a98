package storage

import (
	"bytes"
	"context"
	"slices"
	"strings"

	"github.com/clewtrace/clew/storage/trace"
)

// What follows is optional: a Source that has it is searched at less cost, and
// answers do not depend on it.

// Sorted is a Source that never changes and lists its traces. Of the sources of
// one tenant, those with the same Name hold the same.
type Sorted interface {
	Source
	// TraceIDs returns the IDs of all traces, in ascending order, and the ordinal
	// of the first one; the others follow one by one. Do not write.
	TraceIDs(ctx context.Context) (ids []trace.ID, first uint32, err error)
}

// Outliner is a Source that can say what a Summary needs of spans without
// making the spans.
type Outliner interface {
	Source
	// Outlines returns the distinct spans of the fragments named by ordinals, in
	// that order. The caller may keep them.
	Outlines(ctx context.Context, ordinals []uint32) ([][]SpanOutline, error)
}

// SpanOutline is what a Summary needs of a span.
type SpanOutline struct {
	ID, Parent    trace.SpanID
	Start, End    uint64 // nanoseconds since the Unix epoch
	Service, Name string
	Error         bool // error status
}

// SummarizeOutlines sums up a trace that lies in several fragments, each the
// outlines of distinct spans. ok is false if outlines do not tell: two
// fragments have a span with the same ID, which may be the same span, or two
// spans could as well be the root. Then Summarize must judge the assembled trace.
func SummarizeOutlines(id trace.ID, fragments ...[]SpanOutline) (s Summary, ok bool) {
	n := 0
	for _, f := range fragments {
		n += len(f)
	}
	type place struct {
		id       trace.SpanID
		fragment int
	}
	ids := make([]place, 0, n)
	for k, f := range fragments {
		for i := range f {
			ids = append(ids, place{f[i].ID, k})
		}
	}
	slices.SortFunc(ids, func(a, b place) int { return bytes.Compare(a.id[:], b.id[:]) })
	for i := range ids {
		if i > 0 && ids[i].id == ids[i-1].id && ids[i].fragment != ids[i-1].fragment {
			return s, false
		}
	}
	has := func(id *trace.SpanID) bool {
		_, found := slices.BinarySearchFunc(ids, id, func(p place, id *trace.SpanID) int { return bytes.Compare(p.id[:], id[:]) })
		return found
	}
	s = Summary{ID: id, Spans: n, Start: ^uint64(0)}
	var root *SpanOutline
	tie := false
	for _, f := range fragments {
		for i := range f {
			sp := &f[i]
			s.Start, s.End = min(s.Start, sp.Start), max(s.End, sp.End)
			s.count(sp)
			if !sp.Parent.IsZero() {
				if !has(&sp.Parent) {
					s.Orphans++
				}
				continue
			}
			switch {
			case root == nil || sp.Start < root.Start || sp.Start == root.Start && bytes.Compare(sp.ID[:], root.ID[:]) < 0:
				root, tie = sp, false
			case sp.Start == root.Start && sp.ID == root.ID:
				tie = tie || sp.Service != root.Service || sp.Name != root.Name
			}
		}
	}
	if root != nil {
		s.HasRoot, s.RootService, s.RootName = true, root.Service, root.Name
	}
	slices.SortFunc(s.Services, func(a, b ServiceCount) int { return strings.Compare(a.Name, b.Name) })
	return s, !tie && n > 0
}

func (s *Summary) count(sp *SpanOutline) {
	failed := 0
	if sp.Error {
		failed = 1
	}
	s.Errors += failed
	for i := range s.Services {
		if s.Services[i].Name == sp.Service {
			s.Services[i].Spans++
			s.Services[i].Errors += failed
			return
		}
	}
	s.Services = append(s.Services, ServiceCount{Name: sp.Service, Spans: 1, Errors: failed})
}
