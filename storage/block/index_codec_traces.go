package block

import (
	"math/bits"

	"github.com/clewtrace/clew/storage/trace"
)

// traceEncoder builds the two sections of the trace table, one trace after the
// other. It holds them encoded, because traces may be as many as spans.
type traceEncoder struct {
	ids               []byte
	n, normal         int
	base              uint64 // smallest start seen first: starts are differences from it
	start, duration   []uint64
	rows, root        encoder
	orphans, services encoder
	rootText          encoder
	strings           []string
	number            map[string]uint32
}

// traceEntry is one trace for traceEncoder.
type traceEntry struct {
	id          trace.ID
	rows        uint32
	start, end  uint64
	root        uint32 // offset of the root from the first row, or NoRow
	rootService uint32 // numbers from text
	rootName    uint32
	orphans     uint32
	services    []TraceService // sorted by name
	wild        bool           // wild traces come last
}

// text numbers a string of the table.
func (e *traceEncoder) text(s string) uint32 {
	if n, ok := e.number[s]; ok {
		return n
	}
	if e.number == nil {
		e.number = map[string]uint32{}
	}
	n := uint32(len(e.strings))
	e.strings = append(e.strings, s)
	e.number[s] = n
	return n
}

func (e *traceEncoder) add(t *traceEntry) {
	if e.n == 0 {
		e.base = t.start
	}
	e.ids = append(e.ids, t.id[:]...)
	e.n++
	if !t.wild {
		e.normal++
	}
	e.rows.uvarint(uint64(t.rows))
	e.start = append(e.start, zigzag(int64(t.start-e.base)))
	e.duration = append(e.duration, zigzag(int64(t.end-t.start)))
	e.root.uvarint(uint64(t.root + 1)) // NoRow becomes 0
	e.orphans.uvarint(uint64(t.orphans))
	if t.root != NoRow {
		e.rootText.uvarint(uint64(t.rootService))
		e.rootText.uvarint(uint64(t.rootName))
	}
	e.services.uvarint(uint64(len(t.services)))
	for _, s := range t.services {
		e.services.uvarint(uint64(s.Service))
		e.services.uvarint(uint64(s.Spans))
		e.services.uvarint(uint64(s.Errors))
	}
}

// finish encodes SectionTraces; SectionTraceIDs is ids as it stands.
//
//	count | normal | base | strings: count, per string its bytes |
//	then each behind its length: rows, starts - base (planes), ends - starts
//	(planes), 1 + offset of the root, orphans, services (count, per service:
//	string, spans, errors), service and name of roots
func (e *traceEncoder) finish() []byte {
	var out encoder
	out.uvarint(uint64(e.n))
	out.uvarint(uint64(e.normal))
	out.uvarint(e.base)
	out.uvarint(uint64(len(e.strings)))
	for _, s := range e.strings {
		out.string(s)
	}
	out.section(&e.rows)
	out.bytes(appendPlanes(nil, e.start))
	out.bytes(appendPlanes(nil, e.duration))
	for _, s := range []*encoder{&e.root, &e.orphans, &e.services, &e.rootText} {
		out.section(s)
	}
	return out.b
}

func zigzag(v int64) uint64   { return uint64(v<<1) ^ uint64(v>>63) }
func unzigzag(v uint64) int64 { return int64(v>>1) ^ -int64(v&1) }

// appendPlanes encodes numbers as a width in bytes, all lowest bytes, all second
// bytes, and so on, which compresses better than numbers one by one.
func appendPlanes(dst []byte, v []uint64) []byte {
	all := uint64(0)
	for _, x := range v {
		all |= x
	}
	width := (bits.Len64(all) + 7) / 8
	dst = append(dst, byte(width))
	for k := range width {
		for _, x := range v {
			dst = append(dst, byte(x>>(8*k)))
		}
	}
	return dst
}

func parsePlanes(b []byte, n int) ([]uint64, bool) {
	if len(b) == 0 || b[0] > 8 || len(b)-1 != int(b[0])*n {
		return nil, false
	}
	out := make([]uint64, n)
	for k := range int(b[0]) {
		plane := b[1+k*n : 1+(k+1)*n]
		for i, c := range plane {
			out[i] |= uint64(c) << (8 * k)
		}
	}
	return out, true
}

func parseTraceIDs(p *parser, t *TraceTable) {
	if len(p.b)%16 != 0 {
		p.fail()
		return
	}
	b := p.raw(len(p.b))
	t.IDs = make([]trace.ID, len(b)/16)
	for i := range t.IDs {
		t.IDs[i] = trace.ID(b[16*i:])
	}
}

