package trace

import (
	"crypto/sha256"
	"encoding/binary"
)

// Identity is the canonical identity of a span that shares its ID with another
// span of the trace; shared is false, and id zero, for the others.
func (s *Span) Identity() (id [32]byte, shared bool) {
	if s.identity == nil {
		return id, false
	}
	return *s.identity, true
}

// Unshare returns the trace with a span ID of its own for every SERVER span
// that shares its ID with a CLIENT span, as Zipkin's do. Such a SERVER span
// becomes the CLIENT span's child by ID, and the spans whose parent it is in
// the tree name its new ID. Other spans that share an ID keep it. A new ID is
// derived from the span's content, so that it is the same in every answer. It
// is for clients that tell spans apart by ID; t itself does not change, and is
// returned if there is nothing to do.
func (t *Trace) Unshare() *Trace {
	clients := map[SpanID]bool{}
	for i := range t.Spans {
		if s := &t.Spans[i]; s.identity != nil && s.Kind == KindClient {
			clients[s.ID] = true
		}
	}
	ids := map[int32]SpanID{}
	for i := range t.Spans {
		if s := &t.Spans[i]; s.Kind == KindServer && clients[s.ID] {
			ids[int32(i)] = SpanID{}
		}
	}
	if len(ids) == 0 {
		return t
	}
	parents := t.Parents()
	used := make(map[SpanID]bool, len(t.Spans))
	for i := range t.Spans {
		used[t.Spans[i].ID] = true
	}
	idOf := func(i int32) SpanID {
		if id, ok := ids[i]; ok {
			return id
		}
		return t.Spans[i].ID
	}
	for i := range t.Spans {
		if _, ok := ids[int32(i)]; ok {
			ids[int32(i)] = freshID(t.Spans[i].identity, used)
		}
	}
	out := &Trace{ID: t.ID, Resources: t.Resources, Scopes: t.Scopes, Spans: make([]Span, len(t.Spans))}
	copy(out.Spans, t.Spans)
	for i := range out.Spans {
		s := &out.Spans[i]
		_, fresh := ids[int32(i)]
		p := parents[i]
		if p != NoParent {
			if _, freshParent := ids[p]; fresh || freshParent {
				s.Parent = idOf(p)
			}
		}
		s.ID = idOf(int32(i))
		if s.ID != t.Spans[i].ID || s.Parent != t.Spans[i].Parent {
			s.Raw = withSpanIDs(s.Raw, s.ID, s.Parent)
		}
	}
	return out
}

// freshID derives an unused span ID from an identity and marks it used.
func freshID(identity *[32]byte, used map[SpanID]bool) SpanID {
	for n := uint64(0); ; n++ {
		h := sha256.Sum256(binary.BigEndian.AppendUint64(identity[:32:32], n))
		if id := SpanID(h[:8]); !id.IsZero() && !used[id] {
			used[id] = true
			return id
		}
	}
}

// withSpanIDs returns a copy of the span b, which is sound, with other IDs.
func withSpanIDs(b []byte, id, parent SpanID) []byte {
	out := appendMessageField(make([]byte, 0, len(b)+10), 2, id[:])
	if !parent.IsZero() {
		out = appendMessageField(out, 4, parent[:])
	}
	for i := 0; i < len(b); {
		f, n := NextField(b, i)
		if f.Wire != 2 || f.Num != 2 && f.Num != 4 {
			out = append(out, b[i:n]...)
		}
		i = n
	}
	return out
}
