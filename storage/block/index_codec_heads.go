package block

import (
	"encoding/binary"
	"math"
	"strings"
)

// traceSection is SectionTraces before its numbers are decoded. Searches need
// rows and starts alone (heads); the rest is for summaries and may be decoded
// later, or never.
type traceSection struct {
	base                            uint64
	rows, starts, durations         []byte
	roots, orphans, services, texts []byte
}

// openTraces reads the frame of SectionTraces into t.Normal and t.Strings.
// t.IDs must be there.
func openTraces(p *parser, t *TraceTable) (d traceSection) {
	n, normal := p.uvarint(), p.uvarint()
	d.base = p.uvarint()
	if n != uint64(len(t.IDs)) || normal > n {
		p.fail()
		return d
	}
	t.Normal = int(normal)
	t.Strings = make([]string, p.count(1))
	for i := range t.Strings {
		t.Strings[i] = strings.Clone(p.string()) // or they would keep all of the section
	}
	for _, b := range []*[]byte{&d.rows, &d.starts, &d.durations, &d.roots, &d.orphans, &d.services, &d.texts} {
		*b = p.bytes()
	}
	return d
}

// uvarintAt reads a varint at b[i]; next < 0 means damage. One byte is the rule.
func uvarintAt(b []byte, i int) (v uint64, next int) {
	if uint(i) < uint(len(b)) && b[i] < 0x80 {
		return uint64(b[i]), i + 1
	}
	return longUvarintAt(b, i)
}

func longUvarintAt(b []byte, i int) (uint64, int) {
	if i < 0 || i > len(b) {
		return 0, -1
	}
	v, n := binary.Uvarint(b[i:])
	if n <= 0 || v > math.MaxUint32 {
		return 0, -1
	}
	return v, i + n
}

// heads fills FirstRow and Start, and reports whether they are sound.
func (d *traceSection) heads(t *TraceTable) bool {
	starts, ok := parsePlanes(d.starts, len(t.IDs))
	if !ok {
		return false
	}
	t.Start, t.FirstRow = starts, make([]uint32, len(t.IDs)+1)
	first, at, count := uint64(0), 0, uint64(0)
	for i := range starts {
		starts[i] = d.base + uint64(unzigzag(starts[i]))
		t.FirstRow[i] = uint32(first)
		if count, at = uvarintAt(d.rows, at); at < 0 || count == 0 {
			return false
		}
		if first += count; first > uint64(NoRow) {
			return false
		}
	}
	t.FirstRow[len(t.IDs)] = uint32(first)
	return at == len(d.rows)
}

// rest fills what heads leaves, and reports whether it is sound.
func (d *traceSection) rest(t *TraceTable) bool {
	n := len(t.IDs)
	ends, ok := parsePlanes(d.durations, n)
	if !ok {
		return false
	}
	t.End = ends
	t.Root, t.Orphans = make([]uint32, n), make([]uint32, n)
	t.RootService, t.RootName = make([]uint32, n), make([]uint32, n)
	t.SvcFirst = make([]uint32, n+1)
	t.Services = make([]TraceService, 0, max(len(d.services)-n, 0)/3)
	texts := uint64(len(t.Strings))
	var root, orphans, service, name, services, v, spans, errors uint64
	var ri, oi, ti, si int
	for i := range n {
		ends[i] = t.Start[i] + uint64(unzigzag(ends[i]))
		root, ri = uvarintAt(d.roots, ri)
		orphans, oi = uvarintAt(d.orphans, oi)
		t.Orphans[i] = uint32(orphans)
		t.Root[i] = NoRow
		if root > 0 {
			service, ti = uvarintAt(d.texts, ti)
			name, ti = uvarintAt(d.texts, ti)
			t.Root[i] = t.FirstRow[i] + uint32(root-1)
			t.RootService[i], t.RootName[i] = uint32(service), uint32(name)
			if service >= texts || name >= texts || root > uint64(t.FirstRow[i+1]-t.FirstRow[i]) {
				return false
			}
		}
		t.SvcFirst[i] = uint32(len(t.Services))
		services, si = uvarintAt(d.services, si)
		if ri < 0 || oi < 0 || ti < 0 || si < 0 || services > uint64(len(d.services)-si)/3 {
			return false
		}
		for range services {
			v, si = uvarintAt(d.services, si)
			spans, si = uvarintAt(d.services, si)
			errors, si = uvarintAt(d.services, si)
			if v >= texts || si < 0 {
				return false
			}
			t.Services = append(t.Services, TraceService{uint32(v), uint32(spans), uint32(errors)})
		}
	}
	t.SvcFirst[n] = uint32(len(t.Services))
	return ri == len(d.roots) && oi == len(d.orphans) && ti == len(d.texts) && si == len(d.services)
}
