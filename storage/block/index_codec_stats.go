package block

import (
	"math"

	"github.com/clewtrace/clew/storage/columns"
)

// Histograms are encoded as the number of buckets, then for each the difference
// of Exp from the one before and the count.

func (e *encoder) histogram(h Histogram) {
	e.uvarint(uint64(len(h)))
	last := uint8(0)
	for _, b := range h {
		e.byte(b.Exp - last)
		e.uvarint(uint64(b.Count))
		last = b.Exp
	}
}

// histogram appends to arena, so that small histograms share memory.
func (p *parser) histogram(arena *[]Bucket) (h Histogram, sum uint64) {
	n := p.count(2)
	if n > 64 {
		p.fail()
		return nil, 0
	}
	if cap(*arena)-len(*arena) < n {
		*arena = make([]Bucket, 0, max(n, min(4096, len(p.b)/2)))
	}
	from := len(*arena)
	last := 0
	for i := range n {
		d := int(p.byte())
		if last += d; last > 63 || i > 0 && d == 0 {
			p.fail()
			return nil, 0
		}
		b := Bucket{Exp: uint8(last), Count: p.uint32v()}
		*arena = append(*arena, b)
		sum += uint64(b.Count)
	}
	return Histogram((*arena)[from:len(*arena):len(*arena)]), sum
}

// operationEncoder builds SectionOperations from operations sorted by (service,
// name, kind).
//
//	services: count, per service its bytes | count | per operation: service,
//	name, kind, minutes: count, per minute: difference, errors, sum of
//	durations, histogram (whose counts add up to the spans)
type operationEncoder struct {
	n     int
	list  encoder
	texts stringTable
}

func (e *operationEncoder) operation(service, name string, kind int32, minutes int) {
	e.n++
	e.list.uvarint(e.texts.number(service))
	e.list.string(name)
	e.list.varint(int64(kind))
	e.list.uvarint(uint64(minutes))
}

// minute follows operation, as often as it said; last is the minute before, 0
// for the first.
func (e *operationEncoder) minute(m *MinuteStats, last uint32) {
	e.list.uvarint(uint64(m.Minute - last))
	e.list.uvarint(uint64(m.Errors))
	e.list.uvarint(m.DurationSum)
	e.list.histogram(m.Durations)
}

func (e *operationEncoder) finish() []byte {
	var out encoder
	e.texts.append(&out)
	out.uvarint(uint64(e.n))
	out.raw(e.list.b)
	return out.b
}

func parseOperations(p *parser) []OperationStats {
	texts := parseStrings(p)
	out := make([]OperationStats, p.count(4))
	var arena []Bucket
	for i := range out {
		o := &out[i]
		service := p.uvarint()
		if service >= uint64(len(texts)) {
			p.fail()
			return nil
		}
		o.Service, o.Name = texts[service], p.string()
		o.Kind = p.int32v()
		o.Minutes = make([]MinuteStats, p.count(4))
		last := uint64(0)
		for j := range o.Minutes {
			m := &o.Minutes[j]
			if last += p.uvarint(); last > math.MaxUint32 {
				p.fail()
				return nil
			}
			m.Minute, m.Errors, m.DurationSum = uint32(last), p.uint32v(), p.uvarint()
			var sum uint64
			m.Durations, sum = p.histogram(&arena)
			if sum > math.MaxUint32 {
				p.fail()
			}
			m.Spans = uint32(sum)
		}
		if p.bad {
			return nil
		}
	}
	return out
}

func (p *parser) int32v() int32 {
	v := p.varint()
	if int64(int32(v)) != v {
		p.fail()
	}
	return int32(v)
}

// appendEdges encodes edges.
//
//	services: count, per service its bytes | count | per edge: client, server,
//	kind, errors, histogram (whose counts add up to the calls)
func appendEdges(e *encoder, edges []Edge) {
	var texts stringTable
	var list encoder
	for i := range edges {
		g := &edges[i]
		list.uvarint(texts.number(g.Client))
		list.uvarint(texts.number(g.Server))
		list.varint(int64(g.Kind))
		list.uvarint(g.Errors)
		list.histogram(g.Durations)
	}
	texts.append(e)
	e.uvarint(uint64(len(edges)))
	e.raw(list.b)
}

func parseEdges(p *parser) []Edge {
	texts := parseStrings(p)
	out := make([]Edge, p.count(5))
	var arena []Bucket
	for i := range out {
		g := &out[i]
		client, server := p.uvarint(), p.uvarint()
		if client >= uint64(len(texts)) || server >= uint64(len(texts)) {
			p.fail()
			return nil
		}
		g.Client, g.Server = texts[client], texts[server]
		g.Kind, g.Errors = p.int32v(), p.uvarint()
		g.Durations, g.Calls = p.histogram(&arena)
		if p.bad {
			return nil
		}
	}
	return out
}

// appendNames encodes names: count | per name: scope | type<<4, key, count.
func appendNames(e *encoder, names []AttrName) {
	e.uvarint(uint64(len(names)))
	for i := range names {
		n := &names[i]
		e.byte(byte(n.Scope) | byte(n.Type)<<4)
		e.string(n.Key)
		e.uvarint(n.Count)
	}
}

func parseNames(p *parser) []AttrName {
	out := make([]AttrName, p.count(3))
	for i := range out {
		tag := p.byte()
		out[i] = AttrName{Scope: AttrScope(tag & 15), Type: columns.ValueType(tag >> 4), Key: p.string(), Count: p.uvarint()}
		if out[i].Scope > ScopeLink || out[i].Type > columns.Any {
			p.fail()
			return nil
		}
	}
	return out
}
