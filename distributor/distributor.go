// Package distributor receives spans. It checks them on the wire, makes
// portions of them, compresses each portion once and hands it to the ingesters
// that own its traces. It answers a client only when the spans are durable.
package distributor

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/klauspost/compress/s2"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/semaphore"

	"github.com/clewtrace/clew/distributor/otlpwire"
	"github.com/clewtrace/clew/ingester/portion"
	"github.com/clewtrace/clew/storage/tenant"
)

// Pusher gives a portion to its owners. A nil error means that the portion is
// durable and its spans can be found. Once Push has returned, with an error or
// without, the Pusher keeps no reference to the portion's bytes: they are used
// for the next request.
type Pusher interface {
	Push(ctx context.Context, p *portion.Portion) (portion.Receipt, error)
}

// Options are what a Distributor is built from beside its Config.
type Options struct {
	Logger     *slog.Logger
	Registerer prometheus.Registerer // may be nil
	// Multitenancy makes the doors ask for X-Scope-OrgID.
	Multitenancy bool
}

// Distributor is safe for concurrent use. It keeps no goroutine between calls.
type Distributor struct {
	cfg      Config
	opts     Options
	pusher   Pusher
	builder  portion.Identity
	boot     uuid.UUID
	m        *metrics
	inFlight *semaphore.Weighted
	expected atomic.Int64 // size that the next request may have
	splits   sync.Pool    // *otlpwire.Splitter
	buffers  *bufferPool

	mu      sync.Mutex // guards tenants and logged
	tenants map[tenant.ID]*tenantState
	logged  map[string]time.Time
}

// tenantState is what a Distributor keeps of a tenant for as long as it runs:
// a number of a stream is never given twice.
type tenantState struct {
	id           tenant.ID
	seq          atomic.Uint64
	spans, bytes prometheus.Counter
}

// New returns a Distributor whose portions are built by builder.
func New(cfg Config, pusher Pusher, builder portion.Identity, opts Options) (*Distributor, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("distributor.%w", err)
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	return &Distributor{
		cfg: cfg, opts: opts, pusher: pusher, builder: builder, boot: uuid.New(), m: newMetrics(opts.Registerer),
		inFlight: semaphore.NewWeighted(int64(cfg.MaxInFlightBytes)),
		splits:   sync.Pool{New: func() any { return new(otlpwire.Splitter) }},
		buffers:  newBufferPool(s2.MaxEncodedLen(int(cfg.MaxRequestBytes))), // more than the request itself
		tenants:  map[tenant.ID]*tenantState{}, logged: map[string]time.Time{},
	}, nil
}

// Outcome says what became of the spans of an accepted request.
type Outcome struct {
	Spans    int            // safe
	Rejected map[string]int // refused for good, by reason
}

// RejectedSpans is the number of spans refused for good.
func (o *Outcome) RejectedSpans() (n int64) {
	for _, c := range o.Rejected {
		n += int64(c)
	}
	return n
}

// Message says why spans were refused, for a human; empty if none were.
func (o *Outcome) Message() string {
	if len(o.Rejected) == 0 {
		return ""
	}
	parts := make([]string, 0, len(o.Rejected))
	for _, r := range slices.Sorted(maps.Keys(o.Rejected)) {
		parts = append(parts, fmt.Sprintf("%d %s", o.Rejected[r], r))
	}
	return "spans refused: " + strings.Join(parts, ", ")
}

// Push takes an ExportTraceServiceRequest as wire bytes, which it only reads
// and does not keep. A nil error means that all spans are durable and can be
// found, but for those that Outcome counts as rejected. Errors:
// otlpwire.ErrMalformed (never retry), *portion.Refusal (retry later), others
// (retry). After an error the client may push the same again: equal spans count
// once.
func (d *Distributor) Push(ctx context.Context, id tenant.ID, req []byte) (Outcome, error) {
	a, err := d.admit(ctx, id, int64(len(req)))
	if err != nil {
		return Outcome{}, err
	}
	defer a.release()
	return d.pushAdmitted(ctx, id, req, nil, a)
}

// admission is bytes of Config.MaxInFlightBytes that a request holds.
type admission struct {
	d *Distributor
	n int64
}

// admit waits until n bytes are free; see admission.resize. An error is
// context.Canceled or a *portion.Refusal.
func (d *Distributor) admit(ctx context.Context, id tenant.ID, n int64) (*admission, error) {
	a := &admission{d: d}
	return a, a.resize(ctx, id, n)
}

// resize makes n bytes of what a holds. It waits for what is missing up to
// PushTimeout, and holds nothing meanwhile: requests that wait for each other
// would wait forever. After an error a holds nothing.
func (a *admission) resize(ctx context.Context, id tenant.ID, n int64) error {
	d := a.d
	switch {
	case n == a.n:
		return nil
	case n < a.n:
		d.inFlight.Release(a.n - n)
	case !d.inFlight.TryAcquire(n - a.n):
		a.release()
		ctx, cancel := context.WithTimeout(ctx, d.cfg.PushTimeout)
		defer cancel()
		if err := d.inFlight.Acquire(ctx, n); err != nil {
			if errors.Is(err, context.Canceled) {
				return err
			}
			r := &portion.Refusal{Reason: "in_flight_bytes", RetryAfter: time.Second,
				Detail: fmt.Sprintf("requests of %d bytes wait for the ingesters already (distributor.max_in_flight_bytes)", d.cfg.MaxInFlightBytes)}
			d.refused(id, r)
			return r
		}
	}
	d.m.inFlight.Add(float64(n - a.n))
	a.n = n
	return nil
}

