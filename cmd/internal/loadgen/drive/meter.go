package drive

import (
	"sync"
	"time"

	"github.com/clewtrace/clew/cmd/internal/loadgen"
)

// Meter counts what becomes of requests. Safe for concurrent use.
type Meter struct {
	mu       sync.Mutex // guards all below
	began    time.Time
	now      counts
	last     counts // at the previous progress
	lastAt   time.Time
	interval histogram // since the previous progress
	total    histogram
	lastErr  string
}

type counts struct {
	requests, sent, acked, rejected, gaveUp int64
	refused                                 int64 // attempts that were put off or failed
	bytes                                   int64
}

// NewMeter returns a meter that has counted nothing.
func NewMeter() *Meter { return &Meter{} }

func (m *Meter) start(now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.began, m.lastAt = now, now
}

func (m *Meter) sent(r loadgen.Request) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now.requests++
	m.now.sent += int64(r.Spans)
	m.now.bytes += int64(len(r.Body))
}

func (m *Meter) acked(r loadgen.Request) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now.acked += int64(r.Spans)
}

func (m *Meter) gaveUp(r loadgen.Request, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now.gaveUp += int64(r.Spans)
	m.lastErr = err.Error()
}

// attempt counts one answer of the server: how long it took, how many spans it
// rejected for good, and the error if it did not take the request.
func (m *Meter) attempt(took time.Duration, rejected int64, message string, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err != nil {
		m.now.refused++
		m.lastErr = err.Error()
		return
	}
	m.interval.add(took)
	m.total.add(took)
	m.now.rejected += rejected
	m.now.acked -= rejected // the rest of the request is counted by acked
	if message != "" {
		m.lastErr = message
	}
}

// Progress is one second of a run. Spans are counted since its start; refused
// attempts, too. P50 and P99 are of the acknowledgements of this second alone.
type Progress struct {
	Elapsed                        time.Duration
	Sent, Acked, Rejected, GivenUp int64
	Refused                        int64
	AckedPerSecond                 float64
	P50, P99                       time.Duration
	LastError                      string
}

func (m *Meter) progress(now time.Time) Progress {
	m.mu.Lock()
	defer m.mu.Unlock()
	p := Progress{
		Elapsed: now.Sub(m.began), Sent: m.now.sent, Acked: m.now.acked, Rejected: m.now.rejected, GivenUp: m.now.gaveUp,
		Refused: m.now.refused, P50: m.interval.quantile(0.5), P99: m.interval.quantile(0.99),
	}
	if s := now.Sub(m.lastAt).Seconds(); s > 0 {
		p.AckedPerSecond = float64(m.now.acked-m.last.acked) / s
	}
	if m.now.refused+m.now.gaveUp+m.now.rejected > m.last.refused+m.last.gaveUp+m.last.rejected {
		p.LastError = m.lastErr
	}
	m.last, m.lastAt, m.interval = m.now, now, histogram{}
	return p
}

// Report is the result of a run.
type Report struct {
	Requests int64      `json:"requests"`
	Spans    SpanCounts `json:"spans"`
	// Refused counts attempts that the server put off or that failed; each was
	// tried again unless its spans were given up.
	Refused        int64      `json:"refused_attempts"`
	Bytes          int64      `json:"bytes"`
	Seconds        float64    `json:"seconds"`
	SpansPerSecond float64    `json:"spans_per_second"`
	BytesPerSpan   float64    `json:"bytes_per_span"`
	AckMS          AckMS      `json:"ack_ms"`
	CPU            CPUSeconds `json:"cpu_seconds"`
	LastError      string     `json:"last_error,omitempty"`
}

// SpanCounts says what became of the spans: Sent is the sum of the others,
// unless the run was cut off.
type SpanCounts struct {
	Sent     int64 `json:"sent"`
	Acked    int64 `json:"acked"`
	Rejected int64 `json:"rejected"`
	GivenUp  int64 `json:"given_up"`
}

// AckMS holds quantiles of the time from sending a request to its
// acknowledgement, in milliseconds, refused attempts left out.
type AckMS struct {
	P50 float64 `json:"p50"`
	P90 float64 `json:"p90"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

// CPUSeconds is what the load itself cost: Process is all of this process
// during the run, Generator the part of it that made the requests. Both are 0
// where that cannot be told.
type CPUSeconds struct {
	Generator float64 `json:"generator"`
	Process   float64 `json:"process"`
}

func (m *Meter) report(elapsed time.Duration) *Report {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := &m.now
	rep := &Report{
		Requests: c.requests, Spans: SpanCounts{c.sent, c.acked, c.rejected, c.gaveUp}, Refused: c.refused,
		Bytes: c.bytes, Seconds: elapsed.Seconds(), LastError: m.lastErr,
		AckMS: AckMS{ms(m.total.quantile(0.5)), ms(m.total.quantile(0.9)), ms(m.total.quantile(0.99)), ms(m.total.max)},
	}
	if rep.Seconds > 0 {
		rep.SpansPerSecond = float64(c.acked) / rep.Seconds
	}
	if c.sent > 0 {
		rep.BytesPerSpan = float64(c.bytes) / float64(c.sent)
	}
	return rep
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
