package status

import (
	"fmt"
	"time"

	"github.com/dustin/go-humanize"
)

// Section is a part of a page: facts, a table, text, or several of them.
type Section struct {
	Title string // empty for the only one
	Note  string // a sentence below the title
	Facts []Fact
	Table *Table
	Text  string // shown as it is
}

// Fact is a name with a value.
type Fact struct {
	Name  string
	Value Cell
}

// Table is rows below columns.
type Table struct {
	Columns []string
	Rows    [][]Cell
	Empty   string // what to say if there are no rows
}

// Number reports whether a column holds numbers: whether its first cell does.
func (t *Table) Number(column int) bool { return len(t.Rows) > 0 && t.Rows[0][column].Number }

// Cell is one value for a person.
type Cell struct {
	Text   string
	Title  string // the exact value, where Text is rounded
	Link   string // relative to the page
	Number bool   // set against the right edge
	Bad    bool   // asks for attention
	Code   bool   // a key, a path, an ID
}

// Text is a cell with text.
func Text(s string) Cell { return Cell{Text: s} }

// Code is a cell with a key, a path or an ID.
func Code(s string) Cell { return Cell{Text: s, Code: true} }

// Link is a cell with a link.
func Link(s, to string) Cell { return Cell{Text: s, Link: to} }

// Count is a cell with a number of things.
func Count[T ~int | ~int64 | ~uint64](n T) Cell {
	return Cell{Text: humanize.Comma(int64(n)), Number: true}
}

// Bytes is a cell with a number of bytes.
func Bytes[T ~int64 | ~uint64](n T) Cell {
	if n < 0 {
		n = 0
	}
	return Cell{Text: humanize.IBytes(uint64(n)), Title: humanize.Comma(int64(n)) + " bytes", Number: true}
}

// Duration is a cell with a time span, to three digits.
func Duration(d time.Duration) Cell {
	round := time.Duration(1)
	for d/round >= 1000 {
		round *= 10
	}
	return Cell{Text: d.Round(round).String(), Title: fmt.Sprintf("%g s", d.Seconds()), Number: true}
}

// Time is a cell with a point in time, or none for the zero one.
func Time(t time.Time) Cell {
	if t.IsZero() {
		return Text("–")
	}
	return Cell{Text: t.UTC().Format("2006-01-02 15:04:05 UTC"), Title: t.UTC().Format(time.RFC3339Nano)}
}

// BadIf marks a cell if bad.
func (c Cell) BadIf(bad bool) Cell {
	c.Bad = bad
	return c
}
