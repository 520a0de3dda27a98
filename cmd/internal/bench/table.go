package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// figure is one line of the table.
type figure struct {
	name, what string
	// reach is what is promised: "≤ 4 CPU-s". limit is its number and atLeast
	// its direction.
	reach   string
	limit   float64
	atLeast bool
	measure func(*lab) (measured, error)
}

// measured is what came of a figure: the values of the runs, of which the
// median counts.
type measured struct {
	values []float64
	of     string // what was repeated; empty is runs
	format string // of one value, with its unit
	note   string
	// void says why the figure proves nothing, though it was measured.
	void string
}

func (m measured) median() float64 { return median(m.values) }

// median is the middle value, the mean of the middle two of an even number.
func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	v := slices.Sorted(slices.Values(values))
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}

type row struct{ what, reach, measured, verdict, note string }

type table struct {
	machine machine
	rows    []row
}

func (t *table) add(f figure, m measured, err error) {
	r := row{what: f.what, reach: f.reach, note: m.note}
	if err != nil {
		r.measured, r.verdict, r.note = "not measured", "–", firstLine(err.Error())
		t.rows = append(t.rows, r)
		return
	}
	v := m.median()
	r.measured = fmt.Sprintf(m.format, v)
	if n := len(m.values); n > 1 {
		of := cmp.Or(m.of, "runs")
		r.note = join(fmt.Sprintf("%d %s, "+m.format+" to "+m.format, n, of, slices.Min(m.values), slices.Max(m.values)), r.note)
	}
	missed := v - f.limit
	if f.atLeast {
		missed = f.limit - v
	}
	r.verdict = "reached"
	if missed > 0 {
		r.verdict = fmt.Sprintf("misses by %.0f %%", 100*missed/f.limit)
	}
	if m.void != "" {
		r.verdict, r.note = "does not count", join(m.void, r.note)
	}
	t.rows = append(t.rows, r)
}

func (t *table) markdown(o *options) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Machine: %s. Server and generator share it. Traffic: seed %d, %d spans a write run, %d in blocks for searches.\n\n", t.machine, o.seed, o.spans, 4*o.spans)
	b.WriteString("| figure | reach | measured (median) | | notes |\n|---|---|---|---|---|\n")
	for _, r := range t.rows {
		cells := []string{r.what, r.reach, r.measured, r.verdict, r.note}
		for i, c := range cells {
			cells[i] = strings.ReplaceAll(c, "|", "\\|")
		}
		fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | "))
	}
	return b.String()
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

// join puts the texts that are not empty behind each other.
func join(texts ...string) string {
	return strings.Join(slices.DeleteFunc(texts, func(s string) bool { return s == "" }), "; ")
}
