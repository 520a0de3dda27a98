package drive

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	coltracepb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/clewtrace/clew/cmd/internal/loadgen"
)

// backend is an OTLP server that keeps the spans that it takes.
type backend struct {
	coltracepb.UnimplementedTraceServiceServer
	mu      sync.Mutex // guards all below
	calls   int
	spans   []string // resource, scope and span, encoded
	tenants map[string]bool
	// answer decides about a call by its number, from 1; nil takes everything.
	answer func(call int) (*coltracepb.ExportTracePartialSuccess, error)
}

func (b *backend) take(tenant string, req *coltracepb.ExportTraceServiceRequest) (*coltracepb.ExportTraceServiceResponse, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.calls++
	resp := new(coltracepb.ExportTraceServiceResponse)
	if b.answer != nil {
		partial, err := b.answer(b.calls)
		if err != nil {
			return nil, err
		}
		resp.PartialSuccess = partial
	}
	if b.tenants == nil {
		b.tenants = map[string]bool{}
	}
	b.tenants[tenant] = true
	marshal := proto.MarshalOptions{Deterministic: true}
	for _, rs := range req.ResourceSpans {
		resource, _ := marshal.Marshal(rs.Resource)
		for _, ss := range rs.ScopeSpans {
			scope, _ := marshal.Marshal(ss.Scope)
			for _, s := range ss.Spans {
				span, _ := marshal.Marshal(s)
				b.spans = append(b.spans, fmt.Sprintf("%s|%s|%s|%s|%s", rs.SchemaUrl, resource, ss.SchemaUrl, scope, span))
			}
		}
	}
	return resp, nil
}

func (b *backend) Export(ctx context.Context, req *coltracepb.ExportTraceServiceRequest) (*coltracepb.ExportTraceServiceResponse, error) {
	md, _ := metadata.FromIncomingContext(ctx)
	return b.take(strings.Join(md.Get("x-scope-orgid"), ","), req)
}

func (b *backend) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	switch r.Header.Get("Content-Encoding") {
	case "gzip":
		zr, _ := gzip.NewReader(bytes.NewReader(body))
		body, _ = io.ReadAll(zr)
	case "zstd":
		d, _ := zstd.NewReader(nil)
		body, _ = d.DecodeAll(body, nil)
		d.Close()
	case "snappy":
		body, _ = snappy.Decode(nil, body)
	}
	req := new(coltracepb.ExportTraceServiceRequest)
	if r.Header.Get("Content-Type") == "application/json" {
		decoded := ptraceotlp.NewExportRequest()
		if err := decoded.UnmarshalJSON(body); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		body, _ = decoded.MarshalProto()
	}
	if err := proto.Unmarshal(body, req); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	resp, err := b.take(r.Header.Get("X-Scope-OrgID"), req)
	if err != nil {
		w.Header().Set("Retry-After", "0")
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	answer, _ := proto.Marshal(resp)
	w.Header().Set("Content-Type", "application/x-protobuf")
	_, _ = w.Write(answer)
}

func (b *backend) start(t *testing.T, protocol string) *Target {
	t.Helper()
	target := &Target{Protocol: protocol, Compression: "none", Timeout: 5 * time.Second, RetryFor: 5 * time.Second, Headers: map[string]string{"x-scope-orgid": "acme"}}
	if protocol == GRPC {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		s := grpc.NewServer()
		coltracepb.RegisterTraceServiceServer(s, b)
		go func() { _ = s.Serve(l) }()
		t.Cleanup(s.Stop)
		target.Endpoint = l.Addr().String()
	} else {
		s := httptest.NewServer(b)
		t.Cleanup(s.Close)
		target.Endpoint = s.URL
	}
	return target
}

func generator(t *testing.T, spans int64) (*loadgen.Generator, loadgen.Config) {
	t.Helper()
	cfg := loadgen.DefaultConfig()
	cfg.Spans = spans
	g, err := loadgen.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return g, cfg
}

