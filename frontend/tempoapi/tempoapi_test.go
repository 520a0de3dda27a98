package tempoapi

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/clewtrace/clew/frontend"
	ft "github.com/clewtrace/clew/frontend/frontendtest"
	"github.com/clewtrace/clew/frontend/jsonenc"
	"github.com/clewtrace/clew/storage"
	"github.com/clewtrace/clew/storage/trace"
)

func handler(q frontend.Querier) http.Handler {
	return New(frontend.DefaultConfig(), q, frontend.Options{Version: "1.2.3"})
}

func TestGolden(t *testing.T) {
	h := handler(&ft.Querier{Held: ft.Traces()})
	for name, target := range map[string]string{
		"v1":           "/api/traces/0af7651916cd43dd8448eb211c80319c",
		"v1-zipkin":    "/api/traces/5b4c3d2e1f001122?start=1&end=2",
		"v2":           "/api/v2/traces/0af7651916cd43dd8448eb211c80319c",
		"v2-orphan":    "/api/v2/traces/FF000000000000000000000000000001?q={}&keep_hierarchy=true",
		"v2-not-found": "/api/v2/traces/1",
	} {
		t.Run(name, func(t *testing.T) {
			w := ft.Get(h, target)
			if w.Code != 200 || w.Header().Get("Content-Type") != "application/json" {
				t.Fatalf("got %d, %s", w.Code, w.Header().Get("Content-Type"))
			}
			ft.Golden(t, name, w.Body.Bytes())
		})
	}
}

func TestStatuses(t *testing.T) {
	short := frontend.DefaultConfig()
	short.QueryTimeout = time.Millisecond
	full := &ft.Querier{Held: ft.Traces()}
	partial := &ft.Querier{Held: ft.Traces(), Completeness: storage.Completeness{Replaying: true}}
	for _, tc := range []struct {
		q      *ft.Querier
		target string
		code   int
		body   string // part of it; "" is an empty one
	}{
		{full, "/api/traces/1", 404, ""},
		{full, "/api/v2/traces/1", 200, `"trace":{}`},
		{full, "/api/traces/xyz", 400, "parameter traceID:"},
		{full, "/api/v2/traces/" + strings.Repeat("1", 33), 400, "parameter traceID:"},
		{full, "/api/traces/1?start=x", 400, "parameter start:"},
		{full, "/api/v2/traces/1?start=5&end=5", 400, "parameter end:"},
		{full, "/api/echo", 200, "echo"},
		{full, "/api/status/buildinfo", 200, `"version":"1.2.3","revision":"abc","branch":"","buildDate":"2026-01-02T03:04:05Z"`},
		{full, "/api/nothing", 404, "404 page not found"},
		{&ft.Querier{Err: errors.New("disk is gone")}, "/api/traces/1", 500, "disk is gone"},
		{&ft.Querier{Err: &frontend.Error{Code: 422, Msg: "trace too large"}}, "/api/v2/traces/1", 422, "trace too large"},
		{&ft.Querier{Wait: true}, "/api/traces/1", 504, "frontend.query_timeout"},
		{&ft.Querier{Panic: true}, "/api/v2/traces/1", 500, "internal error"},
		{partial, "/api/traces/1", 503, "recent spans may be missing"},
		{partial, "/api/v2/traces/1", 503, "recent spans may be missing"},
		{partial, "/api/v2/traces/5b4c3d2e1f001122", 200, `"status":"PARTIAL","message":"incomplete answer: the log`},
	} {
		cfg := frontend.DefaultConfig()
		if tc.q.Wait {
			cfg = short
		}
		w := ft.Get(New(cfg, tc.q, frontend.Options{Version: "1.2.3", Revision: "abc", Time: "2026-01-02T03:04:05Z"}), tc.target)
		if w.Code != tc.code || !strings.Contains(w.Body.String(), tc.body) || tc.body == "" && w.Body.Len() > 0 {
			t.Errorf("%s: got %d %.200q, want %d with %q", tc.target, w.Code, w.Body, tc.code, tc.body)
		}
		if tc.q == partial && w.Header().Get(frontend.CompletenessHeader) == "" {
			t.Errorf("%s: no header", tc.target)
		}
	}
}

