package jaegerapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/clewtrace/clew/frontend"
	ft "github.com/clewtrace/clew/frontend/frontendtest"
	"github.com/clewtrace/clew/storage"
)

// handler serves q at a fixed time, three minutes after the traces begin.
func handler(q frontend.Querier, cfg frontend.Config, o frontend.Options) http.Handler {
	a := &api{frontend.New(cfg, o), cfg, q, func() time.Time { return time.Unix(0, int64(ft.Epoch)).Add(3 * time.Minute) }}
	return a.fe.Wrap("jaeger", a.routes())
}

func defaultHandler(q frontend.Querier) http.Handler {
	return handler(q, frontend.DefaultConfig(), frontend.Options{})
}

const v3Range = "query.startTimeMin=2023-11-14T22:00:00.000Z&query.startTimeMax=2023-11-14T23:00:00.000Z"

func TestGolden(t *testing.T) {
	h := defaultHandler(&ft.Querier{Held: ft.Traces()})
	for name, target := range map[string]string{
		"trace":               "/api/traces/0af7651916cd43dd8448eb211c80319c",
		"trace-raw":           "/api/traces/0AF7651916cd43dd8448eb211c80319c?raw=true",
		"trace-zipkin":        "/api/traces/5b4c3d2e1f001122",
		"trace-zipkin-raw":    "/api/traces/5b4c3d2e1f001122?raw=1",
		"trace-orphan":        "/api/traces/ff000000000000000000000000000001?start=1&end=2",
		"trace-not-found":     "/api/traces/1",
		"search":              "/api/traces?service=cartservice&limit=20&tags=" + url.QueryEscape(`{"host.name":"db-1"}`),
		"search-ids":          "/api/traces?traceID=1&traceID=ff000000000000000000000000000001&traceID=1",
		"search-none":         "/api/traces?service=nobody",
		"services":            "/api/services",
		"service-operations":  "/api/services/cartservice/operations",
		"operations":          "/api/operations?service=backend",
		"operations-kind":     "/api/operations?service=backend&spanKind=server",
		"bad-limit":           "/api/traces?limit=x",
		"v3-services":         "/api/v3/services",
		"v3-operations":       "/api/v3/operations?service=backend",
		"v3-summaries":        "/api/v3/trace-summaries?" + v3Range + "&query.searchDepth=20",
		"v3-summaries-none":   "/api/v3/trace-summaries?" + v3Range + "&query.serviceName=nobody",
		"v3-summaries-error":  "/api/v3/trace-summaries",
		"v3-trace":            "/api/v3/traces/5b4c3d2e1f001122",
		"v3-trace-not-found":  "/api/v3/traces/1",
		"v3-traces":           "/api/v3/traces?" + v3Range + "&query.service_name=cartservice&query.num_traces=1",
		"v3-operations-error": "/api/v3/operations",
	} {
		t.Run(name, func(t *testing.T) {
			w := ft.Get(h, target)
			if ct := w.Header().Get("Content-Type"); ct != "application/json" {
				t.Errorf("content type %q", ct)
			}
			ft.Golden(t, name, fmt.Appendf(nil, `{"status":%d,"body":%s}`, w.Code, w.Body.Bytes()))
		})
	}
}

func TestEmptyStoreAnswersEmptyLists(t *testing.T) {
	h := defaultHandler(&ft.Querier{})
	for target, want := range map[string]string{
		"/api/services":                      `{"data":[],"total":0,"limit":0,"offset":0,"errors":null}`,
		"/api/traces?service=a":              `{"data":[],"total":0,"limit":0,"offset":0,"errors":null}`,
		"/api/v3/services":                   `{"services":[]}`,
		"/api/v3/operations?service=a":       `{"operations":[]}`,
		"/api/v3/trace-summaries?" + v3Range: `{"summaries":[]}`,
	} {
		if got := ft.Get(h, target).Body.String(); got != want {
			t.Errorf("%s: got %s, want %s", target, got, want)
		}
	}
}