func drive(t *testing.T, target *Target, replay bool, spans int64, connections int) (*Report, *loadgen.Generator, error) {
	t.Helper()
	if err := target.Validate(); err != nil {
		t.Fatal(err)
	}
	m := NewMeter()
	senders, err := Open(t.Context(), target, m, connections, replay)
	if err != nil {
		t.Fatal(err)
	}
	g, _ := generator(t, spans)
	rep, err := Run(t.Context(), g, senders, m, Config{AheadBytes: 1 << 20, Grace: time.Second})
	for _, s := range senders {
		if err := s.Close(); err != nil {
			t.Errorf("close sender: %v", err)
		}
	}
	return rep, g, err
}

// TestEveryWaySendsTheSameSpans compares what arrives through the SDK and as
// encoded requests, over each protocol and compression.
func TestEveryWaySendsTheSameSpans(t *testing.T) {
	var want []string
	for _, way := range []struct {
		protocol, compression string
		replay                bool
	}{
		{GRPC, "none", true}, {GRPC, "none", false}, {GRPC, "gzip", true}, {GRPC, "zstd", true}, {GRPC, "snappy", false},
		{HTTPProtobuf, "none", true}, {HTTPProtobuf, "none", false}, {HTTPProtobuf, "gzip", false}, {HTTPProtobuf, "zstd", true},
		{HTTPProtobuf, "snappy", false}, {HTTPProtobuf, "snappy", true}, {HTTPJSON, "none", false}, {HTTPJSON, "zstd", false},
	} {
		t.Run(fmt.Sprintf("%s %s replay=%v", way.protocol, way.compression, way.replay), func(t *testing.T) {
			b := &backend{}
			target := b.start(t, way.protocol)
			target.Compression = way.compression
			spans := int64(2_000)
			if testing.Short() {
				spans = 500
			}
			rep, g, err := drive(t, target, way.replay, spans, 3)
			if err != nil {
				t.Fatal(err)
			}
			made := g.Stats()
			if c := rep.Spans; c.Sent != made.Spans || c.Acked != made.Spans || c.Rejected+c.GivenUp != 0 || rep.Requests != made.Requests || rep.Bytes != made.Bytes {
				t.Errorf("report %+v of %+v", rep, made)
			}
			if len(b.tenants) != 1 || !b.tenants["acme"] {
				t.Errorf("tenants %v, want acme", b.tenants)
			}
			slices.Sort(b.spans)
			if want == nil {
				want = b.spans
			}
			if !slices.Equal(b.spans, want) {
				t.Errorf("%d spans arrived that are not the %d of the first way", len(b.spans), len(want))
			}
		})
	}
}

func TestRefusedIsSentAgain(t *testing.T) {
	busy, err := status.New(codes.ResourceExhausted, "busy").WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(10 * time.Millisecond)})
	if err != nil {
		t.Fatal(err)
	}
	for _, protocol := range []string{GRPC, HTTPProtobuf} {
		for _, replay := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s replay=%v", protocol, replay), func(t *testing.T) {
				b := &backend{answer: func(call int) (*coltracepb.ExportTracePartialSuccess, error) {
					if call%3 == 1 {
						return nil, busy.Err()
					}
					return nil, nil
				}}
				rep, g, err := drive(t, b.start(t, protocol), replay, 1_500, 1)
				if err != nil {
					t.Fatal(err)
				}
				if rep.Spans.Acked != g.Stats().Spans || rep.Refused == 0 || int64(len(b.spans)) != rep.Spans.Acked {
					t.Errorf("acked %d, server has %d, made %d, refused %d", rep.Spans.Acked, len(b.spans), g.Stats().Spans, rep.Refused)
				}
			})
		}
	}
}

func TestFinalErrorGivesUp(t *testing.T) {
	for _, replay := range []bool{true, false} {
		b := &backend{answer: func(call int) (*coltracepb.ExportTracePartialSuccess, error) {
			if call == 1 {
				return nil, status.Error(codes.InvalidArgument, "no such thing")
			}
			return nil, nil
		}}
		rep, g, err := drive(t, b.start(t, GRPC), replay, 1_500, 1)
		if err == nil || !strings.Contains(err.Error(), "no such thing") {
			t.Errorf("replay=%v: got error %v", replay, err)
		}
		if c := rep.Spans; c.GivenUp == 0 || c.Acked+c.GivenUp != g.Stats().Spans || rep.Refused != 1 {
			t.Errorf("replay=%v: %+v of %d, %d refused", replay, c, g.Stats().Spans, rep.Refused)
		}
	}
}

