package main

import (
	"encoding/json"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"github.com/clewtrace/clew/cmd/internal/conf"
	"github.com/clewtrace/clew/cmd/internal/status"
	"github.com/clewtrace/clew/storage/setting"
)

// pages are the pages of /status, the index first.
func (o *ops) pages(started time.Time) []status.Page {
	pages := []status.Page{
		{Name: "config", Title: "Configuration", About: "The values in force and where they come from. Secrets are hidden.", Load: o.configPage},
		{Name: "version", Title: "Version", About: "What the program was built from, and the limits of its process.", Load: func(*http.Request) (*status.View, error) { return o.versionPage(started) }},
		{Name: "doors", Title: "Doors", About: "The ports that are open, and the keys that choose them.", Load: o.doorsPage},
		{Name: "log", Title: "Log", About: "The write-ahead log: what it holds, how fast the disk is, and what could not be read.", Load: o.logPage},
		{Name: "live", Title: "Live spans", About: "Spans that are in memory and in the log, and in no block yet.", Load: o.livePage},
		{Name: "blocks", Title: "Blocks", About: "Blocks in the store, by tenant.", Load: o.blocksPage},
		{Name: "caches", Title: "Caches", About: "Decoded parts of blocks that are kept in memory.", Load: o.cachesPage},
		{Name: "tenants", Title: "Tenants", About: "What each tenant has, in memory and in blocks.", Load: o.tenantsPage},
		{Name: "metrics", Title: "Metrics", About: "Every metric that /metrics may have, also those without a value yet.", Load: o.metricsPage},
	}
	index := status.Page{Title: "Status", About: "What this process is, does and holds.", Load: func(*http.Request) (*status.View, error) { return o.indexPage(started, pages) }}
	return append([]status.Page{index}, pages...)
}

// doorStatus is one open port.
type doorStatus struct {
	Name, Key, Address string
}

func (o *ops) openDoors() (open []doorStatus) {
	for _, d := range o.doors() {
		open = append(open, doorStatus{d.name, d.key, d.listener.Addr().String()})
	}
	return open
}

func (o *ops) indexPage(started time.Time, pages []status.Page) (*status.View, error) {
	ing, blocks := o.ing.Stats(), o.blocks.Stats()
	ready := "yes"
	if ing.Replaying {
		ready = "yes; the log is still being read"
	}
	inBlocks, failed := uint64(0), 0
	for _, t := range blocks {
		inBlocks += t.Spans
		failed += t.Failed
	}
	names := make([]string, len(pages))
	all := &status.Table{Columns: []string{"Page", "Shows"}}
	for i, p := range pages {
		names[i] = "/status/" + p.Name
		all.Rows = append(all.Rows, []status.Cell{status.Link(p.Title, "status/"+p.Name), status.Text(p.About)})
	}
	also := &status.Table{Columns: []string{"Method", "Path", "Does"}}
	for _, e := range o.endpoints() {
		path := status.Code(e.path)
		if e.method == http.MethodGet {
			path = status.Link(e.path, strings.TrimPrefix(e.path, "/"))
		}
		also.Rows = append(also.Rows, []status.Cell{status.Code(e.method), path, status.Text(e.about)})
	}
	return &status.View{
		Data: map[string]any{"version": version, "data_dir": o.c.DataDir, "doors": o.openDoors(), "ingester": ing, "blocks": blocks, "pages": names},
		Sections: []status.Section{
			{Facts: []status.Fact{
				{Name: "Ready", Value: status.Text(ready)},
				{Name: "Running for", Value: status.Text(time.Since(started).Round(time.Second).String())},
				{Name: "Data", Value: status.Code(absolute(o.c.DataDir))},
				{Name: "Live spans", Value: status.Count(ing.LiveSpans)},
				{Name: "Spans in blocks", Value: status.Count(inBlocks)},
				{Name: "Damage", Value: damage(len(ing.Damage), failed)},
			}},
			{Title: "Pages", Table: all},
			{Title: "Also here", Table: also},
		},
	}, nil
}