func parseTraces(p *parser, t *TraceTable) {
	d := openTraces(p, t)
	if p.bad || !d.heads(t) || !d.rest(t) {
		p.fail()
	}
}

// halfEdgeEncoder builds SectionHalfEdges.
//
//	strings: count, per string its bytes | count | behind its length: per half
//	edge parent u64 and span u64 as in their IDs, then: trace number as a
//	difference, server, kind<<1 | error, start, end - start
type halfEdgeEncoder struct {
	n, last uint32
	ids     []byte
	list    encoder
	texts   stringTable
}

func (e *halfEdgeEncoder) add(traceNumber uint32, parent, span trace.SpanID, server string, kind int32, failed bool, start, end uint64) {
	e.n++
	e.ids = append(append(e.ids, parent[:]...), span[:]...)
	e.list.uvarint(uint64(traceNumber - e.last))
	e.last = traceNumber
	e.list.uvarint(e.texts.number(server))
	k := zigzag(int64(kind)) << 1
	if failed {
		k |= 1
	}
	e.list.uvarint(k)
	e.list.uvarint(start)
	e.list.varint(int64(end - start))
}

func (e *halfEdgeEncoder) finish() []byte {
	var out encoder
	e.texts.append(&out)
	out.uvarint(uint64(e.n))
	out.bytes(e.ids)
	out.raw(e.list.b)
	return out.b
}

func parseHalfEdges(p *parser, ids []trace.ID) []HalfEdge {
	texts := parseStrings(p)
	n := p.count(16)
	raw := p.bytes()
	if len(raw) != 16*n || n == 0 {
		if n > 0 || len(raw) > 0 {
			p.fail()
		}
		return nil
	}
	out := make([]HalfEdge, n)
	at := uint64(0)
	for i := range out {
		h := &out[i]
		copy(h.Parent[:], raw[16*i:])
		copy(h.Span[:], raw[16*i+8:])
		at += p.uvarint()
		server, kind := p.uvarint(), p.uvarint()
		h.Start = p.uvarint()
		h.EndTime = h.Start + uint64(p.varint())
		k := unzigzag(kind >> 1)
		if at >= uint64(len(ids)) || server >= uint64(len(texts)) || int64(int32(k)) != k || p.bad {
			p.fail()
			return nil
		}
		h.Trace, h.Server, h.Kind, h.Error = ids[at], texts[server], int32(k), kind&1 != 0
	}
	return out
}

// stringTable numbers strings in the order of their first use.
type stringTable struct {
	list encoder
	byS  map[string]uint64
}

func (t *stringTable) number(s string) uint64 {
	if n, ok := t.byS[s]; ok {
		return n
	}
	if t.byS == nil {
		t.byS = map[string]uint64{}
	}
	n := uint64(len(t.byS))
	t.byS[s] = n
	t.list.string(s)
	return n
}

func (t *stringTable) append(e *encoder) {
	e.uvarint(uint64(len(t.byS)))
	e.raw(t.list.b)
}

// before returns the table, a count and what is counted.
func (t *stringTable) before(n int, list *encoder) []byte {
	var out encoder
	t.append(&out)
	out.uvarint(uint64(n))
	out.raw(list.b)
	return out.b
}

func parseStrings(p *parser) []string {
	out := make([]string, p.count(1))
	for i := range out {
		out[i] = p.string()
	}
	return out
}

// linkedEntry is one entry of SectionLinked before encoding.
type linkedEntry struct {
	target trace.ID
	trace  uint32 // number in the trace table
}

// appendLinked encodes entries sorted by (target, trace ID): count | the
// targets, 16 bytes each | trace numbers.
func appendLinked(e *encoder, list []linkedEntry) {
	e.uvarint(uint64(len(list)))
	for i := range list {
		e.raw(list[i].target[:])
	}
	for i := range list {
		e.uvarint(uint64(list[i].trace))
	}
}

func parseLinked(p *parser, ids []trace.ID) []Linked {
	n := p.count(17)
	raw := p.raw(16 * n)
	if n == 0 || raw == nil {
		return nil
	}
	out := make([]Linked, n)
	for i := range out {
		t := p.uvarint()
		if t >= uint64(len(ids)) || p.bad {
			p.fail()
			return nil
		}
		out[i] = Linked{Target: trace.ID(raw[16*i:]), Trace: ids[t]}
	}
	return out
}
