package ingester_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/klauspost/compress/s2"
	"go.uber.org/goleak"

	"github.com/clewtrace/clew/ingester"
	"github.com/clewtrace/clew/ingester/ingestertest"
	"github.com/clewtrace/clew/ingester/portion"
	"github.com/clewtrace/clew/storage/block"
	"github.com/clewtrace/clew/storage/fsys"
	"github.com/clewtrace/clew/storage/tenant"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func timeout(t testing.TB, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

func blocksOf(in *ingestertest.Instance, id tenant.ID) []*block.Block {
	return in.Blocks.View(id).Blocks
}

// await fails the test if ok stays false.
func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for range 2000 {
		if ok() {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatalf("waited in vain: %s", what)
}

func wantSpans(t *testing.T, in *ingestertest.Instance, id tenant.ID, k uint64, n int) {
	t.Helper()
	tr, err := in.Spans(id, traceID(k))
	if err != nil || tr == nil || len(tr.Spans) != n {
		t.Fatalf("trace %d: %v, %v; want %d spans", k, tr, err, n)
	}
}

// TestCuts holds each rule for when a head becomes a block.
func TestCuts(t *testing.T) {
	for _, c := range []struct {
		name   string
		config func(*ingester.Config)
		keep   bool // pushing goes on
	}{
		{"size", func(c *ingester.Config) { c.Block.MaxBytes = 64 << 10 }, false},
		{"age", func(c *ingester.Config) { c.Block.MaxAge = time.Second }, true},
		{"idle", func(c *ingester.Config) { c.Block.MaxIdle = time.Second }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			cfg := ingester.DefaultConfig()
			c.config(&cfg)
			in := ingestertest.Open(t, fsys.NewMemory(), "data", cfg)
			defer in.Stop()
			cl := newClient(in, "a")
			k := uint64(0)
			push := func() {
				k++
				if err := cl.push(t, in, payload(k, 0, 50), 50); err != nil {
					t.Fatal(err)
				}
			}
			push()
			await(t, "a block", func() bool {
				if c.keep {
					push()
				}
				return len(blocksOf(in, "a")) > 0
			})
			m := blocksOf(in, "a")[0].Meta()
			covered := m.Coverage[0].Intervals
			if len(m.Coverage) != 1 || len(covered) != 1 || covered[0].From != 1 || covered[0].To*50 != m.Rows {
				t.Errorf("the block has %d rows and covers %+v: want whole portions in order", m.Rows, m.Coverage)
			}
			for i := uint64(1); i <= k; i++ {
				wantSpans(t, in, "a", i, 50)
			}
		})
	}
}

// TestCoveredIsDropped moves everything into blocks: memory and log must be
// given back, and a start must not read it again.
func TestCoveredIsDropped(t *testing.T) {
	fs := fsys.NewMemory()
	in := ingestertest.Open(t, fs, "data", smallConfig())
	cl := newClient(in, "a")
	for k := range uint64(100) {
		if err := cl.push(t, in, payload(k, 0, 50), 50); err != nil {
			t.Fatal(err)
		}
	}
	if err := in.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if st := in.Stats(); st.LiveBytes != 0 || st.LiveSpans != 0 || st.Waiting != 0 || len(st.Tenants) != 0 || st.Log.LiveBytes != 0 {
		t.Errorf("after a flush: %+v", st)
	}
	in.Stop()
	in = ingestertest.Open(t, fs, "data", smallConfig())
	defer in.Stop()
	if st := in.Stats(); st.LiveSpans != 0 || st.Log.LiveBytes != 0 {
		t.Errorf("after a start: %+v", st)
	}
	for k := range uint64(100) {
		wantSpans(t, in, "a", k, 50)
	}
}

// TestDiskFullWhileBuilding lets building fail for a while: nothing is lost,
// pushes go on until the budget is reached, then are refused, and blocks are
// built when there is room again.
func TestDiskFullWhileBuilding(t *testing.T) {
	var full atomic.Bool
	fs := &fsys.Faulty{FS: fsys.NewMemory(), Hook: func(op, name string) (int, error) {
		if full.Load() && op == "Write" && strings.Contains(name, block.DataObject) {
			return 10, syscall.ENOSPC
		}
		return 0, nil
	}}
	cfg := ingester.DefaultConfig()
	cfg.Block.MaxBytes, cfg.MaxLiveBytes = 1<<20, 4<<20
	in := ingestertest.Open(t, fs, "data", cfg)
	defer in.Stop()
	cl := newClient(in, "a")
	full.Store(true)
	var refusal *portion.Refusal
	pushed := uint64(0)
	for err := error(nil); err == nil; {
		if err = cl.push(t, in, payload(pushed, 0, 200), 200); err == nil {
			pushed++
		} else if !errors.As(err, &refusal) || refusal.Reason != "live_bytes" || refusal.RetryAfter <= 0 {
			t.Fatalf("push %d: %v; want a refusal for live_bytes", pushed, err)
		}
		if pushed > 1_000_000 {
			t.Fatal("the budget is not held")
		}
	}
	if n := len(blocksOf(in, "a")); n != 0 {
		t.Fatalf("%d blocks on a full disk", n)
	}
	for k := range pushed {
		wantSpans(t, in, "a", k, 200)
	}
	full.Store(false)
	await(t, "room again", func() bool { return cl.push(t, in, payload(pushed, 0, 200), 200) == nil })
	for k := range pushed + 1 {
		wantSpans(t, in, "a", k, 200)
	}
}

// TestNoGapNoDouble reads without pause while heads become blocks: a trace that
// was acknowledged is found whole, every time.
func TestNoGapNoDouble(t *testing.T) {
	cfg := smallConfig()
	cfg.Block.MaxBytes = 64 << 10
	in := ingestertest.Open(t, fsys.NewMemory(), "data", cfg)
	defer in.Stop()
	var acked atomic.Uint64
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		defer close(stop)
		cl := newClient(in, "a")
		for k := range uint64(1500) {
			if err := cl.push(t, in, payload(k, 0, 20), 20); err != nil {
				t.Error(err)
				return
			}
			acked.Store(k + 1)
		}
	})
	checks := 0
	for done := false; !done; {
		select {
		case <-stop:
			done = true
		default:
		}
		n := acked.Load()
		for _, k := range []uint64{0, n / 2, n - 1} {
			if n > 0 {
				wantSpans(t, in, "a", k, 20)
				checks++
			}
		}
	}
	wg.Wait()
	if n := len(blocksOf(in, "a")); n < 3 {
		t.Errorf("only %d blocks were written beside the reads", n)
	}
	t.Logf("%d reads beside %d blocks", checks, len(blocksOf(in, "a")))
}

