package wal

import (
	"bytes"
	"context"
	"sync"
	"testing"

	"github.com/clewtrace/clew/storage/fsys"
)

var portion = bytes.Repeat([]byte("0123456789abcdef"), 45<<10/16)

// BenchmarkAppend is 4 writers of records of 45 KiB, each waiting for its fsync;
// in a log that grows, and in one whose records are dropped at once.
func BenchmarkAppend(b *testing.B) {
	for _, bc := range []struct {
		name string
		drop bool
	}{{"grows", false}, {"drops", true}} {
		b.Run(bc.name, func(b *testing.B) {
			l := open(b, fsys.OS{}, Options{}, b.TempDir())
			defer l.Close()
			b.SetBytes(int64(len(portion)))
			b.ReportAllocs()
			var wg sync.WaitGroup
			work := make(chan struct{}, b.N)
			for range b.N {
				work <- struct{}{}
			}
			close(work)
			for range 4 {
				wg.Go(func() {
					for range work {
						pos, c, err := l.Append(1, portion)
						if err == nil {
							err = c.Wait(context.Background())
						}
						if err != nil {
							b.Error(err)
							return
						}
						if bc.drop {
							l.Drop(pos)
						}
					}
				})
			}
			wg.Wait()
			st := l.Stats()
			b.ReportMetric(float64(st.FsyncP50.Microseconds()), "fsync-p50-µs")
			b.ReportMetric(float64(st.FsyncP99.Microseconds()), "fsync-p99-µs")
		})
	}
}

// BenchmarkReplay reads a log of 256 MiB from the page cache.
func BenchmarkReplay(b *testing.B) {
	for _, bc := range []struct {
		name string
		size int
	}{{"45KiB", len(portion)}, {"1KiB", 1 << 10}} {
		b.Run(bc.name, func(b *testing.B) {
			const total = 256 << 20
			dir := b.TempDir()
			l := open(b, fsys.OS{}, Options{}, dir)
			var last *Commit
			for n := 0; n < total; n += bc.size {
				_, c, err := l.Append(1, portion[:bc.size])
				if err != nil {
					b.Fatal(err)
				}
				last = c
			}
			if err := last.Wait(context.Background()); err != nil {
				b.Fatal(err)
			}
			l.Close()
			b.SetBytes(total)
			b.ReportAllocs()
			for b.Loop() {
				b.StopTimer()
				l := open(b, fsys.OS{}, Options{}, dir)
				b.StartTimer()
				rep, err := l.Replay(context.Background(), func(Record) error { return nil })
				if err != nil || rep.Bytes < total {
					b.Fatal(rep, err)
				}
				b.StopTimer()
				l.Close()
				b.StartTimer()
			}
		})
	}
}
