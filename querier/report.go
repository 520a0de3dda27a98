package querier

import (
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/clewtrace/clew/storage/tenant"
)

// Options are what a Querier is built from beside its sources.
type Options struct {
	Logger     *slog.Logger          // may be nil
	Registerer prometheus.Registerer // may be nil
}

// reporter counts and logs the sources that could not be read, so that whoever
// runs Clew learns of a damaged block without reading answers.
type reporter struct {
	logger   *slog.Logger
	failures prometheus.Counter

	mu     sync.Mutex
	logged map[string]time.Time // by source, at most maxLogged of them
}

const (
	// logEvery is how often a source that fails again is logged again.
	logEvery = 10 * time.Minute
	// maxLogged bounds the sources that are remembered.
	maxLogged = 1024
)

func newReporter(o Options) *reporter {
	r := &reporter{logger: o.Logger, logged: map[string]time.Time{}, failures: prometheus.NewCounter(prometheus.CounterOpts{
		Name: "clew_querier_source_failures_total",
		Help: "Blocks and other sources that a query could not read; its answer said so.",
	})}
	if r.logger == nil {
		r.logger = slog.New(slog.DiscardHandler)
	}
	if o.Registerer != nil {
		o.Registerer.MustRegister(r.failures)
	}
	return r
}

// failed notes that a query could not read a source.
func (r *reporter) failed(id tenant.ID, source string, err error) {
	r.failures.Inc()
	key, now := string(id)+"/"+source, time.Now()
	r.mu.Lock()
	last, seen := r.logged[key]
	due := !seen || now.Sub(last) >= logEvery
	if due {
		if len(r.logged) >= maxLogged {
			clear(r.logged)
		}
		r.logged[key] = now
	}
	r.mu.Unlock()
	if due {
		r.logger.Error("a source cannot be read; answers say so", "tenant", id, "source", source, "err", err)
	}
}
