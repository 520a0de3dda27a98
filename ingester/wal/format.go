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
	recordMagic  = 0x43455243 // "CREC" on disk
	recordHeader = 36
	maxHeader    = 4096
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Header says whose log a segment is.
type Header struct {
	ClusterID, Name string
	Incarnation     uuid.UUID
}

// segmentName is the file of the segment whose first record has position base.
func segmentName(base Position) string { return fmt.Sprintf("%016x.log", uint64(base)) }

func parseSegmentName(name string) (Position, bool) {
	hex, ok := strings.CutSuffix(name, ".log")
	if !ok || len(hex) != 16 {
		return 0, false
	}
	v, err := strconv.ParseUint(hex, 16, 64)
	return Position(v), err == nil
}

// encodeSegmentHeader: magic 8 | length u32 of the rest | version u32 |
// base u64 | incarnation 16 | cluster u16+bytes | name u16+bytes | crc32c u32 of all before.
func encodeSegmentHeader(h Header, base Position) []byte {
	var b []byte
	b = binary.LittleEndian.AppendUint32(b, Version)
	b = binary.LittleEndian.AppendUint64(b, uint64(base))
	b = append(b, h.Incarnation[:]...)
	for _, s := range []string{h.ClusterID, h.Name} {
		b = binary.LittleEndian.AppendUint16(b, uint16(len(s)))
		b = append(b, s...)
	}
	out := append([]byte(segmentMagic), 0, 0, 0, 0)
	binary.LittleEndian.PutUint32(out[8:], uint32(len(b)+4))
	out = append(out, b...)
	return binary.LittleEndian.AppendUint32(out, crc32.Checksum(out, castagnoli))
}

var errHeader = errors.New("segment header damaged")

// decodeSegmentHeader reads a header from the first bytes of a segment.
func decodeSegmentHeader(b []byte) (h Header, base Position, size int, err error) {
	if len(b) < 12 || string(b[:8]) != segmentMagic {
		return h, 0, 0, errHeader
	}
	n := binary.LittleEndian.Uint32(b[8:])
	if n > maxHeader || int(n)+12 > len(b) || n < 4+8+16+2+2+4 {
		return h, 0, 0, errHeader
	}
	size = int(n) + 12
	if v := binary.LittleEndian.Uint32(b[12:]); v > Version {
		return h, 0, 0, fmt.Errorf("format version %d is newer than this program's %d: run the version that wrote it, or a later one", v, Version)
	}
	if crc32.Checksum(b[:size-4], castagnoli) != binary.LittleEndian.Uint32(b[size-4:]) {
		return h, 0, 0, errHeader
	}
	base = Position(binary.LittleEndian.Uint64(b[16:]))
	copy(h.Incarnation[:], b[24:])
	rest := b[40 : size-4]
	for _, s := range []*string{&h.ClusterID, &h.Name} {
		if len(rest) < 2 {
			return h, 0, 0, errHeader
		}
		l := int(binary.LittleEndian.Uint16(rest))
		if len(rest) < 2+l {
			return h, 0, 0, errHeader
		}
		*s, rest = string(rest[2:2+l]), rest[2+l:]
	}
	return h, base, size, nil
}

// A record is: magic u32 | crc32c u32 of all that follows | length u32 of data |
// kind u8, 3 zero bytes | position u64 | synced position u64 | 4 zero bytes | data.
func putRecordHeader(b []byte, kind Kind, pos, synced Position, length int) {
	clear(b[:recordHeader])
	binary.LittleEndian.PutUint32(b, recordMagic)
	binary.LittleEndian.PutUint32(b[8:], uint32(length))
	b[12] = byte(kind)
	binary.LittleEndian.PutUint64(b[16:], uint64(pos))
	binary.LittleEndian.PutUint64(b[24:], uint64(synced))
	binary.LittleEndian.PutUint32(b[4:], crc32.Checksum(b[8:recordHeader+length], castagnoli))
}

// recordHead is a record header taken apart.
type recordHead struct {
	kind        Kind
	pos, synced Position
	crc         uint32
	length      int
}

func parseRecordHead(b []byte) (h recordHead, ok bool) {
	if len(b) < recordHeader || binary.LittleEndian.Uint32(b) != recordMagic ||
		b[13]|b[14]|b[15] != 0 || binary.LittleEndian.Uint32(b[32:]) != 0 {
		return h, false
	}
	h.crc = binary.LittleEndian.Uint32(b[4:])
	h.length = int(binary.LittleEndian.Uint32(b[8:]))
	h.kind = Kind(b[12])
	h.pos = Position(binary.LittleEndian.Uint64(b[16:]))
	h.synced = Position(binary.LittleEndian.Uint64(b[24:]))
	return h, true
}
