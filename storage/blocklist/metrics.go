package blocklist

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/clewtrace/clew/storage/block"
)

type metrics struct {
	blocks, spans, bytes, duplicates prometheus.Counter
	seconds                          prometheus.Histogram
}

func newMetrics(reg prometheus.Registerer, l *List) *metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: "clew_storage_" + name, Help: help})
	}
	m := &metrics{
		blocks:     counter("blocks_written_total", "Blocks written."),
		spans:      counter("block_written_spans_total", "Spans written into blocks."),
		bytes:      counter("block_written_bytes_total", "Bytes of all objects of the blocks written."),
		duplicates: counter("block_duplicate_spans_total", "Equal spans left out while writing blocks."),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "clew_storage_block_write_seconds", Help: "Duration of building a block and making it durable.",
			Buckets: prometheus.ExponentialBuckets(0.01, 2, 14)}),
	}
	if reg != nil {
		sum := func(name, help string, of func(*TenantStats) float64) prometheus.GaugeFunc {
			return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() (n float64) {
				for _, t := range l.Stats() {
					n += of(&t)
				}
				return n
			})
		}
		reg.MustRegister(m.blocks, m.spans, m.bytes, m.duplicates, m.seconds,
			sum("clew_storage_blocks", "Blocks that queries read.", func(t *TenantStats) float64 { return float64(t.Blocks) }),
			sum("clew_storage_blocks_failed", "Blocks that could not be opened; answers say so.", func(t *TenantStats) float64 { return float64(t.Failed) }),
			sum("clew_storage_block_spans", "Spans in blocks.", func(t *TenantStats) float64 { return float64(t.Spans) }),
			sum("clew_storage_block_bytes", "Bytes of blocks in the store.", func(t *TenantStats) float64 { return float64(t.Bytes) }))
	}
	return m
}

func (m *metrics) written(b *block.Meta, took time.Duration) {
	m.blocks.Inc()
	m.spans.Add(float64(b.Rows))
	m.bytes.Add(float64(size(b)))
	m.duplicates.Add(float64(b.Duplicates))
	m.seconds.Observe(took.Seconds())
}
