package columns

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/clewtrace/clew/storage/trace"
)

// TestOrderAgainstLinker compares the order of random traces, among them wild
// ones, ones with copies, shared IDs, cycles and lost parents, with what
// trace.Linker makes of their distinct spans.
func TestOrderAgainstLinker(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	plain, odd := 0, 0
	for range 60 {
		s := New("random", DefaultOptions())
		for range 1 + r.IntN(12) {
			appendRandomTrace(t, s, r)
		}
		s.Seal()
		o := s.Order()
		at := uint32(0)
		for k, ot := range o.Traces {
			tr := s.TraceAt(ot.Trace)
			if k > 0 {
				before := s.TraceAt(o.Traces[k-1].Trace)
				if before.Wild && !tr.Wild || before.Wild == tr.Wild && slices.Compare(before.ID[:], tr.ID[:]) >= 0 {
					t.Fatalf("trace %s stands behind %s", tr.ID, before.ID)
				}
			}
			rows := s.distinctRows(ot.Trace, nil)
			if ot.First != at || int(ot.Rows) != len(rows) || (k < o.Normal) == tr.Wild {
				t.Fatalf("trace %s: %+v, want %d rows from %d", tr.ID, ot, len(rows), at)
			}
			w := orderer{s: s, rows: rows}
			for _, r := range rows {
				row := s.Row(r)
				w.nodes = append(w.nodes, trace.Node{ID: row.SpanID, Parent: row.Parent, Start: row.Start, Kind: s.Op(row.Op).Kind})
			}
			parents := w.link.Parents(w.nodes, w.less)
			order, subtree := w.link.Preorder(w.nodes, parents, w.less)
			place := map[int32]uint32{}
			for i, n := range order {
				pos := at + uint32(i)
				place[n] = pos
				want := uint32(0)
				if p := parents[n]; p != trace.NoParent {
					want = place[p] + 1
				}
				if o.Rows[pos] != rows[n] || o.Parent[pos] != want || o.Subtree[pos] != subtree[i] {
					t.Fatalf("trace %s, place %d: row %d, parent %d, subtree %d; want %d, %d, %d", tr.ID, i,
						o.Rows[pos], o.Parent[pos], o.Subtree[pos], rows[n], want, subtree[i])
				}
			}
			at += ot.Rows
			var tree spanTree
			tree.init()
			tree.reset(len(rows))
			for i, n := range w.nodes {
				tree.spans[i] = treeSpan{id: idKey(n.ID), parent: idKey(n.Parent), start: n.Start}
			}
			if tree.build() {
				plain++
			} else {
				odd++
			}
		}
		if int(at) != len(o.Rows) || len(o.Rows)+o.Duplicates != s.Len() {
			t.Fatalf("%d rows and %d duplicates, want %d", len(o.Rows), o.Duplicates, s.Len())
		}
	}
	if plain == 0 || odd == 0 {
		t.Errorf("%d plain traces, %d odd ones: want both", plain, odd)
	}
}

func appendRandomTrace(t *testing.T, s *Set, r *rand.Rand) {
	var id pcommon.TraceID
	binary.BigEndian.PutUint64(id[8:], r.Uint64N(3)) // halves that are equal
	binary.BigEndian.PutUint64(id[:], r.Uint64N(4)+1)
	n := 1 + r.IntN(70)
	spread := uint64(1 + r.IntN(3*n)) // of start times: some are equal
	for from := 0; from < n; {
		td := ptrace.NewTraces()
		ss := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty()
		for range 1 + r.IntN(20) {
			from++
			sp := ss.Spans().AppendEmpty()
			sp.SetTraceID(id)
			span := from
			if r.IntN(150) == 0 {
				span = 1 + r.IntN(n)
			}
			sp.SetSpanID(pcommon.SpanID{6: byte(span >> 8), 7: byte(span)})
			parent := r.IntN(from)
			if r.IntN(60) == 0 {
				parent = r.IntN(2 * n)
			}
			sp.SetParentSpanID(pcommon.SpanID{6: byte(parent >> 8), 7: byte(parent)})
			sp.SetKind(ptrace.SpanKind(r.IntN(6)))
			sp.SetStartTimestamp(pcommon.Timestamp(1_700_000_000_000_000_000 + r.Uint64N(spread)))
			if r.IntN(300) == 0 {
				sp.SetStartTimestamp(1)
			}
		}
		b, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(td)
		if err != nil {
			t.Fatal(err)
		}
		for range 1 + r.IntN(20)/19 {
			if _, err := s.Append(b, 1_700_000_000_000_000_000); err != nil {
				t.Fatal(err)
			}
		}
	}
}
