// Package ingester makes spans durable and findable. A portion goes to the log
// and, while the disk syncs it, into the live columns of its tenant; the push
// is answered when both are done. Live columns are cut into blocks of whole
// portions in the order of the log; what is in a block is dropped from memory
// and log. After a start the rest of the log is replayed into the columns while
// pushes and queries are served.
//
//	Push ─► log ─► head (open) ─cut─► head (sealed) ─build─► block ─► head and records dropped
//	          replay ──┘                  └─ both are searched until the block is in the list
package ingester

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/klauspost/compress/s2"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/clewtrace/clew/ingester/portion"
	"github.com/clewtrace/clew/ingester/wal"
	"github.com/clewtrace/clew/storage/blocklist"
	"github.com/clewtrace/clew/storage/fsys"
	"github.com/clewtrace/clew/storage/tenant"
)

// kindPortion marks the log records that hold a portion this ingester builds.
const kindPortion wal.Kind = 1

// Options are what an Ingester is built from beside its Config.
type Options struct {
	Name       string // of this ingester, in its identity
	ClusterID  string
	Logger     *slog.Logger
	Registerer prometheus.Registerer // may be nil
}

// Ingester is safe for concurrent use.
type Ingester struct {
	cfg    Config
	opts   Options
	log    *wal.Log
	blocks *blocklist.List
	m      *metrics

	replayed chan struct{} // closed when the log has been walked
	report   wal.Report    // valid once replayed is closed
	stopping atomic.Bool
	pushes   sync.WaitGroup

	mu      sync.Mutex // guards tenants
	tenants map[tenant.ID]*instance
	live    atomic.Int64 // bytes of all heads, as of their last append
	spans   atomic.Int64 // rows of all heads
	builds  builder
}

// Open opens the ingester's data below dir; its blocks go to blocks. Run must be
// called to read the log and to build.
func Open(fs fsys.FS, dir string, cfg Config, blocks *blocklist.List, opts Options) (*Ingester, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("ingester.%w", err)
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	minFree := int64(cfg.Log.MinFreeBytes)
	if minFree == 0 {
		minFree = -1 // none; in wal.Options, 0 is the default
	}
	log, err := wal.Open(fs, path.Join(dir, "log"), wal.Options{
		SegmentBytes: int64(cfg.Log.SegmentBytes), MaxBytes: int64(cfg.Log.MaxBytes), MinFree: minFree,
		Header: wal.Header{ClusterID: opts.ClusterID, Name: opts.Name, Incarnation: uuid.New()},
		Logger: opts.Logger, Registerer: opts.Registerer,
	})
	if err != nil {
		return nil, err
	}
	i := &Ingester{cfg: cfg, opts: opts, log: log, blocks: blocks, replayed: make(chan struct{}), tenants: map[tenant.ID]*instance{}}
	i.builds.init()
	i.m = newMetrics(opts.Registerer, i)
	return i, nil
}

// Identity is the ingester's name and the incarnation of its data directory.
func (i *Ingester) Identity() portion.Identity {
	h := i.log.Header()
	return portion.Identity{Name: h.Name, Incarnation: h.Incarnation}
}

// Run replays the log and builds blocks until ctx ends. It returns early if the
// log fails: the process must then stop, since nothing can be made durable.
func (i *Ingester) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	wg.Go(func() { i.cutByTime(ctx) })
	wg.Go(func() { i.build(ctx) })
	start := time.Now()
	rep, err := i.replay(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	i.report = rep
	close(i.replayed)
	i.builds.signal()
	if rep.Records > 0 || len(rep.Damaged) > 0 {
		i.opts.Logger.Info("log replayed", "records", rep.Records, "bytes", rep.Bytes, "damaged", len(rep.Damaged), "torn", len(rep.Torn), "took", time.Since(start).Round(time.Millisecond))
	}
	select {
	case <-ctx.Done():
		return nil
	case <-i.log.Failed():
		return i.log.Err()
	}
}

