package ingester

import (
	"fmt"
	"runtime/debug"
	"time"

	"github.com/clewtrace/clew/ingester/portion"
	"github.com/clewtrace/clew/ingester/wal"
	"github.com/clewtrace/clew/storage"
	"github.com/clewtrace/clew/storage/columns"
	"github.com/clewtrace/clew/storage/tenant"
)

func (i *Ingester) instance(id tenant.ID) *instance {
	i.mu.Lock()
	defer i.mu.Unlock()
	in := i.tenants[id]
	if in == nil {
		in = newInstance(id)
		i.tenants[id] = in
	}
	return in
}

// instances returns all of them, in no order.
func (i *Ingester) instances() []*instance {
	i.mu.Lock()
	defer i.mu.Unlock()
	out := make([]*instance, 0, len(i.tenants))
	for _, in := range i.tenants {
		out = append(out, in)
	}
	return out
}

// take decodes a portion of the log into the open head of in, whose lock the
// caller holds, and cuts the head if it is full.
func (i *Ingester) take(in *instance, p *portion.Portion, pos wal.Position, raw []byte) (rejected map[string]int) {
	h := in.head()
	rejected, decoded := i.decode(in, h, p, raw)
	if decoded {
		h.note(p, pos, time.Now())
	}
	if h.size >= int64(i.cfg.Block.MaxBytes) {
		i.cut(in, "size")
	}
	return rejected
}

// decode appends a portion to the columns of h. Decoding is guarded: a portion
// that hits a bug stays in the log, is counted and named in answers, and takes
// nothing else with it; decoded is false then.
func (i *Ingester) decode(in *instance, h *head, p *portion.Portion, raw []byte) (rejected map[string]int, decoded bool) {
	defer func() {
		if v := recover(); v != nil {
			i.quarantine(in, p, fmt.Errorf("bug: %v", v), string(debug.Stack()))
			rejected, decoded = map[string]int{"quarantined": p.Spans}, false
		}
		size, rows := h.set.Bytes(), int64(h.set.Len())
		i.live.Add(size - h.size)
		i.spans.Add(rows - h.rows)
		h.size, h.rows = size, rows
	}()
	res, err := h.set.Append(raw, p.ReceivedUnixNano)
	i.m.spans.Add(float64(res.Spans))
	if err != nil {
		i.opts.Logger.Error("portion is malformed", "tenant", p.Stream.Tenant, "seq", p.Seq, "err", err)
		rejected = map[string]int{columns.ReasonMalformedSpan: p.Spans - res.Spans}
	}
	for reason, n := range res.Rejected {
		if rejected == nil {
			rejected = map[string]int{}
		}
		rejected[reason] += n
	}
	for reason, n := range rejected {
		i.m.rejected.WithLabelValues(reason).Add(float64(n))
	}
	return rejected, true
}

// quarantine leaves a portion in the log and names it wherever its spans might
// be missed. The caller holds the lock of in.
func (i *Ingester) quarantine(in *instance, p *portion.Portion, err error, stack string) {
	i.m.quarantined.Inc()
	name := fmt.Sprintf("portion %d of stream %s", p.Seq, p.Stream.Boot)
	i.opts.Logger.Error("portion cannot be decoded and stays in the log", "tenant", p.Stream.Tenant, "portion", name, "spans", p.Spans, "err", err, "stack", stack)
	in.quarantine(storage.FailedSource{Name: name, Reason: err.Error()})
}

// Recent returns the sources that hold the tenant's spans which are in no block
// that version of the block list has, each to be released. stale means that
// the version is too old for that: read the list again, then ask again.
func (i *Ingester) Recent(id tenant.ID, version uint64) (r storage.Recent, stale bool) {
	r.Replaying = i.Replaying()
	i.mu.Lock()
	in := i.tenants[id]
	i.mu.Unlock()
	if in == nil {
		return r, false
	}
	v := in.view.Load()
	if v.dropped > version {
		return storage.Recent{}, true
	}
	for _, h := range v.heads {
		parts := h.set.Parts()
		r.Sources = append(r.Sources, parts[:]...)
	}
	r.Failed = v.quarantined
	return r, false
}
