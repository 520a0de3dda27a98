// Package ingester makes spans durable and findable. A portion goes to the log
// and, while the disk syncs it, into the live columns of its tenant; the push
// is answered when both are done. After a start the log is replayed into the
// columns while pushes and queries are served.
package ingester

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/klauspost/compress/s2"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/clewtrace/clew/ingester/portion"
	"github.com/clewtrace/clew/ingester/wal"
	"github.com/clewtrace/clew/storage"
	"github.com/clewtrace/clew/storage/columns"
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
	cfg  Config
	opts Options
	log  *wal.Log
	m    *metrics

	replayed chan struct{} // closed when the log has been walked
	report   wal.Report    // valid once replayed is closed
	stopping atomic.Bool
	pushes   sync.WaitGroup

	mu      sync.Mutex // guards tenants
	tenants map[tenant.ID]*instance
	live    atomic.Int64 // bytes of all live columns, as of their last append
}

// instance is one tenant.
type instance struct {
	mu   sync.Mutex // one append at a time; also orders log and columns
	set  *columns.Set
	size int64 // of set, as counted in Ingester.live
}

// Open opens the ingester's data below dir. Run must be called to read the log.
func Open(fs fsys.FS, dir string, cfg Config, opts Options) (*Ingester, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("ingester.%w", err)
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	log, err := wal.Open(fs, path.Join(dir, "log"), wal.Options{
		SegmentBytes: cfg.Log.SegmentBytes, MaxBytes: cfg.Log.MaxBytes, MinFree: cfg.Log.MinFreeBytes,
		Header: wal.Header{ClusterID: opts.ClusterID, Name: opts.Name, Incarnation: uuid.New()},
		Logger: opts.Logger, Registerer: opts.Registerer,
	})
	if err != nil {
		return nil, err
	}
	i := &Ingester{cfg: cfg, opts: opts, log: log, replayed: make(chan struct{}), tenants: map[tenant.ID]*instance{}}
	i.m = newMetrics(opts.Registerer, i)
	return i, nil
}

// Identity is the ingester's name and the incarnation of its data directory.
func (i *Ingester) Identity() portion.Identity {
	h := i.log.Header()
	return portion.Identity{Name: h.Name, Incarnation: h.Incarnation}
}

// Run replays the log, then waits for ctx to end. It returns early if the log
// fails: the process must then stop, since nothing can be made durable.
func (i *Ingester) Run(ctx context.Context) error {
	start := time.Now()
	rep, err := i.log.Replay(ctx, i.replay)
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	i.report = rep
	close(i.replayed)
	if rep.Records > 0 || len(rep.Damaged) > 0 {
		i.opts.Logger.Info("log replayed", "records", rep.Records, "bytes", rep.Bytes, "damaged", len(rep.Damaged), "took", time.Since(start).Round(time.Millisecond))
	}
	select {
	case <-ctx.Done():
		return nil
	case <-i.log.Failed():
		return i.log.Err()
	}
}

// Close refuses further pushes, waits for those under way, and closes the log.
// What was acknowledged is in the log and comes back at the next start.
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

func (i *Ingester) instance(id tenant.ID) *instance {
	i.mu.Lock()
	defer i.mu.Unlock()
	in := i.tenants[id]
	if in == nil {
		in = &instance{set: columns.New("live columns of "+string(id), columns.DefaultOptions())}
		i.tenants[id] = in
	}
	return in
}

// Push makes a portion durable and findable. Nil means both; p's bytes are not
// kept. Errors: *portion.Refusal (retry later), or the failure of the log.
func (i *Ingester) Push(ctx context.Context, p *portion.Portion) (portion.Receipt, error) {
	i.pushes.Add(1)
	defer i.pushes.Done()
	if i.stopping.Load() {
		return portion.Receipt{}, i.refuse(&portion.Refusal{Reason: "stopping", Detail: "this ingester is stopping", RetryAfter: time.Second})
	}
	// What a portion becomes is known only once it is decoded; the columns of
	// ordinary spans are smaller than their wire form.
	if have := i.live.Load(); have+int64(p.RawSize) > i.cfg.MaxLiveBytes {
		return portion.Receipt{}, i.refuse(&portion.Refusal{Reason: "live_bytes", RetryAfter: 5 * time.Second,
			Detail: fmt.Sprintf("live spans take %d bytes of at most %d (ingester.max_live_bytes)", have, i.cfg.MaxLiveBytes)})
	}
	raw, err := i.payload(p)
	if err != nil {
		return portion.Receipt{}, err
	}
	in := i.instance(p.Stream.Tenant)
	in.mu.Lock()
	_, commit, err := i.log.Append(kindPortion, p.AppendHeader(nil), p.Payload)
	if err != nil {
		in.mu.Unlock()
		return portion.Receipt{}, i.refusal(err)
	}
	rejected := i.decode(in, p, raw) // while the disk syncs
	in.mu.Unlock()
	if err := commit.Wait(ctx); err != nil {
		return portion.Receipt{}, i.refusal(err)
	}
	return portion.Receipt{Rejected: rejected}, nil
}

