package querier_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"

	"github.com/oklog/ulid/v2"

	"github.com/clewtrace/clew/querier"
	"github.com/clewtrace/clew/storage"
	"github.com/clewtrace/clew/storage/block"
	"github.com/clewtrace/clew/storage/blocklist"
	"github.com/clewtrace/clew/storage/columns"
	"github.com/clewtrace/clew/storage/tenant"
)

// objects is a block in memory: what is written to it can be read.
type objects struct {
	data  map[string]*bytes.Buffer
	local bool
	fail  atomic.Bool // reads fail
}

type objectWriter struct{ *bytes.Buffer }

func (objectWriter) Sync() error  { return nil }
func (objectWriter) Close() error { return nil }

func (o *objects) Create(name string) (block.OutputObject, error) {
	o.data[name] = new(bytes.Buffer)
	return objectWriter{o.data[name]}, nil
}

func (o *objects) ReadRange(_ context.Context, name string, off, length int64) ([]byte, error) {
	b := o.data[name].Bytes()
	if o.fail.Load() || off < 0 || length < 0 || off+length > int64(len(b)) {
		return nil, fmt.Errorf("%s: cannot read %d+%d", name, off, length)
	}
	return b[off : off+length], nil
}

func (o *objects) Local() bool { return o.local }

// toBlock seals a set and makes it a block.
func toBlock(t testing.TB, rng *rand.Rand, s *columns.Set, id byte, cache *block.Cache) (*block.Block, *objects) {
	t.Helper()
	s.Seal()
	o := &objects{data: map[string]*bytes.Buffer{}, local: rng.IntN(2) == 0}
	m, err := block.Write(t.Context(), o, s, s.Order(), block.WriteOptions{ID: ulid.ULID{15: id}, Tenant: tenant.Single, ClusterID: "c",
		RowGroupRows: 1 + rng.IntN(20), PageRows: 1 + rng.IntN(10)})
	if err != nil {
		t.Fatal(err)
	}
	b, err := block.Open(t.Context(), o, m, cache)
	if err != nil {
		t.Fatal(err)
	}
	return b, o
}

// mixed is a Recent over sets, and a Blocks over blocks.
type mixed struct {
	sets
	blocks []*block.Block
}

func (m *mixed) View(id tenant.ID) blocklist.View {
	if id != tenant.Single {
		return blocklist.View{}
	}
	return blocklist.View{Blocks: m.blocks}
}

// mix spreads pushes over a few sets, some of which become blocks.
func mix(t testing.TB, rng *rand.Rand, pushes [][]byte, cache *block.Cache) (*mixed, []*objects) {
	t.Helper()
	all := make([]*columns.Set, 1+rng.IntN(5))
	for i := range all {
		all[i] = columns.New(fmt.Sprint("set ", i), columns.DefaultOptions())
	}
	for _, b := range pushes {
		for range 1 + rng.IntN(5)/4 { // some to two sets
			if _, err := all[rng.IntN(len(all))].Append(b, base); err != nil {
				t.Fatal(err)
			}
		}
	}
	m := &mixed{}
	var files []*objects
	for i, s := range all {
		if s.Len() == 0 || rng.IntN(3) == 0 {
			m.sets = append(m.sets, s)
			continue
		}
		b, o := toBlock(t, rng, s, byte(i+1), cache)
		m.blocks, files = append(m.blocks, b), append(files, o)
	}
	return m, files
}

func newCache(t testing.TB, rng *rand.Rand) *block.Cache {
	t.Helper()
	if rng.IntN(4) == 0 {
		return nil
	}
	c, err := block.NewCache(int64(4<<10)<<rng.IntN(10), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// TestFailingBlocks makes the reads of some blocks fail: what is missing is
// said, and what is answered is true and comes once.
func TestFailingBlocks(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	for round := range 60 {
		rng := rand.New(rand.NewPCG(seed, uint64(round)))
		spans := randomSpans(rng)
		m, files := mix(t, rng, pushesOf(t, rng, spans), newCache(t, rng))
		if len(files) == 0 {
			continue
		}
		q := querier.New(m, m, querier.Options{})
		for range 12 {
			bad := files[rng.IntN(len(files))]
			bad.fail.Store(true)
			query, limit := randomQuery(rng)
			got, c, err := q.Search(t.Context(), tenant.Single, query, limit)
			bad.fail.Store(false)
			if err != nil {
				t.Fatal(err)
			}
			want := oracleSearch(spans, query, limit)
			if c.Complete() && fmt.Sprint(got) != fmt.Sprint(want) {
				t.Fatalf("round %d: %+v limit %d: said to be complete\ngot  %+v\nwant %+v", round, *query, limit, got, want)
			}
			all := map[string]bool{}
			for _, s := range oracleSearch(spans, query, 1e6) {
				all[s.ID.String()] = true
			}
			for _, s := range got {
				if !all[s.ID.String()] {
					t.Fatalf("round %d: trace %s comes twice or does not match", round, s.ID)
				}
				delete(all, s.ID.String())
			}
		}
	}
}

// growing hands out a live set that grows between the calls of a query.
type growing struct {
	*mixed
	grow func()
}

type growingSource struct {
	storage.Source
	grow func()
}

func (g *growing) Recent(id tenant.ID, version uint64) (r storage.Recent, stale bool) {
	r, _ = g.mixed.Recent(id, version)
	for i, s := range r.Sources {
		r.Sources[i] = growingSource{s, g.grow}
	}
	return r, false
}

func (s growingSource) Search(ctx context.Context, q *storage.Query) ([]storage.Match, error) {
	s.grow()
	out, err := s.Source.Search(ctx, q)
	s.grow()
	return out, err
}

// TestGrowingSet searches while spans arrive of traces that are in blocks: a
// trace comes once at most.
func TestGrowingSet(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	for round := range 60 {
		rng := rand.New(rand.NewPCG(seed, uint64(round)))
		spans := randomSpans(rng)
		pushes := pushesOf(t, rng, spans)
		m, _ := mix(t, rng, pushes, nil)
		live := columns.New("growing", columns.DefaultOptions())
		m.sets = append(m.sets, live)
		g := &growing{m, func() {
			if len(pushes) > 0 {
				if _, err := live.Append(pushes[0], base); err != nil {
					t.Error(err)
				}
				pushes = pushes[1:]
			}
		}}
		g.grow()
		q := querier.New(g, g, querier.Options{})
		for len(pushes) > 0 {
			query, limit := randomQuery(rng)
			got, c, err := q.Search(t.Context(), tenant.Single, query, limit)
			if err != nil || !c.Complete() {
				t.Fatal(err, c)
			}
			seen := map[string]bool{}
			for _, s := range got {
				if seen[s.ID.String()] {
					t.Fatalf("round %d: trace %s comes twice", round, s.ID)
				}
				seen[s.ID.String()] = true
			}
			g.grow()
		}
	}
}
