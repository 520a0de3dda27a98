package main

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/clewtrace/clew/querier"
	"github.com/clewtrace/clew/storage"
	"github.com/clewtrace/clew/storage/block"
	"github.com/clewtrace/clew/storage/tenant"
	"github.com/clewtrace/clew/storage/trace"
)

// blockQuestion is one kind of query on a shelf of blocks. The n-th query of
// the kind differs from the others. ask returns how much was found.
type blockQuestion struct {
	name        string
	least, most int // found by one query; most < 0 is no bound
	ask         func(ctx context.Context, q *querier.Querier, n int) (int, error)
}

func search(limit int, make func(n int) storage.Query) func(context.Context, *querier.Querier, int) (int, error) {
	return func(ctx context.Context, q *querier.Querier, n int) (int, error) {
		query := make(n)
		out, c, err := q.Search(ctx, tenant.Single, &query, limit)
		if err == nil && !c.Complete() {
			err = fmt.Errorf("incomplete: %+v", c)
		}
		return len(out), err
	}
}

func oneTag(key, value string) []storage.Tag { return []storage.Tag{{Key: key, Value: value}} }

func (s *blockShelf) questions() []blockQuestion {
	known := func(n int) shelfTrace { return s.Traces[n*7%len(s.Traces)] }
	services := []string{"storefront", "checkout", "payment", "catalog", "identity"}
	return []blockQuestion{
		{"id/known", 1, 100, func(ctx context.Context, q *querier.Querier, n int) (int, error) {
			k := known(n)
			t, _, err := q.Trace(ctx, tenant.Single, k.ID)
			if err == nil && (t == nil || len(t.Spans) != k.Spans) {
				err = fmt.Errorf("trace %x is not whole", k.ID)
			}
			if err != nil {
				return 0, err
			}
			return len(t.Spans), nil
		}},
		{"id/unknown", 0, 0, func(ctx context.Context, q *querier.Querier, n int) (int, error) {
			var id trace.ID
			for i := range id {
				id[i] = byte(uint64(n+1) * 0x9e3779b97f4a7c15 >> (8 * (i % 8)))
			}
			t, _, err := q.Trace(ctx, tenant.Single, id)
			if t != nil {
				return len(t.Spans), err
			}
			return 0, err
		}},
		{"newest/operation", 20, 20, search(20, func(n int) storage.Query {
			return storage.Query{Service: busy[n%len(busy)][0], Operation: busy[n%len(busy)][1]}
		})},
		{"newest/rare user", 1, 3, search(20, func(n int) storage.Query {
			return storage.Query{Tags: oneTag("user.id", s.Rare[n*31%len(s.Rare)])}
		})},
		{"newest/duration", 1, 20, search(20, func(n int) storage.Query {
			v := services[n%len(services)]
			return storage.Query{Service: v, MinDuration: s.Longest[v] / 3}
		})},
		{"newest/duration of any", 1, 20, search(20, func(n int) storage.Query {
			return storage.Query{MinDuration: s.Longest[services[n%len(services)]] / 3}
		})},
		{"newest/error", 20, 20, search(20, func(n int) storage.Query { return storage.Query{Tags: oneTag("error", "true")} })},
		{"newest/error of service", 1, 20, search(20, func(n int) storage.Query {
			return storage.Query{Service: failing[n%len(failing)], Tags: oneTag("error", "true")}
		})},
		{"newest/status 500", 1, 20, search(20, func(n int) storage.Query {
			return storage.Query{Service: failing[n%2*2], Tags: oneTag("http.response.status_code", "500")}
		})},
		{"newest/event tag", 0, 20, search(20, func(n int) storage.Query {
			return storage.Query{Tags: oneTag("exception.type", "CardDeclinedError")}
		})},
		{"newest/anything", 20, 20, search(20, func(n int) storage.Query { return storage.Query{} })},
		{"none/user", 0, 0, search(20, func(n int) storage.Query {
			return storage.Query{Tags: oneTag("user.id", fmt.Sprint("u0nobody", n))}
		})},
		{"none/duration", 0, 0, search(20, func(n int) storage.Query {
			v := failing[n%len(failing)]
			return storage.Query{Service: v, MinDuration: s.Longest[v] + time.Duration(n+1)*time.Millisecond}
		})},
		{"none/event tag", 0, 0, search(20, func(n int) storage.Query {
			return storage.Query{Tags: oneTag("exception.type", fmt.Sprint("None", n))}
		})},
		{"none/path", 0, 0, search(20, func(n int) storage.Query {
			return storage.Query{Tags: oneTag("url.path", fmt.Sprint("/none/", n))}
		})},
		{"all/busy operation", 1, -1, search(everything, func(n int) storage.Query {
			return storage.Query{Service: busy[n%len(busy)][0], Operation: busy[n%len(busy)][1]}
		})},
		{"all/duration", 1, -1, search(everything, func(n int) storage.Query {
			return storage.Query{MinDuration: 100 * time.Millisecond}
		})},
		{"all/operation", 1, -1, search(everything, func(n int) storage.Query {
			return storage.Query{Service: "billing", Operation: "Reconcile.run"}
		})},
		{"all/status 500", 1, -1, search(everything, func(n int) storage.Query {
			return storage.Query{Service: failing[n%2*2], Tags: oneTag("http.response.status_code", "500")}
		})},
		{"all/error", 1, -1, search(everything, func(n int) storage.Query { return storage.Query{Tags: oneTag("error", "true")} })},
		{"all/service", 1, -1, search(everything, func(n int) storage.Query { return storage.Query{Service: "identity"} })},
		{"all/anything", 1, -1, search(everything, func(n int) storage.Query { return storage.Query{} })},
		{"whole/operation", 20, 20, func(ctx context.Context, q *querier.Querier, n int) (int, error) {
			out, _, err := q.Search(ctx, tenant.Single, &storage.Query{Service: busy[n%len(busy)][0], Operation: busy[n%len(busy)][1]}, 20)
			if err != nil {
				return 0, err
			}
			ids := make([]trace.ID, len(out))
			for i := range out {
				ids[i] = out[i].ID
			}
			ts, _, err := q.Traces(ctx, tenant.Single, ids)
			return len(ts), err
		}},
		{"operations", 1, -1, func(ctx context.Context, q *querier.Querier, n int) (int, error) {
			out, _, err := q.Operations(ctx, tenant.Single, "storefront")
			return len(out), err
		}},
	}
}

