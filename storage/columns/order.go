package columns

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/clewtrace/clew/storage/trace"
)

// Order is the order of a sealed Set in a block: traces of normal times by ID,
// then wild ones by ID; within a trace the spans in depth-first preorder with
// siblings by (start, span ID); equal spans once.
type Order struct {
	// Rows are row numbers of the Set. Positions below index it.
	Rows []uint32
	// Parent is, by position, 1 + the position of the parent; 0 if the span has
	// none in the Set. A parent stands before its children.
	Parent []uint32
	// Subtree is, by position, the number of spans of the subtree, itself included.
	Subtree []uint32
	Traces  []OrderedTrace
	// Normal counts the traces of normal times; the others follow.
	Normal int
	// Duplicates counts the rows left out because an equal span is there.
	Duplicates int
}

// OrderedTrace is the positions [First, First+Rows) of one trace.
type OrderedTrace struct {
	Trace       uint32 // index for Set.TraceAt
	First, Rows uint32
}

// orderer is the scratch space of Order.
type orderer struct {
	s     *Set
	rows  []uint32 // of the trace, arrival order, then distinct ones
	tree  spanTree
	nodes []trace.Node
	link  trace.Linker
	ids   map[uint32][32]byte // identities computed for the trace
	place []uint32            // position by node
}

// Order computes the block order of a sealed Set. It takes about 0.2 µs a
// span and keeps the result: later calls return the same. Queries go on
// meanwhile: what is sealed does not change.
func (s *Set) Order() *Order {
	s.mu.RLock()
	sealed := s.sealed
	s.mu.RUnlock()
	if !sealed {
		panic("columns: Order of an open Set")
	}
	s.orderMu.Lock()
	defer s.orderMu.Unlock()
	if s.ordering != nil {
		return s.ordering
	}
	o := &Order{
		Rows:    make([]uint32, s.nrows),
		Parent:  make([]uint32, s.nrows),
		Subtree: make([]uint32, s.nrows),
		Traces:  make([]OrderedTrace, 0, s.traces.n),
	}
	w := &orderer{s: s}
	w.tree.init()
	traces := s.tracesByID()
	s.rowsByTrace(traces, o.Rows)
	from, at := uint32(0), uint32(0) // rows of the next trace, where they go: never behind from
	for _, t := range traces {
		tr := s.traces.at(t)
		if !tr.Wild {
			o.Normal++
		}
		w.rows = append(w.rows[:0], o.Rows[from:from+tr.Rows]...)
		n := w.add(o, t, at)
		o.Traces = append(o.Traces, OrderedTrace{Trace: t, First: at, Rows: n})
		from, at = from+tr.Rows, at+n
	}
	o.Duplicates = int(s.nrows - at)
	o.Rows, o.Parent, o.Subtree = o.Rows[:at], o.Parent[:at], o.Subtree[:at]
	s.ordering = o
	return o
}

// tracesByID returns the traces in the order of a block.
func (s *Set) tracesByID() []uint32 {
	type entry struct {
		hi, lo uint64
		trace  uint32
		wild   bool
	}
	list := make([]entry, s.traces.n)
	for i := range list {
		t := s.traces.at(uint32(i))
		list[i] = entry{binary.BigEndian.Uint64(t.ID[:]), binary.BigEndian.Uint64(t.ID[8:]), uint32(i), t.Wild}
	}
	slices.SortFunc(list, func(a, b entry) int {
		switch {
		case a.wild != b.wild:
			if b.wild {
				return -1
			}
			return 1
		case a.hi != b.hi:
			return cmp.Compare(a.hi, b.hi)
		}
		return cmp.Compare(a.lo, b.lo)
	})
	out := make([]uint32, len(list))
	for i := range list {
		out[i] = list[i].trace
	}
	return out
}

// rowsByTrace sorts all rows by trace, each trace's in the order of arrival. It
// reads the rows once as they lie: following the chain of each trace would wait
// for memory at every row.
func (s *Set) rowsByTrace(traces, dst []uint32) {
	next := make([]uint32, s.traces.n)
	n := uint32(0)
	for _, t := range traces {
		next[t] = n
		n += s.traces.at(t).Rows
	}
	for r := range s.nrows {
		t := s.Row(r).Trace
		dst[next[t]] = r
		next[t]++
	}
}

// add puts the rows of one trace to position first of o, and returns how many.
func (w *orderer) add(o *Order, t, first uint32) uint32 {
	s, n := w.s, len(w.rows)
	w.tree.reset(n)
	for i, r := range w.rows {
		row := s.Row(r)
		w.tree.spans[i] = treeSpan{id: idKey(row.SpanID), parent: idKey(row.Parent), start: row.Start}
	}
	if w.tree.build() {
		for k, i := range w.tree.order {
			o.Rows[first+uint32(k)] = w.rows[i]
			p := w.tree.spans[i].up
			if p != none {
				p = first + w.tree.place[p] + 1
			} else {
				p = 0
			}
			o.Parent[first+uint32(k)] = p
		}
		copy(o.Subtree[first:], w.tree.subtree)
		return uint32(n)
	}
	return w.addOdd(o, t, first)
}

