package block

import (
	"github.com/clewtrace/clew/storage/columns"
	"github.com/clewtrace/clew/storage/trace"
)

// Index is the decoded `index` object. Slices are shared by all readers of a
// block: do not write.
type Index struct {
	Rows      uint32
	Tables    Tables
	Columns   []Column // of data.parquet, in file order
	RowGroups []RowGroup
	Traces    TraceTable
	// Operations counts spans by (service, name, kind) and minute of start.
	Operations []OperationStats
	// Edges are the calls between services.
	Edges []Edge
	// HalfEdges are spans whose parent is not in the block.
	HalfEdges []HalfEdge
	// Linked lists the trace IDs that spans of the block link to, sorted by
	// (target, trace).
	Linked []Linked
	// Names lists attribute names, by (scope, key, type).
	Names []AttrName
}

// Tables are what rows refer to by number. They stand in `index`, once more in
// each bloom-N (so that a lookup by ID needs nothing else), and in the footer of
// data.parquet (so that the file can be understood alone).
type Tables struct {
	Resources []Resource
	Scopes    [][]byte // wire bytes of ScopeSpans without spans
	Shapes    []Shape
}

// Resource is one row of the resource table.
type Resource struct {
	Raw     []byte // wire bytes of ResourceSpans without scope_spans
	Service string // service.name, see trace.ServiceNameFromResource
}

// Shape is an ordered list of attributes, as spans carry them. Of the entries
// with the same key, only the first can stand in a column.
type Shape struct {
	Attrs []ShapeAttr
	Rows  uint32 // rows of the block that have this shape
}

// ShapeAttr is one attribute of a shape.
type ShapeAttr struct {
	Key  string
	Type columns.ValueType
	// Column is the index in Index.Columns of the promoted column that holds
	// the value, or -1: then it is in attrs_rest, in order.
	Column int32
}

// Physical is how a column's values look once decoded.
type Physical uint8

// The physical types of columns.
const (
	Int32 Physical = iota
	Int64
	Double
	Boolean
	ByteArray
	Fixed8
	Fixed16
)

// Column describes one column of data.parquet.
type Column struct {
	Name     string // e.g. "start_unix_nano", "s.http.route"
	Physical Physical
	Optional bool
	// Attr is set for promoted attributes; Key and Type are then theirs.
	Attr bool
	Key  string
	Type columns.ValueType
}

// RowGroup is one row group of data.parquet: whole traces, unless a trace is
// larger than a row group is meant to be.
type RowGroup struct {
	FirstRow, Rows uint32
	Offset, Bytes  uint64 // of the row group's bytes in data.parquet
	Wild           bool   // holds traces with wild times; such groups come last
	MinStart       uint64 // smallest and largest start, largest end of a span
	MaxStart       uint64
	MaxEnd         uint64
	MinDuration    int64
	MaxDuration    int64
	Errors         uint32 // spans with error status
	Chunks         []Chunk
	Pages          []PageZone // one per page; every column has the same pages
	Shapes         []uint32   // sorted; shapes present
}

// Chunk is one column of one row group.
type Chunk struct {
	// Dict is the dictionary page; Size 0 if there is none.
	Dict       Page
	DictValues uint32
	// Pages are the data pages, parallel to RowGroup.Pages; nil if every value
	// is null (Nulls is then RowGroup.Rows, and there is nothing to read).
	Pages []Page
	Nulls uint32
	// Min and Max bound the values of Int32 and Int64 columns.
	Min, Max int64
	// Small lists the values of the dictionary in code order if there are at
	// most 256 and at most 8 KiB of them; else nil. ByteArray columns only.
	Small [][]byte
	// Ints lists the values of an Int32 or Int64 column, ascending, if there are
	// at most 256; else nil.
	Ints []int64
}

// Page is one page: header, which has a checksum, and compressed body.
type Page struct {
	Offset uint64 // in data.parquet
	Size   uint32
}

// PageZone bounds one page of every column of a row group.
type PageZone struct {
	FirstRow           uint32 // in the block
	Rows               uint32
	MinStart, MaxStart uint64
	MinDur, MaxDur     int64
}

// NoRow marks the absence of a row.
const NoRow = ^uint32(0)

// TraceTable has one entry per trace: traces of normal times sorted by ID,
// then, from Normal on, wild traces sorted by ID.
type TraceTable struct {
	Normal   int
	IDs      []trace.ID
	FirstRow []uint32 // len(IDs)+1 entries: the last is the number of rows
	Start    []uint64 // smallest start
	End      []uint64 // largest end
	Root     []uint32 // row of the root, NoRow if every span names a parent
	Orphans  []uint32 // spans whose parent is not in the block
	// Services of trace i are Services[SvcFirst[i]:SvcFirst[i+1]], sorted by name.
	SvcFirst []uint32
	Services []TraceService
	// RootService and RootName are indexes into Strings; valid where Root is.
	RootService []uint32
	RootName    []uint32
	Strings     []string
}

// TraceService counts the spans of one service in one trace.
type TraceService struct{ Service, Spans, Errors uint32 } // Service: index into Strings

// Histogram counts durations by power of two: its buckets that are not empty,
// sorted by Exp.
type Histogram []Bucket

// Bucket counts durations d with 2^(Exp-1) < d <= 2^Exp nanoseconds, for Exp 0
// those of at most 1 ns (and inverted ones). Exp is at most 63.
type Bucket struct {
	Exp   uint8
	Count uint32
}

// OperationStats is RED by minute for one operation.
type OperationStats struct {
	Service, Name string
	Kind          int32
	Minutes       []MinuteStats // sorted by Minute
}

// MinuteStats counts the spans that start in one minute since the epoch.
type MinuteStats struct {
	Minute        uint32
	Spans, Errors uint32
	DurationSum   uint64
	Durations     Histogram
}

// Edge is RED by minute for calls from Client to Server: pairs of a span and its child in
// another service, or a CLIENT/PRODUCER span with a SERVER/CONSUMER child.
type Edge struct {
	Client, Server string
	Kind           int32         // kind of the child span
	Minutes        []MinuteStats // of the child spans, sorted by Minute
}

// HalfEdge is a span whose parent is not in the block: the other half may be
// in another block.
type HalfEdge struct {
	Trace          trace.ID
	Parent, Span   trace.SpanID
	Server         string
	Kind           int32
	Error          bool
	Start, EndTime uint64
}

// Linked says that a span of Trace links to Target.
type Linked struct{ Target, Trace trace.ID }

// AttrScope is where an attribute stands.
type AttrScope uint8

// The scopes of attribute names.
const (
	ScopeSpan AttrScope = iota
	ScopeResource
	ScopeInstrumentation
	ScopeEvent
	ScopeLink
)

// AttrName counts a key with one type of value: the spans that have it on
// themselves, their resource or their instrumentation scope; for ScopeEvent and
// ScopeLink the events and links that have it. One that has a key twice
// counts twice.
type AttrName struct {
	Scope AttrScope
	Key   string
	Type  columns.ValueType
	Count uint64
}
