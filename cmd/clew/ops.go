package main

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/clewtrace/clew/cmd/internal/status"
	"github.com/clewtrace/clew/ingester"
	"github.com/clewtrace/clew/storage/block"
	"github.com/clewtrace/clew/storage/blocklist"
)

// ops is what operators look at and change. None of it shows what spans hold:
// tenants appear with their names and sizes.
type ops struct {
	c      *config
	memory memoryLimit // in force
	level  *slog.LevelVar
	log    *slog.Logger
	ing    *ingester.Ingester
	blocks *blocklist.List
	cache  *block.Cache
	reg    *registry
	api    http.Handler // what else the door serves
	doors  func() []*door
}

// endpoint is one that is no status page.
type endpoint struct {
	method, path, about string
	handler             http.Handler
}

// endpoints are those that operators use, as /status lists them.
func (o *ops) endpoints() []endpoint {
	sameOrigin := http.NewCrossOriginProtection() // no web page elsewhere may change anything
	level := newLogLevelHandler(o.level, o.log)
	return []endpoint{
		{"GET", "/ready", "Whether pushes and queries are served: always, once the ports are open. It says if the log is still being read.", http.HandlerFunc(o.ready)},
		{"GET", "/metrics", "Metrics for Prometheus.", promhttp.HandlerFor(o.reg, promhttp.HandlerOpts{Registry: o.reg.Registry})},
		{"POST", "/flush", "Puts all that was pushed before into blocks, and answers when it is done.", sameOrigin.Handler(http.HandlerFunc(o.flush))},
		{"GET", "/log_level", "The least severe level that is logged.", level},
		{"PUT", "/log_level", "Changes it until the process ends: curl -X PUT -d debug.", sameOrigin.Handler(level)},
		{"POST", "/log_level", "The same, with the parameter log_level=debug.", sameOrigin.Handler(level)},
		{"GET", "/debug/pprof/", "Profiles for go tool pprof.", http.HandlerFunc(pprof.Index)},
	}
}

// newOpsHandler adds to an API what operators look at.
func newOpsHandler(o *ops) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", o.api)
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", "status") // relative: there may be a path in front
		w.WriteHeader(http.StatusSeeOther)
	})
	for _, e := range o.endpoints() {
		mux.Handle(e.method+" "+e.path, e.handler)
	}
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	status.New(version, o.pages(time.Now())).Register(mux)
	return mux
}

func (o *ops) ready(w http.ResponseWriter, _ *http.Request) {
	if o.ing.Replaying() {
		// Pushes and queries are served; answers say that they may be incomplete.
		fmt.Fprintln(w, "ready, reading the log")
		return
	}
	fmt.Fprintln(w, "ready")
}

func (o *ops) flush(w http.ResponseWriter, r *http.Request) {
	if err := o.ing.Flush(r.Context()); err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, "all that was pushed before is in blocks")
}
