package wal

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"path"
	"slices"

	"github.com/clewtrace/clew/storage/fsys"
)

// Open opens the log in dir, creating it if there is none, and takes a lock
// against other processes. It reads the headers of all segments and the newest
// segment's records, and makes the end of that definite: a torn tail is cut.
// The identity found in the segments wins over Options.Header. New records go
// to a new segment. What cannot be read does not keep the log from opening.
func Open(fs fsys.FS, dir string, opts Options) (*Log, error) {
	opts.setDefaults()
	if err := fs.MkdirAll(dir); err != nil {
		return nil, fmt.Errorf("open log %s: %w", dir, err)
	}
	lock, err := fs.Lock(path.Join(dir, "LOCK"))
	if err != nil {
		return nil, fmt.Errorf("open log %s: is another clew running on this data directory? %w", dir, err)
	}
	l := newLog(fs, dir, opts, lock)
	if err := l.load(); err != nil {
		lock.Close()
		return nil, fmt.Errorf("open log %s: %w", dir, err)
	}
	l.start()
	return l, nil
}

// found is a segment file at Open.
type found struct {
	*segment
	header segmentHead // if not headless
}

// load finds the segments that belong to the log, and the end of the newest.
func (l *Log) load() error {
	files, err := l.findSegments()
	if err != nil {
		return err
	}
	if len(files) == 0 {
		l.next, l.synced, l.replayed = 1, 1, true
		return nil
	}
	// The newest readable header names all segments before it. Those behind it
	// tell what was deleted since; nearly always it is the very last.
	first := len(files) - 1
	for first > 0 && files[first].headless {
		first--
	}
	surveys := make([]survey, len(files))
	gone := map[Position]bool{}
	for i := first; i < len(files); i++ {
		surveys[i] = l.survey(files[i].segment)
		for _, base := range surveys[i].gone {
			gone[base] = true
		}
	}
	ends := map[Position]Position{}
	for _, k := range files[first].header.before {
		if !gone[k.base] {
			ends[k.base] = k.end
		}
	}
	for i, f := range files {
		end, listed := ends[f.base]
		delete(ends, f.base)
		known := listed || i >= first && !gone[f.base] || files[first].headless
		if !known {
			// Deleted, but a power cut came before the disk knew.
			l.removeLeftover(f.name)
			continue
		}
		f.end = end
		switch {
		case listed && end == 0:
			f.end, f.unproven = f.at(f.size), true
		case !listed && i < len(files)-1:
			// The header that would prove its end is damaged.
			f.end = files[i+1].base
		}
		l.segs = append(l.segs, f.segment)
	}
	for base, end := range ends {
		l.lost = append(l.lost, link{base, end})
		l.next = max(l.next, end)
	}
	slices.SortFunc(l.lost, byBase)
	if last := len(files) - 1; !gone[files[last].base] {
		if err := l.settleEnd(files[last].segment, surveys[last]); err != nil {
			return err
		}
	}
	for _, s := range l.segs {
		l.next = max(l.next, s.end, s.base+1) // no two segments with one name
		l.bytes += s.disk
	}
	l.old, l.synced, l.replayed = len(l.segs), l.next, len(l.segs)+len(l.lost) == 0
	l.m.bytes.Set(float64(l.bytes))
	l.m.segments.Set(float64(len(l.segs)))
	return nil
}

func byBase(a, b link) int { return cmp.Compare(a.base, b.base) }

// findSegments returns the segment files, oldest first, and takes on their
// identity. Files that were being made are removed.
func (l *Log) findSegments() ([]found, error) {
	names, err := l.fs.ReadDir(l.dir)
	if err != nil {
		return nil, err
	}
	var files []found
	for _, n := range names {
		base, ok := parseSegmentName(n)
		if !ok {
			if n == nextName || n == spareName {
				l.removeLeftover(path.Join(l.dir, n))
			}
			continue
		}
		f := found{segment: &segment{name: path.Join(l.dir, n), base: base, sealed: true}}
		if err := l.readHead(&f); err != nil {
			return nil, fmt.Errorf("segment %s: %w", f.name, err)
		}
		files = append(files, f)
	}
	slices.SortFunc(files, func(a, b found) int { return cmp.Compare(a.base, b.base) })
	known := false
	for _, f := range slices.Backward(files) {
		switch {
		case f.headless:
		case !known:
			l.opts.Header, known = f.header.Header, true
		case f.header.Incarnation != l.opts.Header.Incarnation:
			return nil, fmt.Errorf("segment %s belongs to another log (incarnation %s, not %s): the folder holds files of two ingesters; move one's away", f.name, f.header.Incarnation, l.opts.Header.Incarnation)
		}
	}
	return files, nil
}

func (l *Log) removeLeftover(name string) {
	if err := l.fs.Remove(name); err != nil {
		l.opts.Logger.Warn("delete what an earlier run left in the log", "file", name, "err", err)
		return
	}
	l.opts.Logger.Info("deleted what an earlier run left in the log", "file", name)
}

