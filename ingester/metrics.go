package ingester

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	spans, quarantined prometheus.Counter
	rejected, refused  *prometheus.CounterVec
}

func newMetrics(reg prometheus.Registerer, i *Ingester) *metrics {
	m := &metrics{
		spans:       prometheus.NewCounter(prometheus.CounterOpts{Name: "clew_ingester_spans_total", Help: "Spans decoded into live columns, replayed ones included."}),
		quarantined: prometheus.NewCounter(prometheus.CounterOpts{Name: "clew_ingester_quarantined_portions_total", Help: "Portions that could not be decoded because of a bug."}),
		rejected:    prometheus.NewCounterVec(prometheus.CounterOpts{Name: "clew_ingester_spans_rejected_total", Help: "Spans that could not be decoded, by reason."}, []string{"reason"}),
		refused:     prometheus.NewCounterVec(prometheus.CounterOpts{Name: "clew_ingester_pushes_refused_total", Help: "Pushes to be retried, by reason."}, []string{"reason"}),
	}
	if reg != nil {
		live := prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "clew_ingester_live_bytes", Help: "Memory of live columns."}, func() float64 { return float64(i.live.Load()) })
		replaying := prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "clew_ingester_replaying", Help: "1 while the log is being replayed."}, func() float64 {
			if i.Replaying() {
				return 1
			}
			return 0
		})
		reg.MustRegister(m.spans, m.quarantined, m.rejected, m.refused, live, replaying)
	}
	return m
}
