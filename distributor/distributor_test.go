package distributor

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	oteltrace "go.opentelemetry.io/otel/trace"
	"go.uber.org/goleak"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/clewtrace/clew/ingester/portion"
	"github.com/clewtrace/clew/storage/tenant"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("net/http.(*persistConn).readLoop"), goleak.IgnoreTopFunction("net/http.(*persistConn).writeLoop"))
}

// recorder is a Pusher that keeps the spans it gets, or answers with err.
type recorder struct {
	mu     sync.Mutex
	err    []error // one per push, then nil
	panics bool
	names  []string
	tenant tenant.ID
	seqs   []uint64
}

func (r *recorder) Push(_ context.Context, p *portion.Portion) (portion.Receipt, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.panics {
		panic("test")
	}
	if len(r.err) > 0 {
		err := r.err[0]
		r.err = r.err[1:]
		return portion.Receipt{}, err
	}
	raw, err := s2.Decode(nil, p.Payload)
	if err != nil || !bytes.Equal(raw, p.Raw) || len(raw) != p.RawSize {
		return portion.Receipt{}, errors.New("payload and raw differ")
	}
	td, err := (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(raw)
	if err != nil {
		return portion.Receipt{}, err
	}
	for _, rs := range td.ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			for _, s := range ss.Spans().All() {
				r.names = append(r.names, s.Name())
			}
		}
	}
	r.tenant = p.Stream.Tenant
	r.seqs = append(r.seqs, p.Seq)
	return portion.Receipt{}, nil
}

