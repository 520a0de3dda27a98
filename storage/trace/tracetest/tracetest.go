// Package tracetest makes OTLP for tests: everything that the protocol can carry
// and servers must give back, with the oddities of real clients. It writes the
// wire form itself, because client libraries cannot express some of it
// (duplicate keys, 8-byte trace IDs, fields out of order, unknown fields).
package tracetest

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"strings"

	"github.com/clewtrace/clew/storage/trace"
)

// Config says what to make.
type Config struct {
	Traces int    // how many trace IDs to choose from
	Now    uint64 // about when spans start, in ns
}

// Generator makes requests. Spans of all requests share trace and span IDs, so
// that traces are spread over requests and spans collide.
type Generator struct {
	rng    *rand.Rand
	cfg    Config
	traces [][]byte // as the client sends them: 8 or 16 bytes
}

// New returns a generator. The same rng and Config make the same bytes.
func New(rng *rand.Rand, cfg Config) *Generator {
	g := &Generator{rng: rng, cfg: cfg}
	for range max(cfg.Traces, 1) {
		id := make([]byte, 16)
		switch rng.IntN(4) {
		case 0: // of 8 bytes
			id = id[:8]
		case 1: // of 8 bytes, padded by the client
			id = id[:16]
			binary.BigEndian.PutUint64(id[8:], rng.Uint64()|1)
			g.traces = append(g.traces, id)
			continue
		}
		for i := range id {
			id[i] = byte(rng.Uint32())
		}
		id[len(id)-1] |= 1
		g.traces = append(g.traces, id)
	}
	return g
}

// TraceIDs returns the IDs that spans may have.
func (g *Generator) TraceIDs() []trace.ID {
	out := make([]trace.ID, len(g.traces))
	for i, b := range g.traces {
		out[i], _ = trace.IDFromBytes(b)
	}
	return out
}

func tag(dst []byte, num uint32, wire uint64) []byte {
	return binary.AppendUvarint(dst, uint64(num)<<3|wire)
}

func bytesField(dst []byte, num uint32, b []byte) []byte {
	dst = binary.AppendUvarint(tag(dst, num, 2), uint64(len(b)))
	return append(dst, b...)
}

func varintField(dst []byte, num uint32, v uint64) []byte {
	return binary.AppendUvarint(tag(dst, num, 0), v)
}

func fixed64Field(dst []byte, num uint32, v uint64) []byte {
	return binary.LittleEndian.AppendUint64(tag(dst, num, 1), v)
}

func (g *Generator) oneIn(n int) bool { return g.rng.IntN(n) == 0 }

func (g *Generator) pick(list ...string) []byte { return []byte(list[g.rng.IntN(len(list))]) }

// Request is an ExportTraceServiceRequest, which is also TracesData.
func (g *Generator) Request() (b []byte) {
	for range 1 + g.rng.IntN(3) {
		b = bytesField(b, 1, g.resourceSpans())
	}
	return b
}

func (g *Generator) resourceSpans() (b []byte) {
	parts := [][]byte{}
	if !g.oneIn(5) {
		r := g.attributes(nil, 1, 3)
		if !g.oneIn(4) {
			r = bytesField(r, 1, g.keyValue("service.name", bytesField(nil, 1, g.pick("shop", "cart", "", "pay"))))
		}
		if g.oneIn(3) {
			r = varintField(r, 2, uint64(g.rng.Uint32()))
		}
		if g.oneIn(6) { // an entity reference
			r = bytesField(r, 3, append(bytesField(nil, 2, []byte("host")), bytesField(nil, 3, []byte("host.id"))...))
		}
		parts = append(parts, bytesField(nil, 1, r))
	}
	for range 1 + g.rng.IntN(3) {
		parts = append(parts, bytesField(nil, 2, g.scopeSpans()))
	}
	if g.oneIn(2) {
		parts = append(parts, bytesField(nil, 3, g.pick("https://example.test/1", "u")))
	}
	return g.join(parts)
}

func (g *Generator) scopeSpans() []byte {
	parts := [][]byte{}
	if !g.oneIn(4) {
		s := bytesField(nil, 1, g.pick("lib", "other", ""))
		if g.oneIn(2) {
			s = bytesField(s, 2, g.pick("1.0", "2.0"))
		}
		s = g.attributes(s, 3, 2)
		if g.oneIn(4) {
			s = varintField(s, 4, uint64(g.rng.IntN(9)))
		}
		parts = append(parts, bytesField(nil, 1, s))
	}
	for range g.rng.IntN(8) {
		parts = append(parts, bytesField(nil, 2, g.span()))
	}
	if g.oneIn(3) {
		parts = append(parts, bytesField(nil, 3, g.pick("https://example.test/2", "v")))
	}
	return g.join(parts)
}

// join puts fields together, sometimes in another order.
func (g *Generator) join(parts [][]byte) (b []byte) {
	if g.oneIn(8) {
		g.rng.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
	}
	for _, p := range parts {
		b = append(b, p...)
	}
	return b
}

func (g *Generator) spanID() []byte { return []byte{0, 0, 0, 0, 0, 0, 0, byte(1 + g.rng.IntN(12))} }

// time is near Now, at the ends of what fits, or far off.
func (g *Generator) time() uint64 {
	switch g.rng.IntN(24) {
	case 0:
		return 0
	case 1:
		return math.MaxUint64 - uint64(g.rng.IntN(3))
	case 2:
		return g.cfg.Now + 365*24*3600*1e9
	case 3:
		return g.cfg.Now - 30*24*3600*1e9
	}
	return g.cfg.Now + uint64(g.rng.IntN(1e9))
}