// Close refuses further pushes, waits for those under way, and closes the log.
// What was acknowledged is in a block, or in the log and comes back at the next
// start.
func (i *Ingester) Close() error {
	i.stopping.Store(true)
	i.pushes.Wait()
	return i.log.Close()
}

// Replaying reports whether the log is still being read.
func (i *Ingester) Replaying() bool {
	select {
	case <-i.replayed:
		return false
	default:
		return true
	}
}

// Damage lists what could not be read in the log; it is complete once
// Replaying is false.
func (i *Ingester) Damage() []wal.Damage {
	if i.Replaying() {
		return nil
	}
	return i.report.Damaged
}

// Push makes a portion durable and findable. Nil means both; p's bytes are not
// kept. Errors: *portion.Refusal (retry later), or the failure of the log.
func (i *Ingester) Push(ctx context.Context, p *portion.Portion) (portion.Receipt, error) {
	i.pushes.Add(1)
	defer i.pushes.Done()
	if i.stopping.Load() {
		return portion.Receipt{}, i.refuse(&portion.Refusal{Reason: "stopping", Detail: "this ingester is stopping", RetryAfter: time.Second})
	}
	if have, ok := i.hasRoom(p.RawSize); !ok {
		return portion.Receipt{}, i.refuse(&portion.Refusal{Reason: "live_bytes", RetryAfter: time.Second,
			Detail: fmt.Sprintf("spans that are in no block yet take %d bytes of at most %d (ingester.max_live_bytes)", have, i.cfg.MaxLiveBytes)})
	}
	raw, err := i.payload(p)
	if err != nil {
		return portion.Receipt{}, err
	}
	in := i.instance(p.Stream.Tenant)
	in.mu.Lock()
	pos, commit, err := i.log.Append(kindPortion, p.AppendHeader(nil), p.Payload)
	if err != nil {
		in.mu.Unlock()
		return portion.Receipt{}, i.refusal(err)
	}
	rejected := i.take(in, p, pos, raw) // while the disk syncs
	in.mu.Unlock()
	if err := commit.Wait(ctx); err != nil {
		return portion.Receipt{}, i.refusal(err)
	}
	return portion.Receipt{Rejected: rejected}, nil
}

// hasRoom reports whether n more bytes of wire form fit the budget of live
// spans, and what is taken of it. What a portion becomes is known only once it
// is decoded; the columns of ordinary spans are smaller than their wire form.
func (i *Ingester) hasRoom(n int) (have int64, ok bool) {
	have = i.live.Load()
	return have, have+int64(n) <= int64(i.cfg.MaxLiveBytes)
}

// payload returns the decompressed payload.
func (i *Ingester) payload(p *portion.Portion) ([]byte, error) {
	if p.Raw != nil {
		return p.Raw, nil
	}
	if n, err := s2.DecodedLen(p.Payload); err != nil || n != p.RawSize || n > int(i.cfg.MaxPortionBytes) {
		return nil, fmt.Errorf("portion %d of tenant %s: payload says %d bytes, header %d, at most %d allowed: %w", p.Seq, p.Stream.Tenant, n, p.RawSize, i.cfg.MaxPortionBytes, errors.Join(portion.ErrRecord, err))
	}
	raw, err := s2.Decode(nil, p.Payload)
	if err != nil {
		return nil, fmt.Errorf("portion %d of tenant %s: %w", p.Seq, p.Stream.Tenant, err)
	}
	return raw, nil
}

func (i *Ingester) refuse(r *portion.Refusal) error {
	i.m.refused.WithLabelValues(r.Reason).Inc()
	return r
}

// refusal turns errors of the log that pass into refusals.
func (i *Ingester) refusal(err error) error {
	var full *wal.Full
	switch {
	case errors.As(err, &full):
		return i.refuse(&portion.Refusal{Reason: full.Reason, Detail: full.Detail, RetryAfter: 5 * time.Second})
	case errors.Is(err, wal.ErrClosed):
		return i.refuse(&portion.Refusal{Reason: "stopping", Detail: "this ingester is stopping", RetryAfter: time.Second})
	}
	return err
}
