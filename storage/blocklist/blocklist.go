// Package blocklist knows the blocks of each tenant: which there are, what
// portions they cover, and which could not be opened. Its state is what the
// store holds; the version of a tenant's list counts the changes since the
// process started, and moves in the same step as the list, so that a query can
// pin one version and the ingester can say whether it has dropped anything newer.
package blocklist

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/clewtrace/clew/storage"
	"github.com/clewtrace/clew/storage/backend/local"
	"github.com/clewtrace/clew/storage/block"
	"github.com/clewtrace/clew/storage/columns"
	"github.com/clewtrace/clew/storage/tenant"
)

// Options are what a List is built from beside its store.
type Options struct {
	Cache      *block.Cache // of decoded parts of blocks; nil keeps nothing
	Logger     *slog.Logger
	Registerer prometheus.Registerer // may be nil
}

// List is safe for concurrent use.
type List struct {
	store *local.Store
	opts  Options
	m     *metrics

	mu      sync.RWMutex
	tenants map[tenant.ID]*entry
}

// entry is one tenant. The slices of a View are never written to again.
type entry struct {
	view    View
	covered map[stream]block.Intervals
}

// stream is a stream of portions, within a tenant.
type stream struct {
	boot, incarnation [16]byte
	builder           string
}

func streamOf(c *block.Coverage) stream { return stream{c.Boot, c.Incarnation, c.Builder} }

// View is a tenant's list at one version. Do not write.
type View struct {
	Version uint64
	Blocks  []*block.Block
	// Failed are blocks that could not be opened: what they hold is missing
	// from every answer.
	Failed []storage.FailedSource
}

// Open reads the list from the store. A block whose meta.json cannot be read is
// named in the views of its tenant; a store that cannot be listed is an error.
func Open(store *local.Store, opts Options) (*List, error) {
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	l := &List{store: store, opts: opts, tenants: map[tenant.ID]*entry{}}
	l.m = newMetrics(opts.Registerer, l)
	ids, err := store.Tenants()
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		blocks, err := store.Blocks(id)
		if err != nil {
			return nil, err
		}
		for _, b := range blocks {
			m, err := store.Meta(id, b)
			if err == nil {
				err = l.add(m)
			}
			if err != nil {
				opts.Logger.Error("block cannot be opened; answers will say so", "tenant", id, "block", b, "err", err)
				e := l.entry(id)
				e.view.Failed = append(e.view.Failed, storage.FailedSource{Name: "block " + b.String(), Reason: err.Error()})
			}
		}
	}
	return l, nil
}

// entry returns the tenant's entry. The caller holds mu, or is alone.
func (l *List) entry(id tenant.ID) *entry {
	e := l.tenants[id]
	if e == nil {
		e = &entry{covered: map[stream]block.Intervals{}}
		l.tenants[id] = e
	}
	return e
}

// add puts a block that is in the store into the list.
func (l *List) add(m *block.Meta) error {
	b, err := block.Open(context.Background(), l.store.Objects(m.Tenant, m.Block), m, l.opts.Cache)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.entry(m.Tenant)
	blocks := make([]*block.Block, len(e.view.Blocks), len(e.view.Blocks)+1)
	copy(blocks, e.view.Blocks)
	e.view.Blocks = append(blocks, b)
	e.view.Version++
	for _, list := range [][]block.Coverage{m.Coverage, m.Quarantined} {
		for i := range list {
			s := streamOf(&list[i])
			e.covered[s] = e.covered[s].Union(list[i].Intervals)
		}
	}
	return nil
}

// View returns the tenant's list as it is now.
func (l *List) View(id tenant.ID) View {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if e := l.tenants[id]; e != nil {
		return e.view
	}
	return View{}
}

// Covered reports whether portion seq of a stream is in a block. Its intervals
// are ignored.
func (l *List) Covered(id tenant.ID, c *block.Coverage, seq uint64) bool {
	l.mu.RLock()
	defer l.mu.RUnlock()
	e := l.tenants[id]
	return e != nil && e.covered[streamOf(c)].Contains(seq)
}

// ErrUnknown reports that it is not known whether a block is in the store: the
// block is not in the list now, and may be after the next start.
var ErrUnknown = errors.New("outcome unknown")

// Write builds a block of a sealed Set, makes it durable and adds it to the
// list; the returned version of the list is the first with it. opts.Coverage is
// in force from then on, and only then. After an error the list is as before.
func (l *List) Write(ctx context.Context, set *columns.Set, opts block.WriteOptions) (*block.Meta, uint64, error) {
	began := time.Now()
	if opts.ID == (ulid.ULID{}) {
		opts.ID = ulid.Make()
	}
	out, err := l.store.Create(opts.Tenant, opts.ID)
	if err != nil {
		return nil, 0, err
	}
	m, err := block.Write(ctx, out, set, set.Order(), opts)
	if err != nil {
		return nil, 0, out.Abort(err)
	}
	if err := out.Commit(); err != nil {
		return nil, 0, fmt.Errorf("%w: %w", ErrUnknown, err)
	}
	if err := l.add(m); err != nil {
		return nil, 0, err
	}
	l.m.written(m, time.Since(began))
	return m, l.View(opts.Tenant).Version, nil
}

// TenantStats is what a List holds of one tenant.
type TenantStats struct {
	Tenant tenant.ID `json:"tenant"`
	Blocks int       `json:"blocks"`
	Failed int       `json:"failed,omitempty"`
	Spans  uint64    `json:"spans"`
	Bytes  uint64    `json:"bytes"`
}

// Stats describes each tenant's blocks, in no order.
func (l *List) Stats() []TenantStats {
	l.mu.RLock()
	defer l.mu.RUnlock()
	out := make([]TenantStats, 0, len(l.tenants))
	for id, e := range l.tenants {
		st := TenantStats{Tenant: id, Blocks: len(e.view.Blocks), Failed: len(e.view.Failed)}
		for _, b := range e.view.Blocks {
			st.Spans += b.Meta().Rows
			st.Bytes += size(b.Meta())
		}
		out = append(out, st)
	}
	return out
}

// size is that of all objects but meta.json.
func size(m *block.Meta) (n uint64) {
	for i := range m.Objects {
		n += m.Objects[i].Size
	}
	return n
}
