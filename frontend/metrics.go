package frontend

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics of the query APIs of a process.
type Metrics struct {
	duration *prometheus.HistogramVec
	inflight prometheus.Gauge
	panics   prometheus.Counter
}

// NewMetrics returns Metrics, registered with reg unless it is nil.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "clew_frontend_request_seconds", Help: "Time to answer query requests, by API, route and HTTP status.",
			Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}, []string{"api", "route", "status"}),
		inflight: prometheus.NewGauge(prometheus.GaugeOpts{Name: "clew_frontend_in_flight_requests", Help: "Query requests being answered."}),
		panics:   prometheus.NewCounter(prometheus.CounterOpts{Name: "clew_frontend_panics_total", Help: "Query requests that met a bug and were answered with status 500."}),
	}
	if reg != nil {
		reg.MustRegister(m.duration, m.inflight, m.panics)
	}
	return m
}

// observe counts one answered request. No route is "other": nothing matched.
func (m *Metrics) observe(api, route string, status int, took time.Duration) {
	if route == "" {
		route = "other"
	}
	m.duration.WithLabelValues(api, route, strconv.Itoa(status)).Observe(took.Seconds())
}
