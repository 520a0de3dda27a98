package main

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/clewtrace/clew/cmd/internal/status"
	"github.com/clewtrace/clew/storage/block"
	"github.com/clewtrace/clew/storage/blocklist"
	"github.com/clewtrace/clew/storage/tenant"
)

// blocksPage sums up each tenant's blocks, or lists those of one.
func (o *ops) blocksPage(r *http.Request) (*status.View, error) {
	if r.URL.Query().Has("tenant") {
		return o.tenantBlocksPage(r.URL.Query())
	}
	data := o.blocks.Stats()
	slices.SortFunc(data, func(a, b blocklist.TenantStats) int { return cmp.Compare(a.Tenant, b.Tenant) })
	table := &status.Table{Columns: []string{"Tenant", "Blocks", "Failed", "Spans", "Size"}, Empty: "There are no blocks yet."}
	for _, t := range data {
		table.Rows = append(table.Rows, []status.Cell{status.Link(string(t.Tenant), "blocks?tenant="+url.QueryEscape(string(t.Tenant))),
			status.Count(t.Blocks), status.Count(t.Failed).BadIf(t.Failed > 0), status.Count(t.Spans), status.Bytes(t.Bytes)})
	}
	return &status.View{Data: data, Sections: []status.Section{{Table: table}}}, nil
}

// blockStatus is one block as /status/blocks?tenant= shows it.
type blockStatus struct {
	Block    ulid.ULID `json:"block"`
	Created  time.Time `json:"created"`
	Spans    uint64    `json:"spans"`
	Traces   uint64    `json:"traces"`
	Wild     uint64    `json:"wild_traces"`    // those of them with times far from when they came; not in the range
	Start    time.Time `json:"start,omitzero"` // of the first span
	End      time.Time `json:"end,omitzero"`   // of the last one to end
	Bytes    uint64    `json:"bytes"`
	Level    int       `json:"level"`
	Portions uint64    `json:"portions"` // of the log that it covers
}

type failedStatus struct {
	Name   string `json:"name"`
	Reason string `json:"reason"`
}

// Blocks in one answer: unless asked otherwise, and at most.
const (
	defaultBlocks = 100
	maxBlocks     = 1000
)

// tenantBlocksPage lists a tenant's blocks, newest first: limit of them, those
// before the block whose ID is the parameter before.
func (o *ops) tenantBlocksPage(q url.Values) (*status.View, error) {
	id, err := tenant.Parse(q.Get("tenant"))
	if err != nil {
		return nil, badParameter("tenant", err)
	}
	limit := defaultBlocks
	if s := q.Get("limit"); s != "" {
		if limit, err = strconv.Atoi(s); err != nil || limit < 1 || limit > maxBlocks {
			return nil, badParameter("limit", fmt.Errorf("%.40q is not a number from 1 to %d", s, maxBlocks))
		}
	}
	var before *ulid.ULID
	if s := q.Get("before"); s != "" {
		b, err := ulid.ParseStrict(s)
		if err != nil {
			return nil, badParameter("before", fmt.Errorf("%.40q is not the ID of a block", s))
		}
		before = &b
	}
	v := o.blocks.View(id)
	if len(v.Blocks) == 0 && len(v.Failed) == 0 {
		return nil, &status.Error{Code: http.StatusNotFound, Msg: fmt.Sprintf("tenant %s has no blocks", id)}
	}
	metas := make([]*block.Meta, 0, len(v.Blocks))
	for _, b := range v.Blocks {
		if m := b.Meta(); before == nil || m.Block.Compare(*before) < 0 {
			metas = append(metas, m)
		}
	}
	slices.SortFunc(metas, func(a, b *block.Meta) int { return b.Block.Compare(a.Block) })
	more := len(metas) > limit
	metas = metas[:min(limit, len(metas))]
	data := struct {
		Tenant tenant.ID      `json:"tenant"`
		Total  int            `json:"total"`
		Blocks []blockStatus  `json:"blocks"`
		Before string         `json:"next_before,omitempty"` // where there are more
		Failed []failedStatus `json:"failed"`
	}{Tenant: id, Total: len(v.Blocks), Blocks: []blockStatus{}, Failed: []failedStatus{}}
	for _, f := range v.Failed[:min(len(v.Failed), maxBlocks)] {
		data.Failed = append(data.Failed, failedStatus{f.Name, f.Reason})
	}
	table := &status.Table{Columns: []string{"Block", "Spans", "Traces", "From", "To", "Size", "Level", "Portions"}, Empty: "There are none."}
	for _, m := range metas {
		b := newBlockStatus(m)
		data.Blocks = append(data.Blocks, b)
		table.Rows = append(table.Rows, []status.Cell{status.Code(b.Block.String()), status.Count(b.Spans), status.Count(b.Traces), status.Time(b.Start), status.Time(b.End),
			status.Bytes(b.Bytes), status.Count(b.Level), status.Count(b.Portions)})
	}
	sections := []status.Section{{Title: "Blocks of " + string(id), Note: fmt.Sprintf("%d of %d, newest first.", len(metas), len(v.Blocks)), Table: table}}
	if more {
		data.Before = metas[len(metas)-1].Block.String()
		next := url.Values{"tenant": {string(id)}, "limit": {strconv.Itoa(limit)}, "before": {data.Before}}
		sections = append(sections, status.Section{Facts: []status.Fact{{Name: "There are more", Value: status.Link("older blocks", "blocks?"+next.Encode())}}})
	}
	if len(data.Failed) > 0 {
		failed := &status.Table{Columns: []string{"Block", "Reason"}}
		for _, f := range data.Failed {
			failed.Rows = append(failed.Rows, []status.Cell{status.Code(f.Name), status.Text(f.Reason).BadIf(true)})
		}
		sections = append(sections, status.Section{Title: "Blocks that cannot be read", Note: "What they hold is missing from every answer, which says so.", Table: failed})
	}
	return &status.View{Data: data, Sections: sections}, nil
}

func newBlockStatus(m *block.Meta) blockStatus {
	b := blockStatus{Block: m.Block, Created: m.Created, Spans: m.Rows, Traces: m.Traces, Wild: m.Wild.Traces, Level: m.Level}
	if m.Normal.Rows > 0 {
		b.Start, b.End = time.Unix(0, int64(m.Normal.MinStart)).UTC(), time.Unix(0, int64(m.Normal.MaxEnd)).UTC()
	}
	for i := range m.Objects {
		b.Bytes += m.Objects[i].Size
	}
	for i := range m.Coverage {
		b.Portions += m.Coverage[i].Intervals.Count()
	}
	return b
}

func badParameter(name string, err error) error {
	return &status.Error{Code: http.StatusBadRequest, Msg: fmt.Sprintf("parameter %s: %v", name, err)}
}
