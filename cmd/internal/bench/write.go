package main

import (
	"fmt"
	"time"

	"github.com/clewtrace/clew/cmd/internal/loadgen/drive"
)

// writeRun is one server that was fed, flushed and stopped.
type writeRun struct {
	report     *drive.Report
	ackCPU     time.Duration // of the server, until the last acknowledgement
	allCPU     time.Duration // and until all was in blocks
	peak       int64
	written    int64 // bytes to the disk as the kernel counts them, 0 if it does not
	said       int64 // and as the server's metrics do, 0 if they do not
	blocks     int64 // bytes
	blockFiles int
	stopped    time.Duration
	flushErr   error
	stopErr    error
}

// perMillion scales a duration to a million spans, in seconds.
func (w *writeRun) perMillion(d time.Duration) float64 {
	return d.Seconds() * 1e6 / float64(w.report.Spans.Acked)
}

func (w *writeRun) perSpan(bytes int64) float64 {
	return float64(bytes) / float64(w.report.Spans.Acked)
}

// writeRuns feeds as many servers as there are runs, one after the other.
func (l *lab) writeRuns() ([]writeRun, error) {
	for len(l.writes) < l.runs && l.writesErr == nil {
		w, err := l.writeRun()
		if err != nil {
			l.writesErr = err
			break
		}
		l.writes = append(l.writes, *w)
		l.progress("write run %d: %.0f spans/s, %.2f + %.2f CPU-s", len(l.writes), w.report.SpansPerSecond, w.ackCPU.Seconds(), (w.allCPU - w.ackCPU).Seconds())
	}
	return l.writes, l.writesErr
}

func (l *lab) writeRun() (*writeRun, error) {
	s, err := l.newServer("")
	if err != nil {
		return nil, err
	}
	defer l.discard(s)
	if err := s.waitRead(l.ctx); err != nil {
		return nil, err
	}
	w := new(writeRun)
	before, err := procCPU(s.pid())
	if err != nil {
		return nil, err
	}
	if w.report, err = l.feed(s, l.spans, nil); err != nil {
		return nil, err
	}
	after, err := procCPU(s.pid())
	if err != nil {
		return nil, err
	}
	w.ackCPU = after - before
	w.flushErr = s.flush(l.ctx)
	if after, err = procCPU(s.pid()); err != nil {
		return nil, err
	}
	w.allCPU = after - before
	if w.peak, err = procPeak(s.pid()); err != nil {
		return nil, err
	}
	// Neither is there on every system; 0 says so.
	w.written, _ = procWritten(s.pid())
	if values, err := s.metrics(); err == nil {
		for _, name := range writtenMetrics {
			w.said += int64(values[name])
		}
	}
	if w.blocks, w.blockFiles, err = s.blockBytes(); err != nil {
		return nil, err
	}
	w.stopped, w.stopErr = s.stop()
	return w, nil
}

// ofWrites takes one value of each write run. settled asks for runs that got
// everything into blocks.
func (l *lab) ofWrites(settled bool, format string, value func(*writeRun) float64, note func(*writeRun) string) (measured, error) {
	runs, err := l.writeRuns()
	if err != nil {
		return measured{}, err
	}
	m := measured{format: format}
	for i := range runs {
		if settled && runs[i].flushErr != nil {
			return m, runs[i].flushErr
		}
		m.values = append(m.values, value(&runs[i]))
	}
	if note != nil {
		m.note = note(&runs[len(runs)-1])
	}
	return m, nil
}

func serverCPU(l *lab) (measured, error) {
	return l.ofWrites(true, "%.2f CPU-s", func(w *writeRun) float64 { return w.perMillion(w.allCPU) }, nil)
}

func serverCPUUntilAck(l *lab) (measured, error) {
	return l.ofWrites(false, "%.2f CPU-s", func(w *writeRun) float64 { return w.perMillion(w.ackCPU) }, nil)
}

func blockBytesPerSpan(l *lab) (measured, error) {
	return l.ofWrites(true, "%.1f B", func(w *writeRun) float64 { return w.perSpan(w.blocks) }, func(w *writeRun) string {
		return fmt.Sprintf("%d files; %.0f B/span as sent", w.blockFiles, w.report.BytesPerSpan)
	})
}

func writtenBytesPerSpan(l *lab) (measured, error) {
	return l.ofWrites(true, "%.0f B", func(w *writeRun) float64 { return w.perSpan(max(w.written, w.said)) }, func(w *writeRun) string {
		return fmt.Sprintf("the kernel counts %.0f B, the server's metrics %.0f B", w.perSpan(w.written), w.perSpan(w.said))
	})
}

func acceptedPerSecond(l *lab) (measured, error) {
	return l.ofWrites(false, "%.0f", func(w *writeRun) float64 { return w.report.SpansPerSecond }, func(w *writeRun) string {
		return fmt.Sprintf("500 spans a request, 4 connections; ack p50 %.1f ms, p99 %.1f ms; the generator used %.2f CPU-s", w.report.AckMS.P50, w.report.AckMS.P99, w.report.CPU.Process)
	})
}

func peakMemory(l *lab) (measured, error) {
	return l.ofWrites(false, "%.2f GiB", func(w *writeRun) float64 { return float64(w.peak) / (1 << 30) }, func(w *writeRun) string {
		return fmt.Sprintf("%d spans", w.report.Spans.Acked)
	})
}

func stopTime(l *lab) (measured, error) {
	m, err := l.ofWrites(false, "%.2f s", func(w *writeRun) float64 { return w.stopped.Seconds() }, nil)
	for _, w := range l.writes {
		if err == nil && w.stopErr != nil {
			err = w.stopErr
		}
	}
	return m, err
}
