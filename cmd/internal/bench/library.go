package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/clewtrace/clew/cmd/internal/loadgen"
	"github.com/clewtrace/clew/cmd/internal/loadgen/drive"
)

// library is a server with a large number of spans in blocks, and what is
// known of them.
type library struct {
	server     *server
	report     *drive.Report
	peak       int64
	settledErr error // why not everything is in blocks
	blocks     int64
	truth      truth
	from, to   time.Time // encloses all spans
}

// truth remembers of the traffic what questions need.
type truth struct {
	traces  []knownTrace             // a sample of those with at most 100 spans
	users   map[string]int           // spans by user.id
	longest map[string]time.Duration // span by service
	current knownTrace
	seen    int
}

type knownTrace struct {
	id    [16]byte
	spans int
}

const (
	traceSample    = 400
	mostTraceSpans = 100
)

// watch is called with every span; those of a trace come one after the other.
func (t *truth) watch(s *loadgen.Span) {
	if s.Trace != t.current.id {
		t.endTrace()
		t.current = knownTrace{id: s.Trace}
	}
	t.current.spans++
	if s.User != "" {
		t.users[s.User]++
	}
	if d := time.Duration(s.End - s.Start); d > t.longest[s.Service] {
		t.longest[s.Service] = d
	}
}

// endTrace keeps the trace that has ended in a sample spread over the time.
func (t *truth) endTrace() {
	if t.current.spans == 0 || t.current.spans > mostTraceSpans {
		return
	}
	t.seen++
	if len(t.traces) < traceSample {
		t.traces = append(t.traces, t.current)
		return
	}
	// Any place with the right probability; the ID's own bits are the dice.
	if at := int(uint64(t.current.id[8])<<24|uint64(t.current.id[9])<<16|uint64(t.current.id[10])<<8|uint64(t.current.id[11])) % t.seen; at < traceSample {
		t.traces[at] = t.current
	}
}

// rareUsers returns users with one to three spans, sorted.
func (t *truth) rareUsers() []string {
	var out []string
	for u, n := range t.users {
		if n <= 3 {
			out = append(out, u)
		}
	}
	slices.Sort(out)
	return out
}

// library feeds a server with four times the spans of a write run.
func (l *lab) library() (*library, error) {
	if l.big == nil && l.bigErr == nil {
		l.big, l.bigErr = l.newLibrary()
	}
	return l.big, l.bigErr
}

func (l *lab) newLibrary() (*library, error) {
	s, err := l.newServer("")
	if err != nil {
		return nil, err
	}
	b := &library{server: s, truth: truth{users: make(map[string]int), longest: make(map[string]time.Duration)}}
	if b.report, err = l.feed(s, 4*l.spans, b.truth.watch); err == nil {
		b.truth.endTrace()
		b.settledErr = s.flush(l.ctx)
		b.peak, err = procPeak(s.pid())
	}
	if err == nil {
		b.blocks, _, err = s.blockBytes()
	}
	if err != nil {
		l.discard(s)
		return nil, err
	}
	b.from = l.began.Add(-time.Duration(float64(4*l.spans)/loadgen.DefaultConfig().SpansPerSecond*1e9) - 10*time.Minute)
	b.to = l.began.Add(10 * time.Minute)
	l.progress("%d spans, %.0f spans/s, blocks of %.0f MB", b.report.Spans.Acked, b.report.SpansPerSecond, float64(b.blocks)/1e6)
	return b, nil
}

// notFromBlocks says why answers do not come from blocks; empty if they do.
func (b *library) notFromBlocks() string {
	if b.settledErr != nil {
		return "not from blocks: " + firstLine(b.settledErr.Error())
	}
	return ""
}

func peakMemoryBig(l *lab) (measured, error) {
	b, err := l.library()
	if err != nil {
		return measured{}, err
	}
	return measured{
		values: []float64{float64(b.peak) / (1 << 30)}, format: "%.2f GiB",
		note: fmt.Sprintf("%d spans, %.0f spans/s", b.report.Spans.Acked, b.report.SpansPerSecond), void: b.notFromBlocks(),
	}, nil
}

func hexID(id [16]byte) string { return strings.ToLower(fmt.Sprintf("%x", id[:])) }
