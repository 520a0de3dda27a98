package block

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/clewtrace/clew/storage"
	"github.com/clewtrace/clew/storage/columns"
	"github.com/clewtrace/clew/storage/trace"
)

// realData returns the folder of the recorded spans, "" if it is not there:
// CLEW_REAL_DATA, or ../shared/data/real beside a folder above.
func realData() string {
	if d := os.Getenv("CLEW_REAL_DATA"); d != "" {
		return d
	}
	dir, err := os.Getwd()
	for err == nil {
		if d := filepath.Join(dir, "..", "shared", "data", "real"); exists(d) {
			return d
		}
		up := filepath.Dir(dir)
		if up == dir {
			break
		}
		dir = up
	}
	return ""
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func realSet(t testing.TB, names ...string) *columns.Set {
	t.Helper()
	dir := realData()
	if dir == "" {
		t.Skip("no recorded spans here; set CLEW_REAL_DATA")
	}
	s := columns.New("real", columns.DefaultOptions())
	for _, n := range names {
		f, err := os.Open(filepath.Join(dir, n))
		if err != nil {
			t.Fatal(err)
		}
		z, err := zstd.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		r := bufio.NewReader(z)
		for {
			size, err := binary.ReadUvarint(r)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			b := make([]byte, size)
			if _, err := io.ReadFull(r, b); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Append(b, 0); err != nil {
				t.Fatal(err)
			}
		}
		z.Close()
		f.Close()
	}
	return s
}

// TestRealData reads every trace of a part of the recording back, and compares
// searches.
func TestRealData(t *testing.T) {
	ctx := context.Background()
	files := []string{"zipkin.otlp.zst", "capture-bulk.otlp.zst"}
	s := realSet(t, files[:shorter(2, 1)]...)
	f := newFixture(t, s, 20_000, 2000, 0.01)
	parts := f.parts(t, newTestCache(t, 256<<20))
	eachPart(t, s, parts, func(live, block storage.Source) {
		for i := range uint32(s.NumTraces()) {
			id := s.TraceAt(i).ID
			if i%3 != 0 && s.TraceAt(i).Rows < 1000 {
				continue
			}
			want, _, _ := live.Fragment(ctx, nil, id)
			got, _, err := block.Fragment(ctx, nil, id)
			if err != nil {
				t.Fatal(err)
			}
			w, g := spanBodies(t, want), spanBodies(t, got)
			if fmt.Sprint(w) != fmt.Sprint(g) {
				t.Fatalf("trace %s: %d spans, want %d, or they differ", id, len(g), len(w))
			}
		}
		for _, q := range realQueries {
			want, _ := live.Search(ctx, &q.q)
			got, err := block.Search(ctx, &q.q)
			if err != nil || len(got) != len(want) {
				t.Errorf("%s: %d matches, want %d: %v", q.name, len(got), len(want), err)
			}
		}
	})
}

var realQueries = []struct {
	name string
	q    storage.Query
}{
	{"service+operation", storage.Query{Service: "frontend", Operation: "HTTP GET"}},
	{"duration", storage.Query{MinDuration: time.Second}},
	{"error", storage.Query{Tags: []storage.Tag{{Key: "error", Value: "true"}}}},
	{"promoted tag, rare", storage.Query{Tags: []storage.Tag{{Key: "http.response.status_code", Value: "404"}}}},
	{"promoted tag, no match", storage.Query{Tags: []storage.Tag{{Key: "app.user.id", Value: "nobody"}}}},
	{"unpromoted tag", storage.Query{Tags: []storage.Tag{{Key: "mode", Value: "read"}}}},
	{"unknown key", storage.Query{Tags: []storage.Tag{{Key: "no.such.key", Value: "x"}}}},
	{"event tag", storage.Query{Tags: []storage.Tag{{Key: "exception.type", Value: "Error"}}}},
}

// BenchmarkBlock reads a block of the recording, warm.
func BenchmarkBlock(b *testing.B) {
	s := realSet(b, "capture-1.otlp.zst", "capture-2.otlp.zst")
	f := newFixture(b, s, 50_000, 2000, 0.01)
	cache := newTestCache(b, 1<<30)
	p := f.parts(b, cache)[0]
	ctx := context.Background()
	mspans := float64(f.index.Rows) / 1e6
	b.Logf("%d spans, %d traces, %d row groups, %d columns, %d bytes", f.index.Rows, len(f.index.Traces.IDs), len(f.index.RowGroups), len(f.index.Columns), len(f.objects[DataObject]))
	for _, q := range realQueries {
		b.Run("search/"+q.name, func(b *testing.B) {
			b.ReportAllocs()
			n := 0
			for range 3 {
				ms, err := p.Search(ctx, &q.q)
				if err != nil {
					b.Fatal(err)
				}
				n = len(ms)
				cache.Wait()
			}
			for b.Loop() {
				if _, err := p.Search(ctx, &q.q); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1e6/mspans, "ms/Mspan")
			b.ReportMetric(float64(n), "matches")
		})
	}
	var id trace.ID
	for i := range f.index.Traces.IDs {
		if n := f.index.Traces.FirstRow[i+1] - f.index.Traces.FirstRow[i]; n >= 90 && n <= 100 {
			id = f.index.Traces.IDs[i]
		}
	}
	for name, id := range map[string]trace.ID{"100 spans": id, "unknown": {7, 7}} {
		b.Run("lookup/"+name, func(b *testing.B) {
			b.ReportAllocs()
			var dst []byte
			for range 3 {
				if _, _, err := p.Fragment(ctx, nil, id); err != nil {
					b.Fatal(err)
				}
				cache.Wait()
			}
			for b.Loop() {
				var err error
				if dst, _, err = p.Fragment(ctx, dst[:0], id); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
