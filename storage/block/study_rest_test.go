//go:build unix

package block

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/clewtrace/clew/storage/columns"
	"github.com/clewtrace/clew/storage/trace"
)

// BenchmarkStudyRest compares forms of attrs_rest: values alone, which the shape
// of the row explains; the OTLP attributes as they came; and values behind the
// number of their key. For each the size, and the CPU to find a key that hardly
// any row has, in decoded pages.
func BenchmarkStudyRest(b *testing.B) {
	for _, name := range studied {
		b.Run(name, func(b *testing.B) {
			set := trafficOf(b, name).set(b)
			for _, r := range promotionRules() {
				if r.name != "nothing" && r.name != "default" {
					continue
				}
				b.Run(r.name, func(b *testing.B) {
					for b.Loop() {
						studyRest(b, set, &r.rule)
					}
				})
			}
		})
	}
}

func studyRest(b *testing.B, set *columns.Set, rule *Promotion) {
	l := newLayout(set, set.Order(), rule)
	z := pageCompressors.Get().(*zstd.Encoder)
	defer pageCompressors.Put(z)
	var bodies [3][]byte // of the page in work
	var sizes [3]int
	var scans [3]float64
	var shapes []uint32
	var out []byte
	var em columns.Emitter
	// A key in the middle: neither always first nor never there.
	var key string
	for s := range l.shapes {
		if rest := l.shapes[s].rest; len(rest) > 2 {
			key = rest[len(rest)/2].attr.Key
		}
	}
	found := [3]int{}
	flush := func() {
		for k := range bodies {
			out = z.EncodeAll(bodies[k], out[:0])
			sizes[k] += len(out)
		}
		from := cpuSeconds(b)
		for range 10 {
			found[0] += scanShaped(l, bodies[0], shapes, key)
		}
		at := cpuSeconds(b)
		scans[0] += (at - from) / 10
		for range 10 {
			found[1] += scanWire(bodies[1], key)
		}
		from, at = at, cpuSeconds(b)
		scans[1] += (at - from) / 10
		for range 10 {
			found[2] += scanNumbered(bodies[2], l, key)
		}
		scans[2] += (cpuSeconds(b) - at) / 10
		for k := range bodies {
			bodies[k] = bodies[k][:0]
		}
		shapes = shapes[:0]
	}
	for n, r := range set.Order().Rows {
		row := set.Row(r)
		slots := set.SlotsOf(row)
		var values, wire, numbered []byte
		for i := range l.shapes[row.Shape].rest {
			p := &l.shapes[row.Shape].rest[i]
			var bits uint64
			var val []byte
			switch {
			case p.typ.HasDict():
				val = p.attr.Dict.Value(slots[p.slot])
			case p.typ == columns.Bool:
				bits = uint64(slots[p.slot])
			case p.typ != columns.Empty:
				bits = uint64(slots[p.slot]) | uint64(slots[p.slot+1])<<32
			}
			values = AppendRestValue(values, p.typ, bits, val)
			em.Reset(nil)
			em.Begin(0, 0, nil, nil, &columns.Fixed{})
			before := len(em.Span())
			em.Attr(p.attr.Key, p.typ, bits, val)
			wire = append(wire, em.Span()[before:]...)
			e := encoder{b: numbered}
			e.uvarint(uint64(attrNumber(set, p.attr)))
			numbered = AppendRestValue(e.b, p.typ, bits, val)
		}
		if len(l.shapes[row.Shape].rest) > 0 {
			shapes = append(shapes, row.Shape)
			for k, v := range [][]byte{values, wire, numbered} {
				bodies[k] = appendPlainBytes(bodies[k], v)
			}
		}
		if n%2000 == 1999 {
			flush()
		}
	}
	flush()
	line := ""
	per := 1 / float64(len(set.Order().Rows))
	for k, form := range []string{"shaped", "wire", "numbered"} {
		line += fmt.Sprintf(" %s: %.2f B/span, %.1f ms/Mspan, %d found;", form, float64(sizes[k])*per, scans[k]*per*1e9, found[k]/10)
	}
	b.Logf("key %s:%s", key, line)
}

var attrNumbers map[*columns.Attr]uint32

func attrNumber(set *columns.Set, a *columns.Attr) uint32 {
	if n, ok := attrNumbers[a]; ok {
		return n
	}
	attrNumbers = map[*columns.Attr]uint32{}
	for i := range uint32(set.NumAttrs()) {
		attrNumbers[set.Attr(i)] = i
	}
	return attrNumbers[a]
}

// eachBytes calls yield with each value of a PLAIN body.
func eachBytes(body []byte, yield func(i int, v []byte)) {
	for i := 0; len(body) > 0; i++ {
		n := int(body[0]) | int(body[1])<<8 | int(body[2])<<16 | int(body[3])<<24
		yield(i, body[4:4+n])
		body = body[4+n:]
	}
}

func scanShaped(l *layout, body []byte, shapes []uint32, key string) (n int) {
	eachBytes(body, func(i int, v []byte) {
		rest := l.shapes[shapes[i]].rest
		last := -1
		for k := range rest {
			if rest[k].attr.Key == key {
				last = k
			}
		}
		for k := range rest[:last+1] {
			_, _, next, ok := NextRestValue(v, rest[k].typ)
			if !ok {
				panic("damaged")
			}
			if rest[k].attr.Key == key {
				n++
			}
			v = next
		}
	})
	return n
}

func scanWire(body []byte, key string) (n int) {
	k := []byte(key)
	eachBytes(body, func(_ int, v []byte) {
		for i := 0; i < len(v); {
			f, m := trace.NextField(v, i)
			if kv, _ := trace.NextField(f.Data, 0); kv.Num == 1 && bytes.Equal(kv.Data, k) {
				n++
			}
			i = m
		}
	})
	return n
}

func scanNumbered(body []byte, l *layout, key string) (n int) {
	eachBytes(body, func(_ int, v []byte) {
		for len(v) > 0 {
			p := parser{b: v}
			a := l.set.Attr(uint32(p.uvarint()))
			_, _, next, ok := NextRestValue(p.b, a.Type)
			if !ok {
				panic("damaged")
			}
			if a.Key == key {
				n++
			}
			v = next
		}
	})
	return n
}