// Bad parameters are status 400 with the parameter's name.
func TestBadParameters(t *testing.T) {
	h := defaultHandler(&ft.Querier{Held: ft.Traces()})
	many := "/api/traces?" + strings.Repeat("traceID=1&", 501)
	for target, name := range map[string]string{
		"/api/traces?limit=-1":                      "limit",
		"/api/traces?start=yesterday":               "start",
		"/api/traces?start=2&end=1":                 "start",
		"/api/traces?end=-5":                        "end",
		"/api/traces?end=99999999999999999999":      "end",
		"/api/traces?lookback=long":                 "lookback",
		"/api/traces?minDuration=5":                 "minDuration",
		"/api/traces?maxDuration=-5s":               "maxDuration",
		"/api/traces?minDuration=2s&maxDuration=1s": "maxDuration",
		"/api/traces?tag=nocolon":                   "tag",
		"/api/traces?tags={":                        "tags",
		"/api/traces?tags={\"a\":[1]}":              "tags",
		"/api/traces?raw=maybe":                     "raw",
		"/api/traces?prettyPrint=maybe":             "prettyPrint",
		"/api/traces?traceID=xyz!":                  "traceID",
		many:                                        "traceID",
		"/api/traces/not-an-id-at-all-not-an-id":    "traceID",
		"/api/traces/1?start=a":                     "start",
		"/api/operations":                           "service",
		"/api/v3/trace-summaries?query.startTimeMin=2023-11-14T22:00:00Z":   "query.startTimeMax",
		"/api/v3/trace-summaries?query.startTimeMin=x&query.startTimeMax=x": "query.startTimeMin",
		"/api/v3/trace-summaries?" + v3Range + "&query.searchDepth=x":       "query.searchDepth",
		"/api/v3/trace-summaries?" + v3Range + "&query.num_traces=x":        "query.num_traces",
		"/api/v3/trace-summaries?" + v3Range + "&query.durationMin=x":       "query.durationMin",
		"/api/v3/trace-summaries?" + v3Range + "&query.duration_max=x":      "query.duration_max",
		"/api/v3/trace-summaries?" + v3Range + "&query.attributes=[]":       "query.attributes",
		"/api/v3/traces/1?startTime=x":                                      "startTime",
		"/api/v3/traces/1?raw_traces=x":                                     "raw_traces",
		"/api/v3/operations":                                                "service",
	} {
		w := ft.Get(h, target)
		if w.Code != 400 || !strings.Contains(w.Body.String(), "parameter "+name+":") {
			t.Errorf("%.80s: got %d %.200s, want 400 naming %s", target, w.Code, w.Body, name)
		}
	}
}

// What clients send arrives in the query.
func TestSearchParameters(t *testing.T) {
	us := ft.Epoch / 1000
	end := ft.Epoch + uint64(3*time.Minute) + 1000
	for _, tc := range []struct {
		name, target string
		want         storage.Query
		limit        int
	}{
		{"defaults", "/api/traces", storage.Query{Start: end - 1000 - uint64(48*time.Hour), End: end}, 100},
		{"Kiali", fmt.Sprintf("/api/traces?service=a.ns&start=%d&end=%d&limit=7&minDuration=10000us&tags=%s", us, us+5, url.QueryEscape(`{"error":"true"}`)),
			storage.Query{Service: "a.ns", Start: ft.Epoch, End: ft.Epoch + 6000, MinDuration: 10 * time.Millisecond, Tags: []storage.Tag{{Key: "error", Value: "true"}}}, 7},
		{"UI of old", "/api/traces?service=a&operation=GET%20%2F&lookback=2d&maxDuration=1.5s&tag=http.url:http://x/y&tag=n:1&limit=999999",
			storage.Query{Service: "a", Operation: "GET /", Start: end - 1000 - uint64(48*time.Hour), End: end, MaxDuration: 1500 * time.Millisecond,
				Tags: []storage.Tag{{Key: "http.url", Value: "http://x/y"}, {Key: "n", Value: "1"}}}, 1500},
		{"scalar tags", "/api/traces?lookback=1h&limit=0&tags=" + url.QueryEscape(`{"b":true,"a":12}`),
			storage.Query{Start: end - 1000 - uint64(time.Hour), End: end, Tags: []storage.Tag{{Key: "a", Value: "12"}, {Key: "b", Value: "true"}}}, 100},
		{"UI of today", "/api/v3/trace-summaries?query.serviceName=frontend&query.startTimeMin=2023-11-14T22%3A13%3A20.000Z&query.startTimeMax=2023-11-14T22%3A13%3A21.000Z&query.searchDepth=20&query.durationMin=1ms&query.attributes=%7B%22error%22%3A%22true%22%7D",
			storage.Query{Service: "frontend", Start: ft.Epoch, End: ft.Epoch + uint64(time.Second+time.Millisecond), MinDuration: time.Millisecond, Tags: []storage.Tag{{Key: "error", Value: "true"}}}, 20},
		{"Grafana", "/api/v3/traces?query.service_name=frontend&query.operation_name=op&query.start_time_min=2023-11-15T00:13:20+02:00&query.start_time_max=2023-11-15T00:13:21+02:00&query.duration_max=1s&query.num_traces=3",
			storage.Query{Service: "frontend", Operation: "op", Start: ft.Epoch, End: ft.Epoch + uint64(time.Second+time.Millisecond), MaxDuration: time.Second}, 3},
	} {
		t.Run(tc.name, func(t *testing.T) {
			q := &ft.Querier{}
			w := ft.Get(defaultHandler(q), tc.target)
			if w.Code >= 400 && w.Code != 404 {
				t.Fatalf("got %d %s", w.Code, w.Body)
			}
			if !reflect.DeepEqual(q.LastQuery, tc.want) || q.LastLimit != tc.limit {
				t.Errorf("got  %+v, limit %d\nwant %+v, limit %d", q.LastQuery, q.LastLimit, tc.want, tc.limit)
			}
		})
	}
}

