package trace

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// checkTree checks the tree of a trace against the rule, slowly.
func checkTree(t *testing.T, tr *Trace) {
	t.Helper()
	parents := tr.Parents()
	want := slowParents(tr)
	if !slices.Equal(parents, want) {
		t.Fatalf("got parents %v, want %v\n%+v", parents, want, tr.Nodes(nil))
	}
	var l Linker
	nodes := tr.Nodes(nil)
	order, subtree := l.Preorder(nodes, slices.Clone(l.Parents(nodes, tr.Less)), tr.Less)
	if len(order) != len(nodes) {
		t.Fatalf("preorder has %d of %d spans", len(order), len(nodes))
	}
	place := make([]int, len(nodes))
	for k, i := range order {
		place[i] = k
	}
	for i, p := range parents {
		if p != NoParent && (place[i] <= place[p] || place[i] >= place[p]+int(subtree[place[p]])) {
			t.Fatalf("span %d is not in the subtree of its parent %d", i, p)
		}
	}
}

// slowParents is the rule of the tree, written down once more.
func slowParents(tr *Trace) []int32 {
	spans := tr.Spans
	parents := make([]int32, len(spans))
	first := func(self int, fits func(s *Span) bool) int32 {
		best := NoParent
		for j := range spans {
			if j != self && fits(&spans[j]) && (best == NoParent || tr.Less(int32(j), best)) {
				best = int32(j)
			}
		}
		return best
	}
	for i := range spans {
		s := &spans[i]
		p := NoParent
		if s.Kind == KindServer {
			p = first(i, func(o *Span) bool { return o.ID == s.ID && o.Kind == KindClient })
		}
		if p == NoParent && !s.Parent.IsZero() {
			p = first(i, func(o *Span) bool { return o.ID == s.Parent && (o.Kind == KindServer || o.Kind == KindConsumer) })
			if p == NoParent {
				p = first(i, func(o *Span) bool { return o.ID == s.Parent })
			}
		}
		parents[i] = p
	}
	nodes := tr.Nodes(nil)
	for i := range parents {
		seen := map[int32]bool{}
		at := int32(i)
		for at != NoParent && !seen[at] {
			seen[at] = true
			at = parents[at]
		}
		if at == NoParent {
			continue
		}
		cut := at
		for c := parents[at]; c != at; c = parents[c] {
			if d := compareNodes(&nodes[c], &nodes[cut]); d < 0 || d == 0 && tr.Less(c, cut) {
				cut = c
			}
		}
		parents[cut] = NoParent
	}
	return parents
}

func TestParents(t *testing.T) {
	span := func(id, parent byte, start uint64, kind int32) Node {
		return Node{ID: SpanID{7: id}, Parent: SpanID{7: parent}, Start: start, Kind: kind}
	}
	none := NoParent
	for _, tc := range []struct {
		name  string
		nodes []Node
		want  []int32
	}{
		{"chain", []Node{span(1, 0, 1, 0), span(2, 1, 2, 0), span(3, 2, 3, 0)}, []int32{none, 0, 1}},
		{"orphan", []Node{span(1, 0, 1, 0), span(2, 9, 2, 0)}, []int32{none, none}},
		{"shared ID: server below client, its child below server",
			[]Node{span(1, 0, 1, KindClient), span(1, 0, 2, KindServer), span(2, 1, 3, 0)}, []int32{none, 0, 1}},
		{"shared ID: server keeps no other parent",
			[]Node{span(1, 0, 1, 0), span(2, 1, 2, KindClient), span(2, 1, 3, KindServer)}, []int32{none, 0, 1}},
		{"consumer before others", []Node{span(1, 0, 1, 1), span(1, 0, 2, KindConsumer), span(2, 1, 3, 0)}, []int32{none, none, 1}},
		{"same kind: less decides", []Node{span(1, 0, 1, 1), span(1, 0, 2, 1), span(2, 1, 3, 0)}, []int32{none, none, 0}},
		{"own parent", []Node{span(1, 1, 1, 0)}, []int32{none}},
		{"cycle of three is cut at the earliest", []Node{span(1, 3, 5, 0), span(2, 1, 4, 0), span(3, 2, 6, 0)}, []int32{2, none, 1}},
		{"tail on a cycle", []Node{span(4, 1, 0, 0), span(1, 2, 5, 0), span(2, 1, 5, 0)}, []int32{1, none, 1}},
		{"client and server name themselves", []Node{span(1, 1, 5, KindClient), span(1, 1, 5, KindServer)}, []int32{none, 0}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var l Linker
			if got := l.Parents(tc.nodes, func(i, j int32) bool { return i < j }); !slices.Equal(got, tc.want) {
				t.Errorf("got %v, want %v", got, tc.want)
			}
		})
	}
}

// Depth costs no stack and size no square.
func TestParentsOfManySpans(t *testing.T) {
	const n = 200_000
	for _, shape := range []string{"chain", "star", "cycle"} {
		nodes := make([]Node, n)
		for i := range nodes {
			id := func(k int) SpanID { return SpanID{4: byte(k >> 16), 5: byte(k >> 8), 6: byte(k), 7: 1} }
			nodes[i] = Node{ID: id(i), Start: uint64(i)}
			switch {
			case shape == "star" && i > 0:
				nodes[i].Parent = id(0)
			case shape == "chain" && i > 0:
				nodes[i].Parent = id(i - 1)
			case shape == "cycle":
				nodes[i].Parent = id((i + n - 1) % n)
			}
		}
		began := time.Now()
		var l Linker
		less := func(i, j int32) bool { return i < j }
		parents := l.Parents(nodes, less)
		order, _ := l.Preorder(nodes, parents, less)
		took := time.Since(began)
		for i, p := range parents {
			if want := int32(max(i-1, -1)); shape != "star" && p != want {
				t.Fatalf("%s: parent of %d is %d", shape, i, p)
			}
		}
		if len(order) != n {
			t.Errorf("%s: %d of %d in preorder", shape, len(order), n)
		}
		if took > 5*time.Second {
			t.Errorf("%s: %s", shape, took)
		}
		t.Log(fmt.Sprint(shape, " ", took))
	}
}
