package block

import (
	"bytes"
	"context"
	"encoding/binary"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/clewtrace/clew/storage"
	"github.com/clewtrace/clew/storage/columns"
	"github.com/clewtrace/clew/storage/trace/tracetest"
)

// testdata/v1 is a block as version 1 wrote it, with the requests that it was
// made of and what it answered. It is never made again: a reader that cannot read
// it is wrong. (Until version 1 was final: -update.)
var update = flag.Bool("update", false, "write testdata again")

const (
	keptRequests = "requests.otlp.zst" // each behind its length as a uvarint
	keptAnswers  = "answers.txt"
)

// TestKeptBlock opens the block of version 1 and compares all that it says.
func TestKeptBlock(t *testing.T) {
	dir := filepath.Join("testdata", "v1")
	if *update {
		writeKept(t, dir)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: %d files, %v", dir, len(files), err)
	}
	objects := memory{}
	for _, f := range files {
		if objects[filepath.Base(f)], err = os.ReadFile(f); err != nil {
			t.Fatal(err)
		}
	}
	s := columns.New("kept", columns.DefaultOptions())
	want := map[[32]byte]int{}
	requests, err := decoder().DecodeAll(objects[keptRequests], make([]byte, 0, 1<<20))
	if err != nil {
		t.Fatal(err)
	}
	for b := requests; len(b) > 0; {
		n, k := binary.Uvarint(b)
		request := b[k : k+int(n)]
		if _, err := s.Append(request, testEpoch); err != nil {
			t.Fatal(err)
		}
		if err := tracetest.Identities(want, request); err != nil {
			t.Fatal(err)
		}
		b = b[k+int(n):]
	}
	s.Seal()
	got := map[[32]byte]int{}
	for raw := range readTraces(t, objects, s) {
		if err := tracetest.Identities(got, raw); err != nil {
			t.Fatal(err)
		}
	}
	for id := range want {
		want[id] = 1
	}
	if !maps.Equal(got, want) {
		t.Errorf("%d spans, want %d, or they differ", len(got), len(want))
	}
	if text := answers(t, objects); text != string(objects[keptAnswers]) {
		t.Errorf("%s differs:\n%s", keptAnswers, firstDifference(text, string(objects[keptAnswers])))
	}
	x, err := DecodeIndex(objects[IndexObject])
	if err != nil {
		t.Fatal(err)
	}
	checkParquet(t, s, objects[DataObject], x)
}

func firstDifference(got, want string) string {
	g, w := bytes.Split([]byte(got), []byte("\n")), bytes.Split([]byte(want), []byte("\n"))
	for i := range min(len(g), len(w)) {
		if !bytes.Equal(g[i], w[i]) {
			return fmt.Sprintf("line %d: %.200s\nwant    %.200s", i+1, g[i], w[i])
		}
	}
	return fmt.Sprintf("%d lines, want %d", len(g), len(w))
}

// answers is what a block says beside its spans, in lines.
func answers(t *testing.T, objects memory) string {
	t.Helper()
	var out bytes.Buffer
	line := func(format string, args ...any) { fmt.Fprintf(&out, format+"\n", args...) }
	m, err := ParseMeta(objects[MetaObject])
	if err != nil {
		t.Fatal(err)
	}
	line("%s %s %s level %d of %s: %d rows, %d traces, %d duplicates", m.Block, m.Tenant, m.Cluster, m.Level, m.Created, m.Rows, m.Traces, m.Duplicates)
	for _, p := range []*PartMeta{&m.Normal, &m.Wild} {
		line("part of %d rows, %d traces, starts %d to %d, ends to %d, traces start to %d, %s to %s", p.Rows, p.Traces, p.MinStart, p.MaxStart,
			p.MaxEnd, p.MaxTraceStart, p.IDs.Min, p.IDs.Max)
	}
	line("%s; %s; lineage %v", m.Codec, m.Promotion, m.Lineage)
	for _, c := range slices.Concat(m.Coverage, m.Quarantined) {
		line("portions of %s, %s, %s: %v", c.Boot, c.Builder, c.Incarnation, c.Intervals)
	}
	x, err := DecodeIndex(objects[IndexObject])
	if err != nil {
		t.Fatal(err)
	}
	for i := range x.RowGroups {
		g := &x.RowGroups[i]
		line("row group of %d rows from %d, wild %t, %d errors, starts %d to %d, durations %d to %d", g.Rows, g.FirstRow, g.Wild,
			g.Errors, g.MinStart, g.MaxStart, g.MinDuration, g.MaxDuration)
		for _, z := range g.Pages {
			line("  page of %d rows, starts %d to %d, durations %d to %d", z.Rows, z.MinStart, z.MaxStart, z.MinDur, z.MaxDur)
		}
	}
	for _, c := range x.Columns {
		line("column %+q %s %t %t %+q %s", c.Name, c.Physical, c.Optional, c.Attr, c.Key, c.Type)
	}
	tt := &x.Traces
	for i := range tt.IDs {
		root := "none"
		if tt.Root[i] != NoRow {
			root = fmt.Sprintf("%d %+q %+q", tt.Root[i], tt.Strings[tt.RootService[i]], tt.Strings[tt.RootName[i]])
		}
		line("trace %s from row %d, %d to %d, root %s, %d orphans", tt.IDs[i], tt.FirstRow[i], tt.Start[i], tt.End[i], root, tt.Orphans[i])
		for _, s := range tt.Services[tt.SvcFirst[i]:tt.SvcFirst[i+1]] {
			line("  %+q %d %d", tt.Strings[s.Service], s.Spans, s.Errors)
		}
	}
	minutes := func(list []MinuteStats) {
		for _, m := range list {
			line("  minute %d: %d spans, %d errors, %d ns, %v", m.Minute, m.Spans, m.Errors, m.DurationSum, m.Durations)
		}
	}
	for _, o := range x.Operations {
		line("operation %+q %+q %d", o.Service, o.Name, o.Kind)
		minutes(o.Minutes)
	}
	for _, e := range x.Edges {
		line("edge %+q %+q %d", e.Client, e.Server, e.Kind)
		minutes(e.Minutes)
	}
	for _, h := range x.HalfEdges {
		line("half-edge %s %s %s %+q %d %t %d %d", h.Trace, h.Parent, h.Span, h.Server, h.Kind, h.Error, h.Start, h.EndTime)
	}
	for _, l := range x.Linked {
		line("link to %s from %s", l.Target, l.Trace)
	}
	for _, n := range x.Names {
		line("name %d %+q %s %d", n.Scope, n.Key, n.Type, n.Count)
	}
	keptSearches(t, objects, m, line)
	return out.String()
}

