package columns

import (
	"bytes"
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
	nodes []trace.Node
	link  trace.Linker
	em    Emitter
	ids   map[uint32][32]byte // identities computed for the trace
	place []uint32            // position by node
}

// Order computes the block order of a sealed Set. It takes about 0.2 µs a
// span and keeps the result: later calls return the same.
func (s *Set) Order() *Order {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.sealed {
		panic("columns: Order of an open Set")
	}
	if s.ordering != nil {
		return s.ordering
	}
	n := s.traces.n
	byID := make([]uint32, n)
	for i := range byID {
		byID[i] = uint32(i)
	}
	slices.SortFunc(byID, func(a, b uint32) int {
		ta, tb := s.traces.at(a), s.traces.at(b)
		if ta.Wild != tb.Wild {
			if tb.Wild {
				return -1
			}
			return 1
		}
		return bytes.Compare(ta.ID[:], tb.ID[:])
	})
	o := &Order{
		Rows:    make([]uint32, 0, s.nrows),
		Parent:  make([]uint32, 0, s.nrows),
		Subtree: make([]uint32, 0, s.nrows),
		Traces:  make([]OrderedTrace, 0, n),
	}
	w := &orderer{s: s}
	for _, t := range byID {
		if !s.traces.at(t).Wild {
			o.Normal++
		}
		w.add(o, t)
	}
	s.ordering = o
	return o
}

// add appends one trace.
func (w *orderer) add(o *Order, t uint32) {
	w.rows, w.nodes = w.s.distinctRows(t, w.rows[:0]), w.nodes[:0]
	clear(w.ids)
	for _, r := range w.rows {
		row := w.s.Row(r)
		w.nodes = append(w.nodes, trace.Node{ID: row.SpanID, Parent: row.Parent, Start: row.Start, Kind: w.s.ops[row.Op].Kind})
	}
	o.Duplicates += int(w.s.traces.at(t).Rows) - len(w.rows)
	parents := w.link.Parents(w.nodes, w.less)
	order, subtree := w.link.Preorder(w.nodes, parents, w.less)
	first := uint32(len(o.Rows))
	if cap(w.place) < len(order) {
		w.place = make([]uint32, len(order)*2)
	}
	w.place = w.place[:len(order)]
	for k, i := range order {
		w.place[i] = first + uint32(k)
		o.Rows = append(o.Rows, w.rows[i])
		p := uint32(0)
		if parents[i] != trace.NoParent {
			p = w.place[parents[i]] + 1
		}
		o.Parent = append(o.Parent, p)
	}
	o.Subtree = append(o.Subtree, subtree...)
	o.Traces = append(o.Traces, OrderedTrace{Trace: t, First: first, Rows: uint32(len(order))})
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
