package portion

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/clewtrace/clew/storage/tenant"
)

// version of the record form of a portion.
const version = 1

// ErrRecord reports bytes that are not the record form of a portion.
var ErrRecord = errors.New("not a portion record")

// maxOwners bounds the owner list; replication factors are small.
const maxOwners = 32

// AppendHeader appends the record form of p but for its payload, which follows
// it: version u8 | tenant | boot 16 | builder | seq | spans | raw size |
// received u64 | owner count | owners; strings with a uvarint length, numbers as
// uvarint, an identity is name and incarnation 16.
func (p *Portion) AppendHeader(dst []byte) []byte {
	dst = append(dst, version)
	dst = appendString(dst, string(p.Stream.Tenant))
	dst = append(dst, p.Stream.Boot[:]...)
	dst = appendIdentity(dst, p.Stream.Builder)
	dst = binary.AppendUvarint(dst, p.Seq)
	dst = binary.AppendUvarint(dst, uint64(p.Spans))
	dst = binary.AppendUvarint(dst, uint64(p.RawSize))
	dst = binary.LittleEndian.AppendUint64(dst, p.ReceivedUnixNano)
	dst = binary.AppendUvarint(dst, uint64(len(p.Owners)))
	for _, o := range p.Owners {
		dst = appendIdentity(dst, o)
	}
	return dst
}

func appendString(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

func appendIdentity(dst []byte, id Identity) []byte {
	return append(appendString(dst, id.Name), id.Incarnation[:]...)
}

// reader takes a record apart; after a mistake it yields zeros and keeps err.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) take(n uint64) []byte {
	if r.bad || n > uint64(len(r.b)) {
		r.bad = true
		return nil
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	if r.bad || n <= 0 {
		r.bad = true
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) uuid() (id uuid.UUID) { copy(id[:], r.take(16)); return id }

func (r *reader) identity() Identity {
	return Identity{Name: string(r.take(r.uvarint())), Incarnation: r.uuid()}
}

// Parse reads a record. Payload aliases b.
func Parse(b []byte) (*Portion, error) {
	r := &reader{b: b}
	if v := r.take(1); r.bad || v[0] != version {
		if !r.bad {
			return nil, fmt.Errorf("%w: version %d, this program reads %d", ErrRecord, v[0], version)
		}
		return nil, ErrRecord
	}
	name := string(r.take(r.uvarint()))
	p := &Portion{Stream: Stream{Boot: r.uuid(), Builder: r.identity()}, Seq: r.uvarint(), Spans: int(r.uvarint()), RawSize: int(r.uvarint())}
	if at := r.take(8); at != nil {
		p.ReceivedUnixNano = binary.LittleEndian.Uint64(at)
	}
	owners := r.uvarint()
	if r.bad || owners > maxOwners || p.RawSize < 0 || p.Spans < 0 {
		return nil, ErrRecord
	}
	for range owners {
		p.Owners = append(p.Owners, r.identity())
	}
	if r.bad {
		return nil, ErrRecord
	}
	id, err := tenant.Parse(name)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRecord, err)
	}
	p.Stream.Tenant, p.Payload = id, r.b
	return p, nil
}