func TestIDForms(t *testing.T) {
	h := defaultHandler(&ft.Querier{Held: ft.Traces()})
	for _, id := range []string{
		"0af7651916cd43dd8448eb211c80319c", "0AF7651916CD43DD8448EB211C80319C", "af7651916cd43dd8448eb211c80319c",
		"CvdlGRbNQ92ESOshHIAxnA==", "CvdlGRbNQ92ESOshHIAxnA", // base64
	} {
		for _, route := range []string{"/api/traces/", "/api/v3/traces/"} {
			if w := ft.Get(h, route+url.PathEscape(id)); w.Code != 200 {
				t.Errorf("%s%s: %d", route, id, w.Code)
			}
		}
	}
}

func TestIncompleteAnswersSaySo(t *testing.T) {
	q := &ft.Querier{Held: ft.Traces(), Completeness: storage.Completeness{SourcesPlanned: 3, SourcesRead: 2,
		Failed: []storage.FailedSource{{Name: "block 7", Reason: "timeout"}}}}
	h := defaultHandler(q)
	for target, code := range map[string]int{
		"/api/traces/0af7651916cd43dd8448eb211c80319c": 200, "/api/traces": 200, "/api/services": 200, "/api/operations?service=a": 200,
		"/api/v3/services": 200, "/api/v3/trace-summaries?" + v3Range: 200,
		// nobody knows whether it exists
		"/api/traces/1": 503, "/api/v3/traces/1": 503,
	} {
		w := ft.Get(h, target)
		if w.Code != code || !strings.HasPrefix(w.Header().Get(frontend.CompletenessHeader), "incomplete; planned=3; read=2") {
			t.Errorf("%s: got %d, header %q", target, w.Code, w.Header().Get(frontend.CompletenessHeader))
		}
		if strings.Contains(target, "summaries") || target == "/api/v3/services" {
			continue // only the header
		}
		if !strings.Contains(w.Body.String(), "block 7 (timeout)") {
			t.Errorf("%s: the body does not say so: %.300s", target, w.Body)
		}
	}
}