func TestPartialSuccessIsCounted(t *testing.T) {
	for _, protocol := range []string{GRPC, HTTPProtobuf} {
		for _, replay := range []bool{true, false} {
			b := &backend{answer: func(call int) (*coltracepb.ExportTracePartialSuccess, error) {
				if call <= 2 {
					return &coltracepb.ExportTracePartialSuccess{RejectedSpans: 7, ErrorMessage: "odd spans"}, nil
				}
				return nil, nil
			}}
			rep, g, err := drive(t, b.start(t, protocol), replay, 1_500, 1)
			if err != nil {
				t.Fatalf("%s replay=%v: %v", protocol, replay, err)
			}
			if c := rep.Spans; c.Rejected != 14 || c.Acked != g.Stats().Spans-14 || c.GivenUp != 0 || rep.LastError != "odd spans" {
				t.Errorf("%s replay=%v: %+v, last error %q", protocol, replay, c, rep.LastError)
			}
		}
	}
}

func TestNobodyListens(t *testing.T) {
	target := &Target{Endpoint: "127.0.0.1:1", Protocol: GRPC, Compression: "none", Timeout: time.Second, RetryFor: 300 * time.Millisecond}
	rep, _, err := drive(t, target, true, 500, 2)
	if err == nil || rep.Spans.GivenUp != rep.Spans.Sent || rep.Spans.Sent == 0 {
		t.Errorf("err %v, %+v", err, rep.Spans)
	}
}

// TestStops cuts off runs that would have no end, by time and by ctx, also
// while the server refuses everything.
func TestStops(t *testing.T) {
	refuse := &backend{answer: func(int) (*coltracepb.ExportTracePartialSuccess, error) {
		return nil, status.Error(codes.Unavailable, "down")
	}}
	for name, b := range map[string]*backend{"taking": {}, "refusing": refuse} {
		for _, how := range []string{"duration", "context"} {
			t.Run(name+" "+how, func(t *testing.T) {
				target := b.start(t, GRPC)
				target.RetryFor = time.Hour
				m := NewMeter()
				senders, err := Open(t.Context(), target, m, 2, true)
				if err != nil {
					t.Fatal(err)
				}
				g, _ := generator(t, 0)
				ctx, cancel := context.WithCancel(t.Context())
				cfg := Config{AheadBytes: 256 << 10, Grace: 200 * time.Millisecond}
				if how == "duration" {
					cfg.Duration = 500 * time.Millisecond
				} else {
					time.AfterFunc(500*time.Millisecond, cancel)
				}
				began := time.Now()
				rep, _ := Run(ctx, g, senders, m, cfg)
				cancel()
				if took := time.Since(began); took > 3*time.Second {
					t.Errorf("took %v to stop", took)
				}
				if name == "taking" && rep.Spans.Acked == 0 {
					t.Errorf("nothing was sent: %+v", rep)
				}
				for _, s := range senders {
					_ = s.Close()
				}
			})
		}
	}
}

func TestPaced(t *testing.T) {
	b := &backend{}
	target := b.start(t, GRPC)
	m := NewMeter()
	senders, err := Open(t.Context(), target, m, 2, true)
	if err != nil {
		t.Fatal(err)
	}
	cfg := loadgen.DefaultConfig()
	cfg.Spans, cfg.SpansPerSecond, cfg.BatchTimeout = 4_000, 4_000, 100*time.Millisecond
	g, err := loadgen.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	rep, err := Run(t.Context(), g, senders, m, Config{Paced: true, Origin: cfg.Origin, AheadBytes: 8 << 20, Progress: func(p Progress) { seen++ }})
	if err != nil {
		t.Fatal(err)
	}
	if rep.Seconds < 0.9 || rep.Seconds > 3 {
		t.Errorf("4,000 spans at 4,000 a second took %.2f s", rep.Seconds)
	}
	for _, s := range senders {
		_ = s.Close()
	}
}