// TestQuestions asks every question of a few small blocks, cold.
func TestQuestions(t *testing.T) {
	s := openShelf(t)
	for _, q := range s.questions() {
		o := s.open(t)
		for n := range 3 {
			found, err := q.ask(t.Context(), querier.New(o, o), n)
			if err != nil || q.most < 0 && found < q.least || s.Spans >= 1e6 && (found < q.least || q.most >= 0 && found > q.most) {
				t.Errorf("%s %d: found %d, want %d to %d: %v", q.name, n, found, q.least, q.most, err)
			}
		}
		o.close()
	}
}

// BenchmarkBlocks asks with a warm cache, and as a process that was just
// started (but for the file system's cache).
func BenchmarkBlocks(b *testing.B) {
	s := openShelf(b)
	o := s.open(b)
	defer o.close()
	var size, traces uint64
	for _, m := range o.metas {
		traces += m.Traces
		for _, obj := range m.Objects {
			size += obj.Size
		}
	}
	b.Logf("%d spans, %d traces, %d blocks, %.1f bytes a span", s.Spans, traces, len(o.metas), float64(size)/float64(s.Spans))
	for _, q := range s.questions() {
		b.Run("warm/"+q.name, func(b *testing.B) {
			qu := querier.New(o, o)
			var times []time.Duration
			for n := range 3 {
				if _, err := q.ask(context.Background(), qu, n); err != nil {
					b.Fatal(err)
				}
				o.cache.Wait()
			}
			runtime.GC()
			var u block.Usage
			ctx := block.WithUsage(context.Background(), &u)
			b.ReportAllocs()
			found, n := 0, 0
			for b.Loop() {
				began := time.Now()
				k, err := q.ask(ctx, qu, n)
				times = append(times, time.Since(began))
				if err != nil {
					b.Fatal(err)
				}
				found += k
				n++
			}
			report(b, times, &u, found)
		})
		b.Run("cold/"+q.name, func(b *testing.B) {
			var times []time.Duration
			var u block.Usage
			ctx := block.WithUsage(context.Background(), &u)
			found, n := 0, 0
			for b.Loop() {
				b.StopTimer()
				o := s.open(b)
				runtime.GC()
				b.StartTimer()
				began := time.Now()
				k, err := q.ask(ctx, querier.New(o, o), n)
				times = append(times, time.Since(began))
				b.StopTimer()
				if err != nil {
					b.Fatal(err)
				}
				found += k
				n++
				o.close()
				b.StartTimer()
			}
			report(b, times, &u, found)
		})
	}
}

func report(b *testing.B, times []time.Duration, u *block.Usage, found int) {
	n := float64(len(times))
	slices.Sort(times)
	b.ReportMetric(float64(times[len(times)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(times[0].Microseconds())/1000, "min-ms")
	b.ReportMetric(float64(u.Bytes.Load())/1000/n, "read-KB")
	b.ReportMetric(float64(u.Gets.Load())/n, "gets")
	b.ReportMetric(float64(found)/n, "found")
}
