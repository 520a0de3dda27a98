package ingester

import (
	"cmp"
	"slices"

	"github.com/clewtrace/clew/ingester/wal"
	"github.com/clewtrace/clew/storage/tenant"
)

// TenantStats is what an ingester holds of one tenant in memory.
type TenantStats struct {
	Tenant tenant.ID `json:"tenant"`
	Spans  int       `json:"spans"`
	Bytes  int64     `json:"bytes"`
	Heads  int       `json:"heads"`  // the open one, and those to become blocks
	Sealed int       `json:"sealed"` // those to become blocks
}

// Stats describes the ingester for a status page.
type Stats struct {
	Replaying bool          `json:"replaying"`
	LiveBytes int64         `json:"live_bytes"`
	LiveSpans int64         `json:"live_spans"`
	Waiting   int           `json:"heads_waiting"` // sealed, not yet in a block
	Log       wal.Stats     `json:"log"`
	Damage    []wal.Damage  `json:"damage"`
	Tenants   []TenantStats `json:"tenants"`
}

// Stats returns the present figures; tenants are sorted by name, and those
// without live spans left out.
func (i *Ingester) Stats() Stats {
	st := Stats{Replaying: i.Replaying(), LiveBytes: i.live.Load(), LiveSpans: i.spans.Load(), Waiting: len(i.builds.pending()), Log: i.log.Stats(), Damage: i.Damage()}
	for _, in := range i.instances() {
		t := TenantStats{Tenant: in.id}
		in.mu.Lock()
		v, open := in.view.Load(), in.open != nil
		in.mu.Unlock()
		if t.Sealed = len(v.heads); open {
			t.Sealed--
		}
		for _, h := range v.heads {
			t.Spans += h.set.Len()
			t.Bytes += h.set.Bytes()
			t.Heads++
		}
		if t.Heads > 0 {
			st.Tenants = append(st.Tenants, t)
		}
	}
	slices.SortFunc(st.Tenants, func(a, b TenantStats) int { return cmp.Compare(a.Tenant, b.Tenant) })
	return st
}
