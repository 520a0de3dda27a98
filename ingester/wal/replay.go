package wal

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"path"
	"slices"

	"github.com/clewtrace/clew/storage/fsys"
)

// Record is one record of the log. Data is valid during the callback only.
type Record struct {
	Position Position
	Kind     Kind
	Data     []byte
}

// Damage is a range of a segment that could not be read.
type Damage struct {
	Segment string
	Offset  int64 // of the first bad byte
	Bytes   int64 // passed over; 0 if the segment itself is missing or headless
	Reason  string
}

func (d Damage) String() string {
	return fmt.Sprintf("log segment %s: offset %d: %s: %d bytes passed over", d.Segment, d.Offset, d.Reason, d.Bytes)
}

// Report says what a replay found.
type Report struct {
	Records int
	Bytes   int64
	Damaged []Damage
}

// Open opens the log in dir, creating it if there is none, and takes a lock
// against other processes. It reads the headers of all segments and the last
// segment's records; a torn tail is cut. The identity found in the segments
// wins over Options.Header. New records go to a new segment.
func Open(fs fsys.FS, dir string, opts Options) (*Log, error) {
	opts.setDefaults()
	if err := fs.MkdirAll(dir); err != nil {
		return nil, fmt.Errorf("open log %s: %w", dir, err)
	}
	lock, err := fs.Lock(path.Join(dir, "LOCK"))
	if err != nil {
		return nil, fmt.Errorf("open log %s: is another clew running on this data directory? %w", dir, err)
	}
	l := &Log{fs: fs, dir: dir, opts: opts, lock: lock, m: newMetrics(opts.Registerer), done: make(chan struct{}), failed: make(chan struct{})}
	l.work.L, l.room.L = &l.mu, &l.mu
	if err := l.load(); err != nil {
		lock.Close()
		return nil, fmt.Errorf("open log %s: %w", dir, err)
	}
	go l.run()
	return l, nil
}

// load finds the segments and cuts the tail of the last.
func (l *Log) load() error {
	names, err := l.fs.ReadDir(l.dir)
	if err != nil {
		return err
	}
	known := false
	for _, n := range names {
		base, ok := parseSegmentName(n)
		if !ok {
			continue
		}
		s := &segment{name: path.Join(l.dir, n), base: base, sealed: true, live: map[Position]uint32{}}
		if s.size, err = l.fs.Size(s.name); err != nil {
			return err
		}
		h, head, err := l.readHead(s)
		if err != nil {
			if !errors.Is(err, errHeader) {
				return fmt.Errorf("segment %s: %w", s.name, err)
			}
			head = -1 // named by Replay
		} else if !known {
			l.opts.Header, known = h, true
		} else if h.Incarnation != l.opts.Header.Incarnation {
			return fmt.Errorf("segment %s belongs to another log (incarnation %s, not %s): the folder holds files of two ingesters", s.name, h.Incarnation, l.opts.Header.Incarnation)
		}
		s.head = head
		l.segs = append(l.segs, s)
		l.bytes += s.size
		l.next = max(l.next, base+Position(s.size))
	}
	slices.SortFunc(l.segs, func(a, b *segment) int { return int(int64(a.base) - int64(b.base)) })
	l.old = len(l.segs)
	if l.old > 0 {
		if err := l.cutTail(l.segs[l.old-1]); err != nil {
			return err
		}
	}
	if l.next == 0 {
		l.next = 1
	}
	l.synced = l.next
	l.m.bytes.Set(float64(l.bytes))
	l.m.segments.Set(float64(len(l.segs)))
	return nil
}

func (l *Log) readHead(s *segment) (Header, int, error) {
	f, err := l.fs.Open(s.name)
	if err != nil {
		return Header{}, 0, err
	}
	defer f.Close()
	b := make([]byte, min(s.size, maxHeader+12))
	if _, err := f.ReadAt(b, 0); err != nil && err != io.EOF {
		return Header{}, 0, err
	}
	h, base, n, err := decodeSegmentHeader(b)
	if err == nil && base != s.base {
		err = errHeader
	}
	return h, n, err
}

// cutTail removes what a crash left half written at the end of the log: bytes
// above the last synced position that the records tell of. Damage below it
// stays for Replay to name.
func (l *Log) cutTail(s *segment) error {
	end := int64(max(s.head, 0))
	var damage []Damage
	records := 0
	err := l.walk(context.Background(), s, func(r Record, off int64, _ Position) error {
		records++
		end = off + recordHeader + int64(len(r.Data))
		l.next = max(l.next, r.Position+Position(recordHeader+len(r.Data)))
		return nil
	}, &damage)
	if err != nil {
		return err
	}
	if end == s.size {
		return nil
	}
	if s.head < 0 && records == 0 {
		// Its header was not durable, so no record in it was ever acknowledged.
		l.segs = l.segs[:len(l.segs)-1]
		l.old--
		l.bytes -= s.size
		l.opts.Logger.Info("unfinished log segment removed", "segment", s.name)
		return l.fs.Remove(s.name)
	}
	f, err := l.fs.Open(s.name)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.Truncate(end); err != nil {
		return fmt.Errorf("cut the torn tail of %s: %w", s.name, err)
	}
	if err := f.Sync(); err != nil {
		return fmt.Errorf("cut the torn tail of %s: %w", s.name, err)
	}
	l.opts.Logger.Info("torn tail of the log cut", "segment", s.name, "bytes", s.size-end)
	l.bytes -= s.size - end
	s.size = end
	return nil
}

