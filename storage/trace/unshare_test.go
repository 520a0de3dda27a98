package trace

import (
	"bytes"
	"testing"
)

func TestUnshare(t *testing.T) {
	span := func(id, parent byte, kind byte, name string) []byte {
		b := join(field(1, make([]byte, 15), []byte{1}), field(2, make([]byte, 7), []byte{id}), []byte{6 << 3, kind}, field(5, []byte(name)))
		if parent != 0 {
			b = append(b, field(4, make([]byte, 7), []byte{parent})...)
		}
		return field(1, field(2, field(2, b)))
	}
	tr := mustAssemble(t,
		span(1, 0, 1, "root"), span(2, 1, KindClient, "client"), span(2, 1, KindServer, "server"), span(3, 2, 1, "child"),
		span(4, 1, 1, "twin a"), span(4, 1, 1, "twin b"))
	got := tr.Unshare()
	if got == tr || !bytes.Equal(got.Wire(), tr.Unshare().Wire()) {
		t.Fatal("not changed, or not the same twice")
	}
	by := map[string]*Span{}
	for i := range got.Spans {
		by[got.Spans[i].Name()] = &got.Spans[i]
	}
	server := by["server"]
	if server.ID == (SpanID{7: 2}) || server.Parent != (SpanID{7: 2}) {
		t.Errorf("server %s below %s", server.ID, server.Parent)
	}
	if by["client"].ID != (SpanID{7: 2}) || by["client"].Parent != (SpanID{7: 1}) || by["child"].Parent != server.ID {
		t.Errorf("client %+v, child %+v", by["client"], by["child"])
	}
	if by["twin a"].ID != by["twin b"].ID {
		t.Error("spans that share an ID without client and server got others")
	}
	again := mustAssemble(t, got.Wire())
	for i := range again.Spans {
		if again.Spans[i].ID == server.ID && again.Spans[i].Name() != "server" {
			t.Error("the new ID is not on the wire")
		}
	}
	if again.Unshare() != again {
		t.Error("unshared twice")
	}
	if got.Data().SpanCount() != len(got.Spans) {
		t.Error("cannot be decoded")
	}
}

// Unsharing keeps the tree wherever it changes IDs.
func TestUnshareKeepsTheTree(t *testing.T) {
	rng := seeded(t)
	for range 2000 {
		tr := mustAssemble(t, marshal(t, randomTrace(rng)), marshal(t, randomTrace(rng)))
		if tr == nil {
			continue
		}
		got := tr.Unshare()
		parents := tr.Parents()
		for i := range got.Spans {
			if p := parents[i]; p != NoParent && got.Spans[i].ID != tr.Spans[i].ID && got.Spans[i].Parent != got.Spans[p].ID {
				t.Fatalf("span %d names %s, its parent is %s", i, got.Spans[i].Parent, got.Spans[p].ID)
			}
		}
		for i := range got.Spans {
			for j := range got.Spans {
				a, b := &got.Spans[i], &got.Spans[j]
				if a.ID == b.ID && a.Kind == KindServer && b.Kind == KindClient {
					t.Fatal("still shared")
				}
			}
		}
	}
}
