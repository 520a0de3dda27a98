package wal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"path"
	"slices"
	"time"

	"github.com/clewtrace/clew/storage/fsys"
)

const (
	moveBytes  = 1 << 20  // moved in one batch
	moveRate   = 64 << 20 // bytes a second that cleaning may move
	keepAgain  = time.Second
	cleanBelow = 4 // a segment is cleaned when less than 1/cleanBelow of it is needed
)

// removable reports that nothing in s is needed; cleanable that little of its
// records is.
func (s *segment) removable() bool { return s.settled() && s.liveN == 0 }
func (s *segment) cleanable() bool {
	return s.settled() && s.liveN > 0 && s.live*cleanBelow < s.size-int64(s.head)
}

func (s *segment) settled() bool { return s.sealed && s.counted && !s.damaged && !s.gone }

// wakeKeeper makes the keeper look at the segments.
func (l *Log) wakeKeeper() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

var errStopping = errors.New("log is closing")

// keep is the keeper.
func (l *Log) keep() {
	defer close(l.kept)
	var again <-chan time.Time
	for {
		select {
		case <-l.stop:
			return
		case <-l.wake:
		case <-again:
		}
		again = nil
		if err := l.tidy(); err != nil && l.Err() == nil {
			again = time.After(keepAgain)
		}
	}
}

// tidy deletes and cleans until there is nothing to do.
func (l *Log) tidy() error {
	for {
		if err := l.deleteSegments(); err != nil {
			return err
		}
		s := l.pick()
		if s == nil {
			return nil
		}
		if err := l.clean(s); err != nil {
			return err
		}
	}
}

// pick returns the segment to clean that has the least to move, or nil.
func (l *Log) pick() (best *segment) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.replayed {
		return nil
	}
	for _, s := range l.segs {
		if s.cleanable() && (best == nil || s.live < best.live) {
			best = s
		}
	}
	return best
}

// deleteSegments deletes the segments of which nothing is needed. That is
// recorded in the active segment first: otherwise the next replay would miss
// them. Only a disk too full for the record is given space first; a crash right
// then makes replay name a segment of which nothing was needed.
func (l *Log) deleteSegments() error {
	for {
		l.mu.Lock()
		if !l.replayed {
			l.mu.Unlock()
			return nil
		}
		bases := slices.Clone(l.unrecorded)
		var one *segment
		for i, s := range l.segs {
			if s.removable() {
				bases = append(bases, s.base)
				if i < len(l.segs)-1 { // the newest tells where positions go on
					one = s
				}
			}
		}
		var data []byte
		for _, b := range bases {
			data = binary.LittleEndian.AppendUint64(data, uint64(b))
		}
		l.mu.Unlock()
		if len(bases) == 0 {
			return l.removeGone()
		}
		err := l.appendOwn(func() {
			l.queueLocked(recordHead{kind: kindGone, length: len(data), dataCRC: crc32.Checksum(data, castagnoli)}, data)
		})
		if full := (*Full)(nil); errors.As(err, &full) && one != nil {
			l.mu.Lock()
			one.gone = true
			l.unrecorded = append(l.unrecorded, one.base)
			l.mu.Unlock()
			err = nil
		}
		if err != nil {
			return err
		}
		if err := l.removeGone(); err != nil {
			return err
		}
	}
}

// appendOwn appends the records of the log itself that add queues, beyond all
// budgets, and waits for them. They are in one batch.
func (l *Log) appendOwn(add func()) error {
	l.mu.Lock()
	if l.err != nil {
		l.mu.Unlock()
		return l.err
	}
	c := l.fill.commit
	add()
	queued := len(l.fill.buf) > 0
	l.mu.Unlock()
	if !queued {
		return nil
	}
	<-c.done
	return c.err
}

// goneLocked notes that the deletion of a segment is recorded.
func (l *Log) goneLocked(base Position) {
	for _, s := range l.segs {
		if s.base == base {
			s.gone = true
		}
	}
	l.unrecorded = slices.DeleteFunc(l.unrecorded, func(b Position) bool { return b == base })
}

// removeGone removes the files of segments that are gone. One of them may
// become the spare file.
func (l *Log) removeGone() error {
	l.mu.Lock()
	var gone []*segment
	for _, s := range l.segs {
		if s.gone {
			gone = append(gone, s)
		}
	}
	l.mu.Unlock()
	var failed error
	for _, s := range gone {
		spare, err := l.removeFile(s)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			l.opts.Logger.Warn("delete a segment of the log", "segment", s.name, "err", err)
			failed = err
			continue
		}
		l.mu.Lock()
		l.segs = slices.DeleteFunc(l.segs, func(o *segment) bool { return o == s })
		if spare {
			l.spare = s.disk
		} else {
			l.bytes -= s.disk
		}
		l.m.bytes.Set(float64(l.bytes))
		l.m.segments.Set(float64(len(l.segs)))
		l.mu.Unlock()
		l.m.dropped.Inc()
		l.opts.Logger.Debug("log segment deleted", "segment", s.name, "bytes", s.size)
	}
	return failed
}

