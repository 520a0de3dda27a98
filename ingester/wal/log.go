// Package wal is the write-ahead log of an ingester: one sequence of records
// for all tenants, in segment files. It knows nothing of spans.
//
// There is no commit timer. One goroutine writes; the next write and fsync
// start when the last fsync returns, and take everything that waits. A caller
// appends, goes on working, and waits for its Commit before it answers.
//
// A second goroutine, the keeper, deletes segments of which nothing is needed
// and cleans those of which little is: it appends that little again. Each
// segment's header names all segments before it and proves where they end, and
// a deletion is recorded before it is done, so that no loss goes unnoticed.
package wal

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"log/slog"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/clewtrace/clew/storage/fsys"
)

// Position names a record: strictly increasing over the life of the log,
// restarts included, and never used twice. A record keeps it for life, also
// where cleaning moves it.
type Position uint64

// Kind tells records apart; the owner of the log gives it meaning.
type Kind uint8

// ErrClosed reports an append to a closed log.
var ErrClosed = errors.New("log is closed")

// Full reports that the log may not grow now. Trying again later is safe.
type Full struct {
	Reason string // log_bytes or disk_full
	Detail string
}

func (e *Full) Error() string { return e.Detail }

// Options of a log. Zero fields take the defaults of the comments.
type Options struct {
	SegmentBytes int64 // of records, at which a segment is sealed; 64 MiB, at least 128
	MaxBytes     int64 // disk budget of all segments; 8 GiB
	MinFree      int64 // space to leave free on the disk; 256 MiB
	QueueBytes   int64 // bytes that may wait for the disk; 64 MiB
	Header       Header
	Logger       *slog.Logger
	Registerer   prometheus.Registerer
}

func (o *Options) setDefaults() {
	def := func(v *int64, d int64) {
		if *v == 0 {
			*v = d
		}
	}
	def(&o.SegmentBytes, 64<<20)
	// A segment full with one record of a deletion would make another deletion.
	o.SegmentBytes = max(o.SegmentBytes, 128)
	def(&o.MaxBytes, 8<<30)
	def(&o.MinFree, 256<<20)
	def(&o.QueueBytes, 64<<20)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
}

// Log is a write-ahead log. All methods are safe for concurrent use.
type Log struct {
	fs     fsys.FS
	dir    string
	opts   Options
	lock   io.Closer
	m      *metrics
	done   chan struct{} // closed when the writer has ended
	kept   chan struct{} // closed when the keeper has ended
	stop   chan struct{} // closed to end the keeper
	wake   chan struct{} // tells the keeper to look; holds one
	failed chan struct{} // closed on a final failure

	mu      sync.Mutex
	work    sync.Cond // the writer waits for a batch
	room    sync.Cond // Append waits for room in the queue
	fill    *batch    // what the writer takes next
	idle    []byte    // a buffer for the batch after it
	queued  int64     // bytes in fill and with the writer
	next    Position
	closing bool  // nothing is appended any more
	ending  bool  // and the writer ends
	err     error // final failure

	segs   []*segment // by base
	active *segment   // the last of segs, or nil; only the writer changes it
	synced Position
	bytes  int64 // of all files
	spare  int64 // bytes of the spare file; 0 if there is none, below while it is taken
	moved  map[Position]place
	early  map[Position]bool // dropped before they were seen
	// unrecorded are segments deleted while the disk was too full to say so.
	unrecorded []Position

	replayed bool              // what follows is for replay
	old      int               // segments that were there at Open
	lost     []link            // segments that are missing
	torn     []Damage          // ranges given up at Open
	told     map[Position]bool // moved records that replay has come to

	freeAt time.Time // when free was asked for
	free   int64
	full   bool
	fsyncs [1024]time.Duration // ring of the last durations
	fsyncN int
}

func newLog(fs fsys.FS, dir string, opts Options, lock io.Closer) *Log {
	l := &Log{fs: fs, dir: dir, opts: opts, lock: lock, m: newMetrics(opts.Registerer),
		done: make(chan struct{}), kept: make(chan struct{}), stop: make(chan struct{}), wake: make(chan struct{}, 1), failed: make(chan struct{}),
		fill: newBatch(nil), moved: map[Position]place{}, early: map[Position]bool{}}
	l.work.L, l.room.L = &l.mu, &l.mu
	return l
}

// start starts the writer and the keeper; Close ends them.
func (l *Log) start() {
	go l.write()
	go l.keep()
}

// Commit is the durability of one record.
type Commit struct {
	done chan struct{}
	err  error
}

