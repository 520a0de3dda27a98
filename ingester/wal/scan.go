package wal

import (
	"bytes"
	"context"
	"hash/crc32"

	"github.com/clewtrace/clew/storage/fsys"
)

// scanner walks the records of segments; its buffer serves one after the other.
type scanner struct {
	fs fsys.FS
	r  reader
}

// record is a sound record in a segment.
type record struct {
	recordHead
	off  int64
	data []byte // valid until the next record is asked for
}

// walk calls fn for each sound record of s up to end, a size, and returns the
// ranges between them. The error is that of ctx or fn only: what cannot be read
// is a range. Records of a segment whose header is not known are looked for, and
// the first one found tells where the header ended: s.head.
func (sc *scanner) walk(ctx context.Context, s *segment, end int64, fn func(record) error) (bad []badRange, err error) {
	f, err := sc.fs.Open(s.name)
	if err != nil {
		return []badRange{{0, end, err}}, nil
	}
	defer f.Close()
	sc.r.reset(f, end)
	off := int64(s.head)
	if s.headless {
		if off = sc.resync(s, 0); off > 0 {
			bad = append(bad, badRange{0, off, sc.r.unreadable(0, off)})
		}
	}
	for off < end {
		if err := ctx.Err(); err != nil {
			return bad, err
		}
		rec, sound, next := sc.at(s, off)
		if sound {
			if err := fn(rec); err != nil {
				return bad, err
			}
			off = next
			continue
		}
		if next == 0 {
			next = sc.resync(s, off+1)
		}
		reason := sc.r.unreadable(off, next)
		if last := len(bad) - 1; last >= 0 && bad[last].end == off && (bad[last].err == nil) == (reason == nil) {
			bad[last].end = next
		} else {
			bad = append(bad, badRange{off, next, reason})
		}
		off = next
	}
	return bad, nil
}

// at reads the record at off. If it is not sound but its header is, next is
// where it ends; without a sound header next is 0. A record must have the
// position of its place, so that no payload is ever taken for one.
func (sc *scanner) at(s *segment, off int64) (rec record, sound bool, next int64) {
	end := sc.r.size
	if end-off < recordHeader {
		return rec, false, 0
	}
	h, ok := parseRecordHead(sc.r.view(off, recordHeader), s.base)
	if !ok || h.size() > end-off || h.pos < s.base {
		return rec, false, 0
	}
	if head := off - int64(h.pos-s.base); head != int64(s.head) && (s.head >= 0 || head < 0 || head > maxHeader+12) {
		return rec, false, 0
	}
	data := sc.r.view(off, int(h.size()))[recordHeader:]
	if crc32.Checksum(data, castagnoli) != h.dataCRC {
		return rec, false, off + h.size()
	}
	return record{h, off, data}, true, off + h.size()
}

// resync returns the place of the next sound record at or behind off, or the
// end, and sets s.head if it was not known.
func (sc *scanner) resync(s *segment, off int64) int64 {
	end := sc.r.size
	for end-off >= recordHeader {
		b := sc.r.view(off, int(min(readBlock, end-off)))
		i := bytes.Index(b, []byte(recordMagic))
		if i < 0 {
			off += int64(len(b)) - int64(len(recordMagic)) + 1
			continue
		}
		off += int64(i)
		if rec, sound, _ := sc.at(s, off); sound {
			if s.head < 0 {
				s.head = int(off - int64(rec.pos-s.base))
			}
			return off
		}
		off++
	}
	return end
}
