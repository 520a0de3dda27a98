// Package loadgen makes realistic OTLP traffic: the traces of a shop of twenty
// services, encoded as the export requests that the agents of its nodes would
// send. The same Config makes the same bytes. It sends nothing; package drive
// does.
//
// A Generator hands out encoded requests; a Decoder turns them into the spans
// that the OpenTelemetry SDK exports, so that both ways carry the same spans.
// Stats and Config.Watch say what was made, for tests that need the truth.
package loadgen

import (
	"errors"
	"fmt"
	"math"
	"sort"
	"time"
)

// Config says what a Generator makes.
type Config struct {
	// Seed chooses the traffic.
	Seed uint64
	// Origin is the virtual time at which the first trace is sent. Spans end
	// before the virtual time at which they are sent, but for a few of the
	// slowest.
	Origin time.Time
	// SpansPerSecond advances the virtual time: it is Origin plus the number of
	// spans made so far divided by it.
	SpansPerSecond float64
	// Spans and Traces end the traffic with the first trace that reaches one of
	// them; 0 is no end.
	Spans, Traces int64
	// SpansPerRequest is the size of a full request.
	SpansPerRequest int
	// BatchTimeout, in virtual time, sends a request that is not full; 0 never.
	BatchTimeout time.Duration
	// LateTraces is the share of traces a quarter of whose spans arrive seconds
	// to minutes after the rest.
	LateTraces float64
	// Users is how many users there are; the k-th is met about 1/k as often as
	// the first.
	Users int
	// Watch, if set, is called with each span when it is made. The Span is
	// valid until Watch returns.
	Watch func(*Span)
}

// DefaultConfig makes 500 spans a request, 20,000 spans per virtual second,
// without end, from one fixed moment on.
func DefaultConfig() Config {
	return Config{
		Seed: 1, Origin: time.Unix(1_750_000_000, 0), SpansPerSecond: 20_000,
		SpansPerRequest: 500, LateTraces: 0.01, Users: 50_000,
	}
}

// Validate reports the first value that cannot work.
func (c *Config) Validate() error {
	switch {
	case c.Origin.Unix() < 600:
		return errors.New("origin must lie after 1970")
	case c.SpansPerSecond <= 0 || math.IsInf(c.SpansPerSecond, 0) || math.IsNaN(c.SpansPerSecond):
		return errors.New("spans per second must be positive")
	case c.Spans < 0 || c.Traces < 0:
		return errors.New("spans and traces must not be negative")
	case c.SpansPerRequest < 1:
		return errors.New("spans per request must be positive")
	case c.LateTraces < 0 || c.LateTraces > 1:
		return errors.New("the share of late traces must lie in [0, 1]")
	case c.Users < 1:
		return errors.New("users must be positive")
	}
	return nil
}

// MeanTrace is about how many spans a trace has on average.
const MeanTrace = 19.5

// How traffic goes wrong, as shares.
var (
	lateSpan = chanceOf(0.25) // of the spans of a late trace
	retries  = chanceOf(0.25) // failed calls that are tried again
	givesUp  = chanceOf(0.85) // operations that fail when a call of theirs did
)

// Request is an encoded ExportTraceServiceRequest.
type Request struct {
	Body  []byte
	Spans int
	// Clock is the virtual time at which the request is sent, in ns since the
	// Unix epoch.
	Clock int64
}

// Generator makes requests. Not for concurrent use.
type Generator struct {
	cfg   Config
	top   *topology
	rnd   random
	users *zipf
	pods  []pod
	nodes []node

	flow       flow
	late       lateHeap
	lateTrace  chance
	producers  [256]producerSpan // the last ones
	producerAt int

	ready    []Request // encoded, not handed out
	next     int       // first of ready
	free     [][]byte  // buffers for requests
	finished bool      // no more traces
	drained  bool      // and all batches flushed

	span, event, text []byte // scratch
	seen              Span

	stats          Stats
	counts, errors []int64 // by operation
}

