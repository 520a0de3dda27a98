package frontend

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/clewtrace/clew/storage"
	"github.com/clewtrace/clew/storage/tenant"
)

// serve answers one request at /x with handler h.
func serve(t *testing.T, cfg Config, o Options, r *http.Request, h func(f *Frontend, w http.ResponseWriter, r *http.Request)) *httptest.ResponseRecorder {
	t.Helper()
	f := New(cfg, o)
	mux := http.NewServeMux()
	mux.HandleFunc("/x", f.Route("/x", func(w http.ResponseWriter, r *http.Request) { h(f, w, r) }))
	w := httptest.NewRecorder()
	f.Wrap("test", mux).ServeHTTP(w, r)
	return w
}

func TestTenant(t *testing.T) {
	for _, tc := range []struct {
		name, header string
		multi        bool
		code         int
		body         string
	}{
		{"off", "", false, 200, "single-tenant"},
		{"off, header ignored", "a/b", false, 200, "single-tenant"},
		{"on", "team-a", true, 200, "team-a"},
		{"on, missing", "", true, 401, "no org id"},
		{"on, invalid", "a/b", true, 400, "tenant"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := httptest.NewRequest("GET", "/x", nil)
			r.Header.Set(tenant.Header, tc.header)
			w := serve(t, DefaultConfig(), Options{Multitenancy: tc.multi}, r, func(_ *Frontend, w http.ResponseWriter, r *http.Request) {
				id, _ := tenant.FromContext(r.Context())
				fmt.Fprint(w, id)
			})
			if w.Code != tc.code || !strings.Contains(w.Body.String(), tc.body) {
				t.Errorf("got %d %q, want %d %q", w.Code, w.Body, tc.code, tc.body)
			}
		})
	}
}

type ownStatus int

func (s ownStatus) Error() string   { return "own" }
func (s ownStatus) HTTPStatus() int { return int(s) }

func TestStatus(t *testing.T) {
	gone, leave := context.WithCancel(context.Background())
	leave()
	short := DefaultConfig()
	short.QueryTimeout = time.Millisecond
	wait := func(r *http.Request) error { <-r.Context().Done(); return context.Cause(r.Context()) }
	for _, tc := range []struct {
		name string
		cfg  Config
		ctx  context.Context
		err  func(r *http.Request) error
		want int
	}{
		{"bad parameter", DefaultConfig(), context.Background(), func(*http.Request) error { return fmt.Errorf("x: %w", BadParam("limit", "bad")) }, 400},
		{"own status", DefaultConfig(), context.Background(), func(*http.Request) error { return ownStatus(422) }, 422},
		{"absurd own status", DefaultConfig(), context.Background(), func(*http.Request) error { return ownStatus(7) }, 500},
		{"other", DefaultConfig(), context.Background(), func(*http.Request) error { return errors.New("disk") }, 500},
		{"timeout", short, context.Background(), wait, 504},
		{"a deadline further down", DefaultConfig(), context.Background(), func(*http.Request) error { return context.DeadlineExceeded }, 504},
		{"client gone", DefaultConfig(), gone, wait, 499},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := httptest.NewRequest("GET", "/x", nil).WithContext(tc.ctx)
			w := serve(t, tc.cfg, Options{}, r, func(f *Frontend, w http.ResponseWriter, r *http.Request) {
				code, msg := f.Status(r, tc.err(r))
				http.Error(w, msg, code)
			})
			if w.Code != tc.want {
				t.Errorf("got %d %q, want %d", w.Code, w.Body, tc.want)
			}
		})
	}
}

func TestPanicIsAnsweredAndCounted(t *testing.T) {
	reg := prometheus.NewRegistry()
	m := NewMetrics(reg)
	r := httptest.NewRequest("GET", "/x", nil)
	r.Header.Set("Accept-Encoding", "gzip")
	w := serve(t, DefaultConfig(), Options{Metrics: m}, r, func(*Frontend, http.ResponseWriter, *http.Request) { panic("boom") })
	if w.Code != 500 || strings.Contains(w.Body.String(), "boom") {
		t.Errorf("got %d %q", w.Code, w.Body)
	}
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		switch f.GetName() {
		case "clew_frontend_panics_total":
			if n := f.Metric[0].GetCounter().GetValue(); n != 1 {
				t.Errorf("%v panics counted, want 1", n)
			}
		case "clew_frontend_in_flight_requests":
			if n := f.Metric[0].GetGauge().GetValue(); n != 0 {
				t.Errorf("%v requests in flight, want 0", n)
			}
		}
	}
}

