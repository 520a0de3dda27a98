// Package drive sends what a loadgen.Generator makes and measures what comes
// back: through the exporters of the OpenTelemetry SDK, as applications do, or
// as encoded requests over bare gRPC or HTTP connections, so that little is
// spent beside the server. A Meter counts while a run goes on; Run returns its
// Report.
package drive

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/clewtrace/clew/cmd/internal/loadgen"
)

// Sender delivers requests over one connection, one after the other. It tries
// again what the server refuses for now, and counts each attempt in its Meter.
type Sender interface {
	// Send returns nil when the request is acknowledged, even if some of its
	// spans were rejected. It does not use the request after it returned nil.
	Send(ctx context.Context, r loadgen.Request) error
	io.Closer
}

// Config of a run.
type Config struct {
	// Paced sends each request when its virtual time, counted from Origin, has
	// come; else the senders go flat out.
	Paced bool
	// Origin is the generator's.
	Origin time.Time
	// Duration ends the run; 0 leaves it to the generator.
	Duration time.Duration
	// AheadBytes bounds the requests that are made before they are sent. The
	// run starts when so much is ready.
	AheadBytes int64
	// Grace is how long requests under way may take when the run is cut off.
	Grace time.Duration
	// Progress, if set, is called each second.
	Progress func(Progress)
}

// queueLength bounds the requests made ahead by number, for very small ones.
const queueLength = 1 << 14

// run is what the goroutines of one Run share.
type run struct {
	cfg   Config
	gen   *loadgen.Generator
	meter *Meter
	queue chan loadgen.Request
	ahead *semaphore.Weighted
	done  chan []byte   // bodies to be used again
	ready chan struct{} // closed when enough is made
	began time.Time     // set before ready is seen
	cpu   time.Duration // of the generator; read after queue is closed
}

// Run sends everything that gen makes, until gen ends, Duration has passed or
// ctx is done. The latter two are no error: the report says what was sent. It
// is an error if spans were given up. Run closes no sender.
func Run(ctx context.Context, gen *loadgen.Generator, senders []Sender, meter *Meter, cfg Config) (*Report, error) {
	if len(senders) == 0 {
		return nil, fmt.Errorf("no connection to send on")
	}
	r := &run{
		cfg: cfg, gen: gen, meter: meter, queue: make(chan loadgen.Request, queueLength),
		ahead: semaphore.NewWeighted(cfg.AheadBytes), done: make(chan []byte, 256), ready: make(chan struct{}),
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	before := processCPU()
	var making sync.WaitGroup
	making.Go(func() { r.make(ctx) })
	select {
	case <-r.ready:
	case <-ctx.Done():
	}

	r.began = time.Now()
	meter.start(r.began)
	if cfg.Duration > 0 {
		timer := time.AfterFunc(cfg.Duration, cancel)
		defer timer.Stop()
	}
	// Requests under way outlive ctx by the grace.
	sendCtx, cutOff := context.WithCancel(context.WithoutCancel(ctx))
	defer cutOff()
	stopGrace := context.AfterFunc(ctx, func() { time.AfterFunc(cfg.Grace, cutOff) })
	defer stopGrace()

	var sending sync.WaitGroup
	for _, s := range senders {
		sending.Go(func() { r.send(ctx, sendCtx, s) })
	}
	finished := make(chan struct{})
	go func() { sending.Wait(); close(finished) }()
	r.report(finished)
	elapsed := time.Since(r.began)
	cancel()
	making.Wait()

	rep := meter.report(elapsed)
	rep.CPU = CPUSeconds{Generator: r.cpu.Seconds(), Process: (processCPU() - before).Seconds()}
	if n := rep.Spans.GivenUp; n > 0 {
		return rep, fmt.Errorf("%d spans were not delivered; the last error: %s", n, rep.LastError)
	}
	return rep, nil
}

// make fills the queue until the generator ends or ctx is done, and keeps the
// count of its own CPU time apart.
func (r *run) make(ctx context.Context) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	before := threadCPU()
	defer func() {
		r.cpu = threadCPU() - before
		close(r.queue)
	}()
	started := sync.OnceFunc(func() { close(r.ready) })
	defer started()
	for {
		var buf []byte
		select {
		case buf = <-r.done:
		default:
		}
		req, ok := r.gen.Next(buf)
		if !ok {
			return
		}
		n := min(int64(len(req.Body)), r.cfg.AheadBytes)
		if !r.ahead.TryAcquire(n) {
			started()
			if r.ahead.Acquire(ctx, n) != nil {
				return
			}
		}
		select {
		case r.queue <- req:
			continue
		default:
			started()
		}
		select {
		case r.queue <- req:
		case <-ctx.Done():
			return
		}
	}
}

// send takes requests until there are no more or ctx is done.
func (r *run) send(ctx, sendCtx context.Context, s Sender) {
	for {
		select {
		case <-ctx.Done():
			return
		default:
		}
		req, ok := <-r.queue
		if !ok {
			return
		}
		if r.cfg.Paced && !sleep(ctx, time.Until(r.began.Add(time.Duration(req.Clock-r.cfg.Origin.UnixNano())))) {
			return
		}
		r.meter.sent(req)
		err := s.Send(sendCtx, req)
		r.ahead.Release(min(int64(len(req.Body)), r.cfg.AheadBytes))
		if err != nil {
			r.meter.gaveUp(req, err)
			continue
		}
		r.meter.acked(req)
		select {
		case r.done <- req.Body:
		default:
		}
	}
}

// report calls Progress each second until finished is closed.
func (r *run) report(finished <-chan struct{}) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-finished:
			return
		case now := <-tick.C:
			p := r.meter.progress(now)
			if r.cfg.Progress != nil {
				r.cfg.Progress(p)
			}
		}
	}
}

// sleep waits for d and reports whether ctx was still alive then.
func sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