func (g *Generator) span() []byte {
	start := g.time()
	end := start + uint64(g.rng.IntN(1e7))
	switch g.rng.IntN(12) {
	case 0:
		end = start - uint64(g.rng.IntN(1e7)) // inverted
	case 1:
		end = 0
	}
	parts := [][]byte{
		bytesField(nil, 1, g.traces[g.rng.IntN(len(g.traces))]),
		bytesField(nil, 2, g.spanID()),
	}
	add := func(p []byte) { parts = append(parts, p) }
	if g.oneIn(4) {
		add(bytesField(nil, 3, g.pick("a=b", "vendor=x,other=y", "")))
	}
	switch g.rng.IntN(8) {
	case 0:
		add(bytesField(nil, 4, make([]byte, 8)))
	case 1, 2: // a root
	default:
		add(bytesField(nil, 4, g.spanID())) // cycles and lost parents among them
	}
	if !g.oneIn(9) {
		add(bytesField(nil, 5, g.pick("get", "put", "", "näme", "\xff\xfe")))
	}
	if !g.oneIn(4) {
		add(varintField(nil, 6, uint64(g.rng.IntN(7))))
	}
	add(fixed64Field(nil, 7, start))
	add(fixed64Field(nil, 8, end))
	for _, kv := range g.keyValues(6) {
		add(bytesField(nil, 9, kv))
	}
	for _, num := range []uint32{10, 12, 14} { // dropped counts
		if g.oneIn(5) {
			add(varintField(nil, num, uint64(g.rng.Uint32())))
		}
	}
	for range g.rng.IntN(8) / 5 {
		add(bytesField(nil, 11, g.event()))
	}
	for range g.rng.IntN(8) / 6 {
		add(bytesField(nil, 13, g.link()))
	}
	if g.oneIn(3) {
		s := varintField(nil, 3, uint64(g.rng.IntN(4)))
		if g.oneIn(2) {
			s = bytesField(s, 2, g.pick("boom", "", "timeout"))
		}
		add(bytesField(nil, 15, s))
	}
	if g.oneIn(2) {
		add(binary.LittleEndian.AppendUint32(tag(nil, 16, 5), []uint32{0, 1, 256, 257, 768, math.MaxUint32}[g.rng.IntN(6)]))
	}
	if g.oneIn(12) { // of a later version of the protocol
		add(bytesField(nil, 1000, []byte("later")))
	}
	return g.join(parts)
}

func (g *Generator) event() (b []byte) {
	if !g.oneIn(4) {
		b = fixed64Field(b, 1, g.time())
	}
	b = bytesField(b, 2, g.pick("exception", "log", ""))
	b = g.attributes(b, 3, 3)
	if g.oneIn(4) {
		b = varintField(b, 4, uint64(g.rng.IntN(5)))
	}
	return b
}

func (g *Generator) link() []byte {
	b := bytesField(nil, 1, append(make([]byte, 15), byte(1+g.rng.IntN(3))))
	b = bytesField(b, 2, g.spanID())
	if g.oneIn(3) {
		b = bytesField(b, 3, g.pick("l=1", ""))
	}
	b = g.attributes(b, 4, 2)
	if g.oneIn(4) {
		b = varintField(b, 5, 2)
	}
	if g.oneIn(3) {
		b = binary.LittleEndian.AppendUint32(tag(b, 6, 5), 257)
	}
	return b
}

// attributes appends up to n KeyValues as fields num.
func (g *Generator) attributes(b []byte, num uint32, n int) []byte {
	for _, kv := range g.keyValues(n) {
		b = bytesField(b, num, kv)
	}
	return b
}

func (g *Generator) keyValues(n int) (out [][]byte) {
	for range g.rng.IntN(n + 1) {
		key := string(g.pick("http.method", "http.status_code", "user.id", "k1", "k2", "k2", "", "ключ", "db.statement"))
		if g.oneIn(6) {
			out = append(out, g.keyValue(key, nil)) // without a value
			continue
		}
		out = append(out, g.keyValue(key, g.value(0)))
	}
	return out
}

// keyValue is a KeyValue; a nil value is none.
func (g *Generator) keyValue(key string, value []byte) (b []byte) {
	if key != "" || g.oneIn(2) {
		b = bytesField(b, 1, []byte(key))
	}
	if value != nil {
		b = bytesField(b, 2, value)
	}
	return b
}

// value is an AnyValue of any kind.
func (g *Generator) value(depth int) []byte {
	switch g.rng.IntN(12) {
	case 0:
		return varintField([]byte{}, 2, uint64(g.rng.IntN(2)))
	case 1, 2:
		return varintField(nil, 3, []uint64{0, 7, 200, math.MaxUint64, math.MaxInt64, 1 << 63}[g.rng.IntN(6)])
	case 3:
		f := []float64{0, math.Copysign(0, -1), 1.5, math.Inf(1), math.NaN(), -1e300}[g.rng.IntN(6)]
		return fixed64Field(nil, 4, math.Float64bits(f))
	case 4:
		if depth > 4 {
			return []byte{}
		}
		var a []byte
		for range g.rng.IntN(4) {
			a = bytesField(a, 1, g.value(depth+1))
		}
		return bytesField(nil, 5, a)
	case 5:
		if depth > 4 {
			return []byte{}
		}
		var m []byte
		for range g.rng.IntN(4) {
			m = bytesField(m, 1, g.keyValue(string(g.pick("x", "x", "y", "")), g.value(depth+1)))
		}
		return bytesField(nil, 6, m)
	case 6:
		return bytesField(nil, 7, g.pick("", "\x00\x01", strings.Repeat("b", 300)))
	case 7:
		return []byte{} // empty
	case 8:
		return bytesField(nil, 1, []byte(strings.Repeat("long ", 200)))
	}
	return bytesField(nil, 1, g.pick("", "GET", "POST", "200", "u1", "u2", "\xff", "\x00", "SELECT 1"))
}
