package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/pprof"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/clewtrace/clew/ingester"
	"github.com/clewtrace/clew/storage/blocklist"
)

// newOpsHandler adds to the Tempo API what operators look at.
func newOpsHandler(c *config, ing *ingester.Ingester, blocks *blocklist.List, reg *prometheus.Registry, api http.Handler, doors func() []*door) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", api)
	mux.Handle("GET /metrics", promhttp.HandlerFor(reg, promhttp.HandlerOpts{Registry: reg}))
	mux.HandleFunc("GET /ready", func(w http.ResponseWriter, _ *http.Request) {
		if ing.Replaying() {
			// Pushes and queries are served; answers say that they may be incomplete.
			fmt.Fprintln(w, "ready, reading the log")
			return
		}
		fmt.Fprintln(w, "ready")
	})
	mux.HandleFunc("POST /flush", func(w http.ResponseWriter, r *http.Request) {
		if err := ing.Flush(r.Context()); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "all that was pushed before is in blocks")
	})
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, _ *http.Request) {
		type doorStatus struct {
			Name, Key, Address string
		}
		var open []doorStatus
		for _, d := range doors() {
			open = append(open, doorStatus{d.name, d.key, d.listener.Addr().String()})
		}
		w.Header().Set("Content-Type", "application/json")
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		_ = enc.Encode(map[string]any{"version": version, "data_dir": c.DataDir, "doors": open, "ingester": ing.Stats(), "blocks": blocks.Stats()})
	})
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	return mux
}