func TestTenants(t *testing.T) {
	h := New(frontend.DefaultConfig(), &ft.Querier{Tenant: "a", Held: ft.Traces()}, frontend.Options{Multitenancy: true})
	for tenant, want := range map[string]int{"a": 200, "b": 404, "": 401} {
		w := ft.Get(h, "/api/traces/5b4c3d2e1f001122", "X-Scope-OrgID", tenant)
		if w.Code != want || want == 401 && strings.TrimSpace(w.Body.String()) != "no org id" {
			t.Errorf("tenant %q: got %d %.60q, want %d", tenant, w.Code, w.Body, want)
		}
	}
	if w := ft.Get(h, "/api/echo"); w.Code != 200 {
		t.Errorf("echo without a tenant: %d", w.Code)
	}
}

// Protobuf: v1 is a TracesData, v2 a TraceByIDResponse whose trace is always there.
func TestProtobuf(t *testing.T) {
	partial := storage.Completeness{Failed: []storage.FailedSource{{Name: "block 1", Reason: "x"}}}
	for _, tc := range []struct {
		name    string
		q       *ft.Querier
		target  string
		spans   int
		partial bool
	}{
		{"v1", &ft.Querier{Held: ft.Traces()}, "/api/traces/5b4c3d2e1f001122", 4, false},
		{"v2", &ft.Querier{Held: ft.Traces()}, "/api/v2/traces/5b4c3d2e1f001122", 4, false},
		{"v2 not found", &ft.Querier{}, "/api/v2/traces/5b4c3d2e1f001122", 0, false},
		{"v2 partial", &ft.Querier{Held: ft.Traces(), Completeness: partial}, "/api/v2/traces/5b4c3d2e1f001122", 4, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := ft.Get(handler(tc.q), tc.target, "Accept", "application/protobuf, */*")
			if w.Code != 200 || w.Header().Get("Content-Type") != "application/protobuf" {
				t.Fatalf("got %d, %s", w.Code, w.Header().Get("Content-Type"))
			}
			wire, hasTrace, status, message := w.Body.Bytes(), true, uint64(0), ""
			if strings.HasPrefix(tc.name, "v2") {
				b := wire
				for wire, hasTrace = nil, false; len(b) > 0; {
					num, typ, n := protowire.ConsumeTag(b)
					switch b = b[n:]; typ {
					case protowire.VarintType:
						status, n = protowire.ConsumeVarint(b)
					case protowire.BytesType:
						var v []byte
						v, n = protowire.ConsumeBytes(b)
						switch num {
						case 1:
							wire, hasTrace = v, true
						case 4:
							message = string(v)
						}
					default:
						t.Fatalf("wire type %d", typ)
					}
					b = b[n:]
				}
			}
			var data tracepb.TracesData
			if err := proto.Unmarshal(wire, &data); err != nil || !hasTrace {
				t.Fatalf("trace %v, %v", hasTrace, err)
			}
			spans, ids := 0, map[string]bool{}
			for _, rs := range data.ResourceSpans {
				for _, ss := range rs.ScopeSpans {
					for _, s := range ss.Spans {
						spans++
						ids[string(s.SpanId)] = true
					}
				}
			}
			if spans != tc.spans || len(ids) != spans {
				t.Errorf("%d spans with %d IDs, want %d", spans, len(ids), tc.spans)
			}
			if (status == 1) != tc.partial || (message != "") != tc.partial {
				t.Errorf("status %d, message %q", status, message)
			}
		})
	}
}

// render writes a trace in both versions' JSON.
func render(t *trace.Trace) (v1, v2 []byte) {
	var b1, b2 bytes.Buffer
	for _, x := range []struct {
		b     *bytes.Buffer
		key   string
		write func(e encoder)
	}{{&b1, "batches", func(e encoder) { e.batches(t) }}, {&b2, "resourceSpans", func(e encoder) { e.resourceSpans(t) }}} {
		e := encoder{jsonenc.New(x.b)}
		e.Object()
		e.Key(x.key)
		x.write(e)
		e.EndObject()
		e.Close()
	}
	return b1.Bytes(), b2.Bytes()
}

