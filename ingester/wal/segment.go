package wal

import (
	"errors"
	"fmt"
	"slices"
	"sort"
	"syscall"
	"time"

	"github.com/clewtrace/clew/storage/fsys"
)

// segment is one file of the log.
type segment struct {
	name string
	base Position
	file fsys.File // open while active
	head int       // bytes of the header
	size int64
	// live are the records that are still needed, with their sizes. counted is
	// false for an old segment until replay has walked it: until then dropped
	// remembers what was dropped early.
	live    map[Position]uint32
	dropped map[Position]bool
	counted bool
	sealed  bool
}

// add notes a record. The caller holds Log.mu.
func (s *segment) add(pos Position, size int) {
	if s.dropped[pos] {
		delete(s.dropped, pos)
		return
	}
	s.live[pos] = uint32(size)
}

// sealLocked ends the active segment.
func (l *Log) sealLocked() {
	s := l.seqActive
	s.sealed = true
	if err := s.file.Close(); err != nil {
		l.opts.Logger.Warn("close a sealed segment", "segment", s.name, "err", err)
	}
	s.file, l.seqActive = nil, nil
}

// Drop says that the record at pos is not needed any more. A sealed segment
// without needed records is deleted. Dropping twice is allowed. After a restart
// every record is there again until it is dropped again, unless its segment is
// gone.
func (l *Log) Drop(pos Position) {
	l.mu.Lock()
	i := sort.Search(len(l.segs), func(i int) bool { return l.segs[i].base > pos }) - 1
	if i < 0 {
		l.mu.Unlock()
		return
	}
	s := l.segs[i]
	if _, ok := s.live[pos]; ok {
		delete(s.live, pos)
	} else if !s.counted {
		if s.dropped == nil {
			s.dropped = map[Position]bool{}
		}
		s.dropped[pos] = true
	}
	empty := s.sealed && s.counted && len(s.live) == 0
	l.mu.Unlock()
	if empty {
		l.reap()
	}
}

// Rotate seals the active segment, so that it can be deleted once its records
// are dropped; the next record starts another. It does nothing while records
// wait for the disk.
func (l *Log) Rotate() {
	l.mu.Lock()
	if l.seqActive != nil && len(l.queue) == 0 && l.queued == 0 {
		l.sealLocked()
	}
	l.mu.Unlock()
	l.reap()
}

// reap deletes sealed segments of which nothing is needed.
func (l *Log) reap() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.segs = slices.DeleteFunc(l.segs, func(s *segment) bool {
		if !s.sealed || !s.counted || len(s.live) > 0 {
			return false
		}
		if err := l.fs.Remove(s.name); err != nil {
			l.opts.Logger.Warn("delete a segment of the log", "segment", s.name, "err", err)
			return false
		}
		l.bytes -= s.size
		l.m.dropped.Inc()
		l.opts.Logger.Debug("log segment deleted", "segment", s.name, "bytes", s.size)
		return true
	})
	l.m.bytes.Set(float64(l.bytes))
	l.m.segments.Set(float64(len(l.segs)))
}

// Stats describes a log.
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
		for _, n := range s.live {
			st.LiveBytes += int64(n)
		}
	}
	d := slices.Clone(l.fsyncs[:min(l.fsyncN, len(l.fsyncs))])
	slices.Sort(d)
	if len(d) > 0 {
		st.FsyncP50, st.FsyncP99 = d[len(d)/2], d[len(d)*99/100]
	}
	return st
}

// fullOr turns "no space" into *Full, and leaves other errors final.
func fullOr(err error, what string) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return &Full{"disk_full", fmt.Sprintf("%s: %v: free some space on the disk", what, err)}
	}
	return fmt.Errorf("%s: %w", what, err)
}