// removeFile removes the file of s, or keeps it as the spare one: where there
// is none, it has the size of a segment, and the budget has room for it.
func (l *Log) removeFile(s *segment) (spare bool, err error) {
	l.mu.Lock()
	spare = l.spare == 0 && s.disk >= l.opts.SegmentBytes && s.disk <= l.opts.MaxBytes/4 && l.bytes <= l.opts.MaxBytes/4*3 &&
		!slices.Contains(l.unrecorded, s.base)
	l.mu.Unlock()
	if spare {
		return true, l.fs.Rename(s.name, path.Join(l.dir, spareName))
	}
	return false, l.fs.Remove(s.name)
}

// clean appends what is still needed of s again, under its old positions. Then
// nothing in s is needed any more.
func (l *Log) clean(s *segment) error {
	f, err := l.fs.Open(s.name)
	if err != nil {
		return fmt.Errorf("clean log segment: %w", err)
	}
	defer f.Close()
	moved := 0
	var buf []byte
	for i := 0; ; {
		var part []rec
		n := 0
		l.mu.Lock()
		for ; i < len(s.recs); i++ {
			if r := s.recs[i]; !r.dropped {
				if n > 0 && n+int(r.size) > moveBytes {
					break
				}
				part = append(part, r)
				n += int(r.size)
			}
		}
		l.mu.Unlock()
		if len(part) == 0 {
			break
		}
		start := time.Now()
		buf = slices.Grow(buf[:0], n)[:n]
		if err := readRecords(f, s, part, buf); err != nil {
			l.spoiled(s, err)
			return nil
		}
		if err := l.move(s, part, buf); err != nil {
			return fmt.Errorf("clean log segment %s: %w", s.name, err)
		}
		moved += n
		l.m.cleaned.Add(float64(n))
		if err := l.pause(time.Duration(n)*time.Second/moveRate - time.Since(start)); err != nil {
			return err
		}
	}
	l.mu.Lock()
	left := s.liveN
	l.mu.Unlock()
	if left > 0 { // never so; but if it were, cleaning would not end
		l.spoiled(s, fmt.Errorf("%d of its records are needed after all were moved", left))
		return nil
	}
	l.opts.Logger.Info("log segment cleaned", "segment", s.name, "bytes", s.size, "moved", moved)
	return nil
}

// readRecords reads part of s into buf, and checks it.
func readRecords(f fsys.File, s *segment, part []rec, buf []byte) error {
	for _, r := range part {
		b := buf[:r.size]
		buf = buf[r.size:]
		if _, err := f.ReadAt(b, s.offset(r.pos)); err != nil {
			return fmt.Errorf("offset %d: %w", s.offset(r.pos), err)
		}
		h, ok := parseRecordHead(b, s.base)
		if !ok || h.pos != r.pos || h.size() != int64(r.size) || crc32.Checksum(b[recordHeader:], castagnoli) != h.dataCRC {
			return fmt.Errorf("offset %d: no sound record", s.offset(r.pos))
		}
	}
	return nil
}

// move appends the records in buf that are still needed, and waits for them.
func (l *Log) move(s *segment, part []rec, buf []byte) error {
	return l.appendOwn(func() {
		for _, r := range part {
			b := buf[:r.size]
			buf = buf[r.size:]
			if s.find(r.pos).dropped {
				continue
			}
			h := rawHead(b)
			l.queueLocked(recordHead{kind: h.kind, length: h.length, origin: h.origin, dataCRC: h.dataCRC}, b[recordHeader:])
		}
	})
}

// spoiled notes that a segment turned out to be damaged. It stays as it is.
func (l *Log) spoiled(s *segment, err error) {
	l.m.damaged.Inc()
	l.opts.Logger.Error("log is damaged; the segment is not cleaned, and replay will name what is lost", "segment", s.name, "err", err)
	l.mu.Lock()
	s.damaged = true
	l.mu.Unlock()
}

// pause leaves the disk to the pushes for d, unless space is short.
func (l *Log) pause(d time.Duration) error {
	l.mu.Lock()
	short := l.usedLocked() > l.opts.MaxBytes/4*3
	l.mu.Unlock()
	if short {
		d = 0
	}
	t := time.NewTimer(max(d, 0))
	defer t.Stop()
	select {
	case <-l.stop:
		return errStopping
	case <-t.C:
		return nil
	}
}
