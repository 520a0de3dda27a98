package wal

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"path"
	"slices"
)

// Record is one record of the log. Data is valid during the callback only.
// Position is the one that Append gave, also where cleaning has moved the
// record since.
type Record struct {
	Position Position
	Kind     Kind
	Data     []byte
}

// Damage is a range of the log that could not be read.
type Damage struct {
	Segment  string
	Offset   int64    // of the first bad byte
	Bytes    int64    // passed over; 0 if the segment itself is missing
	From, To Position // records in the range had positions from From to below To
	Reason   string
}

func (d Damage) String() string {
	return fmt.Sprintf("log segment %s: offset %d: %s: %d bytes passed over, positions %d to %d", d.Segment, d.Offset, d.Reason, d.Bytes, d.From, d.To)
}

// Report says what a replay found.
type Report struct {
	Records int
	Bytes   int64
	// Damaged are ranges that had been made durable, or may have been:
	// acknowledged records may be lost.
	Damaged []Damage
	// Torn are ranges between sound records that a crash left half written.
	// They lay above the synced mark, so nothing in them was acknowledged. They
	// are told once.
	Torn []Damage
}

// Replay calls fn once for every record that existed at Open, oldest first; a
// record that cleaning has moved comes at its new place. It may run beside
// Append, holds a block of the log and one record in memory, and stops at fn's
// error or the end of ctx. Damage does not stop it: see Report. Call it once.
// Until it is done no segment is deleted.
func (l *Log) Replay(ctx context.Context, fn func(Record) error) (Report, error) {
	l.mu.Lock()
	segs, lost := slices.Clone(l.segs[:l.old]), l.lost
	rep := Report{Torn: l.torn}
	l.mu.Unlock()
	for _, k := range lost {
		l.damaged(&rep, Damage{Segment: path.Join(l.dir, segmentName(k.base)), From: k.base, To: max(k.base, k.end),
			Reason: "the segment is missing"})
	}
	sc := scanner{fs: l.fs}
	for _, s := range segs {
		if err := l.replaySegment(ctx, &sc, s, &rep, fn); err != nil {
			return rep, fmt.Errorf("replay log %s: %w", l.dir, err)
		}
	}
	slices.SortStableFunc(rep.Damaged, func(a, b Damage) int { return cmp.Compare(a.From, b.From) })
	l.mu.Lock()
	l.replayed, l.old, l.told, l.torn = true, 0, nil, nil
	l.lost = nil // told: the next header does not name them any more
	maps.DeleteFunc(l.early, func(pos Position, _ bool) bool { return pos < l.synced })
	l.mu.Unlock()
	l.wakeKeeper()
	return rep, nil
}

// replaySegment replays one segment up to its proven end.
func (l *Log) replaySegment(ctx context.Context, sc *scanner, s *segment, rep *Report, fn func(Record) error) error {
	before := len(rep.Damaged)
	if s.trouble != nil {
		l.damaged(rep, Damage{Segment: s.name, From: s.base, To: s.end, Reason: s.trouble.Error()})
	}
	end := s.size
	if !s.headless && !s.unproven {
		end = min(end, s.offset(s.end))
	}
	bad, err := sc.walk(ctx, s, end, func(r record) error {
		if !l.tell(s, r) {
			return nil
		}
		rep.Records++
		rep.Bytes += int64(r.length)
		return fn(Record{r.origin, r.kind, r.data})
	})
	for _, b := range bad {
		d := Damage{Segment: s.name, Offset: b.off, Bytes: b.end - b.off, From: s.at(b.off), To: min(s.at(b.end), s.end), Reason: "no sound record"}
		if b.err != nil {
			d.Reason = b.err.Error()
		}
		l.damaged(rep, d)
	}
	if err != nil {
		return err
	}
	if want := s.offset(s.end); s.head >= 0 && !s.unproven {
		d := Damage{Segment: s.name, Offset: min(s.size, want), From: s.at(s.size), To: s.end}
		if s.size < want {
			d.Bytes, d.Reason = want-s.size, "the file is cut"
			l.damaged(rep, d)
		} else if s.size > want {
			d.Bytes, d.From, d.Reason = s.size-want, s.end, "bytes behind the sealed end"
			l.damaged(rep, d)
		}
	}
	l.mu.Lock()
	// A damaged segment is kept for whoever wants to look at it, until the
	// operator removes it; its sound records are replayed each time.
	s.counted, s.damaged = true, len(rep.Damaged) > before
	l.mu.Unlock()
	return nil
}

// tell notes a record that replay has come to, and reports whether fn is to
// see it: a crash during cleaning leaves a record in two places.
func (l *Log) tell(s *segment, r record) bool {
	if r.kind >= kindOwn {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if r.origin == r.pos {
		s.add(r.pos, r.size(), !l.takeEarly(r.pos))
		return true
	}
	_, first := l.origLocked(r.origin)
	if first != nil || l.told[r.origin] {
		s.add(r.pos, r.size(), false)
		return false
	}
	if l.told == nil {
		l.told = map[Position]bool{}
	}
	l.told[r.origin] = true
	if live := !l.takeEarly(r.origin); live {
		l.moved[r.origin] = place{s, r.pos}
		s.add(r.pos, r.size(), true)
	} else {
		s.add(r.pos, r.size(), false)
	}
	return true
}

// damaged adds d to the report, and tells the operator.
func (l *Log) damaged(rep *Report, d Damage) {
	rep.Damaged = append(rep.Damaged, d)
	l.m.damaged.Inc()
	l.opts.Logger.Error("log is damaged", "segment", d.Segment, "offset", d.Offset, "bytes", d.Bytes, "from", d.From, "to", d.To, "reason", d.Reason)
}
