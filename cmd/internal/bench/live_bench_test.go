package main

import (
	"context"
	"testing"
	"time"

	"github.com/clewtrace/clew/cmd/internal/loadgen"
	"github.com/clewtrace/clew/storage"
	"github.com/clewtrace/clew/storage/columns"
)

// BenchmarkLive searches spans that are in no block yet: CLEW_BENCH_BLOCK of
// them.
func BenchmarkLive(b *testing.B) {
	cfg := loadgen.DefaultConfig()
	cfg.Spans = envInt("CLEW_BENCH_BLOCK", 20_000)
	g, err := loadgen.New(cfg)
	if err != nil {
		b.Fatal(err)
	}
	set := columns.New("live", columns.DefaultOptions())
	for {
		r, ok := g.Next(nil)
		if !ok {
			break
		}
		if _, err := set.Append(r.Body, uint64(r.Clock)); err != nil {
			b.Fatal(err)
		}
	}
	p := set.Parts()[0]
	for _, q := range []struct {
		name string
		q    storage.Query
	}{
		{"operation", storage.Query{Service: busy[0][0], Operation: busy[0][1]}},
		{"user", storage.Query{Tags: oneTag("user.id", "u0nobody")}},
		{"one user", storage.Query{Tags: oneTag("user.id", "u000001")}},
		{"path", storage.Query{Tags: oneTag("url.path", "/none")}},
		{"duration", storage.Query{Service: "storefront", MinDuration: time.Second}},
		{"error", storage.Query{Tags: oneTag("error", "true")}},
		{"status 500", storage.Query{Service: "storefront", Tags: oneTag("http.response.status_code", "500")}},
		{"event tag", storage.Query{Tags: oneTag("exception.type", "None")}},
		{"no such key", storage.Query{Tags: oneTag("no.such.key", "x")}},
		{"anything", storage.Query{}},
	} {
		b.Run(q.name, func(b *testing.B) {
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				ms, err := p.Search(context.Background(), &q.q)
				if err != nil {
					b.Fatal(err)
				}
				n = len(ms)
			}
			b.ReportMetric(float64(n), "found")
			b.ReportMetric(float64(b.Elapsed().Microseconds())/1000/float64(b.N), "ms")
		})
	}
}
