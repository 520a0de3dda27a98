package distributor

import (
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc/codes"
)

type metrics struct {
	spans, bytes, rejected, refused, requests *prometheus.CounterVec
	panics                                    prometheus.Counter
	inFlight                                  prometheus.Gauge
	seconds                                   prometheus.Histogram
}

func newMetrics(reg prometheus.Registerer) *metrics {
	vec := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "clew_distributor_" + name, Help: help}, labels)
	}
	m := &metrics{
		spans:    vec("spans_total", "Spans accepted and durable.", "tenant"),
		bytes:    vec("bytes_total", "Bytes of accepted requests, decompressed.", "tenant"),
		rejected: vec("spans_rejected_total", "Spans refused for good, by reason.", "tenant", "reason"),
		refused:  vec("requests_refused_total", "Requests that the client should retry, by reason.", "tenant", "reason"),
		requests: vec("requests_total", "Requests by door and outcome.", "door", "code"),
		panics:   prometheus.NewCounter(prometheus.CounterOpts{Name: "clew_distributor_panics_total", Help: "Requests that hit a bug."}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{Name: "clew_distributor_in_flight_bytes", Help: "Bytes of requests being pushed."}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "clew_distributor_push_seconds", Help: "Time from a request to its durability.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 2, 15)}),
	}
	if reg != nil {
		reg.MustRegister(m.spans, m.bytes, m.rejected, m.refused, m.requests, m.panics, m.inFlight, m.seconds)
	}
	return m
}

// door counts a request of a gRPC door.
func (m *metrics) door(name string, code codes.Code) prometheus.Counter {
	return m.requests.WithLabelValues(name, code.String())
}
