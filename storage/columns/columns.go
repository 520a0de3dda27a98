// Package columns keeps the spans of one tenant in memory, by column. A Set is
// what an ingester searches before there is a block, and what a block is built
// from: nothing stands between the two.
//
// A span is one fixed Row, a list of attribute values (slots), and whatever
// else it carries verbatim (extra). Everything that repeats is interned once
// per Set: resources, scopes, operations (service, name, kind), keys, values,
// and the shape of a span, which is its ordered list of keys and value types.
// Shapes make the columns lossless (order and duplicate keys are part of the
// shape) and make both decoding and searching a matter of comparing small
// integers. Memory is chunked and free of pointers, so that growing never moves
// data and the garbage collector has nothing to walk.
package columns

import (
	"hash/maphash"
	"math"
	"sync"
	"time"

	"github.com/clewtrace/clew/storage/trace"
)

// Row is the fixed part of one span. Rows are numbered from 0 in the order of
// their arrival.
type Row struct {
	SpanID, Parent trace.SpanID
	Start, End     uint64 // nanoseconds since the Unix epoch, as they came
	Extra          Ref    // other fields of the span, see SplitExtra
	Trace          uint32 // index into the traces of the Set
	Prev           uint32 // 1 + the previous row of the same trace; 0 = none
	Resource       uint32 // index for Set.Resource
	Scope          uint32 // index for Set.Scope
	Op             uint32 // index for Set.Op
	Shape          uint32 // index for Set.Shape
	Slots          uint32 // address for Set.SlotsOf
	Flags          uint32
	Status         int32 // status code
}

// Duration is End-Start in nanoseconds, negative for inverted times.
func (r *Row) Duration() int64 { return int64(r.End - r.Start) }

// Op is an interned (service, span name, kind).
type Op struct {
	Service string
	Name    string
	Kind    int32
}

// Trace is what a Set knows of one trace.
type Trace struct {
	ID         trace.ID
	Start, End uint64 // smallest start, largest end
	Last       uint32 // 1 + the newest row
	Rows       uint32 // rows, duplicates included
	Wild       bool   // some span's times are far from its arrival
	turned     uint32 // the first row that made it wild
}

// Options bound what counts as a normal time.
type Options struct {
	// MaxAge and MaxAhead: a span that starts longer than MaxAge before its
	// arrival, or more than MaxAhead after it, makes its trace wild.
	MaxAge, MaxAhead time.Duration
}

// DefaultOptions are 7 days back and 1 hour ahead.
func DefaultOptions() Options { return Options{MaxAge: 7 * 24 * time.Hour, MaxAhead: time.Hour} }

const (
	rowChunkBits = 12
	rowChunk     = 1 << rowChunkBits
)

// Set holds spans in columns. Append and Seal need a single writer at a time;
// all other methods may run beside it and see whole appends only.
type Set struct {
	opts Options
	name string

	mu     sync.RWMutex // held for writing by Append, for reading by queries
	sealed bool
	nrows  uint32
	rows   []*[rowChunk]Row
	traces traceTable
	slots  slotArena
	blobs  arena

	resources    internTable // wire bytes of ResourceSpans without scope_spans
	scopes       internTable // wire bytes of ScopeSpans without spans
	services     []string    // by resource index
	serviceNums  []uint32    // by resource index: its number in serviceIndex
	badResource  []bool      // by resource index: would not decode again
	badScope     []bool      // by scope index
	names        internTable // span names
	ops          []Op
	serviceIndex map[string]uint32
	opIndex      map[opKey]uint32
	keys         internTable
	attrs        []*Attr
	attrIndex    map[attrKey]uint32
	shapes       []*Shape
	shapeIDs     internTable // by the numbers of their attributes, see shapeKey

	bounds   [2]timeBounds // normal, wild; over rows
	bytes    int64
	dec      decoder
	orderMu  sync.Mutex
	ordering *Order // guarded by orderMu; set once the Set is sealed
}

type opKey struct {
	service, name uint32
	kind          int32
}

type attrKey struct {
	key uint32
	typ ValueType
}

type timeBounds struct {
	any                        bool
	minStart, maxStart, maxEnd uint64
}

func (b *timeBounds) add(start, end uint64) {
	if !b.any {
		*b = timeBounds{true, start, start, end}
		return
	}
	b.minStart, b.maxStart, b.maxEnd = min(b.minStart, start), max(b.maxStart, start), max(b.maxEnd, end)
}

