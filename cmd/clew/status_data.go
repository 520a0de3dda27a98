package main

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"github.com/clewtrace/clew/cmd/internal/status"
	"github.com/clewtrace/clew/storage/block"
	"github.com/clewtrace/clew/storage/setting"
	"github.com/clewtrace/clew/storage/tenant"
)

// logStatus is the log as /status/log shows it.
type logStatus struct {
	Dir       string         `json:"dir"`
	Segments  int            `json:"segments"`
	Bytes     int64          `json:"bytes"`
	LiveBytes int64          `json:"live_bytes"` // needed: in no block yet
	MaxBytes  setting.Bytes  `json:"max_bytes"`
	MinFree   setting.Bytes  `json:"min_free_bytes"`
	Refusing  bool           `json:"refusing"` // one of the budgets is used up
	Replaying bool           `json:"replaying"`
	Next      uint64         `json:"next"`   // position of the next record
	Synced    uint64         `json:"synced"` // all below are on disk
	Fsyncs    int            `json:"fsyncs"`
	FsyncP50  float64        `json:"fsync_p50_seconds"` // of the last 1,024
	FsyncP99  float64        `json:"fsync_p99_seconds"`
	Damage    []damageStatus `json:"damage"`
}

type damageStatus struct {
	Segment string `json:"segment"`
	Offset  int64  `json:"offset"`
	Bytes   int64  `json:"bytes"`
	From    uint64 `json:"from"`
	To      uint64 `json:"to"`
	Reason  string `json:"reason"`
}

func (o *ops) logPage(*http.Request) (*status.View, error) {
	st := o.ing.Stats()
	l := st.Log
	limits := o.c.Ingester.Log
	data := logStatus{
		Dir: l.Dir, Segments: l.Segments, Bytes: l.Bytes, LiveBytes: l.LiveBytes, MaxBytes: limits.MaxBytes, MinFree: limits.MinFreeBytes,
		Refusing: l.Full, Replaying: st.Replaying, Next: uint64(l.Next), Synced: uint64(l.Synced),
		Fsyncs: l.Fsyncs, FsyncP50: l.FsyncP50.Seconds(), FsyncP99: l.FsyncP99.Seconds(), Damage: []damageStatus{},
	}
	table := &status.Table{Columns: []string{"Segment", "Offset", "Bytes", "Positions", "Reason"}, Empty: "None was found when the log was read."}
	if st.Replaying {
		table.Empty = "The log is still being read."
	}
	for _, d := range st.Damage {
		data.Damage = append(data.Damage, damageStatus{d.Segment, d.Offset, d.Bytes, uint64(d.From), uint64(d.To), d.Reason})
		table.Rows = append(table.Rows, []status.Cell{status.Code(d.Segment), status.Count(d.Offset), status.Bytes(d.Bytes),
			status.Text(fmt.Sprintf("%d to %d", d.From, d.To)), status.Text(d.Reason).BadIf(true)})
	}
	takes := status.Text("pushes")
	if l.Full {
		takes = status.Text("nothing: a budget is used up").BadIf(true)
	}
	return &status.View{Data: data, Sections: []status.Section{
		{Facts: []status.Fact{
			{Name: "Takes", Value: takes},
			{Name: "Segments", Value: status.Count(l.Segments)},
			{Name: "Size", Value: status.Bytes(l.Bytes)},
			{Name: "Needed, as in no block yet", Value: status.Bytes(l.LiveBytes)},
			{Name: "Budget (ingester.log.max_bytes)", Value: status.Bytes(int64(limits.MaxBytes))},
			{Name: "Left free on the disk (ingester.log.min_free_bytes)", Value: status.Bytes(int64(limits.MinFreeBytes))},
			{Name: "Next position", Value: status.Count(uint64(l.Next))},
			{Name: "Synced below", Value: status.Count(uint64(l.Synced))},
			{Name: "Fsync, median of the last 1,024", Value: status.Duration(l.FsyncP50)},
			{Name: "Fsync, 99th percentile", Value: status.Duration(l.FsyncP99)},
			{Name: "Folder", Value: status.Code(absolute(l.Dir))},
		}},
		{Title: "Damage", Note: "What could not be read in the log, and was passed over: acknowledged spans may be lost there.", Table: table},
	}}, nil
}

