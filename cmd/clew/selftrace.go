package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	oteltrace "go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
	collectortrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/clewtrace/clew/distributor"
	"github.com/clewtrace/clew/ingester/portion"
	"github.com/clewtrace/clew/storage/tenant"
)

// ownSpans marks the pushes of Clew's own spans: they are not traced, or each
// batch would make the next one.
type ownSpans struct{}

// selfUpload is an OTLP client that hands spans to the distributor of the same
// process.
type selfUpload struct {
	d  *distributor.Distributor
	id tenant.ID
}

func (selfUpload) Start(context.Context) error { return nil }
func (selfUpload) Stop(context.Context) error  { return nil }

func (s selfUpload) UploadTraces(ctx context.Context, spans []*tracepb.ResourceSpans) error {
	b, err := proto.Marshal(&collectortrace.ExportTraceServiceRequest{ResourceSpans: spans})
	if err != nil {
		return fmt.Errorf("encode own spans: %w", err)
	}
	_, err = s.d.Push(context.WithValue(ctx, ownSpans{}, true), s.id, b)
	return err
}

// newSelfTracing returns the provider of Clew's own spans and how to stop it.
func newSelfTracing(ctx context.Context, c *config, d *distributor.Distributor, log *slog.Logger) (oteltrace.TracerProvider, func(context.Context), error) {
	if !c.SelfTracing.Enabled {
		return noop.NewTracerProvider(), func(context.Context) {}, nil
	}
	id := tenant.Single
	if c.Multitenancy {
		id = tenant.ID(c.SelfTracing.Tenant)
	}
	exp, err := otlptrace.New(ctx, selfUpload{d, id})
	if err != nil {
		return nil, nil, fmt.Errorf("self-tracing: %w", err)
	}
	tp := sdktrace.NewTracerProvider(
		sdktrace.WithBatcher(exp),
		sdktrace.WithResource(resource.NewSchemaless(
			attribute.String("service.name", "clew"), attribute.String("service.version", version))),
	)
	return tp, func(ctx context.Context) {
		if err := tp.Shutdown(ctx); err != nil {
			log.Warn("stop self-tracing", "err", err)
		}
	}, nil
}

// traceQueries gives every request of h a span.
func traceQueries(tp oteltrace.TracerProvider, door string, h http.Handler) http.Handler {
	tr := tp.Tracer("clew/" + door)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, span := tr.Start(r.Context(), r.Method+" "+door, oteltrace.WithSpanKind(oteltrace.SpanKindServer),
			oteltrace.WithAttributes(attribute.String("http.request.method", r.Method), attribute.String("url.path", r.URL.Path)))
		defer span.End()
		rec := &statusRecorder{w, http.StatusOK}
		h.ServeHTTP(rec, r.WithContext(ctx))
		span.SetAttributes(attribute.Int("http.response.status_code", rec.code))
		if rec.code >= 500 {
			span.SetStatus(codes.Error, http.StatusText(rec.code))
		}
	})
}

type statusRecorder struct {
	http.ResponseWriter
	code int
}

func (r *statusRecorder) WriteHeader(code int) {
	r.code = code
	r.ResponseWriter.WriteHeader(code)
}

// tracedPusher gives a share of the pushes a span.
type tracedPusher struct {
	distributor.Pusher
	tracer  oteltrace.Tracer
	sampler sdktrace.Sampler
}

func (p *tracedPusher) Push(ctx context.Context, q *portion.Portion) (portion.Receipt, error) {
	if p.tracer == nil || ctx.Value(ownSpans{}) != nil {
		return p.Pusher.Push(ctx, q)
	}
	var id oteltrace.TraceID
	copy(id[:8], q.Stream.Boot[:8])
	for i := range 8 {
		id[8+i] = byte(q.Seq * 0x9E3779B97F4A7C15 >> (8 * (7 - i)))
	}
	if p.sampler.ShouldSample(sdktrace.SamplingParameters{TraceID: id}).Decision == sdktrace.Drop {
		return p.Pusher.Push(ctx, q)
	}
	ctx, span := p.tracer.Start(ctx, "push", oteltrace.WithAttributes(
		attribute.Int("spans", q.Spans), attribute.Int("bytes", q.RawSize), attribute.Int("bytes.compressed", len(q.Payload))))
	defer span.End()
	r, err := p.Pusher.Push(ctx, q)
	if err != nil {
		span.RecordError(err)
		span.SetStatus(codes.Error, err.Error())
	}
	return r, err
}