// Wait returns nil once the record is written and fsynced, or why it never
// will be: *Full if trying again may help, else the failure that ended the log.
// If ctx ends first, the record may still become durable.
func (c *Commit) Wait(ctx context.Context) error {
	select {
	case <-c.done:
		return c.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Append queues a record made of parts, which are copied. Records are on disk
// in the order of the calls. It does no I/O; it waits only while QueueBytes are
// queued. Kinds from 240 are the log's own. Errors: *Full, ErrClosed, or the
// failure that ended the log.
func (l *Log) Append(kind Kind, parts ...[]byte) (Position, *Commit, error) {
	h := recordHead{kind: kind}
	for _, p := range parts {
		h.length += len(p)
		h.dataCRC = crc32.Update(h.dataCRC, castagnoli, p)
	}
	if kind >= kindOwn || h.length > maxData {
		return 0, nil, fmt.Errorf("append a record of kind %d and %d bytes to the log: kinds end below %d, records at %d bytes", kind, h.length, kindOwn, maxData)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.queued > 0 && l.queued+h.size() > l.opts.QueueBytes && l.err == nil && !l.closing {
		l.room.Wait()
	}
	switch {
	case l.err != nil:
		return 0, nil, l.err
	case l.closing:
		return 0, nil, ErrClosed
	}
	if err := l.budgetLocked(h.size()); err != nil {
		l.m.refused.WithLabelValues(err.Reason).Inc()
		return 0, nil, err
	}
	pos := l.queueLocked(h, parts...)
	return pos, l.fill.commit, nil
}

// queueLocked gives a record its place and copies it into the next batch.
func (l *Log) queueLocked(h recordHead, parts ...[]byte) Position {
	h.pos = l.next
	if h.origin == 0 {
		h.origin = h.pos
	}
	l.fill.add(h, parts)
	l.next += Position(h.size())
	l.queued += h.size()
	l.work.Signal()
	return h.pos
}

// budgetLocked refuses n more bytes where they do not fit.
func (l *Log) budgetLocked(n int64) *Full {
	var full *Full
	if used := l.usedLocked() + l.queued; used+n > l.opts.MaxBytes {
		full = &Full{"log_bytes", fmt.Sprintf("log in %s holds %d bytes of at most %d; it shrinks as blocks are stored, or raise log.max_bytes", l.dir, used, l.opts.MaxBytes)}
	} else {
		if now := time.Now(); now.Sub(l.freeAt) > time.Second {
			l.freeAt = now
			free, err := l.fs.Free(l.dir)
			if err != nil {
				free = math.MaxInt64 // the write will tell
			}
			l.free = free
		}
		if l.free-l.queued-n < l.opts.MinFree {
			full = &Full{"disk_full", fmt.Sprintf("disk of %s has %d bytes free, and log.min_free_bytes keeps %d: free some space", l.dir, l.free, l.opts.MinFree)}
		}
	}
	if (full != nil) != l.full {
		l.full = full != nil
		if full != nil {
			l.opts.Logger.Warn("log refuses pushes", "reason", full.Reason, "detail", full.Detail)
		} else {
			l.opts.Logger.Info("log takes pushes again", "dir", l.dir)
		}
	}
	return full
}

// Failed is closed when the log has failed for good; Err then says why. The
// process should end: what it answers from now on cannot be made durable.
func (l *Log) Failed() <-chan struct{} { return l.failed }

// Err is the failure that ended the log, or nil.
func (l *Log) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// Header is the identity in the segments: that of the log's creation.
func (l *Log) Header() Header { return l.opts.Header }

// Close writes what is queued and closes the files.
func (l *Log) Close() error {
	l.mu.Lock()
	if l.closing {
		l.mu.Unlock()
		return nil
	}
	l.closing = true
	l.room.Broadcast()
	l.mu.Unlock()
	close(l.stop)
	<-l.kept // before the writer: the keeper waits for it
	l.mu.Lock()
	l.ending = true
	l.work.Broadcast()
	l.mu.Unlock()
	<-l.done
	return l.lock.Close()
}

// usedLocked is the size of the log without what waits to be written over.
func (l *Log) usedLocked() int64 {
	used := l.bytes - max(l.spare, 0)
	if s := l.active; s != nil {
		used -= s.disk - s.size
	}
	return used
}

// Stats describes a log. Bytes are those of its files; LiveBytes of them are
// needed, as far as replay has come.
type Stats struct {
	Dir                string
	Segments           int
	Bytes, LiveBytes   int64
	Next, Synced       Position
	FsyncP50, FsyncP99 time.Duration
	Fsyncs             int
	Full               bool
}

// Stats returns the present figures; fsync quantiles are over the last 1,024.
func (l *Log) Stats() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	st := Stats{Dir: l.dir, Segments: len(l.segs), Bytes: l.bytes, Next: l.next, Synced: l.synced, Fsyncs: l.fsyncN, Full: l.full}
	for _, s := range l.segs {
		st.LiveBytes += s.live
	}
	d := slices.Clone(l.fsyncs[:min(l.fsyncN, len(l.fsyncs))])
	slices.Sort(d)
	if len(d) > 0 {
		st.FsyncP50, st.FsyncP99 = d[len(d)/2], d[len(d)*99/100]
	}
	return st
}