// checkJSON reads the JSON back with protobuf's own reader: it must be the trace.
func checkJSON(t *testing.T, tr *trace.Trace) {
	t.Helper()
	v1, v2 := render(tr)
	if !json.Valid(v1) || !json.Valid(v2) {
		t.Fatalf("no JSON:\n%s\n%s", v1, v2)
	}
	if bytes.Contains(v2, []byte(trace.UndecodedAttribute)) {
		return // parts that are no OTLP are marked, and left out
	}
	var want, got tracepb.TracesData
	if (proto.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(tr.Wire(), &want) != nil {
		return // a string that is no UTF-8
	}
	if err := protojson.Unmarshal(v2, &got); err != nil {
		t.Fatalf("%v\n%s", err, v2)
	}
	a := identities(t, &want)
	b := identities(t, &got)
	if len(a) != len(b) {
		t.Fatalf("%d spans, want %d", len(b), len(a))
	}
	for i := range a {
		if a[i] != b[i] {
			t.Fatalf("span %d differs:\n%s", i, v2)
		}
	}
}

func identities(t *testing.T, td *tracepb.TracesData) (ids [][32]byte) {
	t.Helper()
	for _, rs := range td.ResourceSpans {
		for _, ss := range rs.ScopeSpans {
			for _, s := range ss.Spans {
				resource, _ := proto.Marshal(&tracepb.ResourceSpans{Resource: rs.Resource, SchemaUrl: rs.SchemaUrl})
				scope, _ := proto.Marshal(&tracepb.ScopeSpans{Scope: ss.Scope, SchemaUrl: ss.SchemaUrl})
				span, _ := proto.Marshal(s)
				id, err := trace.Identity(resource, scope, span)
				if err != nil {
					t.Fatal(err)
				}
				ids = append(ids, id)
			}
		}
	}
	return ids
}

func TestJSONIsTheTrace(t *testing.T) {
	for _, tr := range ft.Traces() {
		checkJSON(t, tr)
	}
}

// What Kiali needs of a trace: one scope in a batch, times and IDs as strings,
// names of enums.
func TestBatchesSatisfyKiali(t *testing.T) {
	w := ft.Get(handler(&ft.Querier{Held: ft.Traces()}), "/api/traces/"+ft.ShopID.String(), "Accept", "application/json")
	var got struct {
		Batches []struct {
			Resource   struct{ Attributes []any }
			ScopeSpans []struct {
				Spans []struct {
					TraceID, SpanID, ParentSpanID, Name, Kind, StartTimeUnixNano, EndTimeUnixNano string
					Status                                                                        struct{ Code string }
				}
			}
		}
	}
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	spans, codes, kinds := 0, "", ""
	for _, b := range got.Batches {
		if len(b.ScopeSpans) != 1 {
			t.Fatalf("a batch of %d scopes", len(b.ScopeSpans))
		}
		for _, s := range b.ScopeSpans[0].Spans {
			spans++
			codes, kinds = codes+" "+s.Status.Code, kinds+" "+s.Kind
			for id, n := range map[string]int{s.TraceID: 16, s.SpanID: 8} {
				if raw, err := base64.StdEncoding.DecodeString(id); err != nil || len(raw) != n {
					t.Errorf("ID %q is not base64 of %d bytes", id, n)
				}
			}
		}
	}
	if spans != 3 || !strings.Contains(codes, "STATUS_CODE_ERROR") || !strings.Contains(kinds, "SPAN_KIND_CLIENT") {
		t.Errorf("%d spans, codes %s, kinds %s", spans, codes, kinds)
	}
}

func FuzzJSON(f *testing.F) {
	for _, tr := range ft.Traces() {
		f.Add(tr.Wire())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if tr, err := trace.Assemble(b); err == nil && tr != nil {
			checkJSON(t, tr)
		}
	})
}

func FuzzHTTP(f *testing.F) {
	h := handler(&ft.Querier{Held: ft.Traces()})
	for _, seed := range []string{"traces/1", "v2/traces/" + ft.ShopID.String() + "?start=1&end=2", "echo", "status/buildinfo", "traces/%2e%2e/x"} {
		f.Add(seed, "application/json")
		f.Add(seed, "application/protobuf")
	}
	f.Fuzz(func(t *testing.T, s, accept string) {
		u, err := url.Parse("http://clew/api/" + s)
		if err != nil || u.Host != "clew" {
			return
		}
		w := ft.Get(h, u.String(), "Accept", accept)
		if w.Code >= 500 {
			t.Fatalf("%q: %d %s", s, w.Code, w.Body)
		}
	})
}

func BenchmarkV1(b *testing.B) {
	wire := ft.Shop().Wire()
	for _, accept := range []string{"application/json", "application/protobuf"} {
		b.Run(strings.TrimPrefix(accept, "application/"), func(b *testing.B) {
			for b.Loop() {
				tr, err := trace.Assemble(wire)
				if err != nil {
					b.Fatal(err)
				}
				if w := ft.Get(handler(&ft.Querier{Held: []*trace.Trace{tr}}), fmt.Sprint("/api/traces/", tr.ID), "Accept", accept); w.Code != 200 {
					b.Fatal(w.Code)
				}
			}
		})
	}
}
