// Package portion defines the unit of the write path: the traces of one push
// that have the same ordered owner list. Distributor and ingester share it, and
// the ingester's log keeps it. See docs/design for why it is whole and numbered.
package portion

import (
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/clewtrace/clew/storage/tenant"
)

// Identity is one incarnation of an ingester's data directory: the name
// survives a lost disk, the incarnation does not.
type Identity struct {
	Name        string
	Incarnation uuid.UUID
}

// Stream is what numbers portions: one tenant, one start of a distributor, one
// designated builder.
type Stream struct {
	Tenant  tenant.ID
	Boot    uuid.UUID // random per start of the distributor
	Builder Identity  // owner 0
}

// Portion is immutable once pushed; nobody writes to its slices afterwards.
type Portion struct {
	Stream Stream
	// Seq counts from 1 within the stream; a number is never used for other
	// bytes or other owners.
	Seq uint64
	// Owners are the other ingesters that get the portion, in rank order;
	// empty at replication factor 1.
	Owners []Identity
	// Spans is the number of spans in the payload.
	Spans int
	// Payload is OTLP TracesData compressed as one s2 block.
	Payload []byte
	// RawSize is the size of the payload once decompressed, in bytes.
	RawSize int
	// Raw is the payload decompressed, if the sender has it at hand (one
	// process); else nil. It is never sent or logged.
	Raw []byte
	// ReceivedUnixNano is the distributor's clock at arrival; it tells late
	// spans from wild clocks, and no safety rule reads it.
	ReceivedUnixNano uint64
}

// Receipt answers a push.
type Receipt struct {
	// Rejected counts spans that could not be decoded, by reason. They are in
	// the log but will be in no block; the others are safe.
	Rejected map[string]int
}

// Refusal is an error that is safe to retry: nothing of the push was accepted
// for good. RetryAfter is a hint.
type Refusal struct {
	Reason     string // a metric label: live_bytes, log_bytes, disk_full, starting, stopping
	Detail     string // what is full, how much of what limit, and which key changes it
	RetryAfter time.Duration
}

func (r *Refusal) Error() string {
	return fmt.Sprintf("refused (%s): %s; retry after %s", r.Reason, r.Detail, r.RetryAfter)
}