// damage sums up what is wrong with data, in words.
func damage(ranges, blocks int) status.Cell {
	switch {
	case ranges == 0 && blocks == 0:
		return status.Text("none")
	case blocks == 0:
		return status.Text("in the log").BadIf(true)
	case ranges == 0:
		return status.Text("in blocks").BadIf(true)
	}
	return status.Text("in the log and in blocks").BadIf(true)
}

// absolute is a path that says where it is, if that can be found out.
func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

func (o *ops) configPage(*http.Request) (*status.View, error) {
	d := defaultConfig()
	fields, defaults := setting.Fields(o.c), setting.Fields(&d)
	table := &status.Table{Columns: []string{"Key", "Value", "Default", "From"}}
	for i := range fields {
		f := &fields[i]
		if f.Section {
			continue
		}
		value, def, from := conf.Text(f.Value), conf.Text(defaults[i].Value), o.c.origins[f.Key]
		if from == "" {
			from, def = "default", ""
		}
		table.Rows = append(table.Rows, []status.Cell{status.Code(f.Key), status.Code(value), status.Code(def), status.Text(from)})
	}
	doc := conf.YAML(o.c, nil)
	return &status.View{Data: json.RawMessage(conf.JSON(o.c)), YAML: conf.YAML(o.c, configComments(o.c)), Sections: []status.Section{
		{Table: table},
		{Title: "As a file", Text: string(doc)},
	}}, nil
}

func (o *ops) versionPage(started time.Time) (*status.View, error) {
	b, limit := readBuildInfo(), o.memory
	revision := b.Revision
	if b.Modified {
		revision += " with changes"
	}
	unknown := func(s string) status.Cell {
		if s == "" {
			return status.Text("not recorded")
		}
		return status.Code(s)
	}
	return &status.View{
		Data: struct {
			buildInfo
			Started     time.Time     `json:"started"`
			MemoryLimit setting.Bytes `json:"memory_limit_bytes"` // 0: none
			LimitFrom   string        `json:"memory_limit_from"`
			LogLevel    string        `json:"log_level"`
		}{b, started.UTC(), limit.bytes, limit.from, levelName(o.level.Level())},
		Sections: []status.Section{{Facts: []status.Fact{
			{Name: "Version", Value: status.Code(b.Version)},
			{Name: "Revision", Value: unknown(revision)},
			{Name: "Time of the revision", Value: unknown(b.Time)},
			{Name: "Go", Value: status.Code(b.GoVersion + " " + b.Platform)},
			{Name: "Started", Value: status.Time(started)},
			{Name: "Memory limit", Value: status.Text(limit.String())},
			{Name: "Log level", Value: status.Code(levelName(o.level.Level()))},
		}}},
	}, nil
}

func (o *ops) doorsPage(*http.Request) (*status.View, error) {
	type row struct {
		Name    string `json:"name"`
		Address string `json:"address"`
		Key     string `json:"key"`
	}
	rows, table := []row{}, &status.Table{Columns: []string{"Serves", "Address", "Key"}}
	for _, d := range o.openDoors() {
		rows = append(rows, row{d.Name, d.Address, d.Key})
		table.Rows = append(table.Rows, []status.Cell{status.Text(d.Name), status.Code(d.Address), status.Code(d.Key)})
	}
	return &status.View{Data: rows, Sections: []status.Section{{Table: table}}}, nil
}

func (o *ops) metricsPage(*http.Request) (*status.View, error) {
	all := o.reg.metrics()
	table := &status.Table{Columns: []string{"Name", "Type", "Labels", "Means"}}
	for _, m := range all {
		table.Rows = append(table.Rows, []status.Cell{status.Code(m.Name), status.Text(m.Type), status.Text(strings.Join(m.Labels, ", ")), status.Text(m.Help)})
	}
	return &status.View{Data: all, Sections: []status.Section{{Table: table}}}, nil
}