// New returns an empty Set. name appears in errors and reports.
func New(name string, opts Options) *Set {
	seed := maphash.MakeSeed()
	s := &Set{opts: opts, name: name, serviceIndex: map[string]uint32{}, opIndex: map[opKey]uint32{}, attrIndex: map[attrKey]uint32{}}
	s.traces.init()
	for _, t := range []*internTable{&s.resources, &s.scopes, &s.names, &s.keys, &s.shapeIDs} {
		t.init(seed, &s.blobs)
	}
	s.shapes = append(s.shapes, &Shape{}) // shape 0 has no attributes
	s.shapeIDs.intern(nil)
	return s
}

// Name is the name given to New.
func (s *Set) Name() string { return s.name }

// Len is the number of rows, duplicates included.
func (s *Set) Len() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return int(s.nrows)
}

// Bytes is the memory that the columns hold, in bytes. It counts what is
// reserved, not only what is used, because that is what the process pays.
func (s *Set) Bytes() int64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.bytesLocked()
}

func (s *Set) bytesLocked() int64 {
	n := s.bytes + s.blobs.bytes + s.slots.bytes + s.traces.bytes() + s.dec.templates.bytes
	for _, t := range []*internTable{&s.resources, &s.scopes, &s.names, &s.keys, &s.shapeIDs} {
		n += t.bytes()
	}
	for _, a := range s.attrs {
		n += a.Dict.bytes()
	}
	return n
}

// Seal ends appending. A sealed Set never changes.
func (s *Set) Seal() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sealed = true
	s.dec = decoder{}
}

// Row returns row r. The pointer is valid as long as the Set; do not write.
func (s *Set) Row(r uint32) *Row { return &s.rows[r>>rowChunkBits][r&(rowChunk-1)] }

// TraceAt returns trace t. Do not write.
func (s *Set) TraceAt(t uint32) *Trace { return s.traces.at(t) }

// NumTraces is the number of distinct trace IDs.
func (s *Set) NumTraces() int { return s.traces.n }

// SlotsOf returns the attribute slots of a row: Shape.Slots values, at the
// positions that the shape gives.
func (s *Set) SlotsOf(r *Row) []uint32 {
	n := s.shapes[r.Shape].Slots
	if n == 0 {
		return nil
	}
	return s.slots.get(r.Slots, n)
}

// ExtraOf returns the fields of the span that have no place in Row or slots,
// as OTLP wire bytes. Do not write.
func (s *Set) ExtraOf(r *Row) []byte { return s.blobs.get(r.Extra) }

// NumResources, NumScopes, NumOps, NumShapes and NumAttrs count interned
// things; indexes run from 0.
func (s *Set) NumResources() int { return s.resources.len() }
func (s *Set) NumScopes() int    { return s.scopes.len() }
func (s *Set) NumOps() int       { return len(s.ops) }
func (s *Set) NumShapes() int    { return len(s.shapes) }
func (s *Set) NumAttrs() int     { return len(s.attrs) }

// Resource returns the wire bytes of a ResourceSpans message without its
// scope_spans. Do not write.
func (s *Set) Resource(i uint32) []byte { return s.resources.value(i) }

// ResourceService returns the service name of resource i.
func (s *Set) ResourceService(i uint32) string { return s.services[i] }

// Scope returns the wire bytes of a ScopeSpans message without its spans.
func (s *Set) Scope(i uint32) []byte { return s.scopes.value(i) }

// Op returns operation i.
func (s *Set) Op(i uint32) Op { return s.ops[i] }

// Shape returns shape i. Do not write.
func (s *Set) Shape(i uint32) *Shape { return s.shapes[i] }

// Attr returns attribute column i. Do not write.
func (s *Set) Attr(i uint32) *Attr { return s.attrs[i] }

// nextRow returns the place of the next row; its contents are undefined.
func (s *Set) nextRow() *Row {
	if s.nrows == math.MaxUint32-1 {
		panic("columns: too many rows in one Set") // 2^32 rows are 300 GiB; the byte budget cuts long before
	}
	if int(s.nrows>>rowChunkBits) == len(s.rows) {
		s.rows = append(s.rows, new([rowChunk]Row))
		s.bytes += rowChunk * rowSize
	}
	return &s.rows[s.nrows>>rowChunkBits][s.nrows&(rowChunk-1)]
}

// addRow appends the row that nextRow has given and links it to its trace.
func (s *Set) addRow(r *Row, wild bool) {
	t := s.traces.at(r.Trace)
	r.Prev, t.Last = t.Last, s.nrows+1
	if t.Rows == 0 {
		t.Start, t.End = r.Start, r.End
	} else {
		t.Start, t.End = min(t.Start, r.Start), max(t.End, r.End)
	}
	t.Rows++
	if wild {
		if !t.Wild {
			t.Wild, t.turned = true, s.nrows
		}
		s.bounds[1].add(r.Start, r.End)
	} else {
		s.bounds[0].add(r.Start, r.End)
	}
	s.nrows++
}