// A broken answer must not look whole.
func TestPanicInTheMiddleBreaksTheConnection(t *testing.T) {
	f := New(DefaultConfig(), Options{})
	srv := httptest.NewServer(f.Wrap("test", f.Route("/", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		for range 10 {
			fmt.Fprint(w, strings.Repeat("x", 10_000))
			http.NewResponseController(w).Flush()
		}
		panic("boom")
	})))
	defer srv.Close()
	resp, err := srv.Client().Get(srv.URL)
	if err != nil {
		return
	}
	defer resp.Body.Close()
	buf := make([]byte, 1<<20)
	for {
		if _, err = resp.Body.Read(buf); err != nil {
			break
		}
	}
	if err.Error() == "EOF" {
		t.Error("the client was told that the answer is complete")
	}
}

func TestLimitsAndMetrics(t *testing.T) {
	cfg := DefaultConfig()
	cfg.MaxURLBytes = 1024
	reg := prometheus.NewRegistry()
	m := NewMetrics(reg)
	ok := func(_ *Frontend, w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "ok") }
	if w := serve(t, cfg, Options{Metrics: m}, httptest.NewRequest("GET", "/x?q="+strings.Repeat("a", 2000), nil), ok); w.Code != 414 {
		t.Errorf("long URL: %d", w.Code)
	}
	if w := serve(t, cfg, Options{Metrics: m}, httptest.NewRequest("GET", "/y", nil), ok); w.Code != 404 {
		t.Errorf("unknown path: %d", w.Code)
	}
	serve(t, cfg, Options{Metrics: m}, httptest.NewRequest("GET", "/x", nil), ok)
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == "clew_frontend_request_seconds" && len(f.Metric) != 3 {
			t.Errorf("%d series of durations, want 3", len(f.Metric))
		}
	}
}

func TestCompression(t *testing.T) {
	r := httptest.NewRequest("GET", "/x", nil)
	r.Header.Set("Accept-Encoding", "gzip")
	w := serve(t, DefaultConfig(), Options{}, r, func(_ *Frontend, w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, "%q", strings.Repeat("a", 5000))
	})
	if w.Header().Get("Content-Encoding") != "gzip" || w.Body.Len() > 500 {
		t.Errorf("encoding %q, %d bytes", w.Header().Get("Content-Encoding"), w.Body.Len())
	}
}

func TestCompleteness(t *testing.T) {
	c := storage.Completeness{SourcesPlanned: 9, SourcesRead: 2, Replaying: true}
	for i := range 7 {
		c.Failed = append(c.Failed, storage.FailedSource{Name: fmt.Sprint("block", i), Reason: "timeout"})
	}
	h := http.Header{}
	SetCompleteness(h, &c)
	if got, want := h.Get(CompletenessHeader), "incomplete; planned=9; read=2; pruned=0; failed=7; replaying"; got != want {
		t.Errorf("header %q, want %q", got, want)
	}
	msg := Incomplete(&c)
	if !strings.Contains(msg, "7 of 9 sources") || !strings.Contains(msg, "block0 (timeout)") || !strings.Contains(msg, "and 2 more") {
		t.Errorf("message %q", msg)
	}
	if both := Both(&c, &storage.Completeness{Failed: c.Failed[:1]}); len(both.Failed) != 7 || !both.Replaying {
		t.Errorf("both: %+v", both)
	}
	whole := storage.Completeness{}
	SetCompleteness(h, &whole)
	if Incomplete(&whole) != "" {
		t.Error("a complete answer lacks something")
	}
}

func TestConfigValidate(t *testing.T) {
	ok := DefaultConfig()
	if err := ok.Validate(); err != nil {
		t.Fatal(err)
	}
	for key, spoil := range map[string]func(*Config){
		"query_timeout":    func(c *Config) { c.QueryTimeout = 0 },
		"max_results":      func(c *Config) { c.MaxResults = 0 },
		"max_trace_ids":    func(c *Config) { c.MaxTraceIDs = 0 },
		"max_url_bytes":    func(c *Config) { c.MaxURLBytes = 1 },
		"max_upload_bytes": func(c *Config) { c.MaxUploadBytes = 1 },
	} {
		c := DefaultConfig()
		spoil(&c)
		if err := c.Validate(); err == nil || !strings.HasPrefix(err.Error(), key+":") {
			t.Errorf("%s: got error %v", key, err)
		}
	}
}
