package wal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"strconv"
	"strings"

	"github.com/google/uuid"
)

// Version is the format of segments that this code writes.
const Version = 1

const (
	segmentMagic = "CLEWLOG\n"
	recordMagic  = "CREC"
	recordHeader = 44
	maxHeader    = 1 << 20 // bytes of a segment header: room for 65,000 links
	maxData      = 1 << 30 // bytes of data in a record
)

// Kinds of records that are the log's own; Append takes those below.
const (
	kindOwn  Kind = 240
	kindVoid Kind = 254 // nothing: bytes given up, or a mark that all before is durable
	kindGone Kind = 255 // bases of segments, 8 bytes each, that are being deleted
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Header says whose log a segment is.
type Header struct {
	ClusterID, Name string
	Incarnation     uuid.UUID
}

// link names a segment and proves where it ends: the record behind its last
// has position end or above. End 0 proves nothing: it could not be told.
type link struct{ base, end Position }

// segmentHead is the header of a segment. Before holds all other segments of
// the log at the time the segment was started, oldest first; they were sealed.
type segmentHead struct {
	Header
	base   Position
	before []link
}

// segmentName is the file of the segment whose first record has position base.
func segmentName(base Position) string { return fmt.Sprintf("%016x.log", uint64(base)) }

func parseSegmentName(name string) (Position, bool) {
	hex, ok := strings.CutSuffix(name, ".log")
	if !ok || len(hex) != 16 {
		return 0, false
	}
	v, err := strconv.ParseUint(hex, 16, 64)
	if err != nil || v == 0 || segmentName(Position(v)) != name {
		return 0, false
	}
	return Position(v), true
}

// encodeSegmentHeader: magic 8 | length u32 of the rest | version u32 |
// base u64 | incarnation 16 | cluster u16+bytes | name u16+bytes |
// links u32, each base u64, end u64 | crc32c u32 of all before.
func encodeSegmentHeader(h segmentHead) ([]byte, error) {
	out := append([]byte(segmentMagic), 0, 0, 0, 0)
	out = binary.LittleEndian.AppendUint32(out, Version)
	out = binary.LittleEndian.AppendUint64(out, uint64(h.base))
	out = append(out, h.Incarnation[:]...)
	for _, s := range []string{h.ClusterID, h.Name} {
		if len(s) > 1<<16-1 {
			return nil, fmt.Errorf("name of %d bytes in a segment header: at most 65535 fit", len(s))
		}
		out = binary.LittleEndian.AppendUint16(out, uint16(len(s)))
		out = append(out, s...)
	}
	out = binary.LittleEndian.AppendUint32(out, uint32(len(h.before)))
	for _, k := range h.before {
		out = binary.LittleEndian.AppendUint64(out, uint64(k.base))
		out = binary.LittleEndian.AppendUint64(out, uint64(k.end))
	}
	if len(out)+4-12 > maxHeader {
		return nil, fmt.Errorf("log has %d segments, more than a segment header can name: raise log.segment_bytes, or let blocks be stored so that segments go", len(h.before))
	}
	binary.LittleEndian.PutUint32(out[8:], uint32(len(out)+4-12))
	return binary.LittleEndian.AppendUint32(out, crc32.Checksum(out, castagnoli)), nil
}

var errHeader = errors.New("segment header damaged")

// decodeSegmentHeader reads a header from the first bytes of a segment. The
// error is errHeader where there is none, another for a version to come: magic,
// length, version and CRC are to stay in their places in all versions.
func decodeSegmentHeader(b []byte) (h segmentHead, size int, err error) {
	if len(b) < 16 || string(b[:8]) != segmentMagic {
		return h, 0, errHeader
	}
	n := binary.LittleEndian.Uint32(b[8:])
	if n > maxHeader || int(n)+12 > len(b) || n < 4+4 {
		return h, 0, errHeader
	}
	size = int(n) + 12
	if crc32.Checksum(b[:size-4], castagnoli) != binary.LittleEndian.Uint32(b[size-4:]) {
		return h, 0, errHeader
	}
	if v := binary.LittleEndian.Uint32(b[12:]); v != Version {
		return h, 0, fmt.Errorf("format version %d is not this program's %d: run the version that wrote it, or a later one", v, Version)
	}
	rest := b[16 : size-4]
	take := func(n int) []byte {
		if len(rest) < n {
			err = errHeader
			return make([]byte, n)
		}
		b := rest[:n]
		rest = rest[n:]
		return b
	}
	h.base = Position(binary.LittleEndian.Uint64(take(8)))
	copy(h.Incarnation[:], take(16))
	for _, s := range []*string{&h.ClusterID, &h.Name} {
		*s = string(take(int(binary.LittleEndian.Uint16(take(2)))))
	}
	count := binary.LittleEndian.Uint32(take(4))
	if err != nil || int64(count)*16 != int64(len(rest)) {
		return segmentHead{}, 0, errHeader
	}
	last := Position(0)
	for range count {
		k := link{Position(binary.LittleEndian.Uint64(take(8))), Position(binary.LittleEndian.Uint64(take(8)))}
		if k.base < last || k.end != 0 && k.end < k.base || k.end > h.base {
			return segmentHead{}, 0, errHeader
		}
		h.before, last = append(h.before, k), k.base+1
	}
	return h, size, nil
}

// recordHead is the header of a record: magic u32 | crc32c u32 of the header
// bytes that follow, begun with the segment's base | length u32 of data |
// kind u8, 3 zeros | position u64 | origin u64 | synced u64 | crc32c u32 of data.
//
// The base in the CRC keeps a record from being taken for sound in a file that
// had another use before.
type recordHead struct {
	kind    Kind
	length  int
	pos     Position // place in the log
	origin  Position // pos of its first place; its own where it was never moved
	synced  Position // all below was durable when it was written
	dataCRC uint32
}

// size is that of the record in the file.
func (h recordHead) size() int64 { return recordHeader + int64(h.length) }

// put encodes h but for what only the writer knows: see finishHead.
func (h recordHead) put(b []byte) {
	copy(b, recordMagic)
	binary.LittleEndian.PutUint32(b[8:], uint32(h.length))
	binary.LittleEndian.PutUint32(b[12:], uint32(h.kind))
	binary.LittleEndian.PutUint64(b[16:], uint64(h.pos))
	binary.LittleEndian.PutUint64(b[24:], uint64(h.origin))
	binary.LittleEndian.PutUint32(b[40:], h.dataCRC)
}

// finishHead completes a header for the segment at base.
func finishHead(b []byte, base, synced Position) {
	binary.LittleEndian.PutUint64(b[32:], uint64(synced))
	binary.LittleEndian.PutUint32(b[4:], headCRC(b, base))
}

func headCRC(b []byte, base Position) uint32 {
	return crc32.Update(uint32(base)^uint32(base>>32), castagnoli, b[8:recordHeader])
}

// parseRecordHead decodes a header of the segment at base; ok is false if it is
// not sound. The data is not looked at.
func parseRecordHead(b []byte, base Position) (h recordHead, ok bool) {
	if len(b) < recordHeader || string(b[:4]) != recordMagic || headCRC(b, base) != binary.LittleEndian.Uint32(b[4:]) {
		return h, false
	}
	h = rawHead(b)
	return h, h.length <= maxData && b[13]|b[14]|b[15] == 0 && h.origin > 0 && h.origin <= h.pos && h.synced <= h.pos
}

// rawHead decodes without checking.
func rawHead(b []byte) recordHead {
	return recordHead{
		length:  int(binary.LittleEndian.Uint32(b[8:])),
		kind:    Kind(b[12]),
		pos:     Position(binary.LittleEndian.Uint64(b[16:])),
		origin:  Position(binary.LittleEndian.Uint64(b[24:])),
		synced:  Position(binary.LittleEndian.Uint64(b[32:])),
		dataCRC: binary.LittleEndian.Uint32(b[40:]),
	}
}

// parseGone decodes the data of a kindGone record.
func parseGone(data []byte) (bases []Position) {
	for ; len(data) >= 8; data = data[8:] {
		bases = append(bases, Position(binary.LittleEndian.Uint64(data)))
	}
	return bases
}
