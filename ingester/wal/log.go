// Package wal is the write-ahead log of an ingester: one sequence of records
// for all tenants, in segment files. It knows nothing of spans.
//
// There is no commit timer. One goroutine writes; the next write and fsync
// start when the last fsync returns, and take everything that waits. A caller
// appends, goes on working, and waits for its Commit before it answers.
package wal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/clewtrace/clew/storage/fsys"
)

// Position is the place of a record: strictly increasing over the life of the
// log, restarts included, and never used twice.
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
	SegmentBytes int64 // size at which a segment is sealed; 64 MiB
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
	failed chan struct{} // closed on a final failure

	mu      sync.Mutex
	work    sync.Cond // the writer waits for entries
	room    sync.Cond // Append waits for room in the queue
	queue   []*entry
	queued  int64
	next    Position
	closing bool
	err     error // final failure

	segs      []*segment // by base; the last is active once the writer made one
	old       int        // segments that were there at Open
	synced    Position
	bytes     int64
	freeAt    time.Time // when free was asked for
	free      int64
	full      bool
	fsyncs    [1024]time.Duration // ring of the last durations
	fsyncN    int
	seqActive *segment
}

// entry is a record on its way to the disk.
type entry struct {
	buf    []byte // header and data
	kind   Kind
	pos    Position
	commit *Commit
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
// queued. Errors: *Full, ErrClosed, or the failure that ended the log.
func (l *Log) Append(kind Kind, parts ...[]byte) (Position, *Commit, error) {
	n := 0
	for _, p := range parts {
		n += len(p)
	}
	buf := make([]byte, recordHeader, recordHeader+n)
	for _, p := range parts {
		buf = append(buf, p...)
	}
	e := &entry{buf: buf, kind: kind, commit: &Commit{done: make(chan struct{})}}
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.queued > 0 && l.queued+int64(len(buf)) > l.opts.QueueBytes && l.err == nil && !l.closing {
		l.room.Wait()
	}
	switch {
	case l.err != nil:
		return 0, nil, l.err
	case l.closing:
		return 0, nil, ErrClosed
	}
	if err := l.budgetLocked(int64(len(buf))); err != nil {
		l.m.refused.WithLabelValues(err.Reason).Inc()
		return 0, nil, err
	}
	e.pos = l.next
	l.next += Position(len(buf))
	l.queue = append(l.queue, e)
	l.queued += int64(len(buf))
	l.work.Signal()
	return e.pos, e.commit, nil
}

// budgetLocked refuses n more bytes where they do not fit.
func (l *Log) budgetLocked(n int64) *Full {
	var full *Full
	if l.bytes+l.queued+n > l.opts.MaxBytes {
		full = &Full{"log_bytes", fmt.Sprintf("log in %s holds %d bytes of at most %d; it shrinks as blocks are stored, or raise log.max_bytes", l.dir, l.bytes+l.queued, l.opts.MaxBytes)}
	} else {
		if now := time.Now(); now.Sub(l.freeAt) > time.Second {
			l.freeAt = now
			if free, err := l.fs.Free(l.dir); err == nil {
				l.free = free
			}
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

// run is the writer.
func (l *Log) run() {
	defer close(l.done)
	for {
		l.mu.Lock()
		for len(l.queue) == 0 && !l.closing {
			l.work.Wait()
		}
		batch := l.queue
		l.queue = nil
		synced, bad := l.synced, l.err
		closing := l.closing
		l.mu.Unlock()
		if len(batch) == 0 {
			if closing {
				return
			}
			continue
		}
		err := bad
		if err == nil {
			err = l.write(batch, synced)
		}
		l.settle(batch, err)
	}
}

// settle answers everyone in batch.
func (l *Log) settle(batch []*entry, err error) {
	var full *Full
	l.mu.Lock()
	for _, e := range batch {
		l.queued -= int64(len(e.buf))
	}
	if err == nil {
		last := batch[len(batch)-1]
		l.synced = last.pos + Position(len(last.buf))
	} else if !errors.As(err, &full) && l.err == nil {
		l.err = fmt.Errorf("log %s has failed and takes nothing more: %w", l.dir, err)
		l.opts.Logger.Error("log failed", "dir", l.dir, "err", err)
		close(l.failed)
	}
	if err != nil && full == nil {
		err = l.err
	}
	l.room.Broadcast()
	l.mu.Unlock()
	for _, e := range batch {
		e.commit.err = err
		close(e.commit.done)
	}
}

// write appends batch to the active segment and makes it durable. An error
// other than *Full is final: after a failed fsync nothing is known of the disk.
func (l *Log) write(batch []*entry, synced Position) error {
	size := int64(0)
	for _, e := range batch {
		putRecordHeader(e.buf, e.kind, e.pos, synced, len(e.buf)-recordHeader)
		size += int64(len(e.buf))
	}
	seg := l.seqActive
	if seg == nil || seg.size >= l.opts.SegmentBytes {
		var err error
		if seg, err = l.startSegment(batch[0].pos); err != nil {
			return fullOr(err, "start a segment in "+l.dir)
		}
	}
	for _, e := range batch {
		if _, err := seg.file.Write(e.buf); err != nil {
			// Nothing of the batch counts: take it back to the durable end.
			if terr := seg.file.Truncate(seg.size); terr != nil {
				return fmt.Errorf("write %s: %w; cutting it back: %w", seg.name, err, terr)
			}
			return fullOr(err, "write "+seg.name)
		}
	}
	start := time.Now()
	if err := seg.file.Sync(); err != nil {
		return fmt.Errorf("fsync %s: %w", seg.name, err)
	}
	took := time.Since(start)
	l.m.fsync.Observe(took.Seconds())
	l.m.written.Add(float64(size))
	l.m.records.Add(float64(len(batch)))
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fsyncs[l.fsyncN%len(l.fsyncs)] = took
	l.fsyncN++
	seg.size += size
	l.bytes += size
	l.m.bytes.Set(float64(l.bytes))
	for _, e := range batch {
		seg.add(e.pos, len(e.buf))
	}
	return nil
}

// startSegment seals the active segment and opens one that begins at base.
func (l *Log) startSegment(base Position) (*segment, error) {
	name := path.Join(l.dir, segmentName(base))
	f, err := l.fs.Create(name)
	if err != nil {
		return nil, err
	}
	head := encodeSegmentHeader(l.opts.Header, base)
	if _, err = f.Write(head); err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = l.fs.SyncDir(l.dir)
	}
	if err != nil {
		f.Close()
		return nil, errors.Join(err, l.fs.Remove(name))
	}
	l.mu.Lock()
	if l.seqActive != nil {
		l.sealLocked()
	}
	seg := &segment{name: name, base: base, file: f, head: len(head), size: int64(len(head)), live: map[Position]uint32{}, counted: true}
	l.segs = append(l.segs, seg)
	l.seqActive = seg
	l.bytes += seg.size
	l.m.segments.Set(float64(len(l.segs)))
	l.mu.Unlock()
	l.reap()
	return seg, nil
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
	l.work.Broadcast()
	l.room.Broadcast()
	l.mu.Unlock()
	<-l.done
	var errs []error
	for _, s := range l.segs {
		if s.file != nil {
			errs = append(errs, s.file.Close())
		}
	}
	return errors.Join(append(errs, l.lock.Close())...)
}
