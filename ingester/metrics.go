package ingester

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	spans, quarantined, buildFailures prometheus.Counter
	rejected, refused, cuts           *prometheus.CounterVec
}

func newMetrics(reg prometheus.Registerer, i *Ingester) *metrics {
	m := &metrics{
		spans:         prometheus.NewCounter(prometheus.CounterOpts{Name: "clew_ingester_spans_total", Help: "Spans decoded into live columns, replayed ones included."}),
		quarantined:   prometheus.NewCounter(prometheus.CounterOpts{Name: "clew_ingester_quarantined_portions_total", Help: "Portions that could not be decoded because of a bug."}),
		buildFailures: prometheus.NewCounter(prometheus.CounterOpts{Name: "clew_ingester_block_failures_total", Help: "Attempts to build a block that failed; each is tried again."}),
		cuts:          prometheus.NewCounterVec(prometheus.CounterOpts{Name: "clew_ingester_heads_cut_total", Help: "Heads of live columns sealed to become a block, by reason (size, age, idle, memory, log, flush)."}, []string{"reason"}),
		rejected:      prometheus.NewCounterVec(prometheus.CounterOpts{Name: "clew_ingester_spans_rejected_total", Help: "Spans that could not be decoded, by reason."}, []string{"reason"}),
		refused:       prometheus.NewCounterVec(prometheus.CounterOpts{Name: "clew_ingester_pushes_refused_total", Help: "Pushes to be retried, by reason."}, []string{"reason"}),
	}
	if reg != nil {
		live := prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "clew_ingester_live_bytes", Help: "Memory of live columns."}, func() float64 { return float64(i.live.Load()) })
		rows := prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "clew_ingester_live_spans", Help: "Spans that are in no block yet, duplicates included."}, func() float64 { return float64(i.spans.Load()) })
		waiting := prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "clew_ingester_heads_waiting", Help: "Sealed heads that wait to be built or are being built."}, func() float64 { return float64(len(i.builds.pending())) })
		replaying := prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "clew_ingester_replaying", Help: "1 while the log is being replayed."}, func() float64 {
			if i.Replaying() {
				return 1
			}
			return 0
		})
		reg.MustRegister(m.spans, m.quarantined, m.rejected, m.refused, m.buildFailures, m.cuts, live, rows, waiting, replaying)
	}
	return m
}
