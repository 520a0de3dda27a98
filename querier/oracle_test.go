package querier_test

import (
	"bytes"
	"cmp"
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/klauspost/compress/s2"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/clewtrace/clew/ingester"
	"github.com/clewtrace/clew/ingester/ingestertest"
	"github.com/clewtrace/clew/ingester/portion"
	"github.com/clewtrace/clew/querier"
	"github.com/clewtrace/clew/storage"
	"github.com/clewtrace/clew/storage/blocklist"
	"github.com/clewtrace/clew/storage/columns"
	"github.com/clewtrace/clew/storage/fsys"
	"github.com/clewtrace/clew/storage/tenant"
	"github.com/clewtrace/clew/storage/trace"
)

// The oracle: spans as plain values, and answers by looping over all of them.
// It shares no code with what it judges.

type oSpan struct {
	trace         [16]byte
	id, parent    [8]byte
	service, name string // service "" = the resource has none
	scope         string
	kind, status  int
	message       string
	start, end    uint64
	attrs         []oAttr
	resource      []oAttr
	event         []oAttr // attributes of one event; nil = no event
}

type oAttr struct {
	key   string
	value any // string, bool, int64 or float64
}

func (a oAttr) text() string {
	switch v := a.value.(type) {
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case int64:
		return strconv.FormatInt(v, 10)
	}
	return strconv.FormatFloat(a.value.(float64), 'g', -1, 64)
}

func (s *oSpan) serviceName() string {
	if s.service == "" {
		return "unknown-service"
	}
	return s.service
}

func (s *oSpan) hasTag(t storage.Tag) bool {
	lists := [][]oAttr{s.attrs, s.resource, s.event}
	if s.service != "" {
		lists = append(lists, []oAttr{{"service.name", s.service}})
	}
	for _, l := range lists {
		for _, a := range l {
			if a.key == t.Key && a.text() == t.Value {
				return true
			}
		}
	}
	switch t.Key {
	case "error":
		return t.Value == "true" && s.status == 2 || t.Value == "false" && s.status != 2
	case "span.kind":
		return slices.Index([]string{"unspecified", "internal", "server", "client", "producer", "consumer"}, t.Value) == s.kind
	case "otel.status_code":
		return t.Value == "ERROR" && s.status == 2 || t.Value == "OK" && s.status == 1
	case "otel.status_description":
		return s.message != "" && s.message == t.Value
	case "otel.scope.name", "otel.library.name":
		return s.scope == t.Value
	}
	return false
}

func (s *oSpan) matches(q *storage.Query) bool {
	if s.start < q.Start || q.End != 0 && s.start >= q.End ||
		q.Service != "" && s.serviceName() != q.Service || q.Operation != "" && s.name != q.Operation {
		return false
	}
	d := int64(s.end) - int64(s.start)
	if q.MinDuration > 0 && d < int64(q.MinDuration) || q.MaxDuration > 0 && d > int64(q.MaxDuration) {
		return false
	}
	for _, t := range q.Tags {
		if !s.hasTag(t) {
			return false
		}
	}
	return true
}

func oracleSearch(spans []*oSpan, q *storage.Query, limit int) []storage.Summary {
	byTrace := map[[16]byte][]*oSpan{}
	hit := map[[16]byte]bool{}
	for _, s := range spans {
		byTrace[s.trace] = append(byTrace[s.trace], s)
		hit[s.trace] = hit[s.trace] || s.matches(q)
	}
	out := []storage.Summary{}
	for id, list := range byTrace {
		if !hit[id] {
			continue
		}
		sum := storage.Summary{ID: id, Start: list[0].start, End: list[0].end, Spans: len(list)}
		services := map[string]storage.ServiceCount{}
		var root *oSpan
		for _, s := range list {
			sum.Start, sum.End = min(sum.Start, s.start), max(sum.End, s.end)
			c := services[s.serviceName()]
			c.Name = s.serviceName()
			c.Spans++
			if s.status == 2 {
				c.Errors++
				sum.Errors++
			}
			services[c.Name] = c
			if s.parent == [8]byte{} {
				if root == nil || s.start < root.start || s.start == root.start && bytes.Compare(s.id[:], root.id[:]) < 0 {
					root = s
				}
			} else if !slices.ContainsFunc(list, func(o *oSpan) bool { return o.id == s.parent }) {
				sum.Orphans++
			}
		}
		if root != nil {
			sum.HasRoot, sum.RootService, sum.RootName = true, root.serviceName(), root.name
		}
		for _, c := range services {
			sum.Services = append(sum.Services, c)
		}
		slices.SortFunc(sum.Services, func(a, b storage.ServiceCount) int { return cmp.Compare(a.Name, b.Name) })
		out = append(out, sum)
	}
	slices.SortFunc(out, func(a, b storage.Summary) int {
		return cmp.Or(cmp.Compare(b.Start, a.Start), bytes.Compare(a.ID[:], b.ID[:]))
	})
	return out[:min(limit, len(out))]
}

