package integration

import (
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/clewtrace/clew/distributor"
	"github.com/clewtrace/clew/distributor/otlpwire"
	"github.com/clewtrace/clew/ingester"
	"github.com/clewtrace/clew/ingester/ingestertest"
	"github.com/clewtrace/clew/storage/columns"
	"github.com/clewtrace/clew/storage/fsys"
	"github.com/clewtrace/clew/storage/tenant"
)

// capture returns the requests of capture-1, and their number of spans.
func capture(b *testing.B) (reqs [][]byte, spans int) {
	for _, file := range realData(b) {
		if filepath.Base(file) == "capture-1.otlp.zst" {
			eachRequest(b, file, func(req []byte) {
				res, err := new(otlpwire.Splitter).Split(req, 1, nil)
				if err != nil {
					b.Fatal(err)
				}
				reqs, spans = append(reqs, req), spans+res.Parts[0].Spans
			})
		}
	}
	return reqs, spans
}

func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkDecode decodes recorded requests into live columns.
func BenchmarkDecode(b *testing.B) {
	reqs, spans := capture(b)
	b.ReportAllocs()
	for b.Loop() {
		s := columns.New("bench", columns.DefaultOptions())
		for _, r := range reqs {
			if _, err := s.Append(r, 0); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(spans), "ns/span")
}

// BenchmarkOrder sorts live columns into block order.
func BenchmarkOrder(b *testing.B) {
	reqs, spans := capture(b)
	for b.Loop() {
		b.StopTimer()
		s := columns.New("bench", columns.DefaultOptions())
		for _, r := range reqs {
			if _, err := s.Append(r, 0); err != nil {
				b.Fatal(err)
			}
		}
		s.Seal()
		b.StartTimer()
		s.Order()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(spans), "ns/span")
}

// BenchmarkIngest pushes recorded requests through distributor, log (fsynced
// before each answer) and live columns into blocks, from four clients, and
// reports the CPU of the whole process.
func BenchmarkIngest(b *testing.B) {
	reqs, spans := capture(b)
	cfg := ingester.DefaultConfig()
	cfg.MaxLiveBytes, cfg.Log.MinFreeBytes = 8<<30, 0
	in := ingestertest.Open(b, fsys.OS{}, b.TempDir(), cfg)
	d, err := distributor.New(distributor.DefaultConfig(), in, in.Identity(), distributor.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.ResetTimer()
	start := cpu()
	for range b.N {
		var next atomic.Int64
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for i := next.Add(1) - 1; i < int64(len(reqs)); i = next.Add(1) - 1 {
					if _, err := d.Push(b.Context(), tenant.Single, reqs[i]); err != nil {
						b.Error(err)
						return
					}
				}
			})
		}
		wg.Wait()
	}
	st := in.Stats()
	if err := in.Flush(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.StopTimer()
	n := float64(b.N) * float64(spans)
	b.ReportMetric((cpu()-start).Seconds()/n*1e6, "CPU-s/Mspan")
	b.ReportMetric(n/b.Elapsed().Seconds(), "spans/s")
	b.ReportMetric(float64(st.Log.FsyncP50.Microseconds()), "fsync-p50-µs")
	bytes := uint64(0)
	for _, t := range in.Blocks.Stats() {
		bytes += t.Bytes
	}
	b.ReportMetric(float64(bytes)/n, "block-B/span")
	in.Stop()
}
