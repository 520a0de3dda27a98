package block

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.uber.org/goleak"

	"github.com/clewtrace/clew/storage"
	"github.com/clewtrace/clew/storage/columns"
	"github.com/clewtrace/clew/storage/trace"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// shorter is n, or the smaller number when tests are to be short: under the race
// detector they take ten times as long.
func shorter(n, short int) int {
	if testing.Short() {
		return short
	}
	return n
}

const testEpoch = 1_700_000_000_000_000_000

// randomSet makes traces with few keys of many types, so that everything meets.
func randomSet(t testing.TB, seed uint64, traces int) *columns.Set {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 1))
	s := columns.New("random", columns.DefaultOptions())
	keys := []string{"a", "b", "error", "span.kind", "http.status", "rare", "otel.status_description", ""}
	putValue := func(m pcommon.Map, v pcommon.Value) {
		switch r.IntN(9) {
		case 0:
			v.SetInt(int64(r.IntN(5) - 2))
		case 1:
			v.SetBool(r.IntN(2) == 0)
		case 2:
			v.SetDouble([]float64{1.5, 2, math.NaN(), math.Inf(1), 0, math.Copysign(0, -1)}[r.IntN(6)])
		case 3:
			v.SetEmptyBytes().FromRaw([]byte("1"))
		case 4:
			v.SetEmptySlice().AppendEmpty().SetStr("x")
		case 5:
		default:
			v.SetStr([]string{"1", "true", "", "x", "1.5", "error", fmt.Sprint(r.IntN(2000))}[r.IntN(7)])
		}
	}
	attrs := func(m pcommon.Map, n int) {
		for range r.IntN(n + 1) {
			putValue(m, m.PutEmpty(keys[r.IntN(len(keys))]))
		}
	}
	for range traces {
		var id pcommon.TraceID
		for i := range id {
			id[i] = byte(r.Uint32())
		}
		base := uint64(testEpoch) + r.Uint64N(3600e9)
		wild := r.IntN(20) == 0
		n := 1 + r.IntN(12)
		if r.IntN(40) == 0 {
			n = 900
		}
		for k := 0; k < n; {
			td := ptrace.NewTraces()
			rs := td.ResourceSpans().AppendEmpty()
			if r.IntN(8) > 0 {
				rs.Resource().Attributes().PutStr("service.name", fmt.Sprintf("svc-%d", r.IntN(6)))
			}
			attrs(rs.Resource().Attributes(), 1)
			ss := rs.ScopeSpans().AppendEmpty()
			ss.Scope().SetName([]string{"", "lib", "x"}[r.IntN(3)])
			ss.Scope().SetVersion([]string{"", "1"}[r.IntN(2)])
			attrs(ss.Scope().Attributes(), 1)
			for range 1 + r.IntN(5) {
				sp := ss.Spans().AppendEmpty()
				sp.SetTraceID(id)
				sp.SetSpanID(pcommon.SpanID{6: byte((k + 1) >> 8), 7: byte(k + 1)})
				if r.IntN(30) == 0 {
					sp.SetSpanID(pcommon.SpanID{7: byte(1 + r.IntN(k+1))}) // shared
				}
				switch r.IntN(10) {
				case 0:
				case 1:
					sp.SetParentSpanID(pcommon.SpanID{1, 2, 3, byte(r.Uint32())})
				default:
					if k > 0 {
						p := 1 + r.IntN(k)
						sp.SetParentSpanID(pcommon.SpanID{6: byte(p >> 8), 7: byte(p)})
					}
				}
				sp.SetName(fmt.Sprintf("op-%d", r.IntN(12)))
				sp.SetKind(ptrace.SpanKind(r.IntN(6)))
				start := base + r.Uint64N(2e9)
				if wild && r.IntN(3) == 0 {
					start = r.Uint64()
				}
				sp.SetStartTimestamp(pcommon.Timestamp(start))
				sp.SetEndTimestamp(pcommon.Timestamp(start + r.Uint64N(1e9) - 1e7)) // some inverted
				sp.SetFlags(r.Uint32() >> r.UintN(32))
				attrs(sp.Attributes(), 5)
				if r.IntN(5) == 0 {
					sp.Status().SetCode(ptrace.StatusCode(r.IntN(3)))
					sp.Status().SetMessage([]string{"", "x", "1"}[r.IntN(3)])
				}
				for range r.IntN(8) / 6 {
					e := sp.Events().AppendEmpty()
					e.SetName("e")
					attrs(e.Attributes(), 2)
					l := sp.Links().AppendEmpty()
					l.SetTraceID(id)
				}
				if r.IntN(9) == 0 {
					sp.TraceState().FromRaw("a=b")
				}
				k++
			}
			b, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(td)
			if err != nil {
				t.Fatal(err)
			}
			for range 1 + r.IntN(15)/14 { // some pushed twice
				if _, err := s.Append(b, testEpoch+1800e9); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	return s
}

func newTestCache(t testing.TB, bytes int64) *Cache {
	t.Helper()
	c, err := NewCache(bytes, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// eachPart pairs the parts of a Set with those of its block.
func eachPart(t *testing.T, s *columns.Set, parts []storage.Source, check func(live, block storage.Source)) {
	t.Helper()
	byWild := map[bool]storage.Source{}
	for _, p := range parts {
		byWild[p.(*Part).wild] = p
	}
	for i, live := range s.Parts() {
		if p := byWild[i == 1]; p != nil {
			check(live, p)
		}
	}
}

func TestFragmentRoundTrip(t *testing.T) {
	ctx := context.Background()
	for seed := range uint64(shorter(3, 1)) {
		s := randomSet(t, seed, shorter(300, 15))
		for _, promote := range []float64{0.01, 2} {
			f := newFixture(t, s, 400, 64, promote)
			for _, cache := range []*Cache{nil, newTestCache(t, 64<<20)} {
				n := 0
				eachPart(t, s, f.parts(t, cache), func(live, block storage.Source) {
					for i := range uint32(s.NumTraces()) {
						id := s.TraceAt(i).ID
						want, wantFound, _ := live.Fragment(ctx, nil, id)
						got, found, err := block.Fragment(ctx, []byte("x"), id)
						if err != nil || found != wantFound || got[0] != 'x' {
							t.Fatalf("trace %s: found %t, want %t, %v", id, found, wantFound, err)
						}
						if w, g := spanBodies(t, want), spanBodies(t, got[1:]); !slices.Equal(w, g) {
							t.Fatalf("trace %s: %d spans, want %d, or they differ", id, len(g), len(w))
						}
						if found {
							n++
						}
					}
					if _, found, err := block.Fragment(ctx, nil, trace.ID{9}); found || err != nil {
						t.Errorf("unknown trace: %t, %v", found, err)
					}
				})
				if n != s.NumTraces() {
					t.Errorf("%d of %d traces found", n, s.NumTraces())
				}
			}
		}
	}
}

func randomQuery(r *rand.Rand) storage.Query {
	var q storage.Query
	if r.IntN(3) == 0 {
		q.Service = fmt.Sprintf("svc-%d", r.IntN(7))
	}
	if r.IntN(3) == 0 {
		q.Operation = fmt.Sprintf("op-%d", r.IntN(13))
	}
	if r.IntN(3) == 0 {
		q.Start = testEpoch + r.Uint64N(3600e9)
	}
	if r.IntN(3) == 0 {
		q.End = testEpoch + r.Uint64N(3600e9)
		if r.IntN(4) == 0 {
			q.End = 1<<63 + r.Uint64()>>1
		}
	}
	if r.IntN(4) == 0 {
		q.MinDuration = time.Duration(r.Int64N(1e9))
	}
	if r.IntN(4) == 0 {
		q.MaxDuration = time.Duration(r.Int64N(1e9))
	}
	for range r.IntN(3) {
		q.Tags = append(q.Tags, storage.Tag{
			Key: []string{"a", "b", "error", "span.kind", "http.status", "rare", "otel.status_code", "otel.status_description", "otel.scope.name",
				"otel.library.version", "service.name", "none", ""}[r.IntN(13)],
			Value: []string{"1", "true", "false", "", "x", "1.5", "NaN", "+Inf", "0", "-0", "-1", "server", "ERROR", "OK", "lib", "svc-1", "2", "77"}[r.IntN(18)],
		})
	}
	for i := range q.Tags { // an absent message is no empty one; live search is of two minds
		if t := &q.Tags[i]; t.Key == "otel.status_description" && t.Value == "" {
			t.Value = "x"
		}
	}
	return q
}

func TestSearchAgainstLive(t *testing.T) {
	ctx := context.Background()
	r := rand.New(rand.NewPCG(11, 12))
	hits := 0
	for seed := range uint64(4) {
		s := randomSet(t, 100+seed, shorter(400, 30))
		f := newFixture(t, s, []int{100, 300, 1000, 100000}[seed], 50, []float64{0.005, 0.03, 2, 0.1}[seed])
		cache := newTestCache(t, 64<<20)
		parts := f.parts(t, cache)
		for range shorter(600, 60) {
			q := randomQuery(r)
			eachPart(t, s, parts, func(live, block storage.Source) {
				want, err := live.Search(ctx, &q)
				if err != nil {
					t.Fatal(err)
				}
				got, err := block.Search(ctx, &q)
				if err != nil {
					t.Fatalf("%+v: %v", q, err)
				}
				type key struct {
					id    trace.ID
					start uint64
				}
				set := func(ms []storage.Match) map[key]bool {
					m := map[key]bool{}
					for _, x := range ms {
						m[key{x.ID, x.Start}] = true
					}
					return m
				}
				if len(got) != len(want) || !reflect.DeepEqual(set(got), set(want)) {
					t.Fatalf("%s: %+v: %d matches, want %d", block.Name(), q, len(got), len(want))
				}
				hits += len(got)
			})
		}
	}
	if hits == 0 {
		t.Error("no query matched anything")
	}
}

func TestSummariesLocateOperations(t *testing.T) {
	ctx := context.Background()
	s := randomSet(t, 7, shorter(300, 30))
	f := newFixture(t, s, 300, 50, 0.05)
	var ids []trace.ID
	for i := range uint32(s.NumTraces()) {
		ids = append(ids, s.TraceAt(i).ID)
	}
	ids = append(ids, trace.ID{}, trace.ID{255, 255, 255, 255, 255, 255, 255, 255, 255})
	sorted := slices.Clone(ids)
	slices.SortFunc(sorted, func(a, b trace.ID) int { return bytes.Compare(a[:], b[:]) })
	for _, ids := range [][]trace.ID{ids, sorted} {
		eachPart(t, s, f.parts(t, nil), func(live, block storage.Source) {
			want, _ := live.Locate(ctx, ids)
			got, err := block.Locate(ctx, ids)
			if err != nil {
				t.Fatal(err)
			}
			var lo, bo []uint32
			for i := range ids {
				if got[i].Found != want[i].Found || got[i].Start != want[i].Start {
					t.Fatalf("%s: %+v, want %+v", ids[i], got[i], want[i])
				}
				if got[i].Found {
					lo, bo = append(lo, want[i].Ordinal), append(bo, got[i].Ordinal)
				}
			}
			w, _ := live.Summaries(ctx, lo)
			g, err := block.Summaries(ctx, bo)
			if err != nil || !reflect.DeepEqual(g, w) {
				t.Fatalf("summaries differ: %v", err)
			}
			bounds, _ := block.Bounds()
			for _, sum := range g {
				if sum.Start < bounds.MinStart || sum.Start > bounds.MaxTraceStart || sum.End > bounds.MaxEnd {
					t.Errorf("trace %s lies outside the bounds", sum.ID)
				}
			}
		})
	}
	ops := func(parts []storage.Source) map[string]bool {
		m := map[string]bool{}
		for _, p := range parts {
			if err := p.Operations(ctx, func(s, n string, k uint8) { m[fmt.Sprint(s, n, k)] = true }); err != nil {
				t.Fatal(err)
			}
		}
		return m
	}
	live := s.Parts()
	if w, g := ops(live[:]), ops(f.parts(t, nil)); !reflect.DeepEqual(w, g) {
		t.Errorf("%d operations, want %d", len(g), len(w))
	}
}

// TestDamagedData flips bits all over data.parquet: whatever is read of it must
// be as it was, or be a named error.
func TestDamagedData(t *testing.T) {
	ctx := context.Background()
	s := randomSet(t, 21, 60)
	f := newFixture(t, s, 200, 50, 0.05)
	good := f.objects[DataObject]
	defer func() { f.objects[DataObject] = good }()
	q := storage.Query{Operation: "op-3", Tags: []storage.Tag{{Key: "a", Value: "1"}}}
	answer := func() (string, error) {
		var out strings.Builder
		for _, p := range f.parts(t, nil) {
			ms, err := p.Search(ctx, &q)
			if err != nil {
				return "", err
			}
			fmt.Fprint(&out, ms)
			for i := range uint32(s.NumTraces()) {
				b, _, err := p.Fragment(ctx, nil, s.TraceAt(i).ID)
				if err != nil {
					return "", err
				}
				out.Write(b)
			}
		}
		return out.String(), nil
	}
	want, err := answer()
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 9))
	failed, rounds := 0, shorter(200, 40)
	for range rounds {
		bad := bytes.Clone(good)
		bad[r.IntN(len(bad))] ^= 1 << r.IntN(8)
		f.objects[DataObject] = bad
		got, err := answer()
		switch {
		case err == nil && got != want:
			t.Fatal("a silent wrong answer")
		case err != nil:
			failed++
			if !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), "data.parquet: row group ") || !strings.Contains(err.Error(), ", column ") {
				t.Fatal(err)
			}
		}
	}
	if failed < rounds/2 {
		t.Errorf("%d of %d flips were noticed", failed, rounds)
	}
}

