// Package otlpclients sends to Clew with the OpenTelemetry Collector's own
// exporters. It is a module of its own so that their dependencies are not Clew's.
package otlpclients

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/otlpexporter"
	"go.opentelemetry.io/collector/exporter/otlphttpexporter"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"google.golang.org/grpc"

	"github.com/clewtrace/clew/distributor"
	"github.com/clewtrace/clew/ingester/portion"
)

// pusher refuses the first push, as a full ingester does, and keeps the rest.
type pusher struct {
	mu      sync.Mutex
	refused bool
	got     []ptrace.Traces
	tenants map[string]bool
}

func (p *pusher) Push(_ context.Context, q *portion.Portion) (portion.Receipt, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.refused {
		p.refused = true
		return portion.Receipt{}, &portion.Refusal{Reason: "live_bytes", RetryAfter: 10 * time.Millisecond}
	}
	td, err := (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(q.Raw)
	p.got = append(p.got, td)
	p.tenants[string(q.Stream.Tenant)] = true
	return portion.Receipt{}, err
}

func traces() ptrace.Traces {
	td := ptrace.NewTraces()
	rs := td.ResourceSpans().AppendEmpty()
	rs.Resource().Attributes().PutStr("service.name", "from the Collector")
	ss := rs.ScopeSpans().AppendEmpty()
	for i := range 100 {
		s := ss.Spans().AppendEmpty()
		s.SetTraceID(pcommon.TraceID{1})
		s.SetSpanID(pcommon.SpanID{byte(i + 1)})
		s.SetName("op")
		s.Attributes().PutInt("i", int64(i))
	}
	return td
}

func serve(t *testing.T, p *pusher) (grpcAddr, httpAddr string) {
	t.Helper()
	d, err := distributor.New(distributor.DefaultConfig(), p, portion.Identity{Name: "i", Incarnation: uuid.New()}, distributor.Options{Multitenancy: true})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := grpc.NewServer(d.GRPCOptions()...)
	d.RegisterOTLP(g)
	go g.Serve(l)
	t.Cleanup(g.Stop)
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	h := httptest.NewUnstartedServer(d.NewHTTPHandler())
	h.Config.Protocols = protocols
	h.Start()
	t.Cleanup(h.Close)
	return l.Addr().String(), h.URL
}

func TestCollectorExporters(t *testing.T) {
	for name, f := range map[string]exporter.Factory{"gRPC": otlpexporter.NewFactory(), "HTTP": otlphttpexporter.NewFactory()} {
		for _, compression := range []string{"none", "gzip", "zstd", "snappy"} {
			t.Run(name+" "+compression, func(t *testing.T) {
				p := &pusher{tenants: map[string]bool{}}
				grpcAddr, httpURL := serve(t, p)
				endpoint := map[string]string{"gRPC": grpcAddr, "HTTP": httpURL}[name]
				cfg := f.CreateDefaultConfig()
				err := confmap.NewFromStringMap(map[string]any{
					"endpoint": endpoint, "compression": compression, "tls": map[string]any{"insecure": true},
					"headers":          map[string]any{"X-Scope-OrgID": "shop"},
					"retry_on_failure": map[string]any{"initial_interval": "20ms"},
				}).Unmarshal(cfg)
				if err != nil {
					t.Fatal(err)
				}
				e, err := f.CreateTraces(t.Context(), exporter.Settings{ID: component.NewID(f.Type()), TelemetrySettings: componenttest.NewNopTelemetrySettings()}, cfg)
				if err != nil {
					t.Fatal(err)
				}
				if err := e.Start(t.Context(), componenttest.NewNopHost()); err != nil {
					t.Fatal(err)
				}
				if err := e.ConsumeTraces(t.Context(), traces()); err != nil {
					t.Fatal(err)
				}
				for begin := time.Now(); time.Since(begin) < 20*time.Second; time.Sleep(5 * time.Millisecond) {
					p.mu.Lock()
					n := len(p.got)
					p.mu.Unlock()
					if n > 0 {
						break
					}
				}
				if err := e.Shutdown(context.WithoutCancel(t.Context())); err != nil {
					t.Fatal(err)
				}
				want, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(traces())
				if err != nil {
					t.Fatal(err)
				}
				if len(p.got) != 1 || !p.refused || !p.tenants["shop"] {
					t.Fatalf("%d pushes arrived, tenants %v", len(p.got), p.tenants)
				}
				if got, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(p.got[0]); err != nil || string(got) != string(want) {
					t.Errorf("what arrived differs from what was sent: %v", err)
				}
			})
		}
	}
}
