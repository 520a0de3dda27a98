package wal

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"

	"github.com/clewtrace/clew/storage/fsys"
)

// Files that become segments under these names, so that a file with a segment's
// name always has a header.
const (
	nextName  = "next.tmp"
	spareName = "spare.tmp"
)

// cut takes a segment back to its last record, durably.
func (l *Log) cut(s *segment) error {
	if err := s.file.Truncate(s.size); err != nil {
		return fmt.Errorf("truncate: %w", err)
	}
	if err := s.file.Sync(); err != nil {
		return fmt.Errorf("fsync: %w", err)
	}
	l.mu.Lock()
	l.bytes -= s.disk - s.size
	s.disk = s.size
	l.mu.Unlock()
	return nil
}

// seal ends the active segment: its file ends at its last record, so that the
// next header can prove the end.
func (l *Log) seal() error {
	s := l.active
	if s == nil {
		return nil
	}
	if s.disk > s.size {
		if err := l.cut(s); err != nil {
			return fmt.Errorf("seal %s: %w", s.name, err)
		}
	}
	if err := s.file.Close(); err != nil {
		l.opts.Logger.Warn("close a sealed segment", "segment", s.name, "err", err)
	}
	l.mu.Lock()
	s.sealed, s.file, l.active = true, nil, nil
	l.mu.Unlock()
	l.wakeKeeper()
	return nil
}

// startSegment seals the active segment and starts one at base.
func (l *Log) startSegment(base Position) (*segment, error) {
	if err := l.seal(); err != nil {
		return nil, err
	}
	h := segmentHead{Header: l.opts.Header, base: base}
	l.mu.Lock()
	h.before = slices.Clone(l.lost)
	for _, s := range l.segs {
		switch {
		case s.gone:
		case s.unproven:
			h.before = append(h.before, link{s.base, 0})
		default:
			h.before = append(h.before, link{s.base, s.end})
		}
	}
	l.mu.Unlock()
	slices.SortFunc(h.before, byBase)
	head, err := encodeSegmentHeader(h)
	if err != nil {
		return nil, &Full{"log_segments", err.Error()}
	}
	s := &segment{name: path.Join(l.dir, segmentName(base)), base: base, end: base, head: len(head), size: int64(len(head)), counted: true}
	if err := l.createFile(s, head); err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.segs = append(l.segs, s)
	l.active = s
	l.m.segments.Set(float64(len(l.segs)))
	return s, nil
}

// createFile makes the file of s: of the spare one if there is one, since to
// write over bytes that were written before costs an fsync half as much as to
// make a file longer. The header is durable before the file has its name.
func (l *Log) createFile(s *segment, head []byte) error {
	l.mu.Lock()
	spare := l.spare
	if spare > 0 {
		l.spare = -1
	}
	l.mu.Unlock()
	tmp := path.Join(l.dir, nextName)
	open := l.createNext
	if spare > 0 {
		tmp, open = path.Join(l.dir, spareName), l.fs.Open
		defer func(size int64) {
			l.mu.Lock()
			l.spare = 0
			l.bytes -= size
			l.mu.Unlock()
		}(spare)
	}
	f, err := open(tmp)
	if err != nil && spare > 0 { // somebody took it away
		spare, tmp = 0, path.Join(l.dir, nextName)
		f, err = l.createNext(tmp)
	}
	if err != nil {
		return err
	}
	if _, err = f.WriteAt(head, 0); err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = l.fs.Rename(tmp, s.name)
	}
	if err == nil {
		tmp = s.name
		err = l.fs.SyncDir(l.dir)
	}
	if err != nil {
		f.Close()
		return errors.Join(err, l.fs.Remove(tmp))
	}
	s.file, s.disk = f, max(s.size, spare)
	l.mu.Lock()
	l.bytes += s.disk
	l.mu.Unlock()
	return nil
}

func (l *Log) createNext(name string) (fsys.File, error) {
	f, err := l.fs.Create(name)
	if errors.Is(err, fs.ErrExist) { // left by an attempt that failed
		if err = l.fs.Remove(name); err == nil {
			f, err = l.fs.Create(name)
		}
	}
	return f, err
}
