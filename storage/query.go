// Package storage is the door to what Clew keeps: the vocabulary of searches
// and answers that live columns and blocks share. It knows nothing of query
// languages: the planners above it lower a query to Query.
//
// Its rooms: storage/trace (identifiers, identity, assembly), storage/tenant,
// storage/columns (spans in memory, by column), storage/block (the block
// format), storage/fsys (files). FORMAT.md says every byte on disk.
package storage

import (
	"context"
	"time"

	"github.com/clewtrace/clew/storage/trace"
)

// Query selects traces: a trace matches when one of its spans satisfies every
// condition and starts in [Start, End).
type Query struct {
	// Start and End bound the start of the matching span in nanoseconds since
	// the Unix epoch, End excluded. End == 0 means no upper bound.
	Start, End uint64
	// Service and Operation are equality on service.name and the span's name.
	// The empty string matches any.
	Service, Operation string
	// MinDuration and MaxDuration bound the span's duration, both included.
	// MaxDuration == 0 means no upper bound.
	MinDuration, MaxDuration time.Duration
	// Tags must all hold on the same span.
	Tags []Tag
}

// Tag is one condition of Jaeger's search. It holds when the span's own
// attributes, its resource's, its scope's or one of its events' attributes
// contain Key with a value whose text is Value (a bool as true/false, an int in
// decimal, a double as strconv 'g' -1 prints it, a string as it is; bytes,
// arrays and maps never match). A few keys speak of fields instead, as
// Jaeger's do; the field is tried beside the attributes:
//
//	error=true               status code is error ("error=false": it is not)
//	span.kind                internal, server, client, producer, consumer
//	otel.status_code         OK, ERROR
//	otel.status_description  status message
//	otel.scope.name, otel.scope.version; otel.library.name, otel.library.version
type Tag struct{ Key, Value string }

// Summary is one trace in one line, over all of its distinct spans.
type Summary struct {
	ID trace.ID
	// Start is the smallest start, End the largest end, in nanoseconds.
	Start, End uint64
	// RootService and RootName are those of the root: among the spans without
	// a parent ID the one with the smallest (start, span ID). HasRoot is false,
	// and both are empty, if every span names a parent.
	RootService, RootName string
	HasRoot               bool
	// Spans counts distinct spans, Errors those with error status, Orphans
	// those that name a parent which is not in the trace.
	Spans, Errors, Orphans int
	// Services is sorted by name.
	Services []ServiceCount
}

// ServiceCount counts the spans of one service in one trace.
type ServiceCount struct {
	Name          string
	Spans, Errors int
}

// Operation is a span name with a span kind, as clients of the operations
// APIs see it. Kind is the OTLP number (0 unspecified … 5 consumer).
type Operation struct {
	Name string
	Kind uint8
}

// Bounds encloses the spans of a Source.
type Bounds struct {
	// MinStart is the smallest start, MaxStart the largest start and MaxEnd
	// the largest end of a span.
	MinStart, MaxStart, MaxEnd uint64
	// MaxTraceStart is the largest trace start: over the traces of the source,
	// the maximum of their smallest start. Newest-first search stops on it.
	MaxTraceStart uint64
	Spans, Traces int
}

// Match is a trace fragment of a source that satisfies a query.
type Match struct {
	ID trace.ID
	// Ordinal is the fragment's place in its source; pass it to Summaries.
	Ordinal uint32
	// Start is the smallest start of the fragment's spans.
	Start uint64
}

// Source is one searchable set of spans: an open or sealed head in memory, or
// a part of a block. Within a source each trace is one fragment, and equal
// spans are one span in every answer.
//
// Methods are safe for concurrent use. A Source that was handed out stays
// readable until Release; after that no method may be called.
type Source interface {
	// Name identifies the source in errors and completeness reports.
	Name() string
	// Bounds never needs I/O. ok is false for a source without spans.
	Bounds() (b Bounds, ok bool)
	// Fragment appends the spans of one trace to dst as OTLP TracesData wire
	// bytes (a sequence of resource_spans fields, so that appended fragments
	// are one message). found is false, and dst unchanged, if it has none.
	Fragment(ctx context.Context, dst []byte, id trace.ID) (out []byte, found bool, err error)
	// Search returns the fragments that match q, in no particular order.
	Search(ctx context.Context, q *Query) ([]Match, error)
	// Locate returns, for each ID, the fragment's ordinal and start;
	// found is false where the source does not hold the trace.
	Locate(ctx context.Context, ids []trace.ID) ([]Location, error)
	// Summaries returns the summaries of the fragments named by ordinals, in
	// that order, each over the distinct spans of this source alone.
	Summaries(ctx context.Context, ordinals []uint32) ([]Summary, error)
	// Operations calls add for every (service, span name, kind) present.
	Operations(ctx context.Context, add func(service, name string, kind uint8)) error
	// Release ends the use of this handle.
	Release()
}

// Recent is what an ingester holds of one tenant that is in no block yet.
type Recent struct {
	Sources []Source
	// Replaying means that the log is still being read: spans may be missing.
	Replaying bool
	// Failed names what cannot be searched. Do not write.
	Failed []FailedSource
}

// Location is where a source holds a trace.
type Location struct {
	Ordinal uint32
	Start   uint64
	Found   bool
}

// Completeness says what an answer rests on. An answer is complete when
// nothing failed and nothing was truncated.
type Completeness struct {
	// SourcesPlanned and SourcesRead count sources; Pruned those that bounds
	// or early stop made unnecessary.
	SourcesPlanned, SourcesRead, SourcesPruned int
	// Failed names what could not be read and why.
	Failed []FailedSource
	// Replaying is true while the log is still being read after a start, so
	// that recent spans may be missing.
	Replaying bool
}

// FailedSource is a source that could not be read.
type FailedSource struct{ Name, Reason string }

// Complete reports whether nothing is missing from the answer.
func (c *Completeness) Complete() bool { return len(c.Failed) == 0 && !c.Replaying }

// StatusError is the number of OTLP's error status code.
const StatusError = 2
