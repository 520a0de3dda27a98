//go:build unix

package block

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/clewtrace/clew/storage"
	"github.com/clewtrace/clew/storage/columns"
	"github.com/clewtrace/clew/storage/trace"
)

// The studies measure what docs/design/0003-block-format.md decides on, on
// recorded spans and on those of clew load. Times are CPU, the least of several
// runs:
//
//	go test -run '^$' -bench Study -cpu 1 -benchtime 1x -timeout 1h ./storage/block

var studied = []string{"synthetic", "real"}

// cpuSeconds is what the process has used, garbage collection included.
func cpuSeconds(t testing.TB) float64 {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

// least is the smallest CPU time of n runs, in seconds.
func least(t testing.TB, n int, run func()) float64 {
	t.Helper()
	var best float64
	for i := range n {
		from := cpuSeconds(t)
		run()
		if d := cpuSeconds(t) - from; i == 0 || d < best {
			best = d
		}
	}
	return best
}

// nowhere is an Output that only counts.
type nowhere struct{}

func (nowhere) Create(string) (OutputObject, error) { return nowhere{}, nil }
func (nowhere) Write(b []byte) (int, error)         { return len(b), nil }
func (nowhere) Sync() error                         { return nil }
func (nowhere) Close() error                        { return nil }

// sample is one block of a study.
type sample struct {
	objects memory
	meta    *Meta
	index   *Index
	mspans  float64
	write   float64 // CPU seconds per million spans
}

func (s *sample) perSpan(names ...string) float64 {
	n := uint64(0)
	for _, o := range s.meta.Objects {
		if len(names) == 0 || slices.Contains(names, o.Name) {
			n += o.Size
		}
	}
	return float64(n) / float64(s.meta.Rows)
}

func newSample(t testing.TB, set *columns.Set, opts WriteOptions) *sample {
	t.Helper()
	out := &sample{mspans: float64(set.Len()) / 1e6}
	out.write = least(t, 4, func() {
		if _, err := Write(context.Background(), nowhere{}, set, set.Order(), opts); err != nil {
			t.Fatal(err)
		}
	}) / out.mspans
	out.objects, out.meta = writeSet(t, set, opts)
	var err error
	if out.index, err = DecodeIndex(out.objects[IndexObject]); err != nil {
		t.Fatal(err)
	}
	return out
}

// open returns the normal part of the block; without a cache every page is
// decoded each time, but the index is not.
func (s *sample) open(t testing.TB, c *Cache) storage.Source {
	t.Helper()
	b := newBlock("tenant", s.meta.Block, s.objects, c)
	b.given = s.index
	parts, err := b.Parts(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return parts[0]
}

// scan times a search, in CPU ms per million spans: with every page decoded, and
// from the cache.
func (s *sample) scan(t testing.TB, q storage.Query) (cold, warm float64, matches int) {
	t.Helper()
	ctx := context.Background()
	per := func(p storage.Source, n int) float64 {
		return least(t, 3, func() {
			for range n {
				m, err := p.Search(ctx, &q)
				if err != nil {
					t.Fatal(err)
				}
				matches = len(m)
			}
		}) / float64(n) * 1e3 / s.mspans
	}
	cold = per(s.open(t, nil), 4)
	cache := newTestCache(t, 1<<30)
	p := s.open(t, cache)
	per(p, 1)
	cache.Wait()
	return cold, per(p, 20), matches
}

// BenchmarkStudyWrite times ordering and writing, without a disk.
func BenchmarkStudyWrite(b *testing.B) {
	for _, name := range studied {
		b.Run(name, func(b *testing.B) {
			tr := trafficOf(b, name)
			var order, write float64
			var m *Meta
			for b.Loop() {
				for i := range 5 {
					s := tr.set(b)
					t0 := cpuSeconds(b)
					o := s.Order()
					t1 := cpuSeconds(b)
					var err error
					if m, err = Write(context.Background(), nowhere{}, s, o, testOptions()); err != nil {
						b.Fatal(err)
					}
					t2 := cpuSeconds(b)
					if i == 0 || t2-t0 < order+write {
						order, write = t1-t0, t2-t1
					}
				}
			}
			mspans := float64(tr.spans) / 1e6
			size := uint64(0)
			for _, o := range m.Objects {
				size += o.Size
			}
			b.ReportMetric(order/mspans, "order-s/Mspan")
			b.ReportMetric(write/mspans, "write-s/Mspan")
			b.ReportMetric((order+write)/mspans, "cpu-s/Mspan")
			b.ReportMetric(float64(size)/float64(tr.spans), "B/span")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// studyQuery is a search for one tag.
type studyQuery struct{ name, key, value string }

// queries are the searches by which promotion is judged: keys that are rare over
// all but often asked for, and one that the default rule leaves in attrs_rest.
func queries(t testing.TB, name string, set *columns.Set) []studyQuery {
	t.Helper()
	user := map[string]string{"synthetic": "user.id", "real": "app.user.id"}[name]
	out := []studyQuery{
		{"status 500", "http.response.status_code", "500"},
		{"db system", "db.system.name", "postgresql"},
		{"user", user, someValue(set, user)},
		{"absent user", user, "nobody"},
	}
	l := newLayout(set, set.Order(), &[]Promotion{DefaultPromotion()}[0])
	best := NoRow
	for a := range uint32(set.NumAttrs()) {
		attr := set.Attr(a)
		if attr.Type != columns.String || slices.Contains(l.attrs, a) || attr.Dict.Len() < 2 {
			continue
		}
		if best == NoRow || set.AttrCount(a) > set.AttrCount(best) {
			best = a
		}
	}
	rest := set.Attr(best)
	t.Logf("%s: the key in attrs_rest is %s, on %d of %d spans", name, rest.Key, set.AttrCount(best), set.Len())
	return append(out, studyQuery{"rest", rest.Key, string(rest.Dict.Value(1))})
}

func someValue(set *columns.Set, key string) string {
	for a := range uint32(set.NumAttrs()) {
		if attr := set.Attr(a); attr.Key == key && attr.Type == columns.String {
			return string(attr.Dict.Value(uint32(attr.Dict.Len() / 2)))
		}
	}
	return ""
}

// promotionRules are the candidates; never is a share that nothing reaches.
func promotionRules() []struct {
	name string
	rule Promotion
} {
	const never = 2
	share := func(min float64) Promotion {
		return Promotion{MaxColumns: 1000, MinShare: min, OperationShare: never, ConventionShare: never}
	}
	operation := share(0.05)
	operation.OperationShare, operation.OperationKeyShare = 0.01, 0.5
	convention := share(0.05)
	convention.ConventionShare = 0.0005
	both := operation
	both.ConventionShare = 0.0005
	return []struct {
		name string
		rule Promotion
	}{
		{"nothing", share(never)}, {"20 %", share(0.2)}, {"5 %", share(0.05)}, {"1 %", share(0.01)},
		{"5 % or searched", convention}, {"5 % or of an operation", operation}, {"5 %, operation or searched", both},
		{"everything", share(0)}, {"default", DefaultPromotion()},
	}
}

// BenchmarkStudyPromotion compares rules of promotion.
func BenchmarkStudyPromotion(b *testing.B) {
	for _, name := range studied {
		b.Run(name, func(b *testing.B) {
			set := trafficOf(b, name).set(b)
			list := queries(b, name, set)
			for _, r := range promotionRules() {
				b.Run(r.name, func(b *testing.B) {
					for b.Loop() {
						opts := testOptions()
						opts.Promotion = r.rule
						s := newSample(b, set, opts)
						line := fmt.Sprintf("%d columns, %.2f B/span, index %.2f, write %.2f s/Mspan; ms/Mspan decoding (cached):",
							len(s.index.Columns), s.perSpan(), s.perSpan(IndexObject), s.write)
						for _, q := range list {
							cold, warm, n := s.scan(b, storage.Query{Tags: []storage.Tag{{Key: q.key, Value: q.value}}})
							line += fmt.Sprintf(" %s %.2f (%.2f) %d,", q.name, cold, warm, n)
						}
						b.Log(line[:len(line)-1])
					}
				})
			}
		})
	}
}

// BenchmarkStudyPages compares sizes of pages and row groups: bytes, a look-up of
// one trace by a process that has nothing but meta.json, and scans.
func BenchmarkStudyPages(b *testing.B) {
	for _, name := range studied {
		b.Run(name, func(b *testing.B) {
			set := trafficOf(b, name).set(b)
			list := queries(b, name, set)
			for _, group := range []int{20_000, 50_000, 100_000} {
				for _, page := range []int{1000, 2000, 4000, 8000} {
					b.Run(fmt.Sprintf("group %d, page %d", group, page), func(b *testing.B) {
						for b.Loop() {
							opts := testOptions()
							opts.RowGroupRows, opts.PageRows = group, page
							s := newSample(b, set, opts)
							cpu, bytes := s.lookups(b)
							cold, warm, _ := s.scan(b, storage.Query{Tags: []storage.Tag{{Key: list[0].key, Value: list[0].value}}})
							duration, warmDuration, _ := s.scan(b, storage.Query{MinDuration: time.Second})
							b.Logf("%.2f B/span, index %.2f, write %.2f s/Mspan; a trace: %.0f us, %.0f KB read; ms/Mspan: %s %.2f (%.2f), duration %.2f (%.2f)",
								s.perSpan(), s.perSpan(IndexObject), s.write, cpu*1e6, bytes/1e3, list[0].name, cold, warm, duration, warmDuration)
						}
					})
				}
			}
		})
	}
}

// lookups reads 200 traces without a cache, each by bloom object and row group,
// and returns CPU seconds and bytes of one.
func (s *sample) lookups(t testing.TB) (cpu, bytes float64) {
	t.Helper()
	const n = 200
	block, err := Open(context.Background(), s.objects, s.meta, nil)
	if err != nil {
		t.Fatal(err)
	}
	parts, err := block.Parts(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	p := parts[0]
	r := rand.New(rand.NewPCG(1, 2))
	var ids []trace.ID
	for range n {
		ids = append(ids, s.index.Traces.IDs[r.IntN(s.index.Traces.Normal)])
	}
	var u Usage
	ctx := WithUsage(context.Background(), &u)
	cpu = least(t, 3, func() {
		u.Bytes.Store(0)
		for _, id := range ids {
			if _, found, err := p.Fragment(ctx, nil, id); err != nil || !found {
				t.Fatal(found, err)
			}
		}
	}) / n
	return cpu, float64(u.Bytes.Load()) / n
}
