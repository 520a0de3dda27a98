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

// minutes encodes the count of minutes and for each the difference from the one
// before, errors, sum of durations, and histogram, whose counts add up to the
// spans.
func (e *encoder) minutes(list []MinuteStats) {
	e.uvarint(uint64(len(list)))
	last := uint32(0)
	for i := range list {
		m := &list[i]
		e.uvarint(uint64(m.Minute - last))
		e.uvarint(uint64(m.Errors))
		e.uvarint(m.DurationSum)
		e.histogram(m.Durations)
		last = m.Minute
	}
}

// minutes appends histograms to arena.
func (p *parser) minutes(arena *[]Bucket) []MinuteStats {
	out := make([]MinuteStats, p.count(4))
	last := uint64(0)
	for j := range out {
		m := &out[j]
		d := p.uvarint()
		if last += d; last > math.MaxUint32 || j > 0 && d == 0 {
			p.fail()
			return nil
		}
		m.Minute, m.Errors, m.DurationSum = uint32(last), p.uint32v(), p.uvarint()
		var sum uint64
		m.Durations, sum = p.histogram(arena)
		if sum > math.MaxUint32 || p.bad {
			p.fail()
			return nil
		}
		m.Spans = uint32(sum)
	}
	return out
}

// operationEncoder builds SectionOperations from operations sorted by (service,
// name, kind).
//
//	services: count, per service its bytes | count | per operation: service,
//	name, kind, minutes
type operationEncoder struct {
	n     int
	list  encoder
	texts stringTable
}

func (e *operationEncoder) add(service, name string, kind int32, minutes []MinuteStats) {
	e.n++
	e.list.uvarint(e.texts.number(service))
	e.list.string(name)
	e.list.varint(int64(kind))
	e.list.minutes(minutes)
}

func (e *operationEncoder) finish() []byte { return e.texts.before(e.n, &e.list) }

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
		o.Minutes = p.minutes(&arena)
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

// edgeEncoder builds SectionEdges from edges sorted by (client, server, kind).
//
//	services: count, per service its bytes | count | per edge: client, server,
//	kind, minutes
type edgeEncoder struct {
	n     int
	list  encoder
	texts stringTable
}

func (e *edgeEncoder) add(client, server string, kind int32, minutes []MinuteStats) {
	e.n++
	e.list.uvarint(e.texts.number(client))
	e.list.uvarint(e.texts.number(server))
	e.list.varint(int64(kind))
	e.list.minutes(minutes)
}

func (e *edgeEncoder) finish() []byte { return e.texts.before(e.n, &e.list) }

func parseEdges(p *parser) []Edge {
	texts := parseStrings(p)
	out := make([]Edge, p.count(4))
	var arena []Bucket
	for i := range out {
		g := &out[i]
		client, server := p.uvarint(), p.uvarint()
		if client >= uint64(len(texts)) || server >= uint64(len(texts)) {
			p.fail()
			return nil
		}
		g.Client, g.Server = texts[client], texts[server]
		g.Kind = p.int32v()
		g.Minutes = p.minutes(&arena)
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
