package block

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/google/uuid"
)

// Interval is the numbers from From to To, both included. Its JSON form is
// [From,To].
type Interval struct{ From, To uint64 }

// Intervals is a set of numbers: sorted intervals that neither overlap nor
// touch. The zero value is the empty set.
type Intervals []Interval

// Coverage names portions of one stream: a start of a distributor (Boot) and
// the builder that it chose. Numbers count portions as the distributor did.
type Coverage struct {
	Boot        uuid.UUID `json:"boot"`
	Builder     string    `json:"builder"`
	Incarnation uuid.UUID `json:"incarnation"`
	Intervals   Intervals `json:"intervals"`
}

var errIntervals = errors.New("intervals are not sorted and apart")

// Add puts the numbers from from to to, both included, into the set. It panics
// if from > to.
func (s *Intervals) Add(from, to uint64) {
	if from > to {
		panic(fmt.Sprintf("block: interval [%d,%d]", from, to))
	}
	old := *s
	if n := len(old); n > 0 && from >= old[n-1].From { // at the end, as portions come
		if last := &old[n-1]; last.To == math.MaxUint64 || from <= last.To+1 {
			last.To = max(last.To, to)
			return
		}
	}
	// The first interval that from touches or lies before; then all that to reaches.
	i, _ := slices.BinarySearchFunc(old, from, func(v Interval, n uint64) int {
		if v.To != math.MaxUint64 && v.To+1 < n {
			return -1
		}
		return 1
	})
	j := i
	for j < len(old) && (to == math.MaxUint64 || old[j].From <= to+1) {
		from, to = min(from, old[j].From), max(to, old[j].To)
		j++
	}
	*s = slices.Replace(old, i, j, Interval{from, to})
}

// Contains reports whether n is in the set.
func (s Intervals) Contains(n uint64) bool {
	i, found := slices.BinarySearchFunc(s, n, func(v Interval, n uint64) int { return cmp.Compare(v.From, n) })
	return found || i > 0 && s[i-1].To >= n
}

// ContainsAll reports whether every number of o is in the set.
func (s Intervals) ContainsAll(o Intervals) bool {
	i := 0
	for _, v := range o {
		for i < len(s) && s[i].To < v.From {
			i++
		}
		if i == len(s) || v.From < s[i].From || v.To > s[i].To {
			return false
		}
	}
	return true
}

// Union returns the numbers of both sets. It shares no memory with them.
func (s Intervals) Union(o Intervals) Intervals {
	out := make(Intervals, 0, len(s)+len(o))
	for len(s) > 0 || len(o) > 0 {
		next := &s
		if len(s) == 0 || len(o) > 0 && o[0].From < s[0].From {
			next = &o
		}
		v := (*next)[0]
		*next = (*next)[1:]
		if n := len(out); n > 0 && (out[n-1].To == math.MaxUint64 || v.From <= out[n-1].To+1) {
			out[n-1].To = max(out[n-1].To, v.To)
		} else {
			out = append(out, v)
		}
	}
	return out
}

// Count is the number of numbers in the set, at most MaxUint64.
func (s Intervals) Count() uint64 {
	n := uint64(0)
	for _, v := range s {
		d := v.To - v.From
		if d == math.MaxUint64 || n+d+1 < n {
			return math.MaxUint64
		}
		n += d + 1
	}
	return n
}

// Validate reports whether the intervals are sorted, do not overlap and do not
// touch, as all methods need them to be.
func (s Intervals) Validate() error {
	for i, v := range s {
		if v.From > v.To || i > 0 && (s[i-1].To == math.MaxUint64 || v.From <= s[i-1].To+1) {
			return errIntervals
		}
	}
	return nil
}

// MarshalJSON implements json.Marshaler.
func (v Interval) MarshalJSON() ([]byte, error) { return json.Marshal([2]uint64{v.From, v.To}) }

// UnmarshalJSON implements json.Unmarshaler.
func (v *Interval) UnmarshalJSON(b []byte) error {
	var pair []uint64
	if err := json.Unmarshal(b, &pair); err != nil {
		return err
	}
	if len(pair) != 2 || pair[0] > pair[1] {
		return fmt.Errorf("interval %.64s: want [from,to]", b)
	}
	v.From, v.To = pair[0], pair[1]
	return nil
}

// compareStreams orders by (boot, builder, incarnation).
func compareStreams(a, b *Coverage) int {
	return cmp.Or(bytes.Compare(a.Boot[:], b.Boot[:]), cmp.Compare(a.Builder, b.Builder),
		bytes.Compare(a.Incarnation[:], b.Incarnation[:]))
}

// MergeCoverage returns the union of all lists: one entry per stream, in a
// fixed order. It shares no memory with them.
func MergeCoverage(lists ...[]Coverage) []Coverage {
	all := slices.Concat(lists...)
	slices.SortStableFunc(all, func(a, b Coverage) int { return compareStreams(&a, &b) })
	var out []Coverage
	for i := range all {
		if n := len(out); n > 0 && compareStreams(&out[n-1], &all[i]) == 0 {
			out[n-1].Intervals = out[n-1].Intervals.Union(all[i].Intervals)
			continue
		}
		out = append(out, all[i])
		out[len(out)-1].Intervals = all[i].Intervals.Union(nil)
	}
	return out
}
