package trace

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"
)

// Kinds of spans that the tree rule tells apart (numbers of OTLP).
const (
	KindServer   = 2
	KindClient   = 3
	KindConsumer = 5
)

// Node is what the tree of a trace is built from.
type Node struct {
	ID, Parent SpanID
	Start      uint64
	Kind       int32
}

// NoParent marks a node without a parent in the trace.
const NoParent = int32(-1)

// Linker finds parents and the order of the spans of a trace. The zero Linker
// is ready; it keeps its buffers between calls, so results are valid until
// the next call. Not for concurrent use.
type Linker struct {
	byID    []int32
	parents []int32
	mark    []uint32
	byStart []int32
	first   []int32
	next    []int32
	order   []int32
	subtree []uint32
	stack   []int32
	key     []uint64
}

func idKey(id SpanID) uint64 { return binary.BigEndian.Uint64(id[:]) }

// Parents returns for each node the index of its parent, or NoParent.
//
// The parent is the node whose ID is the node's parent ID. If several have it,
// a SERVER or CONSUMER one comes first; among equals the one that less puts
// first (less orders nodes by canonical identity; it is called only where IDs
// are shared). A SERVER node whose own ID is also a CLIENT node's is that
// CLIENT node's child. A cycle is cut at its node with the smallest (start,
// span ID), among equals at the one that less puts first. nodes must not hold
// equal spans twice.
func (l *Linker) Parents(nodes []Node, less func(i, j int32) bool) []int32 {
	n := len(nodes)
	l.parents = grow(l.parents, n)
	l.byID = grow(l.byID, n)
	l.key = grow(l.key, n)
	for i := range nodes {
		l.byID[i] = int32(i)
		l.key[i] = idKey(nodes[i].ID)
	}
	key := l.key
	slices.SortFunc(l.byID, func(a, b int32) int { return cmp.Compare(key[a], key[b]) })
	for i := range nodes {
		l.parents[i] = l.parentOf(nodes, int32(i), less)
	}
	l.cut(nodes, less)
	return l.parents
}

// group returns the nodes with the given ID.
func (l *Linker) group(id uint64) []int32 {
	key := l.key
	lo, found := slices.BinarySearchFunc(l.byID, id, func(a int32, want uint64) int { return cmp.Compare(key[a], want) })
	if !found {
		return nil
	}
	hi := lo + 1
	for hi < len(l.byID) && key[l.byID[hi]] == id {
		hi++
	}
	return l.byID[lo:hi]
}

func (l *Linker) parentOf(nodes []Node, i int32, less func(i, j int32) bool) int32 {
	n := &nodes[i]
	if n.Kind == KindServer {
		if g := l.group(l.key[i]); len(g) > 1 {
			if p := best(g, i, less, func(c int32) bool { return nodes[c].Kind == KindClient }); p != NoParent {
				return p
			}
		}
	}
	if n.Parent.IsZero() {
		return NoParent
	}
	g := l.group(idKey(n.Parent))
	switch len(g) {
	case 0:
		return NoParent
	case 1:
		return g[0]
	}
	if p := best(g, i, less, func(c int32) bool { return nodes[c].Kind == KindServer || nodes[c].Kind == KindConsumer }); p != NoParent {
		return p
	}
	return best(g, i, less, func(int32) bool { return true })
}

// best is the first of group by less among those that fit and are not self.
func best(group []int32, self int32, less func(i, j int32) bool, fits func(int32) bool) int32 {
	b := NoParent
	for _, c := range group {
		if c != self && fits(c) && (b == NoParent || less(c, b)) {
			b = c
		}
	}
	return b
}

// cut removes one link of every cycle.
func (l *Linker) cut(nodes []Node, less func(i, j int32) bool) {
	l.mark = grow(l.mark, len(nodes))
	clear(l.mark)
	for i := range nodes {
		// walk up with a mark of one's own; meeting it again is a cycle
		walk := uint32(i) + 1
		at := int32(i)
		for at != NoParent && l.mark[at] == 0 {
			l.mark[at] = walk
			at = l.parents[at]
		}
		if at == NoParent || l.mark[at] != walk {
			continue
		}
		smallest := at
		for c := l.parents[at]; c != at; c = l.parents[c] {
			if d := compareNodes(&nodes[c], &nodes[smallest]); d < 0 || d == 0 && less(c, smallest) {
				smallest = c
			}
		}
		l.parents[smallest] = NoParent
	}
}

// compareNodes orders by (start, span ID).
func compareNodes(a, b *Node) int {
	return cmp.Or(cmp.Compare(a.Start, b.Start), bytes.Compare(a.ID[:], b.ID[:]))
}

// Preorder returns the nodes in depth-first preorder, siblings and roots by
// (start, span ID, less), and for each place in that order the size of the
// subtree that begins there. parents is what Parents returned.
func (l *Linker) Preorder(nodes []Node, parents []int32, less func(i, j int32) bool) (order []int32, subtree []uint32) {
	n := len(nodes)
	l.byStart, l.first, l.next = grow(l.byStart, n), grow(l.first, n), grow(l.next, n)
	for i := range nodes {
		l.byStart[i], l.first[i] = int32(i), NoParent
	}
	slices.SortFunc(l.byStart, func(a, b int32) int {
		if c := compareNodes(&nodes[a], &nodes[b]); c != 0 {
			return c
		}
		switch {
		case a == b:
			return 0
		case less(a, b):
			return -1
		default:
			return 1
		}
	})
	root := NoParent
	for k := n - 1; k >= 0; k-- { // from the back, so that lists come out in order
		i := l.byStart[k]
		if p := parents[i]; p == NoParent {
			l.next[i], root = root, i
		} else {
			l.next[i], l.first[p] = l.first[p], i
		}
	}
	l.order, l.stack = l.order[:0], l.stack[:0]
	for r := root; r != NoParent; r = l.next[r] {
		l.stack = append(l.stack, r)
		for len(l.stack) > 0 {
			i := l.stack[len(l.stack)-1]
			l.stack = l.stack[:len(l.stack)-1]
			l.order = append(l.order, i)
			at := len(l.stack)
			for c := l.first[i]; c != NoParent; c = l.next[c] {
				l.stack = append(l.stack, c)
			}
			slices.Reverse(l.stack[at:])
		}
	}
	l.subtree = grow(l.subtree, n)
	size := grow(l.mark, n) // by node
	l.mark = size
	clear(size)
	for k := n - 1; k >= 0; k-- {
		i := l.order[k]
		size[i]++
		l.subtree[k] = size[i]
		if p := parents[i]; p != NoParent {
			size[p] += size[i]
		}
	}
	return l.order, l.subtree
}

func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n, n+n/2)
	}
	return s[:n]
}