// walk calls fn for each sound record of s and notes damage between them.
func (l *Log) walk(ctx context.Context, s *segment, fn func(r Record, off int64, synced Position) error, damage *[]Damage) error {
	f, err := l.fs.Open(s.name)
	if err != nil {
		return err
	}
	defer f.Close()
	var (
		head [recordHeader]byte
		data []byte
		last Position
		off  = int64(max(s.head, 0)) // without a header, look for records all the same
	)
	for off < s.size {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		rec, synced, ok, err := readRecord(f, off, s.size, head[:], &data)
		if err != nil {
			return fmt.Errorf("read log segment %s at %d: %w", s.name, off, err)
		}
		if ok && rec.Position >= s.base && rec.Position > last {
			if err := fn(rec, off, synced); err != nil {
				return err
			}
			last = rec.Position
			off += recordHeader + int64(len(rec.Data))
			continue
		}
		next, err := resync(f, off+1, s.size, last, s.base, head[:], &data)
		if err != nil {
			return fmt.Errorf("read log segment %s at %d: %w", s.name, off, err)
		}
		*damage = append(*damage, Damage{s.name, off, next - off, "no sound record"})
		off = next
	}
	return nil
}

// readRecord reads the record at off. ok is false where there is none; memory
// is bounded by what the file holds.
func readRecord(f fsys.File, off, size int64, head []byte, data *[]byte) (r Record, synced Position, ok bool, err error) {
	if size-off < recordHeader {
		return r, 0, false, nil
	}
	if _, err := f.ReadAt(head, off); err != nil {
		return r, 0, false, err
	}
	h, ok := parseRecordHead(head)
	if !ok || int64(h.length) > size-off-recordHeader {
		return r, 0, false, nil
	}
	if cap(*data) < h.length {
		*data = make([]byte, h.length+h.length/4)
	}
	d := (*data)[:h.length]
	if h.length > 0 {
		if _, err := f.ReadAt(d, off+recordHeader); err != nil {
			return r, 0, false, err
		}
	}
	crc := crc32.Update(crc32.Checksum(head[8:], castagnoli), castagnoli, d)
	if crc != h.crc {
		return r, 0, false, nil
	}
	return Record{h.pos, h.kind, d}, h.synced, true, nil
}

// resync finds the next sound record at or behind off, or the end. Payload
// cannot fool it: a record's position must fit its place in the log.
func resync(f fsys.File, off, size int64, last, base Position, head []byte, data *[]byte) (int64, error) {
	buf := make([]byte, 64<<10)
	for off < size {
		n, err := f.ReadAt(buf[:min(int64(len(buf)), size-off)], off)
		if err != nil && err != io.EOF || n == 0 {
			return size, err
		}
		for i := 0; i+4 <= n; i++ {
			if buf[i] != byte(recordMagic&0xff) || buf[i+1] != byte(recordMagic>>8&0xff) || buf[i+2] != byte(recordMagic>>16&0xff) || buf[i+3] != byte(recordMagic>>24) {
				continue
			}
			r, _, ok, err := readRecord(f, off+int64(i), size, head, data)
			if err != nil {
				return size, err
			}
			if ok && r.Position > last && r.Position >= base && r.Position <= base+Position(off)+Position(i)+Position(64<<30) {
				return off + int64(i), nil
			}
		}
		if n < 4 {
			return size, nil
		}
		off += int64(n - 3)
	}
	return size, nil
}

// Replay calls fn for every record that existed at Open, oldest first. It may
// run beside Append, holds one record in memory, and stops at fn's error.
// Damage does not stop it: see Report. Call it once.
func (l *Log) Replay(ctx context.Context, fn func(Record) error) (Report, error) {
	var rep Report
	l.mu.Lock()
	segs := slices.Clone(l.segs[:l.old])
	l.mu.Unlock()
	for _, s := range segs {
		damagedBefore := len(rep.Damaged)
		type rec struct {
			pos  Position
			size int
		}
		var seen []rec
		err := l.walk(ctx, s, func(r Record, _ int64, _ Position) error {
			rep.Records++
			rep.Bytes += int64(len(r.Data))
			seen = append(seen, rec{r.Position, recordHeader + len(r.Data)})
			return fn(r)
		}, &rep.Damaged)
		if err != nil {
			return rep, fmt.Errorf("replay log %s: %w", l.dir, err)
		}
		for _, d := range rep.Damaged[damagedBefore:] {
			l.m.damaged.Inc()
			l.opts.Logger.Error("log is damaged", "segment", d.Segment, "offset", d.Offset, "bytes", d.Bytes, "reason", d.Reason)
		}
		l.mu.Lock()
		for _, r := range seen {
			s.add(r.pos, r.size)
		}
		// A damaged segment is kept for whoever wants to look at it, until the
		// operator removes it; its sound records are replayed each time.
		s.counted, s.dropped = len(rep.Damaged) == damagedBefore, nil
		l.mu.Unlock()
		l.reap()
	}
	return rep, nil
}