func TestFileHoldsTheRequests(t *testing.T) {
	var out bytes.Buffer
	m := NewMeter()
	s := NewFileSender(nopCloser{&out}, m)
	g, cfg := generator(t, 3_000)
	if _, err := Run(t.Context(), g, []Sender{s}, m, Config{AheadBytes: 1 << 20}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := loadgen.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	for {
		r, ok := again.Next(nil)
		if !ok {
			break
		}
		n, err := binary.ReadUvarint(&out)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(out.Next(int(n)), r.Body) {
			t.Fatal("a request in the file differs from the generator's")
		}
	}
	if out.Len() != 0 {
		t.Errorf("%d bytes too many", out.Len())
	}
}

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }

func TestHistogram(t *testing.T) {
	var h histogram
	for i := range 10_000 {
		h.add(time.Duration(i+1) * time.Microsecond)
	}
	for _, q := range []float64{0.01, 0.5, 0.9, 0.99, 0.999} {
		want := q * 10_000
		got := float64(h.quantile(q).Microseconds())
		if got < want*0.99 || got > want*1.07 {
			t.Errorf("quantile %v: got %v µs, want %v", q, got, want)
		}
	}
	for d := time.Duration(1); d > 0 && d < 1<<62; d = d*5/4 + 1 {
		b := bucketOf(d)
		if d > upper(b) || b > 0 && d <= upper(b-1) {
			t.Fatalf("%d lies in bucket %d, which ends at %d after %d", d, b, upper(b), upper(b-1))
		}
	}
}

func TestRefusals(t *testing.T) {
	for _, tc := range []struct {
		code      int
		after     string
		retryable bool
		wait      time.Duration
	}{{429, "3", true, 3 * time.Second}, {503, "", true, 0}, {502, "x", true, 0}, {400, "", false, 0}, {500, "5", false, 5 * time.Second}} {
		h := http.Header{}
		h.Set("Retry-After", tc.after)
		if no := refusedHTTP(tc.code, h, ""); no.retryable != tc.retryable || no.after != tc.wait {
			t.Errorf("HTTP %d: retryable %v after %v", tc.code, no.retryable, no.after)
		}
	}
	for code, want := range map[codes.Code]bool{
		codes.Unavailable: true, codes.ResourceExhausted: false, codes.InvalidArgument: false, codes.Aborted: true, codes.Internal: false,
	} {
		if got := refusedGRPC(status.Error(code, "")).retryable; got != want {
			t.Errorf("%v: retryable %v", code, got)
		}
	}
	if !errors.Is(&refusal{err: io.EOF}, io.EOF) {
		t.Error("a refusal hides its cause")
	}
}

func TestTarget(t *testing.T) {
	for _, tc := range []struct{ endpoint, protocol, want, url string }{
		{"", GRPC, "localhost:4317", ""}, {"", HTTPProtobuf, "localhost:4318", "http://localhost:4318/v1/traces"},
		{"http://a:1", GRPC, "a:1", ""}, {"a:1", HTTPProtobuf, "a:1", "http://a:1/v1/traces"},
		{"https://a:1/otlp/v1/traces", HTTPProtobuf, "https://a:1/otlp/v1/traces", "https://a:1/otlp/v1/traces"},
	} {
		target := Target{Endpoint: tc.endpoint, Protocol: tc.protocol, Compression: "none"}
		if err := target.Validate(); err != nil {
			t.Fatal(err)
		}
		if target.Endpoint != tc.want || tc.url != "" && target.url() != tc.url {
			t.Errorf("%q over %s: %q, %q", tc.endpoint, tc.protocol, target.Endpoint, target.url())
		}
	}
	for _, bad := range []Target{{Protocol: "udp", Compression: "none"}, {Protocol: GRPC, Compression: "lz4"}, {Protocol: GRPC, Compression: "none", Endpoint: "ftp://x"}} {
		if bad.Validate() == nil {
			t.Errorf("%+v is accepted", bad)
		}
	}
}