func TestConcurrentUse(t *testing.T) {
	s := randomSet(t, 31, shorter(200, 30))
	f := newFixture(t, s, 200, 50, 0.05)
	parts := f.parts(t, newTestCache(t, 200<<10)) // too small: loads and evictions all the time
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(w), 3))
			for range shorter(60, 30) {
				p := parts[r.IntN(len(parts))]
				ctx, cancel := context.WithCancel(context.Background())
				if r.IntN(4) == 0 {
					go cancel()
				}
				q := randomQuery(r)
				if _, err := p.Search(ctx, &q); err != nil && !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
				if _, _, err := p.Fragment(ctx, nil, s.TraceAt(r.Uint32N(uint32(s.NumTraces()))).ID); err != nil && !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
				cancel()
			}
		})
	}
	wg.Wait()
}

func TestUsage(t *testing.T) {
	s := randomSet(t, 41, shorter(200, 30))
	f := newFixture(t, s, 1<<20, 50, 0.05)
	cache := newTestCache(t, 64<<20)
	p := f.parts(t, cache)[0]
	id := f.index.Traces.IDs[0]
	for i, want := range []int64{1, 0} { // one request cold, none warm
		var u Usage
		if _, found, err := p.Fragment(WithUsage(context.Background(), &u), nil, id); err != nil || !found {
			t.Fatal(found, err)
		}
		if u.Gets.Load() != want {
			t.Errorf("reading %d: %d requests, want %d", i, u.Gets.Load(), want)
		}
		cache.Wait()
	}
}