// TestUnreadableBlock damages the meta.json of a block: the others are served,
// and answers name what is missing.
func TestUnreadableBlock(t *testing.T) {
	fs := fsys.NewMemory()
	in := ingestertest.Open(t, fs, "data", smallConfig())
	cl := newClient(in, "a")
	for k := range uint64(2) {
		if err := errors.Join(cl.push(t, in, payload(k, 0, 5), 5), in.Flush(t.Context())); err != nil {
			t.Fatal(err)
		}
	}
	name := blocksOf(in, "a")[0].Meta().Block.String()
	in.Stop()
	fs.Corrupt("data/store/a/blocks/"+name+"/"+block.MetaObject, func(b []byte) { b[0] ^= 1 })
	in = ingestertest.Open(t, fs, "data", smallConfig())
	defer in.Stop()
	v := in.Blocks.View("a")
	if len(v.Blocks) != 1 || len(v.Failed) != 1 || !strings.Contains(v.Failed[0].Name, name) || !strings.Contains(v.Failed[0].Reason, block.MetaObject) {
		t.Errorf("%d blocks, failed %+v; want one, and %s named", len(v.Blocks), v.Failed, name)
	}
}

// TestLogLargerThanMemory starts on a log that does not fit the budget of live
// spans: blocks are built while it is read.
func TestLogLargerThanMemory(t *testing.T) {
	fs := fsys.NewMemory()
	in := ingestertest.Open(t, fs, "data", ingester.DefaultConfig())
	cl := newClient(in, "a")
	const pushes = 300
	for k := range uint64(pushes) {
		if err := cl.push(t, in, payload(k, 0, 200), 200); err != nil {
			t.Fatal(err)
		}
	}
	had := in.Stats().LiveBytes
	in.Stop()
	cfg := ingester.DefaultConfig()
	cfg.MaxLiveBytes, cfg.Block.MaxBytes = 2<<20, 1<<20
	if had < 2*int64(cfg.MaxLiveBytes) {
		t.Fatalf("%d live bytes are too few for this test", had)
	}
	in = ingestertest.Open(t, fs, "data", cfg)
	defer in.Stop()
	if n := len(blocksOf(in, "a")); n == 0 {
		t.Error("no block was built while the log was read")
	}
	for k := range uint64(pushes) {
		wantSpans(t, in, "a", k, 200)
	}
}

// TestUndecodablePortion restarts on a log with a portion whose payload is no
// payload, though its checksum is right: it is named in answers and stays in the
// log, and its neighbours are served and become blocks.
func TestUndecodablePortion(t *testing.T) {
	fs := fsys.NewMemory()
	in := ingestertest.Open(t, fs, "data", smallConfig())
	cl := newClient(in, "a")
	for k := range uint64(3) {
		raw := payload(k, 0, 5)
		p := &portion.Portion{Stream: cl.stream, Seq: k + 1, Spans: 5, Payload: s2.Encode(nil, raw), RawSize: len(raw), Raw: raw, ReceivedUnixNano: now}
		if k == 1 {
			p.Payload = []byte("not s2")
		}
		if _, err := in.Push(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	in.Stop()
	for range 2 {
		in = ingestertest.Open(t, fs, "data", smallConfig())
		if err := in.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		v := in.Blocks.View("a")
		r, stale := in.Recent("a", v.Version)
		if stale || len(r.Sources) != 0 || len(r.Failed) != 1 || !strings.Contains(r.Failed[0].Name, "portion 2 of stream "+cl.stream.Boot.String()) {
			t.Fatalf("recent: %+v, stale %v; want portion 2 named", r, stale)
		}
		spans := uint64(0)
		for _, b := range v.Blocks {
			spans += b.Meta().Rows
			for _, c := range b.Meta().Coverage {
				if c.Intervals.Contains(2) {
					t.Errorf("a block says that it covers portion 2: %+v", c)
				}
			}
		}
		if spans != 10 || in.Stats().Log.LiveBytes == 0 {
			t.Errorf("%d spans in blocks, %d bytes needed of the log", spans, in.Stats().Log.LiveBytes)
		}
		in.Stop()
	}
}
