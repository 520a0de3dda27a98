package ingester

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/clewtrace/clew/storage/block"
)

// builder is the queue of sealed heads. One is built at a time: a build takes
// memory of its own, and the processors are needed for pushes and queries.
type builder struct {
	mu       sync.Mutex
	queue    []*job
	wake     chan struct{} // holds one token when there may be something to do
	done     chan struct{} // closed and replaced when a head was dropped
	building *job          // taken from the queue, not done
}

// job is a sealed head on its way into a block.
type job struct {
	in     *instance
	head   *head
	after  time.Time // not to be tried before
	failed int       // attempts
	built  chan struct{}
}

func (b *builder) init() {
	b.wake, b.done = make(chan struct{}, 1), make(chan struct{})
}

// freed returns a channel that is closed when the next head is dropped.
func (b *builder) freed() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.done
}

func (b *builder) add(j *job) {
	b.mu.Lock()
	b.queue = append(b.queue, j)
	b.mu.Unlock()
	b.signal()
}

func (b *builder) signal() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// next takes the first job that is due; else it says when one will be.
func (b *builder) next(now time.Time) (j *job, wait time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	wait = time.Hour
	for k, j := range b.queue {
		if d := j.after.Sub(now); d > 0 {
			wait = min(wait, d)
			continue
		}
		b.queue = append(b.queue[:k], b.queue[k+1:]...)
		b.building = j
		return j, 0
	}
	return nil, wait
}

// again puts a job that could not be done back.
func (b *builder) again(j *job) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.building = nil
	b.queue = append(b.queue, j)
}

// finish tells everyone that j's head is in a block.
func (b *builder) finish(j *job) {
	close(j.built)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.building = nil
	close(b.done)
	b.done = make(chan struct{})
}

// pending returns the jobs that are not done.
func (b *builder) pending() []*job {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := append([]*job(nil), b.queue...)
	if b.building != nil {
		out = append(out, b.building)
	}
	return out
}

// cut seals the open head of in, whose lock the caller holds, and has it built.
func (i *Ingester) cut(in *instance, why string) {
	h := in.seal()
	if h == nil {
		return
	}
	i.m.cuts.WithLabelValues(why).Inc()
	i.opts.Logger.Debug("head cut", "tenant", in.id, "why", why, "spans", h.rows, "bytes", h.size, "portions", len(h.records), "age", time.Since(h.began).Round(time.Millisecond))
	i.builds.add(&job{in: in, head: h, built: make(chan struct{})})
}

// cutAll cuts the open heads of all tenants.
func (i *Ingester) cutAll(why string) {
	for _, in := range i.instances() {
		in.mu.Lock()
		i.cut(in, why)
		in.mu.Unlock()
	}
}

// cutEvery is how often heads are looked at for their age.
const cutEvery = time.Second

// cutByTime cuts heads that are old or have stopped growing.
func (i *Ingester) cutByTime(ctx context.Context) {
	tick := time.NewTicker(min(cutEvery, i.cfg.Block.MaxIdle/2))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			for _, in := range i.instances() {
				in.mu.Lock()
				if h := in.open; h != nil && !h.began.IsZero() {
					switch {
					case now.Sub(h.began) >= i.cfg.Block.MaxAge:
						i.cut(in, "age")
					case now.Sub(h.grew) >= i.cfg.Block.MaxIdle:
						i.cut(in, "idle")
					}
				}
				in.mu.Unlock()
			}
		}
	}
}

// Flush cuts everything and returns when all that was pushed before is in
// blocks.
func (i *Ingester) Flush(ctx context.Context) error {
	select {
	case <-i.replayed:
	case <-ctx.Done():
		return fmt.Errorf("flush: the log is still being read: %w", ctx.Err())
	}
	i.cutAll("flush")
	for _, j := range i.builds.pending() {
		select {
		case <-j.built:
		case <-ctx.Done():
			return fmt.Errorf("flush: %w", ctx.Err())
		}
	}
	return nil
}

// build makes blocks of sealed heads, oldest first, until ctx ends. A head that
// cannot be built now stays searchable and in the log, and is tried again.
func (i *Ingester) build(ctx context.Context) {
	for {
		var j *job
		wait := time.Hour
		if !i.replayComesFirst() {
			j, wait = i.builds.next(time.Now())
		}
		if j == nil {
			select {
			case <-ctx.Done():
				return
			case <-i.builds.wake:
			case <-time.After(wait):
			}
			continue
		}
		err := i.buildOne(ctx, j)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			j.failed++
			pause := min(time.Second<<min(j.failed-1, 6), time.Minute)
			j.after = time.Now().Add(pause)
			i.m.buildFailures.Inc()
			i.opts.Logger.Error("block cannot be built; its spans stay in memory and in the log", "tenant", j.in.id, "spans", j.head.rows,
				"attempts", j.failed, "again_in", pause, "err", err)
			i.builds.again(j)
		case j.failed > 0:
			i.opts.Logger.Info("blocks are built again", "tenant", j.in.id, "attempts", j.failed+1)
		}
	}
}

// replayComesFirst reports whether building should wait: after a start, finding
// what is in the log matters more than moving it into blocks, as long as there
// is memory. Whoever waits for memory signals the builder.
func (i *Ingester) replayComesFirst() bool {
	return i.Replaying() && i.live.Load() < int64(i.cfg.MaxLiveBytes)/2
}

// buildOne makes a block of a head, then drops the head and its records.
func (i *Ingester) buildOne(ctx context.Context, j *job) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("bug: %v\n%s", v, debug.Stack())
		}
	}()
	in, h := j.in, j.head
	began := time.Now()
	m, version, err := i.blocks.Write(ctx, h.set, block.WriteOptions{Tenant: in.id, ClusterID: i.opts.ClusterID, Coverage: h.coverage()})
	switch {
	case errors.Is(err, block.ErrEmpty):
		// Every span of every portion was refused: there is nothing to keep.
	case err != nil:
		return err
	default:
		i.opts.Logger.Info("block written", "tenant", in.id, "block", m.Block, "spans", m.Rows, "traces", m.Traces,
			"live_bytes", h.size, "took", time.Since(began).Round(time.Millisecond))
	}
	in.drop(h, version)
	for _, pos := range h.records {
		i.log.Drop(pos)
	}
	i.live.Add(-h.size)
	i.spans.Add(-h.rows)
	i.builds.finish(j)
	return nil
}
