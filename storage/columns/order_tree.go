package columns

import (
	"cmp"
	"encoding/binary"
	"math/bits"
	"math/rand/v2"
	"slices"

	"github.com/clewtrace/clew/storage/trace"
)

// spanTree puts the spans of one trace into depth-first preorder, as
// trace.Linker does, for traces in which no two spans share an ID and no span is
// its own ancestor: nearly all of them, and then it takes a fraction of the time.
type spanTree struct {
	spans   []treeSpan
	byID    []uint32 // 1 + span; open addressing
	factor  uint64   // odd, random: nobody can choose IDs that collide
	sorted  []sortedSpan
	order   []uint32 // spans in preorder
	place   []uint32 // by span: its place in order
	subtree []uint32 // by place in order
}

type treeSpan struct {
	id, parent, start uint64
	up, first, next   uint32 // parent, first child, next sibling
}

type sortedSpan struct {
	start, id uint64
	span      uint32
}

// none marks the absence of a span.
const none = ^uint32(0)

func idKey(id trace.SpanID) uint64 { return binary.BigEndian.Uint64(id[:]) }

func (t *spanTree) init() { t.factor = rand.Uint64() | 1 }

// reset makes room for the id, parent and start of n spans.
func (t *spanTree) reset(n int) {
	if cap(t.spans) < n {
		c := n + n/2
		t.spans, t.sorted = make([]treeSpan, c), make([]sortedSpan, c)
		t.order, t.place, t.subtree = make([]uint32, c), make([]uint32, c), make([]uint32, c)
	}
	t.spans, t.sorted = t.spans[:n], t.sorted[:n]
	t.order, t.place, t.subtree = t.order[:n], t.place[:n], t.subtree[:n]
}

// build fills order, place, subtree and the links of spans. It reports false if
// the spans are not of the kind that it is for.
func (t *spanTree) build() bool {
	if !t.index() {
		return false
	}
	t.link()
	return t.walk()
}

// index makes byID; false if two spans share an ID.
func (t *spanTree) index() bool {
	size := 1 << bits.Len(uint(2*len(t.spans))) // at most half full
	if cap(t.byID) < size {
		t.byID = make([]uint32, size)
	}
	t.byID = t.byID[:size]
	clear(t.byID)
	mask, shift := uint32(size-1), t.shift()
	for i := range t.spans {
		id := t.spans[i].id
		at := uint32(id * t.factor >> shift)
		for ; t.byID[at] != 0; at = (at + 1) & mask {
			if t.spans[t.byID[at]-1].id == id {
				return false
			}
		}
		t.byID[at] = uint32(i) + 1
	}
	return true
}

func (t *spanTree) shift() uint { return 64 - uint(bits.Len(uint(len(t.byID)-1))) }

// find returns the span with an ID.
func (t *spanTree) find(id uint64) uint32 {
	mask := uint32(len(t.byID) - 1)
	for at := uint32(id * t.factor >> t.shift()); t.byID[at] != 0; at = (at + 1) & mask {
		if i := t.byID[at] - 1; t.spans[i].id == id {
			return i
		}
	}
	return none
}

// link finds parents and sorts the spans by (start, ID).
func (t *spanTree) link() {
	for i := range t.spans {
		s := &t.spans[i]
		s.up, s.first, s.next = none, none, none
		if s.parent != 0 && s.parent != s.id {
			s.up = t.find(s.parent)
		}
		t.sorted[i] = sortedSpan{s.start, s.id, uint32(i)}
	}
	sortSpans(t.sorted)
}

// sortSpans sorts by (start, ID). Most traces are small, and their spans arrive
// nearly in order.
func sortSpans(list []sortedSpan) {
	if len(list) > 48 {
		slices.SortFunc(list, func(a, b sortedSpan) int {
			if a.start != b.start {
				return cmp.Compare(a.start, b.start)
			}
			return cmp.Compare(a.id, b.id)
		})
		return
	}
	for i := 1; i < len(list); i++ {
		x := list[i]
		j := i
		for ; j > 0 && (x.start < list[j-1].start || x.start == list[j-1].start && x.id < list[j-1].id); j-- {
			list[j] = list[j-1]
		}
		list[j] = x
	}
}

// walk makes lists of children and goes through the tree; false if some spans hang on no root: they go around in circles.
func (t *spanTree) walk() bool {
	root := none
	for k := len(t.sorted) - 1; k >= 0; k-- { // from the back, so that lists come out in order
		i := t.sorted[k].span
		s := &t.spans[i]
		if s.up == none {
			s.next, root = root, i
		} else {
			p := &t.spans[s.up]
			s.next, p.first = p.first, i
		}
	}
	n := uint32(0)
	for at := root; at != none; {
		t.order[n], t.place[at] = at, n
		n++
		if first := t.spans[at].first; first != none {
			at = first
			continue
		}
		for at != none {
			s := &t.spans[at]
			t.subtree[t.place[at]] = n - t.place[at]
			if s.next != none {
				at = s.next
				break
			}
			at = s.up
		}
	}
	return int(n) == len(t.spans)
}
