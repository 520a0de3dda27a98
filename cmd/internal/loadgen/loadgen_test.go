package loadgen

import (
	"crypto/sha256"
	"math"
	"testing"
	"time"

	coltracepb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// each calls f with every request of a generator.
func each(tb testing.TB, cfg Config, f func(Request)) *Generator {
	tb.Helper()
	g, err := New(cfg)
	if err != nil {
		tb.Fatal(err)
	}
	var buf []byte
	for {
		r, ok := g.Next(buf)
		if !ok {
			return g
		}
		f(r)
		buf = r.Body
	}
}

func decode(tb testing.TB, r Request) *coltracepb.ExportTraceServiceRequest {
	tb.Helper()
	req := new(coltracepb.ExportTraceServiceRequest)
	if err := proto.Unmarshal(r.Body, req); err != nil {
		tb.Fatalf("unmarshal request: %v", err)
	}
	return req
}

func hash(tb testing.TB, cfg Config) [32]byte {
	h := sha256.New()
	each(tb, cfg, func(r Request) { h.Write(r.Body) })
	return [32]byte(h.Sum(nil))
}

func TestSameConfigSameBytes(t *testing.T) {
	cfg := DefaultConfig()
	cfg.Spans = 20_000
	first := hash(t, cfg)
	if hash(t, cfg) != first {
		t.Error("two runs of one config differ")
	}
	cfg.Watch = func(*Span) {}
	if hash(t, cfg) != first {
		t.Error("watching changes the bytes")
	}
	cfg.Seed++
	if hash(t, cfg) == first {
		t.Error("another seed makes the same bytes")
	}
	cfg.Seed--
	cfg.Origin = cfg.Origin.Add(time.Second)
	if hash(t, cfg) == first {
		t.Error("another origin makes the same bytes")
	}
}

// TestLikeness holds the traffic to what its documentation says of it.
func TestLikeness(t *testing.T) {
	cfg := DefaultConfig()
	cfg.Spans = 400_000
	if testing.Short() {
		cfg.Spans = 200_000
	}
	attributes, smallest, keys := 0, math.MaxInt, map[string]bool{}
	statuses := map[int]int{}
	services := map[string]bool{}
	perTrace := map[[16]byte]int{}
	cfg.Watch = func(s *Span) { services[s.Service] = true; statuses[s.HTTPStatus]++; perTrace[s.Trace]++ }
	g := each(t, cfg, func(r Request) {
		spans := 0
		for _, rs := range decode(t, r).ResourceSpans {
			if n := len(rs.Resource.Attributes); n != 13 {
				t.Fatalf("resource has %d attributes, want 13", n)
			}
			for _, ss := range rs.ScopeSpans {
				spans += len(ss.Spans)
				for _, s := range ss.Spans {
					attributes += len(s.Attributes)
					for _, kv := range s.Attributes {
						keys[kv.Key] = true
					}
				}
			}
		}
		if spans != r.Spans || spans > cfg.SpansPerRequest {
			t.Fatalf("request of %d spans says %d, limit %d", spans, r.Spans, cfg.SpansPerRequest)
		}
	})
	st := g.Stats()
	for _, n := range perTrace {
		smallest = min(smallest, n)
	}
	within := func(what string, got, lo, hi float64) {
		t.Helper()
		if got < lo || got > hi {
			t.Errorf("%s: got %.4g, want %.4g to %.4g", what, got, lo, hi)
		}
	}
	n := float64(st.Spans)
	within("bytes a span", float64(st.Bytes)/n, 400, 450)
	within("attributes a span", float64(attributes)/n, 9.5, 12)
	within("spans a trace", n/float64(st.Traces), 17, 23)
	within("largest trace", float64(st.LargestTrace), 1000, 3000)
	within("smallest trace", float64(smallest), 2, 2)
	within("share of errors", float64(st.Errors)/n, 0.015, 0.026)
	within("share of exceptions", float64(st.Exceptions)/n, 0.005, 0.02)
	within("share of late spans", float64(st.Late)/n, 0.0005, 0.01)
	within("share with user.id", float64(st.WithUser)/n, 0.1, 0.3)
	within("links", float64(st.Links), 100, n/50)
	within("services", float64(len(services)), 20, 20)
	within("keys", float64(len(keys)), 200, 400)
	within("spans a request", n/float64(st.Requests), 480, 500)
	within("spans with status 500", float64(statuses[500]), n/1000, n/20)
	within("operations", float64(len(g.Operations())), 80, 160)
	within("rare keys", float64(len(g.RareKeys())), 150, 150)
}

// TestCounts compares what the generator says with what it wrote.
func TestCounts(t *testing.T) {
	cfg := DefaultConfig()
	cfg.Spans, cfg.Seed = 15_000, 7
	services := map[string]int64{}
	operations := map[OperationCount]int64{}
	users, watched := 0, 0
	var got Stats
	cfg.Watch = func(s *Span) {
		watched++
		if s.User != "" {
			users++
		}
	}
	traces := map[string]bool{}
	g := each(t, cfg, func(r Request) {
		got.Requests++
		got.Bytes += int64(len(r.Body))
		for _, rs := range decode(t, r).ResourceSpans {
			service := ""
			for _, kv := range rs.Resource.Attributes {
				if kv.Key == "service.name" {
					service = kv.Value.GetStringValue()
				}
			}
			for _, ss := range rs.ScopeSpans {
				for _, s := range ss.Spans {
					traces[string(s.TraceId)] = true
					got.Spans++
					services[service]++
					operations[OperationCount{Service: service, Name: s.Name, Kind: uint8(s.Kind)}]++
					got.Links += int64(len(s.Links))
					got.Events += int64(len(s.Events))
					if s.Status.Code == tracepb.Status_STATUS_CODE_ERROR {
						got.Errors++
					}
					for _, e := range s.Events {
						if e.Name == "exception" {
							got.Exceptions++
						}
					}
					for _, kv := range s.Attributes {
						if kv.Key == "user.id" {
							got.WithUser++
						}
					}
				}
			}
		}
	})
	want := g.Stats()
	got.Traces, got.Late, got.RareKeys, got.LargestTrace = int64(len(traces)), want.Late, want.RareKeys, want.LargestTrace
	if got != want {
		t.Errorf("counted in the requests:\n got %+v\nwant %+v", got, want)
	}
	if int64(watched) != want.Spans || int64(users) != want.WithUser {
		t.Errorf("watched %d spans, %d with a user; want %d, %d", watched, users, want.Spans, want.WithUser)
	}
	for name, n := range g.Services() {
		if services[name] != n {
			t.Errorf("service %s: wrote %d spans, says %d", name, services[name], n)
		}
	}
	for _, op := range g.Operations() {
		if n := operations[OperationCount{Service: op.Service, Name: op.Name, Kind: op.Kind}]; n != op.Spans {
			t.Errorf("operation %s %s: wrote %d spans, says %d", op.Service, op.Name, n, op.Spans)
		}
	}
}

// TestTrees checks that every trace is one tree, that calls lie inside of
// their callers, and that nearly all spans end before they are sent.
func TestTrees(t *testing.T) {
	cfg := DefaultConfig()
	cfg.Spans = 60_000
	if testing.Short() {
		cfg.Spans = 15_000
	}
	type node struct {
		span   Span
		parent uint64
	}
	spans := map[[16]byte]map[uint64]node{}
	cfg.Watch = func(s *Span) {
		if spans[s.Trace] == nil {
			spans[s.Trace] = map[uint64]node{}
		}
		spans[s.Trace][s.ID] = node{*s, s.Parent}
	}
	early, total := 0, 0
	each(t, cfg, func(r Request) {
		for _, rs := range decode(t, r).ResourceSpans {
			for _, ss := range rs.ScopeSpans {
				for _, s := range ss.Spans {
					total++
					if int64(s.EndTimeUnixNano) > r.Clock {
						early++
					}
				}
			}
		}
	})
	if early > total/1000 {
		t.Errorf("%d of %d spans end after they were sent", early, total)
	}
	for id, trace := range spans {
		roots := 0
		for _, n := range trace {
			if n.parent == 0 {
				roots++
				continue
			}
			p, ok := trace[n.parent]
			if !ok {
				t.Fatalf("trace %x: span %x has no parent", id, n.span.ID)
			}
			switch {
			case n.span.Kind == kindConsumer:
				if n.span.Start < p.span.End {
					t.Fatalf("trace %x: %s processes before it was published", id, n.span.Name)
				}
			case n.span.Start < p.span.Start || n.span.End > p.span.End:
				t.Fatalf("trace %x: %s [%d %d] outside of %s [%d %d]", id, n.span.Name, n.span.Start, n.span.End, p.span.Name, p.span.Start, p.span.End)
			}
			if n.span.End < n.span.Start {
				t.Fatalf("trace %x: %s ends before it starts", id, n.span.Name)
			}
		}
		if roots != 1 {
			t.Fatalf("trace %x has %d roots", id, roots)
		}
	}
}

// TestLateSpansArriveLate looks for spans that come long after their trace.
func TestLateSpansArriveLate(t *testing.T) {
	cfg := DefaultConfig()
	cfg.Spans, cfg.SpansPerSecond, cfg.LateTraces = 50_000, 500, 0.05
	late := map[uint64]bool{}
	cfg.Watch = func(s *Span) {
		if s.Late {
			late[s.End] = true
		}
	}
	behind, found := int64(0), 0
	g := each(t, cfg, func(r Request) {
		for _, rs := range decode(t, r).ResourceSpans {
			for _, ss := range rs.ScopeSpans {
				for _, s := range ss.Spans {
					if late[s.EndTimeUnixNano] {
						found++
						behind = max(behind, r.Clock-int64(s.EndTimeUnixNano))
					}
				}
			}
		}
	})
	if st := g.Stats(); st.Late == 0 || int64(found) < st.Late {
		t.Errorf("found %d late spans of %d", found, st.Late)
	}
	if behind < int64(30*time.Second) {
		t.Errorf("the latest span came %v after its end", time.Duration(behind))
	}
}

// TestBatchTimeout checks that slow traffic does not wait for full requests.
func TestBatchTimeout(t *testing.T) {
	cfg := DefaultConfig()
	cfg.Spans, cfg.SpansPerSecond, cfg.BatchTimeout = 2_000, 100, time.Second
	each(t, cfg, func(r Request) {
		if r.Spans == cfg.SpansPerRequest {
			t.Errorf("full request of %d spans at 100 spans/s", r.Spans)
		}
	})
}

func TestFinishHandsOutTheRest(t *testing.T) {
	g, err := New(DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	got := 0
	for range 20 {
		r, _ := g.Next(nil)
		got += r.Spans
	}
	g.Finish()
	for {
		r, ok := g.Next(nil)
		if !ok {
			break
		}
		got += r.Spans
	}
	if want := g.Stats().Spans; int64(got) != want {
		t.Errorf("handed out %d spans of %d", got, want)
	}
}

func TestValidate(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"origin": func(c *Config) { c.Origin = time.Time{} }, "rate": func(c *Config) { c.SpansPerSecond = 0 },
		"spans": func(c *Config) { c.Spans = -1 }, "request": func(c *Config) { c.SpansPerRequest = 0 },
		"late": func(c *Config) { c.LateTraces = 2 }, "users": func(c *Config) { c.Users = 0 },
	} {
		cfg := DefaultConfig()
		change(&cfg)
		if _, err := New(cfg); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func BenchmarkNext(b *testing.B) {
	g, err := New(DefaultConfig())
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	spans, size := 0, 0
	var buf []byte
	for b.Loop() {
		r, _ := g.Next(buf)
		spans += r.Spans
		size += len(r.Body)
		buf = r.Body
	}
	b.SetBytes(int64(size / b.N))
	b.ReportMetric(float64(spans)/b.Elapsed().Seconds(), "spans/s")
	b.ReportMetric(float64(size)/float64(spans), "B/span")
}

func BenchmarkDecode(b *testing.B) {
	g, err := New(DefaultConfig())
	if err != nil {
		b.Fatal(err)
	}
	r, _ := g.Next(nil)
	d := NewDecoder()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := d.Decode(r.Body); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(r.Spans)*float64(b.N)/b.Elapsed().Seconds(), "spans/s")
}

func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		if _, err := New(DefaultConfig()); err != nil {
			b.Fatal(err)
		}
	}
}