func newDistributor(t testing.TB, r Pusher, multi bool) *Distributor {
	t.Helper()
	cfg := DefaultConfig()
	cfg.MaxRequestBytes, cfg.MaxInFlightBytes = 1<<20, 4<<20
	cfg.CORSAllowedOrigins = []string{"https://app.example.test"}
	d, err := New(cfg, r, portion.Identity{Name: "i", Incarnation: uuid.New()}, Options{Multitenancy: multi})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func export(bad bool) ptraceotlp.ExportRequest {
	td := ptrace.NewTraces()
	ss := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty()
	for _, name := range []string{"a", "b"} {
		s := ss.Spans().AppendEmpty()
		s.SetTraceID(pcommon.TraceID{1})
		s.SetSpanID(pcommon.SpanID{1})
		s.SetName(name)
	}
	if bad {
		ss.Spans().AppendEmpty().SetTraceID(pcommon.TraceID{1})
	}
	return ptraceotlp.NewExportRequestFromTraces(td)
}

func wireOf(t testing.TB, bad bool) []byte {
	t.Helper()
	b, err := export(bad).MarshalProto()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestHTTP(t *testing.T) {
	good, withBad := wireOf(t, false), wireOf(t, true)
	jsonBody, _ := export(false).MarshalJSON()
	gz := func(b []byte) []byte {
		var buf bytes.Buffer
		w := gzip.NewWriter(&buf)
		w.Write(b)
		w.Close()
		return buf.Bytes()
	}
	enc, _ := zstd.NewWriter(nil)
	defer enc.Close()
	zstdOf := func(b []byte) []byte { return enc.EncodeAll(b, nil) }
	var framed bytes.Buffer
	fw := snappy.NewBufferedWriter(&framed)
	fw.Write(good)
	fw.Close()
	bomb := gz(make([]byte, 8<<20))
	refusal := &portion.Refusal{Reason: "live_bytes", Detail: "full", RetryAfter: 2500 * time.Millisecond}

	for name, tc := range map[string]struct {
		method, kind, encoding string
		tenants                []string
		multi                  bool
		body                   []byte
		err                    error
		panics                 bool
		code                   int
		want                   string // in the body
		retry                  string
		spans                  int
	}{
		"protobuf":                {kind: typeProto, body: good, code: 200, spans: 2},
		"JSON":                    {kind: "application/json; charset=utf-8", body: jsonBody, code: 200, want: `{"partialSuccess":{}}`, spans: 2},
		"gzip":                    {kind: typeProto, encoding: "gzip", body: gz(good), code: 200, spans: 2},
		"zstd":                    {kind: typeProto, encoding: "zstd", body: zstdOf(good), code: 200, spans: 2},
		"snappy":                  {kind: typeProto, encoding: "snappy", body: snappy.Encode(nil, good), code: 200, spans: 2},
		"framed snappy":           {kind: typeProto, encoding: "x-snappy-framed", body: framed.Bytes(), code: 200, spans: 2},
		"empty":                   {kind: typeProto, code: 200},
		"partial success":         {kind: typeProto, body: withBad, code: 200, want: "1 invalid_span_id", spans: 2},
		"unknown encoding":        {kind: typeJSON, encoding: "br", body: good, code: 400, want: "unsupported Content-Encoding: br"},
		"lying encoding":          {kind: typeJSON, encoding: "gzip", body: good, code: 400, want: "read request body"},
		"bomb":                    {kind: typeJSON, encoding: "gzip", body: bomb, code: 413, want: "max_request_bytes"},
		"snappy bomb":             {kind: typeJSON, encoding: "snappy", body: snappy.Encode(nil, make([]byte, 8<<20)), code: 413, want: "max_request_bytes"},
		"too large":               {kind: typeJSON, body: make([]byte, 2<<20), code: 413, want: "max_request_bytes"},
		"wrong type":              {kind: "text/plain", body: good, code: 415, want: "unsupported media type"},
		"GET":                     {method: "GET", kind: typeProto, code: 405, want: "method not allowed"},
		"not protobuf":            {kind: typeJSON, body: []byte("{"), code: 400, want: "read OTLP JSON"},
		"broken protobuf":         {kind: typeProto, body: []byte{0x0a, 0xff}, code: 400, want: "malformed"},
		"base64 IDs in JSON":      {kind: typeJSON, body: []byte(`{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"AQAAAAAAAAAAAAAAAAAAAA==","spanId":"AQAAAAAAAAA="}]}]}]}`), code: 400, want: "read OTLP JSON"},
		"refused":                 {kind: typeProto, body: good, err: refusal, code: 429, want: "live_bytes", retry: "3"},
		"stopping, protobuf":      {kind: typeProto, body: good, err: &portion.Refusal{Reason: "stopping", RetryAfter: time.Second}, code: 503, retry: "1"},
		"log failed":              {kind: typeProto, body: good, err: errors.New("log has failed"), code: 503, want: "log has failed"},
		"bug":                     {kind: typeProto, body: good, panics: true, code: 500, want: "internal error"},
		"tenant":                  {kind: typeProto, body: good, multi: true, tenants: []string{"shop"}, code: 200, spans: 2},
		"no tenant":               {kind: typeProto, body: good, multi: true, code: 401, want: "no org id"},
		"bad tenant":              {kind: typeProto, body: good, multi: true, tenants: []string{"../x"}, code: 400, want: "X-Scope-OrgID"},
		"two tenants":             {kind: typeProto, body: good, multi: true, tenants: []string{"a", "b"}, code: 400, want: "want one"},
		"tenant is not asked for": {kind: typeProto, body: good, tenants: []string{"shop"}, code: 200, spans: 2},
	} {
		t.Run(name, func(t *testing.T) {
			r := &recorder{panics: tc.panics}
			if tc.err != nil {
				r.err = []error{tc.err}
			}
			d := newDistributor(t, r, tc.multi)
			method := tc.method
			if method == "" {
				method = http.MethodPost
			}
			req := httptest.NewRequest(method, "/v1/traces", bytes.NewReader(tc.body))
			req.Header.Set("Content-Type", tc.kind)
			if tc.encoding != "" {
				req.Header.Set("Content-Encoding", tc.encoding)
			}
			for _, v := range tc.tenants {
				req.Header.Add(tenant.Header, v)
			}
			w := httptest.NewRecorder()
			d.NewHTTPHandler().ServeHTTP(w, req)
			if w.Code != tc.code || !strings.Contains(w.Body.String(), tc.want) || w.Header().Get("Retry-After") != tc.retry {
				t.Errorf("got %d, Retry-After %q, %q", w.Code, w.Header().Get("Retry-After"), w.Body)
			}
			if len(r.names) != tc.spans {
				t.Errorf("%d spans arrived, want %d", len(r.names), tc.spans)
			}
			if tc.spans > 0 {
				want := tenant.Single
				if tc.multi {
					want = tenant.ID(tc.tenants[0])
				}
				if r.tenant != want {
					t.Errorf("tenant %q, want %q", r.tenant, want)
				}
			}
		})
	}
}

func TestCORS(t *testing.T) {
	d := newDistributor(t, &recorder{}, false)
	for origin, want := range map[string]string{"https://app.example.test": "https://app.example.test", "https://evil.example.test": ""} {
		req := httptest.NewRequest(http.MethodOptions, "/v1/traces", nil)
		req.Header.Set("Origin", origin)
		req.Header.Set("Access-Control-Request-Method", "POST")
		req.Header.Set("Access-Control-Request-Headers", "content-type")
		w := httptest.NewRecorder()
		d.NewHTTPHandler().ServeHTTP(w, req)
		if got := w.Header().Get("Access-Control-Allow-Origin"); got != want {
			t.Errorf("%s: allowed %q, want %q", origin, got, want)
		}
	}
}

// serveGRPC serves d and returns its address.
func serveGRPC(t testing.TB, d *Distributor) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer(d.GRPCOptions()...)
	d.RegisterOTLP(s)
	done := make(chan error)
	go func() { done <- s.Serve(l) }()
	t.Cleanup(func() { s.Stop(); <-done })
	return l.Addr().String()
}

func dial(t testing.TB, addr string, opts ...grpc.DialOption) ptraceotlp.GRPCClient {
	t.Helper()
	conn, err := grpc.NewClient(addr, append(opts, grpc.WithTransportCredentials(insecure.NewCredentials()))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return ptraceotlp.NewGRPCClient(conn)
}

func TestGRPC(t *testing.T) {
	for _, compressor := range []string{"", "gzip", "zstd", "snappy"} {
		t.Run("compression "+compressor, func(t *testing.T) {
			r := &recorder{}
			c := dial(t, serveGRPC(t, newDistributor(t, r, false)), grpc.WithDefaultCallOptions(grpc.UseCompressor(compressor)))
			for range 3 { // pooled coders are used again
				resp, err := c.Export(t.Context(), export(true))
				if err != nil || resp.PartialSuccess().RejectedSpans() != 1 || !strings.Contains(resp.PartialSuccess().ErrorMessage(), "invalid_span_id") {
					t.Fatalf("%v, %v", resp, err)
				}
			}
			if len(r.names) != 6 || len(r.seqs) != 3 || r.seqs[2] != 3 {
				t.Errorf("arrived %q in portions %v", r.names, r.seqs)
			}
		})
	}
	t.Run("refused", func(t *testing.T) {
		r := &recorder{err: []error{&portion.Refusal{Reason: "live_bytes", RetryAfter: 2 * time.Second}}}
		_, err := dial(t, serveGRPC(t, newDistributor(t, r, false))).Export(t.Context(), export(false))
		st := status.Convert(err)
		info, ok := (*errdetails.RetryInfo)(nil), false
		for _, d := range st.Details() {
			info, ok = d.(*errdetails.RetryInfo)
		}
		if st.Code() != codes.ResourceExhausted || !ok || info.RetryDelay.AsDuration() != 2*time.Second {
			t.Errorf("%v, %v", err, st.Details())
		}
	})
	t.Run("too large", func(t *testing.T) {
		big := export(false)
		big.Traces().ResourceSpans().At(0).Resource().Attributes().PutStr("big", strings.Repeat("x", 2<<20))
		if _, err := dial(t, serveGRPC(t, newDistributor(t, &recorder{}, false))).Export(t.Context(), big); status.Code(err) != codes.ResourceExhausted {
			t.Errorf("%v", err)
		}
	})
	t.Run("bug", func(t *testing.T) {
		if _, err := dial(t, serveGRPC(t, newDistributor(t, &recorder{panics: true}, false))).Export(t.Context(), export(false)); status.Code(err) != codes.Internal {
			t.Errorf("%v", err)
		}
	})
	t.Run("tenants", func(t *testing.T) {
		r := &recorder{}
		c := dial(t, serveGRPC(t, newDistributor(t, r, true)))
		for id, want := range map[string]codes.Code{"": codes.Unauthenticated, "shop": codes.OK, "a/b": codes.InvalidArgument} {
			ctx := t.Context()
			if id != "" {
				ctx = metadata.AppendToOutgoingContext(ctx, tenant.MetadataKey, id)
			}
			if _, err := c.Export(ctx, export(false)); status.Code(err) != want {
				t.Errorf("tenant %q: %v, want %v", id, err, want)
			}
		}
		if r.tenant != "shop" {
			t.Errorf("arrived for %q", r.tenant)
		}
	})
}

// TestSDKExporters sends with the OpenTelemetry SDK's own exporters, which must
// get over a refusal by retrying.
func TestSDKExporters(t *testing.T) {
	stub := tracetest.SpanStub{Name: "from the SDK", SpanContext: oteltrace.NewSpanContext(oteltrace.SpanContextConfig{
		TraceID: oteltrace.TraceID{1}, SpanID: oteltrace.SpanID{2}, TraceFlags: oteltrace.FlagsSampled})}
	spans := tracetest.SpanStubs{stub}.Snapshots()
	refusal := &portion.Refusal{Reason: "live_bytes", RetryAfter: 10 * time.Millisecond}
	send := func(t *testing.T, r *recorder, exp sdktrace.SpanExporter, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		if err := exp.ExportSpans(t.Context(), spans); err != nil {
			t.Error(err)
		}
		if err := exp.Shutdown(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
		if len(r.names) != 1 || r.names[0] != "from the SDK" {
			t.Errorf("arrived %q", r.names)
		}
	}
	for _, gzipped := range []bool{false, true} {
		r := &recorder{err: []error{refusal}}
		opts := []otlptracegrpc.Option{otlptracegrpc.WithInsecure(), otlptracegrpc.WithEndpoint(serveGRPC(t, newDistributor(t, r, false)))}
		if gzipped {
			opts = append(opts, otlptracegrpc.WithCompressor("gzip"))
		}
		exp, err := otlptracegrpc.New(t.Context(), opts...)
		send(t, r, exp, err)

		r = &recorder{err: []error{refusal}}
		s := httptest.NewServer(newDistributor(t, r, false).NewHTTPHandler())
		defer s.Close()
		hopts := []otlptracehttp.Option{otlptracehttp.WithInsecure(), otlptracehttp.WithEndpoint(s.Listener.Addr().String())}
		if gzipped {
			hopts = append(hopts, otlptracehttp.WithCompression(otlptracehttp.GzipCompression))
		}
		hexp, err := otlptracehttp.New(t.Context(), hopts...)
		send(t, r, hexp, err)
	}
}

func FuzzHTTP(f *testing.F) {
	f.Add(wireOf(f, false), "application/x-protobuf", "")
	f.Add([]byte("{}"), "application/json", "gzip")
	f.Fuzz(func(t *testing.T, body []byte, kind, encoding string) {
		d := newDistributor(t, nullPusher{}, false)
		req := httptest.NewRequest(http.MethodPost, "/v1/traces", bytes.NewReader(body))
		req.Header["Content-Type"], req.Header["Content-Encoding"] = []string{kind}, []string{encoding}
		w := httptest.NewRecorder()
		d.NewHTTPHandler().ServeHTTP(w, req)
		if w.Code >= 500 {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	})
}

type nullPusher struct{}

func (nullPusher) Push(context.Context, *portion.Portion) (portion.Receipt, error) {
	return portion.Receipt{}, nil
}

// bigRequest has n spans of ordinary size.
func bigRequest(n int) ptraceotlp.ExportRequest {
	td := ptrace.NewTraces()
	rs := td.ResourceSpans().AppendEmpty()
	for i := range 12 {
		rs.Resource().Attributes().PutStr("resource.key."+string(rune('a'+i)), "a resource value")
	}
	ss := rs.ScopeSpans().AppendEmpty()
	for i := range n {
		s := ss.Spans().AppendEmpty()
		s.SetTraceID(pcommon.TraceID{1, byte(i / 20)})
		s.SetSpanID(pcommon.SpanID{1, byte(i), byte(i >> 8)})
		s.SetName("operation")
		s.SetStartTimestamp(pcommon.Timestamp(1e18 + i))
		s.SetEndTimestamp(pcommon.Timestamp(1e18 + i*2))
		for k := range 12 {
			s.Attributes().PutStr("http.request.key."+string(rune('a'+k)), "some value")
		}
	}
	return ptraceotlp.NewExportRequestFromTraces(td)
}

func BenchmarkPush(b *testing.B) {
	d := newDistributor(b, nullPusher{}, false)
	req, err := bigRequest(500).MarshalProto()
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.SetBytes(int64(len(req)))
	for b.Loop() {
		if _, err := d.Push(context.Background(), tenant.Single, req); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/500, "ns/span")
}
