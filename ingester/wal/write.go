package wal

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"syscall"
	"time"
)

// keepBuffer is the largest buffer that is kept for another batch.
const keepBuffer = 8 << 20

// batch is what one write and one fsync take: records with consecutive
// positions from base, encoded but for what finishHead adds.
type batch struct {
	base   Position
	buf    []byte
	seal   bool // seal the active segment afterwards
	commit *Commit
}

func newBatch(buf []byte) *batch {
	return &batch{buf: buf[:0], commit: &Commit{done: make(chan struct{})}}
}

func (b *batch) add(h recordHead, parts [][]byte) {
	at := len(b.buf)
	if at == 0 {
		b.base = h.pos
	}
	b.buf = slices.Grow(b.buf, int(h.size()))[:at+recordHeader]
	h.put(b.buf[at:])
	for _, p := range parts {
		b.buf = append(b.buf, p...)
	}
}

// each calls fn for the records of b.
func (b *batch) each(fn func(h recordHead, rec []byte)) {
	for buf := b.buf; len(buf) > 0; {
		h := rawHead(buf)
		fn(h, buf[:h.size()])
		buf = buf[h.size():]
	}
}

// write is the writer.
func (l *Log) write() {
	defer close(l.done)
	for {
		l.mu.Lock()
		for len(l.fill.buf) == 0 && !l.fill.seal && !l.ending {
			l.work.Wait()
		}
		b := l.fill
		l.fill, l.idle = newBatch(l.idle), nil
		synced, err := l.synced, l.err
		l.mu.Unlock()
		if len(b.buf) == 0 && !b.seal {
			l.finish()
			return
		}
		if err == nil {
			err = l.writeBatch(b, synced)
		}
		l.answer(b, err)
	}
}

// answer tells everyone in b how it went.
func (l *Log) answer(b *batch, err error) {
	var full *Full
	l.mu.Lock()
	n := int64(len(b.buf))
	l.queued -= n
	if err == nil && n > 0 {
		l.synced = b.base + Position(n)
	} else if err != nil {
		if !errors.As(err, &full) && l.err == nil {
			l.err = fmt.Errorf("log %s has failed and takes nothing more: %w", l.dir, err)
			l.opts.Logger.Error("log failed", "dir", l.dir, "err", err)
			close(l.failed)
		}
		if full == nil {
			err = l.err
		}
		maps.DeleteFunc(l.early, func(pos Position, _ bool) bool { return pos >= b.base && pos < b.base+Position(n) })
	}
	if cap(b.buf) <= keepBuffer {
		l.idle = b.buf
	}
	l.room.Broadcast()
	l.mu.Unlock()
	b.commit.err = err
	close(b.commit.done)
}

// writeBatch appends b to the active segment and makes it durable. An error
// other than *Full is final: after a failed fsync nothing is known of the disk.
func (l *Log) writeBatch(b *batch, synced Position) error {
	if len(b.buf) == 0 {
		return l.seal()
	}
	seg := l.active
	// A batch that was refused has left a gap; within a segment there is none.
	if seg == nil || seg.size-int64(seg.head) >= l.opts.SegmentBytes || seg.end != b.base {
		var err error
		if seg, err = l.startSegment(b.base); err != nil {
			return fullOr(err, "start a segment in "+l.dir)
		}
	}
	records := 0
	b.each(func(_ recordHead, rec []byte) {
		finishHead(rec, seg.base, synced)
		records++
	})
	if _, err := seg.file.WriteAt(b.buf, seg.size); err != nil {
		// Nothing of the batch counts: take it back to the durable end.
		if terr := l.cut(seg); terr != nil {
			return fmt.Errorf("write %s: %w; cutting it back: %w", seg.name, err, terr)
		}
		return fullOr(err, "write "+seg.name)
	}
	start := time.Now()
	if err := seg.file.Sync(); err != nil {
		return fmt.Errorf("fsync %s: %w", seg.name, err)
	}
	took := time.Since(start)
	l.m.fsync.Observe(took.Seconds())
	l.m.written.Add(float64(len(b.buf)))
	l.m.records.Add(float64(records))
	l.mu.Lock()
	l.fsyncs[l.fsyncN%len(l.fsyncs)] = took
	l.fsyncN++
	l.accountLocked(seg, b)
	l.mu.Unlock()
	if b.seal {
		return l.seal()
	}
	return nil
}

// accountLocked notes what b has brought to seg.
func (l *Log) accountLocked(seg *segment, b *batch) {
	seg.size += int64(len(b.buf))
	seg.end = seg.at(seg.size)
	if grown := seg.size - seg.disk; grown > 0 {
		seg.disk += grown
		l.bytes += grown
	}
	l.m.bytes.Set(float64(l.bytes))
	b.each(func(h recordHead, r []byte) {
		switch {
		case h.kind == kindVoid:
		case h.kind == kindGone:
			for _, base := range parseGone(r[recordHeader:]) {
				l.goneLocked(base)
			}
		case h.origin == h.pos:
			seg.add(h.pos, h.size(), !l.takeEarly(h.pos))
		default:
			// Moved here by cleaning, unless it was dropped on the way.
			from, old := l.findLocked(h.origin)
			live := old != nil && !old.dropped
			if live {
				from.drop(old)
				l.moved[h.origin] = place{seg, h.pos}
			}
			seg.add(h.pos, h.size(), live)
		}
	})
}

// finish ends the writer: with a mark that all before is durable, if anything
// was written, so that replay after a clean end finds damage everywhere.
func (l *Log) finish() {
	s := l.active
	if s == nil || l.Err() != nil {
		if s != nil {
			s.file.Close()
		}
		return
	}
	l.mu.Lock()
	mark := newBatch(nil)
	if s.end == l.next {
		mark.add(recordHead{kind: kindVoid, pos: l.next, origin: l.next}, nil)
	}
	synced := l.synced
	l.mu.Unlock()
	var err error
	if len(mark.buf) > 0 {
		finishHead(mark.buf, s.base, synced)
		if _, err = s.file.WriteAt(mark.buf, s.size); err == nil {
			s.size += int64(len(mark.buf))
			err = s.file.Sync()
		}
	}
	if err == nil {
		err = l.seal()
	}
	if err != nil {
		l.opts.Logger.Warn("close the log; the next start takes it for a crash", "segment", s.name, "err", err)
		s.file.Close()
	}
}

// Rotate seals the active segment once all that was appended before is on disk,
// and waits for that: so it can be deleted as soon as its records are dropped.
// The next record starts another segment.
func (l *Log) Rotate() {
	l.mu.Lock()
	if l.closing || l.err != nil || l.active == nil && len(l.fill.buf) == 0 && l.queued == 0 {
		l.mu.Unlock()
		return
	}
	l.fill.seal = true
	c := l.fill.commit
	l.work.Signal()
	l.mu.Unlock()
	<-c.done
}

// fullOr turns "no space" into *Full, and leaves other errors final.
func fullOr(err error, what string) error {
	var full *Full
	if errors.As(err, &full) {
		return err
	}
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return &Full{"disk_full", fmt.Sprintf("%s: %v: free some space on the disk", what, err)}
	}
	return fmt.Errorf("%s: %w", what, err)
}