// readHead reads the size and the header of a segment. One that cannot be read
// is headless; the error is for those that are not ours to read.
func (l *Log) readHead(f *found) error {
	f.head, f.headless = -1, true
	size, err := l.fs.Size(f.name)
	if err != nil {
		f.trouble = err
		return nil
	}
	f.size, f.disk = size, size
	file, err := l.fs.Open(f.name)
	if err != nil {
		return nil // named by Replay, which tries again
	}
	defer file.Close()
	for _, n := range []int64{readPage, maxHeader + 12} {
		b := make([]byte, min(size, n))
		if got, err := file.ReadAt(b, 0); err != nil && !errors.Is(err, io.EOF) {
			b = b[:got]
		}
		h, head, err := decodeSegmentHeader(b)
		if err == nil && h.base == f.base {
			f.header, f.head, f.headless = h, head, false
			return nil
		}
		if err != nil && !errors.Is(err, errHeader) {
			return err
		}
	}
	return nil
}

// survey is what the records of a segment tell at Open.
type survey struct {
	bad    []badRange
	end    int64      // behind the last sound record
	synced Position   // the highest mark: all below was durable
	gone   []Position // segments that were being deleted
}

func (l *Log) survey(s *segment) survey {
	sv := survey{end: int64(max(s.head, 0)), synced: s.base}
	sc := scanner{fs: l.fs}
	// Neither ctx nor the callback ends this walk.
	sv.bad, _ = sc.walk(context.Background(), s, s.size, func(r record) error {
		sv.end = r.off + r.size()
		sv.synced = max(sv.synced, r.synced)
		if r.kind == kindGone {
			sv.gone = append(sv.gone, parseGone(r.data)...)
		}
		return nil
	})
	return sv
}

// settleEnd makes the end of the newest segment definite and durable. Bad bytes
// above the synced mark are what a crash left half written: behind the last
// sound record they are cut, before it made void, so that no later replay takes
// them for damage. Bad bytes below the mark stay for Replay to name. A segment
// that cannot be read in part, or has no header, is left as it is.
func (l *Log) settleEnd(s *segment, sv survey) error {
	s.end = s.base + Position(s.size-int64(max(s.head, 0)))
	s.unproven = s.head < 0
	if s.trouble != nil {
		s.end = s.base + 1<<40 // no position of it may be used again
	}
	unreadable := slices.ContainsFunc(sv.bad, func(b badRange) bool { return b.err != nil })
	if s.headless || unreadable {
		return nil
	}
	f, err := l.fs.Open(s.name)
	if err != nil {
		return err
	}
	defer f.Close()
	for _, b := range sv.bad {
		from := s.at(b.off)
		if b.off >= sv.end || from < sv.synced {
			continue
		}
		if err := void(f, s, b, sv.synced); err != nil {
			return fmt.Errorf("void a torn range of %s: %w", s.name, err)
		}
		d := Damage{Segment: s.name, Offset: b.off, Bytes: b.end - b.off, From: from, To: s.at(b.end), Reason: "half written when the process ended"}
		l.torn = append(l.torn, d)
		l.opts.Logger.Warn("torn range of the log given up; nothing in it was acknowledged", "segment", d.Segment, "offset", d.Offset, "bytes", d.Bytes)
	}
	if sv.end < s.size {
		if err := f.Truncate(sv.end); err != nil {
			return fmt.Errorf("cut the torn tail of %s: %w", s.name, err)
		}
		l.opts.Logger.Info("unwritten tail of the log cut", "segment", s.name, "bytes", s.size-sv.end)
	}
	// Also without a cut: what a killed process left is read back, so it must
	// not be lost to a power cut later, and the next header will vouch for it.
	if err := f.Sync(); err != nil {
		return fmt.Errorf("fsync %s: %w", s.name, err)
	}
	s.size, s.disk = sv.end, sv.end
	s.end = s.at(s.size)
	return nil
}

// void puts a header before the bytes of a torn range that makes them a record
// of nothing.
func void(f fsys.File, s *segment, b badRange, synced Position) error {
	h := recordHead{kind: kindVoid, length: int(b.end - b.off - recordHeader), pos: s.at(b.off), origin: s.at(b.off)}
	if h.length < 0 || h.length > maxData {
		return nil // no whole records: Replay will name it
	}
	r := io.NewSectionReader(f, b.off+recordHeader, int64(h.length))
	buf := make([]byte, 64<<10)
	for {
		n, err := r.Read(buf)
		h.dataCRC = crc32.Update(h.dataCRC, castagnoli, buf[:n])
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
	}
	var head [recordHeader]byte
	h.put(head[:])
	finishHead(head[:], s.base, synced)
	_, err := f.WriteAt(head[:], b.off)
	return err
}