func (o *ops) livePage(*http.Request) (*status.View, error) {
	st := o.ing.Stats()
	type row struct {
		Tenant tenant.ID `json:"tenant"`
		Spans  int       `json:"spans"`
		Bytes  int64     `json:"bytes"`
		Open   int       `json:"open"`
		Sealed int       `json:"sealed"`
	}
	data := struct {
		Spans    int64         `json:"spans"`
		Bytes    int64         `json:"bytes"`
		MaxBytes setting.Bytes `json:"max_bytes"`
		Waiting  int           `json:"heads_waiting"` // sealed, to become blocks
		Tenants  []row         `json:"tenants"`
	}{st.LiveSpans, st.LiveBytes, o.c.Ingester.MaxLiveBytes, st.Waiting, []row{}}
	table := &status.Table{Columns: []string{"Tenant", "Spans", "Memory", "Open heads", "Sealed heads"}, Empty: "All spans are in blocks."}
	for _, t := range st.Tenants {
		data.Tenants = append(data.Tenants, row{t.Tenant, t.Spans, t.Bytes, t.Heads - t.Sealed, t.Sealed})
		table.Rows = append(table.Rows, []status.Cell{status.Code(string(t.Tenant)), status.Count(t.Spans), status.Bytes(t.Bytes), status.Count(t.Heads - t.Sealed), status.Count(t.Sealed)})
	}
	return &status.View{Data: data, Sections: []status.Section{
		{Facts: []status.Fact{
			{Name: "Spans", Value: status.Count(st.LiveSpans)},
			{Name: "Memory", Value: status.Bytes(st.LiveBytes)},
			{Name: "Budget (ingester.max_live_bytes)", Value: status.Bytes(int64(o.c.Ingester.MaxLiveBytes))},
			{Name: "Heads that wait to become blocks", Value: status.Count(st.Waiting)},
		}},
		{Title: "By tenant", Note: "Spans go into an open head until it is sealed; a sealed one becomes a block.", Table: table},
	}}, nil
}

func (o *ops) cachesPage(*http.Request) (*status.View, error) {
	st := o.cache.Stats()
	table := &status.Table{Columns: []string{"Part", "Hits", "Misses", "Hit rate"}}
	for _, p := range st.Parts {
		rate := "–"
		if n := p.Hits + p.Misses; n > 0 {
			rate = fmt.Sprintf("%.1f %%", 100*float64(p.Hits)/float64(n))
		}
		table.Rows = append(table.Rows, []status.Cell{status.Code(p.Part), status.Count(p.Hits), status.Count(p.Misses), {Text: rate, Number: true}})
	}
	return &status.View{Data: map[string]block.CacheStats{"blocks": st}, Sections: []status.Section{
		{Facts: []status.Fact{
			{Name: "Kept", Value: status.Bytes(st.Bytes)},
			{Name: "Budget (storage.cache_bytes)", Value: status.Bytes(st.MaxBytes)},
		}},
		{Title: "Parts of blocks", Table: table},
	}}, nil
}

// tenantStatus is one tenant as /status/tenants shows it.
type tenantStatus struct {
	Tenant      tenant.ID `json:"tenant"`
	LiveSpans   int       `json:"live_spans"`
	LiveBytes   int64     `json:"live_bytes"`
	Blocks      int       `json:"blocks"`
	Failed      int       `json:"failed_blocks"`
	BlockSpans  uint64    `json:"block_spans"`
	BlocksBytes uint64    `json:"block_bytes"`
}

func (o *ops) tenantsPage(*http.Request) (*status.View, error) {
	all := map[tenant.ID]*tenantStatus{}
	of := func(id tenant.ID) *tenantStatus {
		if all[id] == nil {
			all[id] = &tenantStatus{Tenant: id}
		}
		return all[id]
	}
	for _, t := range o.ing.Stats().Tenants {
		of(t.Tenant).LiveSpans, of(t.Tenant).LiveBytes = t.Spans, t.Bytes
	}
	for _, t := range o.blocks.Stats() {
		s := of(t.Tenant)
		s.Blocks, s.Failed, s.BlockSpans, s.BlocksBytes = t.Blocks, t.Failed, t.Spans, t.Bytes
	}
	data := make([]*tenantStatus, 0, len(all))
	for _, t := range all {
		data = append(data, t)
	}
	slices.SortFunc(data, func(a, b *tenantStatus) int { return cmp.Compare(a.Tenant, b.Tenant) })
	table := &status.Table{Columns: []string{"Tenant", "Live spans", "Memory", "Blocks", "Failed", "Spans in blocks", "Size of blocks"}, Empty: "No spans were pushed yet."}
	for _, t := range data {
		name := status.Code(string(t.Tenant))
		if t.Blocks+t.Failed > 0 {
			name = status.Link(string(t.Tenant), "blocks?tenant="+url.QueryEscape(string(t.Tenant)))
		}
		table.Rows = append(table.Rows, []status.Cell{name, status.Count(t.LiveSpans), status.Bytes(t.LiveBytes),
			status.Count(t.Blocks), status.Count(t.Failed).BadIf(t.Failed > 0), status.Count(t.BlockSpans), status.Bytes(t.BlocksBytes)})
	}
	return &status.View{Data: data, Sections: []status.Section{{Table: table}}}, nil
}