// ---- random data

var base = uint64(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC).UnixNano())

func pick[T any](rng *rand.Rand, list ...T) T { return list[rng.IntN(len(list))] }

func randomAttrs(rng *rand.Rand) []oAttr {
	var out []oAttr
	for _, key := range []string{"k1", "k2", "k3", "error", "span.kind"} {
		if rng.IntN(3) == 0 {
			out = append(out, oAttr{key, pick[any](rng, "a", "b", "true", "7", "1.5", "server", int64(7), int64(-1), true, false, 1.5, 7.0)})
		}
	}
	return out
}

func randomSpans(rng *rand.Rand) []*oSpan {
	var out []*oSpan
	resources := [][]oAttr{nil, {{"pod", "p1"}}, {{"pod", int64(7)}, {"k1", "a"}}}
	for t := range 1 + rng.IntN(12) {
		tid := [16]byte{0: byte(rng.IntN(3)), 15: byte(t + 1)}
		n := 1 + rng.IntN(8)
		if rng.IntN(10) == 0 {
			n = 40
		}
		start := base + uint64(rng.IntN(5))*uint64(time.Second)
		if rng.IntN(12) == 0 {
			start = pick(rng, uint64(0), base-uint64(30*24*time.Hour), base+uint64(365*24*time.Hour)) // wild clocks
		}
		for i := range n {
			s := &oSpan{trace: tid, id: [8]byte{7: byte(i + 1)}, service: pick(rng, "a", "b", "c", ""), name: pick(rng, "get", "put", ""),
				scope: pick(rng, "lib", "other"), kind: rng.IntN(6), status: rng.IntN(3), start: start + uint64(rng.IntN(4))*uint64(time.Millisecond),
				attrs: randomAttrs(rng), resource: resources[rng.IntN(3)]}
			s.end = s.start + uint64(rng.IntN(5))*uint64(time.Millisecond)
			if rng.IntN(20) == 0 && s.start > 1e9 {
				s.end = s.start - 1e6 // inverted
			}
			switch {
			case i > 0 && rng.IntN(5) > 0:
				s.parent = [8]byte{7: byte(1 + rng.IntN(i))}
			case rng.IntN(4) == 0:
				s.parent = [8]byte{7: 200} // missing
			}
			if s.status != 0 && rng.IntN(2) == 0 {
				s.message = pick(rng, "boom", "bad")
			}
			if rng.IntN(3) == 0 {
				s.event = randomAttrs(rng)
			}
			out = append(out, s)
		}
	}
	return out
}

