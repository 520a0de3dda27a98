package wal

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	written, records, dropped, cleaned, damaged prometheus.Counter
	refused                                     *prometheus.CounterVec
	fsync                                       prometheus.Histogram
	bytes, segments                             prometheus.Gauge
}

// newMetrics makes the metrics of a log and registers them, if reg is not nil.
func newMetrics(reg prometheus.Registerer) *metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: "clew_ingester_log_" + name, Help: help})
	}
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Name: "clew_ingester_log_" + name, Help: help})
	}
	m := &metrics{
		written: counter("written_bytes_total", "Bytes written to the log, headers included."),
		records: counter("records_total", "Records made durable."),
		dropped: counter("segments_deleted_total", "Segments deleted because nothing in them was needed."),
		cleaned: counter("cleaned_bytes_total", "Bytes of records moved on so that their segments can be deleted."),
		damaged: counter("damaged_ranges_total", "Ranges of the log that could not be read."),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "clew_ingester_log_refused_total", Help: "Appends refused, by reason."}, []string{"reason"}),
		fsync: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "clew_ingester_log_fsync_seconds", Help: "Duration of fsync.",
			Buckets: prometheus.ExponentialBuckets(0.0001, 2, 14)}),
		bytes:    gauge("bytes", "Size of the log on disk."),
		segments: gauge("segments", "Segments of the log."),
	}
	if reg != nil {
		reg.MustRegister(m.written, m.records, m.dropped, m.cleaned, m.damaged, m.refused, m.fsync, m.bytes, m.segments)
	}
	return m
}
