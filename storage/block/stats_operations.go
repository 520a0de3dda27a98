package block

import (
	"cmp"
	"maps"
	"slices"

	"github.com/clewtrace/clew/storage/columns"
)

// operationTable counts spans by operation, minute and bucket of duration. It
// keeps one small entry for each combination that occurs, so that a block of
// a million operations costs no more than one of a million spans.
type operationTable struct {
	slots   []uint32 // 1 + index of entries; power of two, at most half full
	entries []operationCount
}

type operationCount struct {
	key           uint64 // operation<<35 | minute<<6 | bucket
	spans, errors uint32
	sum           uint64 // of durations in ns
}

const nanosPerMinute = 60e9 // 2^64 ns are less than 2^29 minutes

func (t *operationTable) add(op uint32, start uint64, bucket uint8, failed bool, duration int64) {
	key := uint64(op)<<35 | start/nanosPerMinute<<6 | uint64(bucket)
	if len(t.entries)*2 >= len(t.slots) {
		t.grow()
	}
	mask := uint64(len(t.slots) - 1)
	i := hashNumber(key) & mask
	for t.slots[i] != 0 && t.entries[t.slots[i]-1].key != key {
		i = (i + 1) & mask
	}
	if t.slots[i] == 0 {
		t.entries = append(t.entries, operationCount{key: key})
		t.slots[i] = uint32(len(t.entries))
	}
	e := &t.entries[t.slots[i]-1]
	e.spans++
	if failed {
		e.errors++
	}
	e.sum += uint64(max(duration, 0))
}

func (t *operationTable) grow() {
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

// finish encodes SectionOperations. The table is empty afterwards.
func (t *operationTable) finish(set *columns.Set) []byte {
	t.slots = nil
	slices.SortFunc(t.entries, func(a, b operationCount) int { return cmp.Compare(a.key, b.key) })
	var runs [][]operationCount // by operation
	for rest := t.entries; len(rest) > 0; {
		n := 1
		for n < len(rest) && rest[n].key>>35 == rest[0].key>>35 {
			n++
		}
		runs, rest = append(runs, rest[:n]), rest[n:]
	}
	op := func(run []operationCount) columns.Op { return set.Op(uint32(run[0].key >> 35)) }
	slices.SortFunc(runs, func(a, b []operationCount) int {
		x, y := op(a), op(b)
		return cmp.Or(cmp.Compare(x.Service, y.Service), cmp.Compare(x.Name, y.Name), cmp.Compare(x.Kind, y.Kind))
	})
	var out operationEncoder
	var m MinuteStats
	for _, run := range runs {
		minutes := 0
		for i := range run {
			if i == 0 || run[i].key>>6 != run[i-1].key>>6 {
				minutes++
			}
		}
		o := op(run)
		out.operation(o.Service, o.Name, o.Kind, minutes)
		last := uint32(0)
		for len(run) > 0 {
			minute := run[0].key >> 6
			m = MinuteStats{Minute: uint32(minute) & (1<<29 - 1), Durations: m.Durations[:0]}
			for len(run) > 0 && run[0].key>>6 == minute {
				m.Durations = append(m.Durations, Bucket{uint8(run[0].key & 63), run[0].spans})
				m.Errors += run[0].errors
				m.DurationSum += run[0].sum
				run = run[1:]
			}
			out.minute(&m, last)
			last = m.Minute
		}
	}
	t.entries = nil
	return out.finish()
}

// edgeKey is one bucket of one edge.
type edgeKey struct {
	client, server uint32 // numbers of layout.services
	kind           int32
	bucket         uint8
}

type edgeCount struct{ calls, errors uint32 }

// edge counts a span and its child, if that is a call between services.
func (c *collector) edge(parent, child *columns.Row, bucket uint8, failed bool) {
	l := c.l
	from, to := l.opService[parent.Op], l.opService[child.Op]
	if from == to && !isCall(l.opKind[parent.Op], l.opKind[child.Op]) {
		return
	}
	k := edgeKey{from, to, l.opKind[child.Op], bucket}
	i, ok := c.edges[k]
	if !ok {
		i = uint32(len(c.edgeCounts))
		c.edges[k] = i
		c.edgeCounts = append(c.edgeCounts, edgeCount{})
	}
	e := &c.edgeCounts[i]
	e.calls++
	if failed {
		e.errors++
	}
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

// sortedEdges returns the edges sorted by (client, server, kind).
func (c *collector) sortedEdges() []Edge {
	keys := slices.Collect(maps.Keys(c.edges))
	slices.SortFunc(keys, func(a, b edgeKey) int { // services are numbered by name
		return cmp.Or(cmp.Compare(a.client, b.client), cmp.Compare(a.server, b.server), cmp.Compare(a.kind, b.kind), cmp.Compare(a.bucket, b.bucket))
	})
	var out []Edge
	for i, k := range keys {
		if i == 0 || k.client != keys[i-1].client || k.server != keys[i-1].server || k.kind != keys[i-1].kind {
			out = append(out, Edge{Client: c.l.services[k.client], Server: c.l.services[k.server], Kind: k.kind})
		}
		e, n := &out[len(out)-1], &c.edgeCounts[c.edges[k]]
		e.Calls += uint64(n.calls)
		e.Errors += uint64(n.errors)
		e.Durations = append(e.Durations, Bucket{k.bucket, n.calls})
	}
	return out
}
