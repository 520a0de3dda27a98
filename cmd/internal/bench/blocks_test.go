package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/clewtrace/clew/cmd/internal/loadgen"
	"github.com/clewtrace/clew/storage"
	"github.com/clewtrace/clew/storage/block"
	"github.com/clewtrace/clew/storage/blocklist"
	"github.com/clewtrace/clew/storage/columns"
	"github.com/clewtrace/clew/storage/tenant"
)

// Blocks of the load's traffic, for benchmarks of reading.
//
//	CLEW_BENCH_SPANS   spans in all, default 60,000
//	CLEW_BENCH_BLOCK   spans of a block, default a third of them
//	CLEW_BENCH_BLOCKS  folder where they are kept and found again

// blockShelf is a folder of blocks and what is known of their spans.
type blockShelf struct {
	dir    string
	Spans  int64
	Traces []shelfTrace
	Rare   []string
	Longest,
	Absent map[string]time.Duration
}

type shelfTrace struct {
	ID    [16]byte
	Spans int
}

func envInt(name string, value int64) int64 {
	if v, err := strconv.ParseInt(os.Getenv(name), 10, 64); err == nil {
		return v
	}
	return value
}

var shelf struct {
	sync.Mutex
	made *blockShelf
	dir  string
}

func TestMain(m *testing.M) {
	code := m.Run()
	if shelf.dir != "" {
		os.RemoveAll(shelf.dir)
	}
	os.Exit(code)
}

// openShelf makes the blocks if they are not there yet.
func openShelf(t testing.TB) *blockShelf {
	t.Helper()
	shelf.Lock()
	defer shelf.Unlock()
	if shelf.made != nil {
		return shelf.made
	}
	spans := envInt("CLEW_BENCH_SPANS", 60_000)
	perBlock := envInt("CLEW_BENCH_BLOCK", spans/3)
	dir := os.Getenv("CLEW_BENCH_BLOCKS")
	if dir == "" {
		var err error
		if dir, err = os.MkdirTemp("", "clew-blocks-"); err != nil {
			t.Fatal(err)
		}
		shelf.dir = dir
	}
	dir = filepath.Join(dir, fmt.Sprintf("%d-%d", spans, perBlock))
	known := filepath.Join(dir, "known.json")
	s := &blockShelf{dir: dir}
	if b, err := os.ReadFile(known); err == nil {
		if err := json.Unmarshal(b, s); err != nil {
			t.Fatal(err)
		}
		shelf.made = s
		return s
	}
	s.make(t, spans, perBlock)
	b, err := json.Marshal(s)
	if err == nil {
		err = os.WriteFile(known, b, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	shelf.made = s
	return s
}

func (s *blockShelf) make(t testing.TB, spans, perBlock int64) {
	t.Helper()
	cfg := loadgen.DefaultConfig()
	cfg.Spans = spans
	tr := truth{users: map[string]int{}, longest: map[string]time.Duration{}}
	cfg.Watch = tr.watch
	g, err := loadgen.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	var set *columns.Set
	blocks := 0
	write := func() {
		if set == nil || set.Len() == 0 {
			return
		}
		set.Seal()
		id := ulid.ULID{15: byte(blocks + 1)}
		dir := filepath.Join(s.dir, id.String())
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if _, err := block.Write(context.Background(), folder(dir), set, set.Order(), block.WriteOptions{ID: id, Tenant: tenant.Single, ClusterID: "bench"}); err != nil {
			t.Fatal(err)
		}
		blocks++
		set = nil
	}
	for {
		r, ok := g.Next(nil)
		if !ok {
			break
		}
		if set == nil {
			set = columns.New(fmt.Sprint("set ", blocks), columns.DefaultOptions())
		}
		if _, err := set.Append(r.Body, uint64(r.Clock)); err != nil {
			t.Fatal(err)
		}
		if int64(set.Len()) >= perBlock {
			write()
		}
	}
	write()
	tr.endTrace()
	s.Spans, s.Rare, s.Longest = g.Stats().Spans, tr.rareUsers(), tr.longest
	for _, k := range tr.traces {
		s.Traces = append(s.Traces, shelfTrace{k.id, k.spans})
	}
	slices.SortFunc(s.Traces, func(a, b shelfTrace) int { return slices.Compare(a.ID[:], b.ID[:]) })
}

// folder is block.Output and block.Objects over files of one folder.
type folder string

type objectFile struct{ *os.File }

func (d folder) Create(name string) (block.OutputObject, error) {
	f, err := os.Create(filepath.Join(string(d), name))
	return objectFile{f}, err
}

// openFolder keeps its files open.
type openFolder struct {
	dir   string
	mu    sync.Mutex
	files map[string]*os.File
}

func (d *openFolder) file(name string) (*os.File, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if f := d.files[name]; f != nil {
		return f, nil
	}
	f, err := os.Open(filepath.Join(d.dir, name))
	if err != nil {
		return nil, err
	}
	if d.files == nil {
		d.files = map[string]*os.File{}
	}
	d.files[name] = f
	return f, nil
}

func (d *openFolder) ReadRange(_ context.Context, object string, off, length int64) ([]byte, error) {
	f, err := d.file(object)
	if err != nil {
		return nil, err
	}
	b := make([]byte, length)
	_, err = f.ReadAt(b, off)
	return b, err
}

// Local implements block.LocalObjects.
func (d *openFolder) Local() bool { return true }

func (d *openFolder) close() error {
	var errs []error
	for _, f := range d.files {
		errs = append(errs, f.Close())
	}
	return errors.Join(errs...)
}

// opened is a shelf as a process sees it that was just started.
type opened struct {
	folders []*openFolder
	blocks  []*block.Block
	cache   *block.Cache
	metas   []*block.Meta
}

func (s *blockShelf) open(t testing.TB) *opened {
	t.Helper()
	o := &opened{}
	var err error
	if o.cache, err = block.NewCache(block.DefaultCacheBytes, nil); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !e.IsDir() || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		dir := filepath.Join(s.dir, e.Name())
		b, err := os.ReadFile(filepath.Join(dir, block.MetaObject))
		if err != nil {
			t.Fatal(err)
		}
		m, err := block.ParseMeta(b)
		if err != nil {
			t.Fatal(err)
		}
		f := &openFolder{dir: dir}
		bl, err := block.Open(context.Background(), f, m, o.cache)
		if err != nil {
			t.Fatal(err)
		}
		o.folders, o.blocks, o.metas = append(o.folders, f), append(o.blocks, bl), append(o.metas, m)
	}
	return o
}

func (o *opened) close() {
	for _, f := range o.folders {
		f.close()
	}
	o.cache.Close()
}

// Recent implements querier.Recent.
func (o *opened) Recent(tenant.ID, uint64) (r storage.Recent, stale bool) { return r, false }

// View implements querier.Blocks.
func (o *opened) View(tenant.ID) blocklist.View { return blocklist.View{Blocks: o.blocks} }
