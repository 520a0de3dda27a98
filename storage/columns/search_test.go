package columns

import (
	"context"
	"encoding/binary"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/clewtrace/clew/storage"
	"github.com/clewtrace/clew/storage/trace"
)

// TestSearchBesideAppend searches more rows than one slice has while others
// arrive: what was there when a search began is found, each trace once.
func TestSearchBesideAppend(t *testing.T) {
	s := New("growing", DefaultOptions())
	push := func(n int) {
		td := ptrace.NewTraces()
		rs := td.ResourceSpans().AppendEmpty()
		rs.Resource().Attributes().PutStr("service.name", "a")
		spans := rs.ScopeSpans().AppendEmpty().Spans()
		for k := range 2000 {
			sp := spans.AppendEmpty()
			var id pcommon.TraceID
			binary.BigEndian.PutUint64(id[:], uint64(n*500+k%500))
			id[15] = 1
			sp.SetTraceID(id)
			sp.SetSpanID(pcommon.SpanID{1, byte(k >> 8), byte(k), 1})
			sp.SetName("op")
			sp.SetStartTimestamp(pcommon.Timestamp(1e18 + n))
			sp.SetEndTimestamp(pcommon.Timestamp(1e18 + n + 1))
			if k%2 == 0 {
				sp.Attributes().PutInt("push", int64(n))
			}
		}
		b, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(td)
		if err != nil {
			t.Error(err)
		}
		if _, err := s.Append(b, 1e18); err != nil {
			t.Error(err)
		}
	}
	pushes := 2*searchSlice/2000 + 10
	if testing.Short() {
		pushes = searchSlice/2000 + 5
	}
	for n := range pushes / 2 {
		push(n)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for n := pushes / 2; n < pushes; n++ {
			push(n)
		}
	}()
	p := s.Parts()[0]
	queries := []storage.Query{{}, {Service: "a", Operation: "op"}, {Tags: []storage.Tag{{Key: "push", Value: "3"}}}}
	for last := false; ; {
		for i := range queries {
			before := s.numTracesNow()
			got, err := p.Search(context.Background(), &queries[i])
			if err != nil {
				t.Fatal(err)
			}
			if i == 2 && len(got) != 250 || i < 2 && len(got) < before {
				t.Fatalf("query %d: %d traces of %d", i, len(got), before)
			}
			seen := map[uint32]bool{}
			for _, m := range got {
				if seen[m.Ordinal] {
					t.Fatalf("trace %s comes twice", m.ID)
				}
				seen[m.Ordinal] = true
			}
		}
		if last {
			return
		}
		select {
		case <-done:
			last = true
		default:
		}
	}
}

// numTracesNow is NumTraces beside an append.
func (s *Set) numTracesNow() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.traces.n
}

// TestTurningWild lets a trace turn wild after a query has taken the parts of an
// open Set: whichever part is asked first, it is in exactly one of them.
func TestTurningWild(t *testing.T) {
	arrival := uint64(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC).UnixNano())
	span := func(id byte, start uint64) []byte {
		td := ptrace.NewTraces()
		sp := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty()
		sp.SetTraceID(pcommon.TraceID{15: 1})
		sp.SetSpanID(pcommon.SpanID{7: id})
		sp.SetStartTimestamp(pcommon.Timestamp(start))
		return marshal(t, td)
	}
	s := New("open", DefaultOptions())
	add := func(b []byte) {
		if _, err := s.Append(b, arrival); err != nil {
			t.Fatal(err)
		}
	}
	add(span(1, arrival))
	before := s.Parts()
	add(span(2, 0)) // 1970
	after := s.Parts()
	for name, parts := range map[string][2]storage.Source{"taken before": before, "taken after": after} {
		id := trace.ID{15: 1}
		var searched, located, fragments int
		for _, p := range []storage.Source{parts[1], parts[0]} {
			m, err := p.Search(t.Context(), &storage.Query{})
			if err != nil {
				t.Fatal(err)
			}
			l, err := p.Locate(t.Context(), []trace.ID{id})
			if err != nil {
				t.Fatal(err)
			}
			_, found, err := p.Fragment(t.Context(), nil, id)
			if err != nil {
				t.Fatal(err)
			}
			searched += len(m)
			if l[0].Found {
				located++
			}
			if found {
				fragments++
			}
		}
		if searched != 1 || located != 1 || fragments != 1 {
			t.Errorf("parts %s it turned: searched %d, located %d, fragments %d; want 1 each", name, searched, located, fragments)
		}
	}
}
