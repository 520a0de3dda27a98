package drive

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	coltracepb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/clewtrace/clew/cmd/internal/loadgen"
)

// sdkSender exports with the OpenTelemetry SDK, which tries again by its own
// rules. Each attempt is seen on its way through the connection.
type sdkSender struct {
	exporter *otlptrace.Exporter
	decoder  *loadgen.Decoder
	meter    *Meter
	// taken tells whether the last attempt succeeded: the exporter returns an
	// error for a partial success, too. One request is under way at a time.
	taken bool
}

func newSDKSender(ctx context.Context, t *Target, m *Meter) (Sender, error) {
	s := &sdkSender{decoder: loadgen.NewDecoder(), meter: m}
	var err error
	if t.Protocol == GRPC {
		s.exporter, err = otlptrace.New(ctx, otlptracegrpc.NewClient(
			otlptracegrpc.WithEndpoint(t.Endpoint),
			otlptracegrpc.WithTLSCredentials(credentialsOf(t)),
			otlptracegrpc.WithHeaders(t.Headers),
			otlptracegrpc.WithTimeout(t.RetryFor+t.Timeout),
			otlptracegrpc.WithRetry(otlptracegrpc.RetryConfig{Enabled: t.RetryFor > 0, InitialInterval: firstBackoff, MaxInterval: maxBackoff, MaxElapsedTime: t.RetryFor}),
			otlptracegrpc.WithDialOption(grpc.WithDefaultCallOptions(callOptions(t)...), grpc.WithChainUnaryInterceptor(s.watchCall(t.Timeout)))))
	} else {
		s.exporter, err = s.newHTTP(ctx, t)
	}
	if err != nil {
		return nil, fmt.Errorf("exporter to %s: %w", t.Endpoint, err)
	}
	return s, nil
}

func (s *sdkSender) newHTTP(ctx context.Context, t *Target) (*otlptrace.Exporter, error) {
	c, err := newCompressor(t.Compression)
	if err != nil {
		return nil, err
	}
	encoding := otlptracehttp.EncodingProtobuf
	if t.Protocol == HTTPJSON {
		encoding = otlptracehttp.EncodingJSON
	}
	return otlptrace.New(ctx, otlptracehttp.NewClient(
		otlptracehttp.WithEndpointURL(t.url()),
		otlptracehttp.WithEncoding(encoding),
		otlptracehttp.WithCompression(otlptracehttp.NoCompression), // whatever the environment says
		otlptracehttp.WithHeaders(t.Headers),
		otlptracehttp.WithTimeout(t.RetryFor+t.Timeout),
		otlptracehttp.WithRetry(otlptracehttp.RetryConfig{Enabled: t.RetryFor > 0, InitialInterval: firstBackoff, MaxInterval: maxBackoff, MaxElapsedTime: t.RetryFor}),
		otlptracehttp.WithHTTPClient(&http.Client{Transport: &watchedTransport{sender: s, base: transport(t), compressor: c, timeout: t.Timeout}})))
}

func (s *sdkSender) Send(ctx context.Context, r loadgen.Request) error {
	spans, err := s.decoder.Decode(r.Body)
	if err != nil {
		return err
	}
	s.taken = false
	if err := s.exporter.ExportSpans(ctx, spans); err != nil && !s.taken {
		return err
	}
	return nil
}

func (s *sdkSender) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	return s.exporter.Shutdown(ctx)
}

// watchCall counts the attempts over gRPC.
func (s *sdkSender) watchCall(timeout time.Duration) grpc.UnaryClientInterceptor {
	return func(ctx context.Context, method string, req, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
		ctx, cancel := context.WithTimeout(ctx, timeout)
		defer cancel()
		began := time.Now()
		err := invoke(ctx, method, req, reply, conn, opts...)
		p := reply.(*coltracepb.ExportTraceServiceResponse).GetPartialSuccess()
		s.attempt(time.Since(began), p.GetRejectedSpans(), p.GetErrorMessage(), err)
		return err
	}
}

func (s *sdkSender) attempt(took time.Duration, rejected int64, message string, err error) {
	s.taken = err == nil
	s.meter.attempt(took, rejected, message, err)
}

// watchedTransport counts the attempts over HTTP, and compresses them: the
// exporter itself knows gzip only.
type watchedTransport struct {
	sender     *sdkSender
	base       *http.Transport
	compressor *compressor
	timeout    time.Duration
}

func (w *watchedTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(req.Context(), w.timeout)
	defer cancel()
	body, err := io.ReadAll(req.Body)
	_ = req.Body.Close()
	if err != nil {
		return nil, err
	}
	out := req.Clone(ctx)
	if w.compressor.name != "none" {
		body = w.compressor.encode(body)
		out.Header.Set("Content-Encoding", w.compressor.name)
	}
	out.Body, out.GetBody, out.ContentLength = io.NopCloser(bytes.NewReader(body)), nil, int64(len(body))

	began := time.Now()
	resp, err := w.base.RoundTrip(out)
	if err != nil {
		w.sender.attempt(time.Since(began), 0, "", err)
		return nil, err
	}
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	_ = resp.Body.Close()
	resp.Body = io.NopCloser(bytes.NewReader(answer))
	if err == nil && resp.StatusCode/100 != 2 {
		err = refusedHTTP(resp.StatusCode, resp.Header, readable(answer))
		w.sender.attempt(time.Since(began), 0, "", err)
		return resp, nil
	}
	if err != nil {
		w.sender.attempt(time.Since(began), 0, "", err)
		return nil, err
	}
	rejected, message, err := partialHTTP(resp.Header.Get("Content-Type"), answer)
	w.sender.attempt(time.Since(began), rejected, message, err)
	return resp, nil
}

// partialHTTP reads the partial success of an answer in either encoding.
func partialHTTP(contentType string, answer []byte) (rejected int64, message string, err error) {
	if !strings.HasPrefix(contentType, "application/json") {
		return partial(answer)
	}
	var resp coltracepb.ExportTraceServiceResponse
	if err := (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(answer, &resp); err != nil {
		return 0, "", fmt.Errorf("decode answer: %w", err)
	}
	p := resp.GetPartialSuccess()
	return p.GetRejectedSpans(), p.GetErrorMessage(), nil
}
