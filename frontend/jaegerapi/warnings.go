package jaegerapi

import (
	"fmt"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/clewtrace/clew/storage/trace"
)

// warnings are what is odd about the spans of a trace, in Jaeger's words.
// Clock skew is pointed out and never corrected, as is Jaeger's default.
type warnings struct{ bySpan map[int][]string }

func (w *warnings) of(span int) []string { return w.bySpan[span] }

func (w *warnings) add(span int, format string, args ...any) {
	w.bySpan[span] = append(w.bySpan[span], fmt.Sprintf(format, args...))
}

// newWarnings looks for shared IDs, parents that are not there, and spans of
// another host that do not lie within their parent.
func newWarnings(t *trace.Trace) *warnings {
	w := &warnings{bySpan: map[int][]string{}}
	ids := make(map[trace.SpanID]bool, len(t.Spans))
	for i := range t.Spans {
		s := &t.Spans[i]
		if ids[s.ID] {
			w.add(i, "duplicate span IDs; skipping clock skew adjustment")
		}
		ids[s.ID] = true
	}
	for i := range t.Spans {
		if p := t.Spans[i].Parent; !p.IsZero() && !ids[p] {
			w.add(i, "parent span ID=%s is not in the trace; skipping clock skew adjustment", p)
		}
	}
	w.skew(t)
	return w
}

// skew walks the tree from the roots. The clock of a span that runs on its
// parent's host is the parent's; else its skew is judged by how the span lies
// in its parent.
func (w *warnings) skew(t *trace.Trace) {
	hosts := make([]string, len(t.Resources))
	for r, rs := range t.Data().ResourceSpans().All() {
		hosts[r] = hostOf(rs.Resource().Attributes())
	}
	host := func(i int32) string { return hosts[t.Scopes[t.Spans[i].Scope].Resource] }

	nodes := t.Nodes(nil)
	var l trace.Linker
	parents := l.Parents(nodes, t.Less)
	order, _ := l.Preorder(nodes, parents, t.Less)
	skews := make([]time.Duration, len(nodes))
	for _, i := range order { // parents before children
		p := parents[i]
		if p == trace.NoParent {
			continue
		}
		if h := host(i); h != "" && h == host(p) {
			skews[i] = skews[p]
		} else {
			skews[i] = skewOf(&t.Spans[i], &t.Spans[p])
		}
		if skews[i] != 0 {
			w.add(int(i), "clock skew adjustment disabled; not applying calculated delta of %v", skews[i])
		}
	}
}

// skewOf is by how much the child must move to lie in the middle of its parent,
// 0 if it lies within. A child longer than its parent only must not begin first.
func skewOf(child, parent *trace.Span) time.Duration {
	length := func(s *trace.Span) int64 { return int64(s.End - s.Start) }
	late := int64(child.Start - parent.Start) // wraps as it must
	room := length(parent) - length(child)
	switch {
	case room < 0 && late < 0:
		return time.Duration(-late)
	case room < 0 || late >= 0 && late <= room:
		return 0
	}
	return time.Duration(room/2 - late)
}

// hostOf tells hosts apart; "" is unknown, and unknown hosts are not the same.
func hostOf(resource pcommon.Map) string {
	for _, key := range []string{"host.id", "host.ip", "host.name"} {
		v, ok := resource.Get(key)
		if !ok {
			continue
		}
		if v.Type() == pcommon.ValueTypeSlice {
			if v.Slice().Len() > 0 {
				return v.Slice().At(0).AsString()
			}
			continue
		}
		return v.AsString()
	}
	return ""
}