// New returns a generator at the start of its traffic.
func New(cfg Config) (*Generator, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("load: %w", err)
	}
	g := &Generator{cfg: cfg, top: newTopology(), rnd: newRandom(cfg.Seed), users: newZipf(cfg.Users, 1), lateTrace: chanceOf(cfg.LateTraces)}
	g.pods = newPods(g.top.services, &g.rnd)
	g.nodes = make([]node, nodeCount)
	for i := range g.pods {
		n := &g.nodes[g.pods[i].node]
		n.pods = append(n.pods, int32(i))
	}
	g.counts = make([]int64, len(g.top.operations))
	g.errors = make([]int64, len(g.top.operations))
	return g, nil
}

// Next returns the next request, or false after the last one. The generator
// takes over buf, which may be nil, and the caller owns the request's Body:
// handing back the Body of a request that is done with saves its allocation.
func (g *Generator) Next(buf []byte) (Request, bool) {
	if cap(buf) > 0 {
		g.free = append(g.free, buf)
	}
	for g.next == len(g.ready) {
		g.ready, g.next = g.ready[:0], 0
		switch {
		case g.drained:
			return Request{}, false
		case g.finished:
			g.drain()
		default:
			g.makeTrace()
			g.finished = g.cfg.Spans > 0 && g.stats.Spans >= g.cfg.Spans || g.cfg.Traces > 0 && g.stats.Traces >= g.cfg.Traces
		}
	}
	r := g.ready[g.next]
	g.ready[g.next] = Request{}
	g.next++
	return r, true
}

// Finish ends the traffic: Next hands out what has been made, then false.
func (g *Generator) Finish() { g.finished = true }

// drain flushes what waits, late spans included.
func (g *Generator) drain() {
	g.releaseLate(math.MaxUint64)
	for i := range g.nodes {
		if g.nodes[i].spans > 0 {
			g.flush(&g.nodes[i])
		}
	}
	g.drained = true
}

// clock is the virtual time in ns since the Unix epoch.
func (g *Generator) clock() uint64 {
	return uint64(g.cfg.Origin.UnixNano()) + uint64(float64(g.stats.Spans)*(1e9/g.cfg.SpansPerSecond))
}

// Stats counts what a generator has made, which is what it has handed out once
// Next has returned false.
type Stats struct {
	Traces, Spans, Errors, Late, Events, Exceptions, Links int64
	// WithUser counts spans that carry user.id, RareKeys those with one of the
	// rare keys.
	WithUser, RareKeys int64
	Requests, Bytes    int64
	LargestTrace       int
}

// OperationCount counts the spans of one operation.
type OperationCount struct {
	Service, Name string
	Kind          uint8
	Spans, Errors int64
}

// Stats returns the counts so far.
func (g *Generator) Stats() Stats {
	s := g.stats
	for i, op := range g.top.operations {
		if op.hasUser {
			s.WithUser += g.counts[i]
		}
	}
	return s
}

// Operations returns the counts so far by service, name and kind, in that
// order. Operations that made no span are left out.
func (g *Generator) Operations() []OperationCount {
	type key struct {
		service, name string
		kind          uint8
	}
	sums := make(map[key]OperationCount)
	for i, op := range g.top.operations {
		if g.counts[i] == 0 {
			continue
		}
		k := key{g.top.services[op.service].name, op.name, op.kind}
		c := sums[k]
		sums[k] = OperationCount{k.service, k.name, k.kind, c.Spans + g.counts[i], c.Errors + g.errors[i]}
	}
	out := make([]OperationCount, 0, len(sums))
	for _, c := range sums {
		out = append(out, c)
	}
	sort.Slice(out, func(i, j int) bool {
		a, b := &out[i], &out[j]
		if a.Service != b.Service {
			return a.Service < b.Service
		}
		if a.Name != b.Name {
			return a.Name < b.Name
		}
		return a.Kind < b.Kind
	})
	return out
}

// Services returns how many spans each service has made so far.
func (g *Generator) Services() map[string]int64 {
	sums := make(map[string]int64)
	for i, op := range g.top.operations {
		if g.counts[i] > 0 {
			sums[g.top.services[op.service].name] += g.counts[i]
		}
	}
	return sums
}

// RareKeys returns the attribute keys that few spans have.
func (g *Generator) RareKeys() []string { return append([]string(nil), g.top.rareKeys...) }