func encode(t testing.TB, spans []*oSpan) []byte {
	t.Helper()
	td := ptrace.NewTraces()
	put := func(m pcommon.Map, list []oAttr) {
		for _, a := range list {
			if err := m.PutEmpty(a.key).FromRaw(a.value); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, s := range spans {
		rs := td.ResourceSpans().AppendEmpty()
		if s.service != "" {
			rs.Resource().Attributes().PutStr("service.name", s.service)
		}
		put(rs.Resource().Attributes(), s.resource)
		ss := rs.ScopeSpans().AppendEmpty()
		ss.Scope().SetName(s.scope)
		sp := ss.Spans().AppendEmpty()
		sp.SetTraceID(s.trace)
		sp.SetSpanID(s.id)
		sp.SetParentSpanID(s.parent)
		sp.SetName(s.name)
		sp.SetKind(ptrace.SpanKind(s.kind))
		sp.SetStartTimestamp(pcommon.Timestamp(s.start))
		sp.SetEndTimestamp(pcommon.Timestamp(s.end))
		sp.Status().SetCode(ptrace.StatusCode(s.status))
		sp.Status().SetMessage(s.message)
		put(sp.Attributes(), s.attrs)
		if s.event != nil {
			e := sp.Events().AppendEmpty()
			e.SetName("e")
			put(e.Attributes(), s.event)
		}
	}
	b, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(td)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func randomQuery(rng *rand.Rand) (*storage.Query, int) {
	q := &storage.Query{}
	if rng.IntN(2) == 0 {
		q.Service = pick(rng, "a", "b", "unknown-service", "absent")
	}
	if rng.IntN(3) == 0 {
		q.Operation = pick(rng, "get", "put", "absent")
	}
	if rng.IntN(3) == 0 {
		q.Start = base + uint64(rng.IntN(4))*uint64(time.Second)
		if rng.IntN(2) == 0 {
			q.End = q.Start + uint64(rng.IntN(3_000))*uint64(time.Millisecond)
		}
	}
	if rng.IntN(4) == 0 {
		q.MinDuration = time.Duration(rng.IntN(5)) * time.Millisecond
	}
	if rng.IntN(4) == 0 {
		q.MaxDuration = time.Duration(1+rng.IntN(5)) * time.Millisecond
	}
	for range rng.IntN(3) {
		q.Tags = append(q.Tags, storage.Tag{
			Key:   pick(rng, "k1", "k2", "pod", "error", "span.kind", "otel.status_code", "otel.status_description", "otel.scope.name", "service.name", "absent"),
			Value: pick(rng, "a", "b", "true", "false", "7", "-1", "1.5", "server", "client", "ERROR", "OK", "boom", "lib", "p1", "x", ""),
		})
	}
	return q, pick(rng, 1, 2, 3, 5, 1000)
}

// ---- placements

// sets is a Recent over several sets of columns.
type sets []*columns.Set

func (s sets) Recent(id tenant.ID, _ uint64) (r storage.Recent, stale bool) {
	if id != tenant.Single {
		return r, false
	}
	for _, c := range s {
		p := c.Parts()
		r.Sources = append(r.Sources, p[:]...)
	}
	return r, false
}

// noBlocks is a Blocks without any.
type noBlocks struct{}

func (noBlocks) View(tenant.ID) blocklist.View { return blocklist.View{} }

// inIngester opens an ingester on fs, waits for its replay, and pushes; between
// some pushes it moves everything into blocks.
func inIngester(t *testing.T, fs fsys.FS, pushes [][]byte, flush func() bool) *ingestertest.Instance {
	t.Helper()
	in := ingestertest.Open(t, fs, "data", ingester.DefaultConfig())
	stream := portion.Stream{Tenant: tenant.Single, Boot: uuid.New(), Builder: in.Identity()}
	for i, b := range pushes {
		_, err := in.Push(t.Context(), &portion.Portion{Stream: stream, Seq: uint64(i + 1), Payload: s2.Encode(nil, b), RawSize: len(b), ReceivedUnixNano: base})
		if err != nil {
			t.Fatal(err)
		}
		if flush() {
			if err := in.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	return in
}

func never() bool  { return false }
func always() bool { return true }

// pushesOf cuts the spans anywhere; some pushes are repeated.
func pushesOf(t testing.TB, rng *rand.Rand, spans []*oSpan) (pushes [][]byte) {
	t.Helper()
	shuffled := slices.Clone(spans)
	rng.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	for chunk := range slices.Chunk(shuffled, 1+rng.IntN(len(shuffled))) {
		b := encode(t, chunk)
		pushes = append(pushes, b)
		if rng.IntN(3) == 0 {
			pushes = append(pushes, b)
		}
	}
	return pushes
}

// TestOracle compares answers with the oracle's, wherever the spans lie: live,
// in one block, in several, partly in blocks, after a restart of each, and with
// the fragments of traces spread over many sources, sets and blocks.
func TestOracle(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rounds, cases := 150, 0
	if testing.Short() {
		rounds = 20
	}
	if s := os.Getenv("CLEW_ORACLE_ROUNDS"); s != "" {
		var err error
		if rounds, err = strconv.Atoi(s); err != nil {
			t.Fatalf("CLEW_ORACLE_ROUNDS: %v", err)
		}
	}
	for round := range rounds {
		rng := rand.New(rand.NewPCG(seed, uint64(round)))
		spans := randomSpans(rng)
		pushes := pushesOf(t, rng, spans)
		spread := make(sets, 1+rng.IntN(4))
		for i := range spread {
			spread[i] = columns.New(fmt.Sprint("set ", i), columns.DefaultOptions())
		}
		for _, b := range pushes {
			if _, err := spread[rng.IntN(len(spread))].Append(b, base); err != nil {
				t.Fatal(err)
			}
		}
		check(t, rng, "spread", querier.New(spread, noBlocks{}, querier.Options{}), spans)
		last := len(pushes)
		for _, place := range []struct {
			name  string
			flush func() bool // after each push
		}{
			{"live", never},
			{"one block", func() bool { last--; return last == 0 }},
			{"a block for each push", always},
			{"partly in blocks", func() bool { return rng.IntN(3) == 0 }},
		} {
			fs := fsys.NewMemory()
			in := inIngester(t, fs, pushes, place.flush)
			check(t, rng, place.name, querier.New(in, in.Blocks, querier.Options{}), spans)
			in.Stop()
			in = inIngester(t, fs, nil, never)
			check(t, rng, place.name+", restarted", querier.New(in, in.Blocks, querier.Options{}), spans)
			in.Stop()
			cases += 2 * 12
		}
		mixed, _ := mix(t, rng, pushes, newCache(t, rng))
		check(t, rng, fmt.Sprintf("%d sets, %d blocks", len(mixed.sets), len(mixed.blocks)), querier.New(mixed, mixed, querier.Options{}), spans)
		cases += 2 * 12
		if t.Failed() {
			t.Fatalf("round %d", round)
		}
	}
	t.Logf("%d searches compared", cases)
}

func check(t *testing.T, rng *rand.Rand, where string, q *querier.Querier, spans []*oSpan) {
	t.Helper()
	ctx := t.Context()
	for range 12 {
		query, limit := randomQuery(rng)
		got, c, err := q.Search(ctx, tenant.Single, query, limit)
		if err != nil || !c.Complete() {
			t.Fatalf("%s: %v, %+v", where, err, c)
		}
		want := oracleSearch(spans, query, limit)
		if len(got) != len(want) || len(got) > 0 && !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v limit %d\ngot  %+v\nwant %+v", where, *query, limit, got, want)
			return
		}
	}
	services := map[string]bool{}
	byTrace := map[trace.ID]int{}
	for _, s := range spans {
		services[s.serviceName()] = true
		byTrace[s.trace]++
	}
	list, _, err := q.Services(ctx, tenant.Single)
	if err != nil || len(list) != len(services) || !slices.IsSorted(list) {
		t.Errorf("%s: services %q, %v; want %v", where, list, err, services)
	}
	for service := range services {
		want := map[storage.Operation]bool{}
		for _, s := range spans {
			if s.serviceName() == service {
				want[storage.Operation{Name: s.name, Kind: uint8(s.kind)}] = true
			}
		}
		ops, _, err := q.Operations(ctx, tenant.Single, service)
		if err != nil || len(ops) != len(want) {
			t.Errorf("%s: operations of %s: %v, %v; want %v", where, service, ops, err, want)
		}
	}
	for id, n := range byTrace {
		tr, _, err := q.Trace(ctx, tenant.Single, id)
		if err != nil || tr == nil || len(tr.Spans) != n {
			t.Errorf("%s: trace %s: %v, %v; want %d spans", where, id, tr, err, n)
		}
	}
	if tr, _, err := q.Trace(ctx, tenant.Single, trace.ID{9, 9}); tr != nil || err != nil {
		t.Errorf("%s: unknown trace: %v, %v", where, tr, err)
	}
	if list, _, _ := q.Services(ctx, "another-tenant"); len(list) != 0 {
		t.Errorf("%s: another tenant sees %q", where, list)
	}
}
