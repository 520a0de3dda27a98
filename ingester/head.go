package ingester

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/clewtrace/clew/ingester/portion"
	"github.com/clewtrace/clew/ingester/wal"
	"github.com/clewtrace/clew/storage"
	"github.com/clewtrace/clew/storage/block"
	"github.com/clewtrace/clew/storage/columns"
	"github.com/clewtrace/clew/storage/tenant"
)

// head is live columns that will be one block: whole portions, in the order of
// the log. Its fields are guarded by the lock of its instance; once it is
// sealed they do not change.
type head struct {
	set      *columns.Set
	portions map[portion.Stream]*block.Intervals
	records  []wal.Position // of the portions
	began    time.Time      // first append
	grew     time.Time      // last append
	size     int64          // of set, as counted in Ingester.live
	rows     int64          // as counted in Ingester.spans
}

func newHead(id tenant.ID) *head {
	return &head{set: columns.New("live columns of "+string(id), columns.DefaultOptions()), portions: map[portion.Stream]*block.Intervals{}}
}

// note adds a portion whose spans are in the set.
func (h *head) note(p *portion.Portion, pos wal.Position, now time.Time) {
	iv := h.portions[p.Stream]
	if iv == nil {
		iv = new(block.Intervals)
		h.portions[p.Stream] = iv
	}
	iv.Add(p.Seq, p.Seq)
	h.records = append(h.records, pos)
	if h.began.IsZero() {
		h.began = now
	}
	h.grew = now
}

// coverage is what a block of the head covers.
func (h *head) coverage() []block.Coverage {
	out := make([]block.Coverage, 0, len(h.portions))
	for s, iv := range h.portions {
		c := streamCoverage(s)
		c.Intervals = *iv
		out = append(out, c)
	}
	return block.MergeCoverage(out)
}

func streamCoverage(s portion.Stream) block.Coverage {
	return block.Coverage{Boot: s.Boot, Builder: s.Builder.Name, Incarnation: s.Builder.Incarnation}
}

// instance is what the ingester holds of one tenant.
type instance struct {
	id   tenant.ID
	mu   sync.Mutex // one append at a time; also orders log and columns; guards open and view's change
	open *head      // nil until there is something in it
	view atomic.Pointer[view]
}

// view is what queries see of an instance. It is replaced as a whole.
type view struct {
	heads []*head // sealed ones, oldest first, then the open one
	// dropped is the version of the block list at which the last head was
	// dropped: whoever plans with an older one would miss its spans.
	dropped uint64
	// quarantined are portions that cannot be decoded, at most maxNamed of them.
	quarantined []storage.FailedSource
}

// maxNamed bounds how many quarantined portions are named.
const maxNamed = 64

func newInstance(id tenant.ID) *instance {
	in := &instance{id: id}
	in.view.Store(&view{})
	return in
}

// change replaces the view. The caller holds mu.
func (in *instance) change(fn func(v *view)) {
	v := *in.view.Load()
	v.heads = slices.Clone(v.heads)
	fn(&v)
	in.view.Store(&v)
}

// head returns the open head, making one if there is none. The caller holds mu.
func (in *instance) head() *head {
	if in.open == nil {
		in.open = newHead(in.id)
		in.change(func(v *view) { v.heads = append(v.heads, in.open) })
	}
	return in.open
}

// seal ends the open head and returns it, nil if there is none. The caller
// holds mu.
func (in *instance) seal() *head {
	h := in.open
	if h != nil {
		h.set.Seal()
		in.open = nil
	}
	return h
}

// drop removes a head whose spans are in the block list from version on.
func (in *instance) drop(h *head, version uint64) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.change(func(v *view) {
		v.heads = slices.DeleteFunc(v.heads, func(o *head) bool { return o == h })
		v.dropped = max(v.dropped, version)
	})
}

// quarantine names a portion that cannot be decoded.
func (in *instance) quarantine(f storage.FailedSource) {
	in.change(func(v *view) {
		if len(v.quarantined) < maxNamed {
			v.quarantined = append(slices.Clip(v.quarantined), f)
		}
	})
}
