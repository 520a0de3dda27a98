package block

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/clewtrace/clew/storage"
	"github.com/clewtrace/clew/storage/columns"
	"github.com/clewtrace/clew/storage/trace"
)

// damageErrors is what errors of damaged blocks look like: they name the object,
// and where in it.
var damageErrors = regexp.MustCompile(`^open block 01[0-9A-Z]{24}: (data\.parquet: row group \d+(, column \S+)?|index|bloom-\d+): .+: corrupt block$|^meta\.json: .+: corrupt block$|` +
	`: block needs a newer version of Clew$`)

// everything asks a block all that it can answer, part by part.
func everything(objects memory, ids []trace.ID) (map[string]string, error) {
	ctx := context.Background()
	m, err := ParseMeta(objects[MetaObject])
	if err != nil {
		return nil, err
	}
	b, err := Open(ctx, objects, m, nil)
	if err != nil {
		return nil, err
	}
	parts, err := b.Parts(ctx)
	if err != nil {
		return nil, err
	}
	var errs []error
	out := map[string]string{}
	put := func(what string, v any, err error) {
		if err != nil {
			errs = append(errs, err)
			return
		}
		out[what] = fmt.Sprint(v)
	}
	for i, p := range parts {
		bounds, _ := p.Bounds()
		put(fmt.Sprint(i, " bounds"), bounds, nil)
		for _, id := range ids {
			raw, found, err := p.Fragment(ctx, nil, id)
			put(fmt.Sprint(i, " fragment ", id), fmt.Sprint(found, string(raw)), err)
		}
		for k, q := range []storage.Query{
			{Operation: "op-3"}, {Service: "svc-2", MinDuration: 3e8}, {Start: testEpoch + 1200e9, End: testEpoch + 1800e9},
			{Tags: []storage.Tag{{Key: "a", Value: "1"}}}, {Tags: []storage.Tag{{Key: "rare", Value: "x"}}}, {Tags: []storage.Tag{{Key: "error", Value: "true"}}},
		} {
			ms, err := p.Search(ctx, &q)
			put(fmt.Sprint(i, " search ", k), matchIDs(ms), err)
		}
		list, err := p.Locate(ctx, ids)
		put(fmt.Sprint(i, " locate"), list, err)
		var ordinals []uint32
		for _, l := range list {
			if l.Found {
				ordinals = append(ordinals, l.Ordinal)
			}
		}
		sums, err := p.Summaries(ctx, ordinals)
		put(fmt.Sprint(i, " summaries"), sums, err)
		var ops []string
		err = p.Operations(ctx, func(s, n string, k uint8) { ops = append(ops, fmt.Sprint(s, n, k)) })
		put(fmt.Sprint(i, " operations"), ops, err)
	}
	x, err := DecodeIndex(objects[IndexObject])
	if err != nil {
		errs = append(errs, fmt.Errorf("open block %s: %s: %w", m.Block, IndexObject, err))
	} else {
		put("tables", fmt.Sprint(x.Edges, x.HalfEdges, x.Linked, x.Names, x.Operations), nil)
	}
	return out, errors.Join(errs...)
}

// TestDamage flips bits all over every object, and cuts objects short. Whatever
// is still answered is right, what is not is an error that names the place.
func TestDamage(t *testing.T) {
	s := randomSet(t, 77, 25)
	s.Seal()
	opts := testOptions()
	opts.RowGroupRows, opts.PageRows = 60, 16
	opts.Coverage = testMeta().Coverage
	objects, _ := writeSet(t, s, opts)
	ids := traceIDs(s)
	want, err := everything(objects, ids)
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(5, 5))
	names := make([]string, 0, len(objects))
	for name := range objects {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		good := objects[name]
		noticed, n := 0, shorter(40, 10)
		if strings.HasPrefix(name, "bloom-") {
			n = 10
		}
		for k := range n {
			// One flip in each of n regions, and one cut.
			at := (k*len(good) + r.IntN(len(good))) / n
			bad := bytes.Clone(good)
			bad[at] ^= 1 << r.IntN(8)
			cut := k == n-1
			if cut {
				bad = bad[:r.IntN(len(good))]
			}
			damaged := memory{}
			for o, b := range objects {
				damaged[o] = b
			}
			damaged[name] = bad
			got, err := everything(damaged, ids)
			if err != nil {
				noticed++
				checkDamageError(t, name, at, cut, err)
			}
			for what, answer := range got {
				if answer != want[what] {
					t.Fatalf("%s: byte %d: %s: a wrong answer", name, at, what)
				}
			}
			if err == nil && len(got) != len(want) {
				t.Fatalf("%s: byte %d: %d answers, want %d, and no error", name, at, len(got), len(want))
			}
		}
		// What no query reads needs no checksum: the footer of data.parquet, and
		// columns that these queries leave alone.
		if noticed < n/2 {
			t.Errorf("%s: %d of %d noticed", name, noticed, n)
		}
	}
}

func checkDamageError(t *testing.T, name string, at int, cut bool, err error) {
	t.Helper()
	list := []error{err}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		list = joined.Unwrap()
	}
	for _, e := range list {
		if cut && name != MetaObject && strings.Contains(e.Error(), name) { // what the store says
			continue
		}
		if !errors.Is(e, ErrCorrupt) && !errors.Is(e, ErrNewer) || !damageErrors.MatchString(e.Error()) {
			t.Fatalf("%s: byte %d: %v", name, at, e)
		}
	}
}

func traceIDs(s *columns.Set) []trace.ID {
	var ids []trace.ID
	for i := range uint32(s.NumTraces()) {
		ids = append(ids, s.TraceAt(i).ID)
	}
	return ids
}
