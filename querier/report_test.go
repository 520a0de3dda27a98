package querier_test

import (
	"bytes"
	"log/slog"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/clewtrace/clew/querier"
	"github.com/clewtrace/clew/storage/block"
	"github.com/clewtrace/clew/storage/columns"
	"github.com/clewtrace/clew/storage/tenant"
	"github.com/clewtrace/clew/storage/trace"
)

// TestFailuresAreReported reads a damaged block again and again: each answer
// says so and counts right, the metric counts them, and the log has one line.
func TestFailuresAreReported(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	spans := randomSpans(rng)
	set := columns.New("set", columns.DefaultOptions())
	if _, err := set.Append(encode(t, spans), base); err != nil {
		t.Fatal(err)
	}
	b, files := toBlock(t, rng, set, 1, nil)
	files.fail.Store(true)
	m := &mixed{blocks: []*block.Block{b}}
	reg, log := prometheus.NewRegistry(), new(bytes.Buffer)
	q := querier.New(m, m, querier.Options{Logger: slog.New(slog.NewTextHandler(log, nil)), Registerer: reg})
	const times = 3
	for range times {
		_, c, err := q.Trace(t.Context(), tenant.Single, trace.ID(spans[0].trace))
		if err != nil || c.Complete() || len(c.Failed) == 0 || c.SourcesRead != c.SourcesPlanned-len(c.Failed) {
			t.Fatalf("%+v, %v", c, err)
		}
	}
	families, err := reg.Gather()
	if err != nil || len(families) != 1 {
		t.Fatal(families, err)
	}
	if n := families[0].Metric[0].Counter.GetValue(); n < times {
		t.Errorf("%v failures counted of %d", n, times)
	}
	parts := strings.Count(log.String(), "\n")
	if parts < 1 || parts > 2 || !strings.Contains(log.String(), "block ") {
		t.Errorf("%d lines in the log, want one a part of the block:\n%s", parts, log)
	}
}
