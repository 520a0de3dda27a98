package wal

import (
	"cmp"
	"slices"
	"sort"

	"github.com/clewtrace/clew/storage/fsys"
)

// segment is one file of the log. Log.mu guards what Open has not fixed.
type segment struct {
	name string
	base Position
	head int      // bytes of the header; below 0 while it is not known
	size int64    // up to the end of the last record
	disk int64    // of the file: more where it was used before
	end  Position // behind the last record

	file     fsys.File // while active
	sealed   bool
	counted  bool  // recs is complete: always but before replay
	headless bool  // the header could not be read
	unproven bool  // sealed, but end is only an upper bound
	damaged  bool  // kept for the operator
	gone     bool  // its deletion is recorded
	trouble  error // why not even its size is known

	recs  []rec // by pos
	live  int64 // bytes of the records that are still needed
	liveN int
}

// rec is a record of a segment.
type rec struct {
	pos     Position
	size    uint32
	dropped bool // not needed here: dropped, or moved on
}

// place is where a moved record is now.
type place struct {
	seg *segment
	pos Position
}

// at is the position that belongs to an offset; offset the reverse. Within a
// segment positions count bytes.
func (s *segment) at(off int64) Position {
	return s.base + Position(max(off-int64(max(s.head, 0)), 0))
}

func (s *segment) offset(pos Position) int64 {
	return int64(max(s.head, 0)) + int64(pos-s.base)
}

// add notes a record, which must be behind the others.
func (s *segment) add(pos Position, size int64, live bool) {
	s.recs = append(s.recs, rec{pos, uint32(size), !live})
	if live {
		s.live += size
		s.liveN++
	}
}

// find returns the record at pos, or nil.
func (s *segment) find(pos Position) *rec {
	i, ok := slices.BinarySearchFunc(s.recs, pos, func(r rec, pos Position) int { return cmp.Compare(r.pos, pos) })
	if !ok {
		return nil
	}
	return &s.recs[i]
}

// drop says that r is not needed here any more.
func (s *segment) drop(r *rec) {
	if !r.dropped {
		r.dropped = true
		s.live -= int64(r.size)
		s.liveN--
	}
}

// origLocked returns the first place of a record, if that is in a segment.
func (l *Log) origLocked(pos Position) (*segment, *rec) {
	i := sort.Search(len(l.segs), func(i int) bool { return l.segs[i].base > pos }) - 1
	if i < 0 {
		return nil, nil
	}
	return l.segs[i], l.segs[i].find(pos)
}

// findLocked returns the present place of a record, or nil.
func (l *Log) findLocked(pos Position) (*segment, *rec) {
	if p, ok := l.moved[pos]; ok {
		return p.seg, p.seg.find(p.pos)
	}
	return l.origLocked(pos)
}

// takeEarly reports whether a record was dropped before it was seen.
func (l *Log) takeEarly(pos Position) bool {
	if !l.early[pos] {
		return false
	}
	delete(l.early, pos)
	return true
}

// Drop says that the record whose Position is pos is not needed any more. Once
// nothing in a sealed segment is needed, it is deleted; where little is, that
// little is moved on and then it is deleted. Both happen later, in the
// background. Dropping twice is allowed, and so is dropping before the record
// is durable or replayed. After a restart every record is there again until it
// is dropped again, unless its segment is gone.
func (l *Log) Drop(pos Position) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s, r := l.findLocked(pos)
	if r == nil {
		if pos < l.next && (pos >= l.synced || !l.replayed) {
			l.early[pos] = true
		}
		return
	}
	s.drop(r)
	delete(l.moved, pos)
	if l.replayed && (s.removable() || s.cleanable()) {
		l.wakeKeeper()
	}
}
