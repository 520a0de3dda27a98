package block

import (
	"cmp"
	"slices"

	"github.com/clewtrace/clew/storage/columns"
)

// minuteTable counts spans by a number (of an operation, or an edge), minute and
// bucket of duration. It keeps one small entry for each combination that occurs,
// so that a block of a million operations costs no more than one of a million
// spans.
type minuteTable struct {
	slots   []uint32 // 1 + index of entries; power of two, at most half full
	entries []minuteCount
}

type minuteCount struct {
	key           uint64 // number<<35 | minute<<6 | bucket
	spans, errors uint32
	sum           uint64 // of durations in ns
}

const nanosPerMinute = 60e9 // 2^64 ns are less than 2^29 minutes

func (t *minuteTable) add(n uint32, start uint64, bucket uint8, failed bool, duration int64) {
	key := uint64(n)<<35 | start/nanosPerMinute<<6 | uint64(bucket)
	if len(t.entries)*2 >= len(t.slots) {
		t.grow()
	}
	mask := uint64(len(t.slots) - 1)
	i := hashNumber(key) & mask
	for t.slots[i] != 0 && t.entries[t.slots[i]-1].key != key {
		i = (i + 1) & mask
	}
	if t.slots[i] == 0 {
		t.entries = append(t.entries, minuteCount{key: key})
		t.slots[i] = uint32(len(t.entries))
	}
	e := &t.entries[t.slots[i]-1]
	e.spans++
	if failed {
		e.errors++
	}
	e.sum += uint64(max(duration, 0))
}

func (t *minuteTable) grow() {
	t.slots = make([]uint32, max(1024, 4*len(t.slots)))
	mask := uint64(len(t.slots) - 1)
	for n := range t.entries {
		i := hashNumber(t.entries[n].key) & mask
		for t.slots[i] != 0 {
			i = (i + 1) & mask
		}
		t.slots[i] = uint32(n + 1)
	}
}

// each empties the table: it calls yield for every number, in the given order.
// minutes are valid until yield returns.
func (t *minuteTable) each(order func(a, b uint32) int, yield func(n uint32, minutes []MinuteStats)) {
	slices.SortFunc(t.entries, func(a, b minuteCount) int { return cmp.Compare(a.key, b.key) })
	number := func(run []minuteCount) uint32 { return uint32(run[0].key >> 35) }
	var runs [][]minuteCount // by number
	for rest := t.entries; len(rest) > 0; {
		n := 1
		for n < len(rest) && rest[n].key>>35 == rest[0].key>>35 {
			n++
		}
		runs, rest = append(runs, rest[:n]), rest[n:]
	}
	slices.SortFunc(runs, func(a, b []minuteCount) int { return order(number(a), number(b)) })
	var minutes []MinuteStats
	for _, run := range runs {
		n := number(run)
		minutes = minutes[:0]
		for len(run) > 0 {
			key := run[0].key >> 6
			m := MinuteStats{Minute: uint32(key) & (1<<29 - 1)}
			for len(run) > 0 && run[0].key>>6 == key {
				m.Durations = append(m.Durations, Bucket{uint8(run[0].key & 63), run[0].spans})
				m.Errors += run[0].errors
				m.DurationSum += run[0].sum
				run = run[1:]
			}
			minutes = append(minutes, m)
		}
		yield(n, minutes)
	}
	*t = minuteTable{}
}

// finishOperations encodes SectionOperations.
func (c *collector) finishOperations() []byte {
	var out operationEncoder
	set := c.l.set
	c.operations.each(func(a, b uint32) int {
		x, y := set.Op(a), set.Op(b)
		return cmp.Or(cmp.Compare(x.Service, y.Service), cmp.Compare(x.Name, y.Name), cmp.Compare(x.Kind, y.Kind))
	}, func(n uint32, minutes []MinuteStats) {
		op := set.Op(n)
		out.add(op.Service, op.Name, op.Kind, minutes)
	})
	return out.finish()
}

// edgeKey is an edge: numbers of layout.services, and the kind of the child.
type edgeKey struct {
	client, server uint32
	kind           int32
}

// finishEdges encodes SectionEdges.
func (c *collector) finishEdges() []byte {
	var out edgeEncoder
	c.edges.each(func(a, b uint32) int { // services are numbered by name
		x, y := c.edgeKeys[a], c.edgeKeys[b]
		return cmp.Or(cmp.Compare(x.client, y.client), cmp.Compare(x.server, y.server), cmp.Compare(x.kind, y.kind))
	}, func(n uint32, minutes []MinuteStats) {
		k := c.edgeKeys[n]
		out.add(c.l.services[k.client], c.l.services[k.server], k.kind, minutes)
	})
	return out.finish()
}

// edge counts a span and its child, if that is a call between services.
func (c *collector) edge(parent, child *columns.Row, bucket uint8, failed bool) {
	l := c.l
	k := edgeKey{l.opService[parent.Op], l.opService[child.Op], l.opKind[child.Op]}
	if k.client == k.server && !isCall(l.opKind[parent.Op], k.kind) {
		return
	}
	n, ok := c.edgeNumber[k]
	if !ok {
		n = uint32(len(c.edgeKeys))
		c.edgeNumber[k] = n
		c.edgeKeys = append(c.edgeKeys, k)
	}
	c.edges.add(n, child.Start, bucket, failed, child.Duration())
}

// isCall reports whether a child of one kind under a parent of the other is a
// call even within one service.
func isCall(parent, child int32) bool {
	return (parent == kindClient || parent == kindProducer) && (child == kindServer || child == kindConsumer)
}

// Kinds of spans, as OTLP numbers them.
const (
	kindServer   = 2
	kindClient   = 3
	kindProducer = 4
	kindConsumer = 5
)