// addOdd is add for traces whose spans share IDs or are each other's parents.
func (w *orderer) addOdd(o *Order, t, first uint32) uint32 {
	w.rows, w.nodes = w.s.distinctRows(t, w.rows[:0]), w.nodes[:0]
	clear(w.ids)
	for _, r := range w.rows {
		row := w.s.Row(r)
		w.nodes = append(w.nodes, trace.Node{ID: row.SpanID, Parent: row.Parent, Start: row.Start, Kind: w.s.ops[row.Op].Kind})
	}
	parents := w.link.Parents(w.nodes, w.less)
	order, subtree := w.link.Preorder(w.nodes, parents, w.less)
	if cap(w.place) < len(order) {
		w.place = make([]uint32, len(order)*2)
	}
	w.place = w.place[:len(order)]
	for k, i := range order {
		w.place[i] = first + uint32(k)
		o.Rows[w.place[i]] = w.rows[i]
		p := uint32(0)
		if parents[i] != trace.NoParent {
			p = w.place[parents[i]] + 1
		}
		o.Parent[w.place[i]] = p
	}
	copy(o.Subtree[first:], subtree)
	return uint32(len(order))
}

// less orders spans that share an ID by canonical identity.
func (w *orderer) less(i, j int32) bool {
	a, b := w.identity(w.rows[i]), w.identity(w.rows[j])
	return bytes.Compare(a[:], b[:]) < 0
}

func (w *orderer) identity(r uint32) [32]byte {
	if id, ok := w.ids[r]; ok {
		return id
	}
	if w.ids == nil {
		w.ids = map[uint32][32]byte{}
	}
	id := w.s.identity(r)
	w.ids[r] = id
	return id
}

// identity is the canonical identity of a row.
func (s *Set) identity(r uint32) [32]byte {
	row := s.Row(r)
	id, err := trace.Identity(s.Resource(row.Resource), s.Scope(row.Scope), s.appendSpanBytes(nil, row))
	if err != nil {
		// Append checked all of it; a row that cannot be read is a bug, and
		// two such rows must not be taken for equal.
		panic(fmt.Sprintf("columns: identity of row %d: %v", r, err))
	}
	return id
}

// distinctRows appends the rows of trace t in arrival order, equal spans once
// (the first that arrived). The caller holds the lock or the Set is sealed.
func (s *Set) distinctRows(t uint32, dst []uint32) []uint32 {
	base := len(dst)
	for r := s.traces.at(t).Last; r != 0; r = s.Row(r - 1).Prev {
		dst = append(dst, r-1)
	}
	rows := dst[base:]
	slices.Reverse(rows)
	if len(rows) < 2 {
		return dst
	}
	shared := s.sharedIDs(rows)
	if shared == nil {
		return dst
	}
	type seen struct {
		row uint32
		id  [32]byte
	}
	byID := map[trace.SpanID][]seen{}
	keep := rows[:0]
next:
	for _, r := range rows {
		id := s.Row(r).SpanID
		if !shared[id] {
			keep = append(keep, r)
			continue
		}
		me := seen{r, s.identity(r)}
		for _, o := range byID[id] {
			if o.id == me.id {
				continue next
			}
		}
		byID[id] = append(byID[id], me)
		keep = append(keep, r)
	}
	return dst[:base+len(keep)]
}

// sharedIDs returns the span IDs that more than one of rows has, nil if none.
func (s *Set) sharedIDs(rows []uint32) map[trace.SpanID]bool {
	if len(rows) <= 16 {
		var shared map[trace.SpanID]bool
		for i, r := range rows {
			id := s.Row(r).SpanID
			for _, q := range rows[:i] {
				if s.Row(q).SpanID == id {
					if shared == nil {
						shared = map[trace.SpanID]bool{}
					}
					shared[id] = true
				}
			}
		}
		return shared
	}
	ids := make([]trace.SpanID, len(rows))
	for i, r := range rows {
		ids[i] = s.Row(r).SpanID
	}
	slices.SortFunc(ids, func(a, b trace.SpanID) int { return bytes.Compare(a[:], b[:]) })
	var shared map[trace.SpanID]bool
	for i := 1; i < len(ids); i++ {
		if ids[i] == ids[i-1] {
			if shared == nil {
				shared = map[trace.SpanID]bool{}
			}
			shared[ids[i]] = true
		}
	}
	return shared
}
