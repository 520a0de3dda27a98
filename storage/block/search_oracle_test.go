package block

import (
	"context"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/clewtrace/clew/storage"
	"github.com/clewtrace/clew/storage/trace"
)

// The naive search: spans as pdata decodes them, each looked at from the front.
// It shares nothing with what it judges but the words of storage.Query.

func naiveText(v pcommon.Value) (string, bool) {
	switch v.Type() {
	case pcommon.ValueTypeStr:
		return v.Str(), true
	case pcommon.ValueTypeBool:
		return strconv.FormatBool(v.Bool()), true
	case pcommon.ValueTypeInt:
		return strconv.FormatInt(v.Int(), 10), true
	case pcommon.ValueTypeDouble:
		return strconv.FormatFloat(v.Double(), 'g', -1, 64), true
	}
	return "", false
}

func naiveHas(m pcommon.Map, t storage.Tag) bool {
	for k, v := range m.All() {
		if s, ok := naiveText(v); ok && k == t.Key && s == t.Value {
			return true
		}
	}
	return false
}

func naiveTag(rs ptrace.ResourceSpans, ss ptrace.ScopeSpans, sp ptrace.Span, t storage.Tag) bool {
	if naiveHas(rs.Resource().Attributes(), t) || naiveHas(ss.Scope().Attributes(), t) || naiveHas(sp.Attributes(), t) {
		return true
	}
	for _, e := range sp.Events().All() {
		if naiveHas(e.Attributes(), t) {
			return true
		}
	}
	status := sp.Status().Code()
	switch t.Key {
	case "error":
		return t.Value == "true" && status == ptrace.StatusCodeError || t.Value == "false" && status != ptrace.StatusCodeError
	case "span.kind":
		return slices.Index([]string{"unspecified", "internal", "server", "client", "producer", "consumer"}, t.Value) == int(sp.Kind())
	case "otel.status_code":
		return t.Value == "OK" && status == ptrace.StatusCodeOk || t.Value == "ERROR" && status == ptrace.StatusCodeError
	case "otel.status_description":
		return sp.Status().Message() != "" && sp.Status().Message() == t.Value
	case "otel.scope.name", "otel.library.name":
		return ss.Scope().Name() == t.Value
	case "otel.scope.version", "otel.library.version":
		return ss.Scope().Version() == t.Value
	}
	return false
}

func naiveSpan(rs ptrace.ResourceSpans, ss ptrace.ScopeSpans, sp ptrace.Span, q *storage.Query) bool {
	service := "unknown-service"
	if v, ok := rs.Resource().Attributes().Get("service.name"); ok && v.Str() != "" {
		service = v.Str()
	}
	start, duration := uint64(sp.StartTimestamp()), int64(sp.EndTimestamp()-sp.StartTimestamp())
	if start < q.Start || q.End != 0 && start >= q.End || q.Service != "" && q.Service != service || q.Operation != "" && q.Operation != sp.Name() ||
		q.MinDuration > 0 && duration < int64(q.MinDuration) || q.MaxDuration > 0 && duration > int64(q.MaxDuration) {
		return false
	}
	return !slices.ContainsFunc(q.Tags, func(t storage.Tag) bool { return !naiveTag(rs, ss, sp, t) })
}

func naiveTrace(td ptrace.Traces, q *storage.Query) bool {
	for _, rs := range td.ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			for _, sp := range ss.Spans().All() {
				if naiveSpan(rs, ss, sp, q) {
					return true
				}
			}
		}
	}
	return false
}

// compareWithNaive asks live columns and the block that is written of them.
func compareWithNaive(t *testing.T, seed uint64, traces, queries int) (hits int) {
	t.Helper()
	ctx := context.Background()
	r := rand.New(rand.NewPCG(seed, 2))
	s := randomSet(t, seed, traces)
	opts := testOptions()
	opts.RowGroupRows, opts.PageRows = 1+r.IntN(3000), 1+r.IntN(300)
	opts.Promotion = DefaultPromotion()
	opts.Promotion.MaxColumns = r.IntN(20)
	objects, meta := writeSet(t, s, opts)
	var from Objects = objects
	if r.IntN(2) == 0 {
		from = localMemory{objects}
	}
	b, err := Open(ctx, from, meta, newTestCache(t, int64(64<<10)<<r.IntN(12)))
	if err != nil {
		t.Fatal(err)
	}
	parts, err := b.Parts(ctx)
	if err != nil {
		t.Fatal(err)
	}
	decoded := map[trace.ID]ptrace.Traces{}
	live := s.Parts()
	for i := range uint32(s.NumTraces()) {
		id := s.TraceAt(i).ID
		for _, p := range live {
			raw, found, err := p.Fragment(ctx, nil, id)
			if err != nil {
				t.Fatal(err)
			}
			if found {
				if decoded[id], err = (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(raw); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	for range queries {
		q := randomQuery(r)
		want := map[trace.ID]bool{}
		for id, td := range decoded {
			if naiveTrace(td, &q) {
				want[id] = true
			}
		}
		for _, sources := range [][]storage.Source{{live[0], live[1]}, parts} {
			got := map[trace.ID]bool{}
			for _, p := range sources {
				ms, err := p.Search(ctx, &q)
				if err != nil {
					t.Fatalf("%+v: %v", q, err)
				}
				for _, m := range ms {
					if got[m.ID] || !want[m.ID] {
						t.Fatalf("%s: %+v: trace %s comes twice or does not match", p.Name(), q, m.ID)
					}
					got[m.ID] = true
				}
			}
			if len(got) != len(want) {
				t.Fatalf("%s: %+v: %d traces, want %d", sources[0].Name(), q, len(got), len(want))
			}
		}
		hits += len(want)
	}
	return hits
}

// localMemory is memory that calls itself files.
type localMemory struct{ memory }

func (localMemory) Local() bool { return true }

func TestSearchAgainstNaive(t *testing.T) {
	hits := 0
	for seed := range uint64(4) {
		hits += compareWithNaive(t, 1000+seed, 100, 100)
	}
	if hits == 0 {
		t.Error("no query matched anything")
	}
}

func FuzzSearchAgainstNaive(f *testing.F) {
	f.Add(uint64(1))
	f.Fuzz(func(t *testing.T, seed uint64) { compareWithNaive(t, seed, 12, 40) })
}