func keptSearches(t *testing.T, objects memory, m *Meta, line func(string, ...any)) {
	t.Helper()
	ctx := context.Background()
	b, err := Open(ctx, objects, m, nil)
	if err != nil {
		t.Fatal(err)
	}
	parts, err := b.Parts(ctx)
	if err != nil {
		t.Fatal(err)
	}
	queries := map[string]storage.Query{"service shop": {Service: "shop"}, "operation get": {Operation: "get"}, "over 9 ms": {MinDuration: 9e6},
		"first half": {End: testEpoch + 5e8}, "second half": {Start: testEpoch + 5e8}}
	for _, tag := range []storage.Tag{{Key: "http.method", Value: "GET"}, {Key: "user.id", Value: "u1"}, {Key: "k1", Value: "200"}, {Key: "k2", Value: "7"},
		{Key: "http.status_code", Value: "200"}, {Key: "error", Value: "true"}, {Key: "span.kind", Value: "server"}, {Key: "otel.status_description", Value: "boom"}} {
		queries["tag "+tag.Key+"="+tag.Value] = storage.Query{Tags: []storage.Tag{tag}}
	}
	for _, name := range slices.Sorted(maps.Keys(queries)) {
		for i, p := range parts {
			q := queries[name]
			ms, err := p.Search(ctx, &q)
			if err != nil {
				t.Fatal(err)
			}
			line("search of part %d for %s: %v", i, name, matchIDs(ms))
		}
	}
}

// writeKept makes the block: requests with everything in them, several row
// groups, pages and bloom objects, wild traces, equal spans.
func writeKept(t *testing.T, dir string) {
	t.Helper()
	rng := rand.New(rand.NewPCG(2026, 1))
	gen := tracetest.New(rng, tracetest.Config{Traces: 30, Now: testEpoch})
	var requests encoder
	s := columns.New("kept", columns.DefaultOptions())
	for i := range 8 {
		b := gen.Request()
		for range 1 + i%5/4 { // some twice
			requests.bytes(b)
			if _, err := s.Append(b, testEpoch); err != nil {
				t.Fatal(err)
			}
		}
	}
	meta := testMeta()
	opts := WriteOptions{ID: ulid.MustParse("01KE5B3PT000000000000000V1"), Tenant: "tenant", ClusterID: "cluster", Level: 1,
		Created: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Lineage: meta.Lineage, Coverage: meta.Coverage, Quarantined: meta.Coverage,
		Promotion: Promotion{MaxColumns: 6, MinShare: 0.03, OperationShare: 2, ConventionShare: 2}, RowGroupRows: 40, PageRows: 11, shardTraces: 6}
	objects, _ := writeSet(t, s, opts)
	objects[keptRequests] = newSectionEncoder().EncodeAll(requests.b, nil)
	objects[keptAnswers] = []byte(answers(t, objects))
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	total := 0
	for _, name := range slices.Sorted(maps.Keys(objects)) {
		total += len(objects[name])
		if err := os.WriteFile(filepath.Join(dir, name), objects[name], 0o644); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%s: %d bytes in %d files", dir, total, len(objects))
}
