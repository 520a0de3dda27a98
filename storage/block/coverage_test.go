package block

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/google/uuid"
)

// TestIntervals compares sets with maps of numbers. The numbers lie at both
// ends of the range, where sums overflow.
func TestIntervals(t *testing.T) {
	const span = 40
	number := func(i int) uint64 {
		if i < span/2 {
			return uint64(i)
		}
		return math.MaxUint64 - uint64(span-1-i)
	}
	random := func(r *rand.Rand) (s Intervals, m map[uint64]bool) {
		m = map[uint64]bool{}
		for range r.IntN(12) {
			from := r.IntN(span)
			to := min(from+r.IntN(4), span-1)
			if from < span/2 && to >= span/2 {
				to = from
			}
			s.Add(number(from), number(to))
			for i := from; i <= to; i++ {
				m[number(i)] = true
			}
			if err := s.Validate(); err != nil {
				t.Fatalf("after adding [%d,%d]: %v: %v", number(from), number(to), s, err)
			}
		}
		return s, m
	}
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(seed, 1))
		a, ma := random(r)
		b, mb := random(r)
		u := a.Union(b)
		if err := u.Validate(); err != nil {
			t.Fatalf("%v union %v: %v: %v", a, b, u, err)
		}
		subset, both := true, 0
		for i := range span {
			n := number(i)
			if a.Contains(n) != ma[n] || u.Contains(n) != (ma[n] || mb[n]) {
				t.Fatalf("seed %d: %d in %v or in %v", seed, n, a, u)
			}
			subset = subset && (!mb[n] || ma[n])
			if ma[n] || mb[n] {
				both++
			}
		}
		if a.ContainsAll(b) != subset || !u.ContainsAll(a) || !u.ContainsAll(b) {
			t.Fatalf("seed %d: %v contains %v: want %t", seed, a, b, subset)
		}
		if u.Count() != uint64(both) {
			t.Fatalf("seed %d: %v counts %d, want %d", seed, u, u.Count(), both)
		}
		j, err := json.Marshal(u)
		if err != nil {
			t.Fatal(err)
		}
		var back Intervals
		if err := json.Unmarshal(j, &back); err != nil || !reflect.DeepEqual(back, u) && len(u) > 0 {
			t.Fatalf("%s: %v, %v", j, back, err)
		}
	}
	all := Intervals{{0, math.MaxUint64}}
	if all.Count() != math.MaxUint64 || !all.Contains(math.MaxUint64) {
		t.Errorf("%v: %d", all, all.Count())
	}
	all.Add(3, 4)
	all.Add(math.MaxUint64, math.MaxUint64)
	if len(all) != 1 {
		t.Errorf("got %v", all)
	}
}

func TestMergeCoverage(t *testing.T) {
	a, b := uuid.UUID{1}, uuid.UUID{2}
	got := MergeCoverage(
		[]Coverage{{Boot: b, Builder: "i-1", Intervals: Intervals{{1, 3}}}, {Boot: a, Builder: "i-1", Intervals: Intervals{{7, 7}}}},
		[]Coverage{{Boot: b, Builder: "i-1", Intervals: Intervals{{4, 5}, {9, 9}}}, {Boot: b, Builder: "i-1", Incarnation: a, Intervals: Intervals{{4, 4}}}},
	)
	want := []Coverage{
		{Boot: a, Builder: "i-1", Intervals: Intervals{{7, 7}}},
		{Boot: b, Builder: "i-1", Intervals: Intervals{{1, 5}, {9, 9}}},
		{Boot: b, Builder: "i-1", Incarnation: a, Intervals: Intervals{{4, 4}}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}