func TestErrorsOfTheQuerier(t *testing.T) {
	short := frontend.DefaultConfig()
	short.QueryTimeout = time.Millisecond
	for _, target := range []string{
		"/api/services", "/api/services/a/operations", "/api/operations?service=a", "/api/traces", "/api/traces?traceID=1", "/api/traces/1",
		"/api/v3/services", "/api/v3/operations?service=a", "/api/v3/trace-summaries?" + v3Range, "/api/v3/traces/1", "/api/v3/traces?" + v3Range,
	} {
		member, code := "errors", "code"
		if strings.Contains(target, "v3") {
			member, code = "error", "httpCode"
		}
		for _, tc := range []struct {
			q    *ft.Querier
			want int
		}{
			{&ft.Querier{Err: errors.New("disk is gone")}, 500},
			{&ft.Querier{Err: &frontend.Error{Code: 429, Msg: "too many queries"}}, 429},
			{&ft.Querier{Wait: true}, 504},
		} {
			cfg := frontend.DefaultConfig()
			if tc.q.Wait {
				cfg = short
			}
			w := ft.Get(handler(tc.q, cfg, frontend.Options{}), target)
			if w.Code != tc.want || !strings.Contains(w.Body.String(), fmt.Sprintf(`"%s":%d`, code, tc.want)) || !strings.Contains(w.Body.String(), `"`+member+`":`) {
				t.Errorf("%s: got %d %s, want %d", target, w.Code, w.Body, tc.want)
			}
		}
		if w := ft.Get(defaultHandler(&ft.Querier{Panic: true}), target); w.Code != 500 {
			t.Errorf("%s: panic answered with %d", target, w.Code)
		}
	}
}

func TestUnknownPathsArePlain404(t *testing.T) {
	h := defaultHandler(&ft.Querier{Held: ft.Traces()})
	for _, target := range []string{"/api/", "/api/dependencies", "/api/v3/", "/api/traces/1/2", "/api/nothing", "/api/metrics/calls"} {
		w := ft.Get(h, target)
		if w.Code != 404 || strings.Contains(w.Body.String(), "<html") || strings.Contains(w.Body.String(), "{") {
			t.Errorf("%s: got %d %q", target, w.Code, w.Body)
		}
	}
}

func TestTenantsDoNotMix(t *testing.T) {
	q := &ft.Querier{Tenant: "a", Held: ft.Traces()}
	h := handler(q, frontend.DefaultConfig(), frontend.Options{Multitenancy: true})
	for tenant, want := range map[string]int{"a": 200, "b": 404, "": 401, "a/../b": 400} {
		if w := ft.Get(h, "/api/traces/5b4c3d2e1f001122", "X-Scope-OrgID", tenant); w.Code != want {
			t.Errorf("tenant %q: got %d, want %d", tenant, w.Code, want)
		}
	}
}

func TestTransform(t *testing.T) {
	var docs []string
	for _, tr := range ft.Traces()[:2] {
		b, err := (&ptrace.JSONMarshaler{}).MarshalTraces(tr.Data())
		if err != nil {
			t.Fatal(err)
		}
		docs = append(docs, strings.TrimSuffix(strings.TrimPrefix(string(b), `{"resourceSpans":[`), `]}`))
	}
	cfg := frontend.DefaultConfig()
	cfg.MaxUploadBytes = 1 << 20
	h := handler(&ft.Querier{}, cfg, frontend.Options{})
	post := func(body string) *httptest.ResponseRecorder {
		r := httptest.NewRequest("POST", "/api/transform", strings.NewReader(body))
		r.Header.Set("Content-Type", "text/plain")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	plain := `{"resourceSpans":[` + strings.Join(docs, ",") + `]}`
	for _, body := range []string{plain, `{"result":` + plain + `}`} { // as Collectors write it, and /api/v3/traces
		w := post(body)
		var got struct {
			Data []struct {
				TraceID string
				Spans   []any
			}
		}
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != 200 {
			t.Fatalf("%d %v", w.Code, err)
		}
		if len(got.Data) != 2 || len(got.Data[0].Spans) != 4 || len(got.Data[1].Spans) != 3 {
			t.Errorf("got %+v", got)
		}
	}
	for body, code := range map[string]int{
		"": 400, "{": 400, `{"resourceSpans":[]}`: 200, `{"resourceSpans":[{"scopeSpans":[{"spans":[{}]}]}]}`: 400,
		strings.Repeat(" ", 2<<20): 413,
	} {
		if w := post(body); w.Code != code {
			t.Errorf("%.60q: got %d %s, want %d", body, w.Code, w.Body, code)
		}
	}
}

func TestPrettyPrint(t *testing.T) {
	w := ft.Get(defaultHandler(&ft.Querier{Held: ft.Traces()}), "/api/traces/5b4c3d2e1f001122?prettyPrint=true")
	if !strings.HasPrefix(w.Body.String(), "{\n    \"data\": [\n") || !json.Valid(w.Body.Bytes()) {
		t.Errorf("got %.60s", w.Body)
	}
}