func (a *admission) release() {
	a.d.inFlight.Release(a.n)
	a.d.m.inFlight.Sub(float64(a.n))
	a.n = 0
}

// expect is the size for which a request is admitted whose size is known only
// once it has been read: that of the largest of late.
func (d *Distributor) expect() int64 {
	return min(max(d.expected.Load(), minExpected), int64(d.cfg.MaxRequestBytes))
}

const minExpected = 16 << 10

// note takes the size of a request into expect, which falls slowly.
func (d *Distributor) note(n int) {
	was := d.expected.Load()
	now := max(int64(n), was-(was-int64(n))/64)
	if now != was {
		d.expected.CompareAndSwap(was, now) // losing to another request is as good
	}
}

// pushAdmitted is Push for a request that a was admitted for, whatever its
// size turned out to be. refused are spans that its door has left out.
func (d *Distributor) pushAdmitted(ctx context.Context, id tenant.ID, req []byte, refused map[string]int, a *admission) (Outcome, error) {
	start := time.Now()
	d.note(len(req))
	if err := a.resize(ctx, id, int64(len(req))); err != nil {
		return Outcome{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, d.cfg.PushTimeout)
	defer cancel()
	t := d.tenant(id)
	out, err := d.push(ctx, t, req)
	d.m.seconds.Observe(time.Since(start).Seconds())
	var r *portion.Refusal
	if errors.As(err, &r) {
		d.refused(id, r)
	} else if err == nil {
		for reason, n := range refused {
			if out.Rejected == nil {
				out.Rejected = map[string]int{}
			}
			out.Rejected[reason] += n
		}
		t.spans.Add(float64(out.Spans))
		t.bytes.Add(float64(len(req)))
		for reason, n := range out.Rejected {
			d.m.rejected.WithLabelValues(string(id), reason).Add(float64(n))
			d.logNow(string(id)+reason, "spans refused", "tenant", id, "reason", reason, "spans", n)
		}
	}
	return out, err
}

func (d *Distributor) push(ctx context.Context, t *tenantState, req []byte) (Outcome, error) {
	sp := d.splits.Get().(*otlpwire.Splitter)
	defer d.splits.Put(sp)
	res, err := sp.Split(req, 1, nil)
	if err != nil {
		return Outcome{}, err
	}
	out := Outcome{Rejected: res.Rejected}
	part := res.Parts[0]
	if part.Spans == 0 {
		return out, nil
	}
	buf := d.buffers.Get(s2.MaxEncodedLen(len(part.Payload)))
	p := &portion.Portion{
		Stream: portion.Stream{Tenant: t.id, Boot: d.boot, Builder: d.builder}, Seq: t.seq.Add(1), Spans: part.Spans,
		Payload: s2.Encode(*buf, part.Payload), RawSize: len(part.Payload), Raw: part.Payload,
		ReceivedUnixNano: uint64(time.Now().UnixNano()),
	}
	receipt, err := d.pusher.Push(ctx, p)
	d.buffers.Put(buf) // not after a panic
	if err != nil {
		return Outcome{}, err
	}
	out.Spans = part.Spans
	for reason, n := range receipt.Rejected {
		if out.Rejected == nil {
			out.Rejected = map[string]int{}
		}
		out.Rejected[reason] += n
		out.Spans -= n
	}
	return out, nil
}

func (d *Distributor) tenant(id tenant.ID) *tenantState {
	d.mu.Lock()
	defer d.mu.Unlock()
	t := d.tenants[id]
	if t == nil {
		t = &tenantState{id: id, spans: d.m.spans.WithLabelValues(string(id)), bytes: d.m.bytes.WithLabelValues(string(id))}
		d.tenants[id] = t
	}
	return t
}

func (d *Distributor) refused(id tenant.ID, r *portion.Refusal) {
	d.m.refused.WithLabelValues(string(id), r.Reason).Inc()
	d.logNow(string(id)+r.Reason, "push refused", "tenant", id, "reason", r.Reason, "detail", r.Detail)
}

// logNow logs at most once a minute per key.
func (d *Distributor) logNow(key, msg string, args ...any) {
	now := time.Now()
	d.mu.Lock()
	last, seen := d.logged[key]
	due := !seen || now.Sub(last) >= time.Minute
	if due {
		if len(d.logged) > 10_000 {
			clear(d.logged)
		}
		d.logged[key] = now
	}
	d.mu.Unlock()
	if due {
		d.opts.Logger.Warn(msg, args...)
	}
}
