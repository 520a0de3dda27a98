// Package frontendtest helps to test the query APIs: a Querier over a handful
// of traces that answers by looking at every span, and traces that hold every
// kind of thing OTLP can say.
package frontendtest

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/clewtrace/clew/storage"
	"github.com/clewtrace/clew/storage/tenant"
	"github.com/clewtrace/clew/storage/trace"
)

// Querier answers for one tenant from traces in memory.
type Querier struct {
	// Tenant owns the traces; empty is tenant.Single.
	Tenant tenant.ID
	// Held are the traces.
	Held []*trace.Trace
	// Completeness is part of every answer.
	Completeness storage.Completeness
	// Err, if set, is the answer to everything. Wait makes every method wait
	// for the end of its context first, Panic makes it panic.
	Err         error
	Wait, Panic bool
	// LastQuery and LastLimit are those of the last Search.
	LastQuery storage.Query
	LastLimit int
}

func (q *Querier) begin(ctx context.Context, t tenant.ID) ([]*trace.Trace, error) {
	if q.Panic {
		panic("frontendtest: as asked")
	}
	if q.Wait {
		<-ctx.Done()
		return nil, context.Cause(ctx)
	}
	if owner := cmp.Or(q.Tenant, tenant.Single); t != owner {
		return nil, q.Err
	}
	return q.Held, q.Err
}

// Trace is frontend.Querier's.
func (q *Querier) Trace(ctx context.Context, t tenant.ID, id trace.ID) (*trace.Trace, storage.Completeness, error) {
	all, err := q.begin(ctx, t)
	for _, tr := range all {
		if tr.ID == id && err == nil {
			return tr, q.Completeness, nil
		}
	}
	return nil, q.Completeness, err
}

// Traces is frontend.Querier's.
func (q *Querier) Traces(ctx context.Context, t tenant.ID, ids []trace.ID) ([]*trace.Trace, storage.Completeness, error) {
	out := make([]*trace.Trace, len(ids))
	for i, id := range ids {
		tr, _, err := q.Trace(ctx, t, id)
		if err != nil {
			return nil, q.Completeness, err
		}
		out[i] = tr
	}
	return out, q.Completeness, nil
}

// Search is frontend.Querier's.
func (q *Querier) Search(ctx context.Context, t tenant.ID, query *storage.Query, limit int) ([]storage.Summary, storage.Completeness, error) {
	q.LastQuery, q.LastLimit = *query, limit
	all, err := q.begin(ctx, t)
	if err != nil {
		return nil, q.Completeness, err
	}
	var out []storage.Summary
	for _, tr := range all {
		if matches(tr, query) {
			out = append(out, storage.Summarize(tr))
		}
	}
	slices.SortFunc(out, func(a, b storage.Summary) int {
		return cmp.Or(cmp.Compare(b.Start, a.Start), slices.Compare(a.ID[:], b.ID[:]))
	})
	return out[:min(limit, len(out))], q.Completeness, nil
}

func matches(tr *trace.Trace, q *storage.Query) bool {
	for _, rs := range tr.Data().ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			for _, s := range ss.Spans().All() {
				start := uint64(s.StartTimestamp())
				took := time.Duration(s.EndTimestamp() - s.StartTimestamp())
				if start < q.Start || q.End != 0 && start >= q.End ||
					q.Service != "" && q.Service != trace.ServiceName(rs.Resource().Attributes()) ||
					q.Operation != "" && q.Operation != s.Name() ||
					took < q.MinDuration || q.MaxDuration != 0 && took > q.MaxDuration {
					continue
				}
				if !slices.ContainsFunc(q.Tags, func(tag storage.Tag) bool { return !holds(tag, s, rs.Resource().Attributes()) }) {
					return true
				}
			}
		}
	}
	return false
}

func holds(tag storage.Tag, s ptrace.Span, resource pcommon.Map) bool {
	if tag.Key == "error" && tag.Value == "true" && s.Status().Code() == ptrace.StatusCodeError {
		return true
	}
	for _, m := range []pcommon.Map{s.Attributes(), resource} {
		if v, ok := m.Get(tag.Key); ok && v.AsString() == tag.Value {
			return true
		}
	}
	return false
}

// Services is frontend.Querier's.
func (q *Querier) Services(ctx context.Context, t tenant.ID) ([]string, storage.Completeness, error) {
	all, err := q.begin(ctx, t)
	var out []string
	for _, tr := range all {
		for i := range tr.Resources {
			out = append(out, tr.Resources[i].Service)
		}
	}
	slices.Sort(out)
	return slices.Compact(out), q.Completeness, err
}

// Operations is frontend.Querier's.
func (q *Querier) Operations(ctx context.Context, t tenant.ID, service string) ([]storage.Operation, storage.Completeness, error) {
	all, err := q.begin(ctx, t)
	var out []storage.Operation
	for _, tr := range all {
		for i := range tr.Spans {
			if s := &tr.Spans[i]; tr.Service(s) == service {
				out = append(out, storage.Operation{Name: s.Name(), Kind: uint8(s.Kind)})
			}
		}
	}
	slices.SortFunc(out, func(a, b storage.Operation) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), cmp.Compare(a.Kind, b.Kind))
	})
	return slices.Compact(out), q.Completeness, err
}
