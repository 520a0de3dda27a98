package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	coltracepb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

// question is one kind of query.
type question struct {
	door   door
	header http.Header
	// path returns the n-th query of the kind; they differ, so that no answer
	// is only remembered.
	path func(n int) string
	// check looks at the answer to the n-th query, outside of the time that is
	// measured, and returns what it counted in it.
	check func(n int, body []byte, err error) (int, error)
}

// ask repeats a question and returns the time of each answer in ms. It asks
// for at least a second, so that CPU times can be told.
func (l *lab) ask(b *library, q question) (measured, error) {
	m := measured{format: "%.2f ms", of: "queries", void: b.notFromBlocks()}
	one := func(n int) (time.Duration, int, error) {
		began := time.Now()
		body, err := b.server.get(q.door, q.path(n), q.header)
		took := time.Since(began)
		found, err := q.check(n, body, err)
		return took, found, err
	}
	for n := range 3 { // connections, caches
		if _, _, err := one(n); err != nil {
			return m, err
		}
	}
	before, err := procCPU(b.server.pid())
	if err != nil {
		return m, err
	}
	found := 0
	began := time.Now()
	for n := 0; n < l.queries || time.Since(began) < time.Second && n < 2000; n++ {
		took, k, err := one(n)
		if err != nil {
			return m, err
		}
		if l.ctx.Err() != nil {
			return m, l.ctx.Err()
		}
		m.values = append(m.values, float64(took.Microseconds())/1000)
		found += k
	}
	after, err := procCPU(b.server.pid())
	if err != nil {
		return m, err
	}
	n := len(m.values)
	m.note = fmt.Sprintf("%.1f CPU-ms a query, %.0f found on average", float64((after-before).Microseconds())/1000/float64(n), float64(found)/float64(n))
	return m, nil
}

// summaries is a question to Jaeger's /api/v3/trace-summaries. least and most
// bound the number of traces in its answers; most below 0 is no bound.
func (b *library) summaries(depth, least, most int, params func(n int, v url.Values)) question {
	return question{
		door: doorJaeger,
		path: func(n int) string {
			v := url.Values{}
			v.Set("query.startTimeMin", b.from.UTC().Format(time.RFC3339Nano))
			v.Set("query.startTimeMax", b.to.UTC().Format(time.RFC3339Nano))
			v.Set("query.searchDepth", strconv.Itoa(depth))
			params(n, v)
			return "/api/v3/trace-summaries?" + v.Encode()
		},
		check: func(_ int, body []byte, err error) (int, error) {
			if err != nil {
				return 0, err
			}
			var answer struct {
				Summaries []json.RawMessage `json:"summaries"`
			}
			if err := json.Unmarshal(body, &answer); err != nil {
				return 0, fmt.Errorf("trace-summaries: %w", err)
			}
			k := len(answer.Summaries)
			if k < least || most >= 0 && k > most {
				return k, fmt.Errorf("trace-summaries: %d traces, want %d to %d", k, least, most)
			}
			return k, nil
		},
	}
}

// tags sets query.attributes.
func tags(v url.Values, pairs ...string) {
	m := make(map[string]string)
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	b, _ := json.Marshal(m) // strings always encode
	v.Set("query.attributes", string(b))
}

// byIDJaeger looks traces up by ID, known or made up.
func (b *library) byIDJaeger(known bool) question {
	return question{
		door: doorJaeger,
		path: func(n int) string { return "/api/traces/" + b.id(n, known) },
		check: func(n int, body []byte, err error) (int, error) {
			if !known {
				return 0, wantStatus(err, http.StatusNotFound)
			}
			if err != nil {
				return 0, err
			}
			spans, err := countJaegerSpans(body)
			if err != nil {
				return 0, err
			}
			return spans[0], b.checkSpans(n, spans[0])
		},
	}
}

func (b *library) byIDTempo(known bool) question {
	return question{
		door: doorTempo, header: http.Header{"Accept": {"application/protobuf"}},
		path: func(n int) string { return "/api/v2/traces/" + b.id(n, known) },
		check: func(n int, body []byte, err error) (int, error) {
			if err != nil && known {
				return 0, err
			}
			if err != nil { // not found may also be a status
				return 0, wantStatus(err, http.StatusNotFound)
			}
			spans, err := countTempoSpans(body)
			if err != nil {
				return 0, err
			}
			if !known {
				if spans != 0 {
					err = fmt.Errorf("a made-up trace ID has %d spans", spans)
				}
				return 0, err
			}
			return spans, b.checkSpans(n, spans)
		},
	}
}

func (b *library) id(n int, known bool) string {
	if known {
		return hexID(b.truth.traces[n*7%len(b.truth.traces)].id)
	}
	return fmt.Sprintf("%016x%016x", 0x9e3779b97f4a7c15*uint64(n+1), 0xd1b54a32d192ed03*uint64(n+7))
}

func (b *library) checkSpans(n, spans int) error {
	want := b.truth.traces[n*7%len(b.truth.traces)]
	if spans != want.spans {
		return fmt.Errorf("trace %s has %d spans, want %d", hexID(want.id), spans, want.spans)
	}
	return nil
}

func wantStatus(err error, code int) error {
	var status *statusError
	if errors.As(err, &status) && status.code == code {
		return nil
	}
	if err == nil {
		return fmt.Errorf("HTTP 200, want %d", code)
	}
	return err
}

// countJaegerSpans counts the spans of each trace of Jaeger's JSON.
func countJaegerSpans(body []byte) ([]int, error) {
	var answer struct {
		Data []struct {
			Spans []json.RawMessage `json:"spans"`
		} `json:"data"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, fmt.Errorf("decode Jaeger's JSON: %w", err)
	}
	if len(answer.Data) == 0 {
		return nil, errors.New("no trace in Jaeger's JSON")
	}
	var counts []int
	for _, t := range answer.Data {
		counts = append(counts, len(t.Spans))
	}
	return counts, nil
}

// countTempoSpans counts the spans of a TraceByIDResponse: field 1 is a Trace,
// which has the shape of OTLP's TracesData.
func countTempoSpans(body []byte) (int, error) {
	spans := 0
	for len(body) > 0 {
		field, kind, n := protowire.ConsumeTag(body)
		if n < 0 {
			return 0, fmt.Errorf("decode Tempo's answer: %w", protowire.ParseError(n))
		}
		body = body[n:]
		if field != 1 || kind != protowire.BytesType {
			if n = protowire.ConsumeFieldValue(field, kind, body); n < 0 {
				return 0, fmt.Errorf("decode Tempo's answer: %w", protowire.ParseError(n))
			}
			body = body[n:]
			continue
		}
		value, n := protowire.ConsumeBytes(body)
		if n < 0 {
			return 0, fmt.Errorf("decode Tempo's answer: %w", protowire.ParseError(n))
		}
		body = body[n:]
		var trace coltracepb.ExportTraceServiceRequest
		if err := proto.Unmarshal(value, &trace); err != nil {
			return 0, fmt.Errorf("decode Tempo's trace: %w", err)
		}
		spans += countSpans(trace.ResourceSpans)
	}
	return spans, nil
}

func countSpans(resources []*tracepb.ResourceSpans) (n int) {
	for _, rs := range resources {
		for _, ss := range rs.ScopeSpans {
			n += len(ss.Spans)
		}
	}
	return n
}