// payload returns the decompressed payload.
func (i *Ingester) payload(p *portion.Portion) ([]byte, error) {
	if p.Raw != nil {
		return p.Raw, nil
	}
	if n, err := s2.DecodedLen(p.Payload); err != nil || n != p.RawSize || n > i.cfg.MaxPortionBytes {
		return nil, fmt.Errorf("portion %d of tenant %s: payload says %d bytes, header %d, at most %d allowed: %w", p.Seq, p.Stream.Tenant, n, p.RawSize, i.cfg.MaxPortionBytes, errors.Join(portion.ErrRecord, err))
	}
	raw, err := s2.Decode(nil, p.Payload)
	if err != nil {
		return nil, fmt.Errorf("portion %d of tenant %s: %w", p.Seq, p.Stream.Tenant, err)
	}
	return raw, nil
}

// decode appends a portion to the columns of in, whose lock the caller holds.
// Decoding is guarded: a portion that hits a bug stays in the log, is counted
// and named, and takes nothing else with it.
func (i *Ingester) decode(in *instance, p *portion.Portion, raw []byte) (rejected map[string]int) {
	defer func() {
		if v := recover(); v != nil {
			i.m.quarantined.Inc()
			i.opts.Logger.Error("bug: portion cannot be decoded and stays in the log", "tenant", p.Stream.Tenant,
				"boot", p.Stream.Boot, "seq", p.Seq, "panic", v, "stack", string(debug.Stack()))
			rejected = map[string]int{"quarantined": p.Spans}
		}
		size := in.set.Bytes()
		i.live.Add(size - in.size)
		in.size = size
	}()
	res, err := in.set.Append(raw, p.ReceivedUnixNano)
	i.m.spans.Add(float64(res.Spans))
	if err != nil {
		i.opts.Logger.Error("portion is malformed", "tenant", p.Stream.Tenant, "seq", p.Seq, "err", err)
		rejected = map[string]int{columns.ReasonMalformedSpan: p.Spans - res.Spans}
	}
	for reason, n := range res.Rejected {
		if rejected == nil {
			rejected = map[string]int{}
		}
		rejected[reason] += n
	}
	for reason, n := range rejected {
		i.m.rejected.WithLabelValues(reason).Add(float64(n))
	}
	return rejected
}

// replay takes one record of the log.
func (i *Ingester) replay(r wal.Record) error {
	if r.Kind != kindPortion {
		return fmt.Errorf("log record at %d has kind %d, which this version does not know", r.Position, r.Kind)
	}
	p, err := portion.Parse(r.Data)
	if err != nil {
		return fmt.Errorf("log record at %d: %w", r.Position, err)
	}
	raw, err := i.payload(p)
	if err != nil {
		return fmt.Errorf("log record at %d: %w", r.Position, err)
	}
	in := i.instance(p.Stream.Tenant)
	in.mu.Lock()
	defer in.mu.Unlock()
	i.decode(in, p, raw)
	return nil
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

// Recent returns the sources that hold the tenant's spans, each to be released,
// and whether the log is still being replayed, so that spans may be missing.
func (i *Ingester) Recent(id tenant.ID) (sources []storage.Source, replaying bool) {
	replaying = i.Replaying()
	i.mu.Lock()
	in := i.tenants[id]
	i.mu.Unlock()
	if in == nil {
		return nil, replaying
	}
	parts := in.set.Parts()
	return parts[:], replaying
}

// TenantStats is what an ingester holds of one tenant.
type TenantStats struct {
	Tenant tenant.ID `json:"tenant"`
	Rows   int       `json:"spans"`
	Bytes  int64     `json:"bytes"`
}

// Stats describes the ingester for a status page.
type Stats struct {
	Replaying bool          `json:"replaying"`
	LiveBytes int64         `json:"live_bytes"`
	Log       wal.Stats     `json:"log"`
	Damage    []wal.Damage  `json:"damage"`
	Tenants   []TenantStats `json:"tenants"`
}

// Stats returns the present figures; tenants are sorted by name.
func (i *Ingester) Stats() Stats {
	st := Stats{Replaying: i.Replaying(), LiveBytes: i.live.Load(), Log: i.log.Stats(), Damage: i.Damage()}
	i.mu.Lock()
	defer i.mu.Unlock()
	for id, in := range i.tenants {
		st.Tenants = append(st.Tenants, TenantStats{id, in.set.Len(), in.set.Bytes()})
	}
	slices.SortFunc(st.Tenants, func(a, b TenantStats) int {
		if a.Tenant < b.Tenant {
			return -1
		}
		return 1
	})
	return st
}
