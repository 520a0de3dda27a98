package block

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// The index object is a header and sections, one behind the other. A section is
// compressed and checked on its own, so that a reader may fetch and decode only
// what it needs. A reader passes over sections that it does not know: they are
// how the format grows.
//
//	"CLEWINDX" | version u16 | sections u16 | per section: id u16, codec u16,
//	crc32c u32 (of its bytes as stored), offset u64, length u64, raw length u64 |
//	crc32c u32 of all of the header before it

const (
	indexMagic   = "CLEWINDX"
	indexVersion = 1

	sectionEntry = 32
	// maxSections bounds the header, so that its first IndexHeaderMax bytes
	// always hold it whole.
	maxSections = 60
)

// IndexHeaderMax is how many bytes of the front of an index object always
// contain its header.
const IndexHeaderMax = 12 + maxSections*sectionEntry + 4

// Section numbers a part of the index. The numbers are part of the format.
type Section uint16

// The sections of version 1.
const (
	SectionTables     Section = 1 // Tables.Resources, Tables.Scopes
	SectionShapes     Section = 2 // Columns, Tables.Shapes, Rows
	SectionRowGroups  Section = 3 // RowGroups but for the places of pages
	SectionPages      Section = 4 // places and checksums of pages
	SectionTraceIDs   Section = 5 // Traces.IDs
	SectionTraces     Section = 6 // the other fields of Traces
	SectionOperations Section = 7
	SectionEdges      Section = 8
	SectionHalfEdges  Section = 9
	SectionLinked     Section = 10
	SectionNames      Section = 11
)

// SectionSet is a set of sections; the zero value means all of them.
type SectionSet uint64

// Sections makes a set. A section that needs another one to be decoded brings
// it along.
func Sections(list ...Section) SectionSet {
	var s SectionSet
	for _, id := range list {
		s |= 1 << id
		switch id {
		case SectionRowGroups:
			s |= 1 << SectionShapes
		case SectionPages:
			s |= 1<<SectionRowGroups | 1<<SectionShapes
		case SectionTraces, SectionHalfEdges, SectionLinked:
			s |= 1 << SectionTraceIDs
		}
	}
	return s
}

func (s SectionSet) has(id Section) bool { return s == 0 || id < 64 && s&(1<<id) != 0 }

const (
	codecRaw  = 0
	codecZstd = 1
)

// maxSectionRatio bounds how much larger than stored a section may claim to be
// (beyond 64 KiB). What compresses better is stored as it is.
const maxSectionRatio = 256

func maxRaw(stored uint64) uint64 {
	return min(stored*maxSectionRatio+64<<10, maxPageBytes)
}

// sectionEncoder compresses sections and tables. Not for concurrent use; see
// the pool.
func newSectionEncoder() *zstd.Encoder {
	z, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedDefault),
		zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(false), zstd.WithWindowSize(1<<20))
	if err != nil {
		panic(err) // options are constants
	}
	return z
}

var sectionEncoders = sync.Pool{New: func() any { return newSectionEncoder() }}

// packed is a section as stored.
type packed struct {
	id     Section
	codec  uint16
	raw    uint64
	stored []byte
}

// pack compresses a section. The result may alias raw.
func pack(id Section, raw []byte) packed {
	p := packed{id: id, codec: codecRaw, raw: uint64(len(raw)), stored: raw}
	z := sectionEncoders.Get().(*zstd.Encoder)
	defer sectionEncoders.Put(z)
	if id == SectionTraceIDs {
		return p // random bytes
	}
	if c := z.EncodeAll(raw, make([]byte, 0, len(raw)/3+64)); len(c) < len(raw) && uint64(len(raw)) <= maxRaw(uint64(len(c))) {
		p.codec, p.stored = codecZstd, c
	}
	return p
}

// unpack checks and decompresses a section as stored.
func unpack(codec uint16, rawLength uint64, crc uint32, stored []byte) ([]byte, error) {
	if crc32.Checksum(stored, castagnoli) != crc {
		return nil, errChecksum
	}
	switch codec {
	case codecRaw:
		if rawLength != uint64(len(stored)) {
			return nil, corruptf("%d bytes stored for %d", len(stored), rawLength)
		}
		return stored, nil
	case codecZstd:
		if rawLength > maxRaw(uint64(len(stored))) {
			return nil, corruptf("%d bytes claim to hold %d", len(stored), rawLength)
		}
		raw, err := decoder().DecodeAll(stored, make([]byte, 0, rawLength+decompressSlack))
		if err != nil {
			return nil, corruptf("decompress: %v", err)
		}
		if uint64(len(raw)) != rawLength {
			return nil, corruptf("holds %d bytes: want %d", len(raw), rawLength)
		}
		return raw, nil
	}
	return nil, corruptf("codec %d", codec)
}

// appendIndex appends the index object made of the given sections.
func appendIndex(dst []byte, sections []packed) []byte {
	start := len(dst)
	dst = append(dst, indexMagic...)
	dst = binary.LittleEndian.AppendUint16(dst, indexVersion)
	dst = binary.LittleEndian.AppendUint16(dst, uint16(len(sections)))
	off := uint64(12 + len(sections)*sectionEntry + 4)
	for _, s := range sections {
		dst = binary.LittleEndian.AppendUint16(dst, uint16(s.id))
		dst = binary.LittleEndian.AppendUint16(dst, s.codec)
		dst = binary.LittleEndian.AppendUint32(dst, crc32.Checksum(s.stored, castagnoli))
		dst = binary.LittleEndian.AppendUint64(dst, off)
		dst = binary.LittleEndian.AppendUint64(dst, uint64(len(s.stored)))
		dst = binary.LittleEndian.AppendUint64(dst, s.raw)
		off += uint64(len(s.stored))
	}
	dst = binary.LittleEndian.AppendUint32(dst, crc32.Checksum(dst[start:], castagnoli))
	for _, s := range sections {
		dst = append(dst, s.stored...)
	}
	return dst
}

// IndexHeader is the decoded header of an index object.
type IndexHeader struct{ Sections []SectionPlace }

// SectionPlace is where a section lies in the index object.
type SectionPlace struct {
	ID        Section
	Codec     uint16
	CRC       uint32
	Offset    uint64
	Length    uint64
	RawLength uint64
}

// ParseIndexHeader reads the header of an index object from its front, for
// which IndexHeaderMax bytes are enough.
func ParseIndexHeader(b []byte) (*IndexHeader, error) {
	if len(b) < 12 || string(b[:8]) != indexMagic {
		return nil, corruptf("no index")
	}
	if v := binary.LittleEndian.Uint16(b[8:]); v != indexVersion {
		return nil, fmt.Errorf("index of version %d: %w", v, ErrNewer)
	}
	n := int(binary.LittleEndian.Uint16(b[10:]))
	size := 12 + n*sectionEntry
	if n > maxSections || len(b) < size+4 {
		return nil, corruptf("index header of %d sections", n)
	}
	if crc32.Checksum(b[:size], castagnoli) != binary.LittleEndian.Uint32(b[size:]) {
		return nil, fmt.Errorf("index header: %w", errChecksum)
	}
	h := &IndexHeader{Sections: make([]SectionPlace, n)}
	end := uint64(size + 4)
	for i := range h.Sections {
		e := b[12+i*sectionEntry:]
		s := SectionPlace{
			ID: Section(binary.LittleEndian.Uint16(e)), Codec: binary.LittleEndian.Uint16(e[2:]),
			CRC: binary.LittleEndian.Uint32(e[4:]), Offset: binary.LittleEndian.Uint64(e[8:]),
			Length: binary.LittleEndian.Uint64(e[16:]), RawLength: binary.LittleEndian.Uint64(e[24:]),
		}
		if s.Offset != end || s.Length > maxPageBytes || s.RawLength > maxPageBytes {
			return nil, corruptf("section %d at %d", s.ID, s.Offset)
		}
		end += s.Length
		h.Sections[i] = s
	}
	return h, nil
}

// Extent is the range of bytes of the object that holds the wanted sections
// and whatever lies between them.
func (h *IndexHeader) Extent(want SectionSet) (off, length uint64) {
	end := uint64(0)
	for _, s := range h.Sections {
		if want.has(s.ID) && s.Length > 0 {
			if end == 0 {
				off = s.Offset
			}
			end = s.Offset + s.Length
		}
	}
	if end == 0 {
		return 0, 0
	}
	return off, end - off
}

// DecodeIndex decodes the wanted sections of an index from a range of the
// object that begins at off and holds them. Fields of other sections stay
// empty. The Index keeps parts of data.
func (h *IndexHeader) DecodeIndex(data []byte, off uint64, want SectionSet) (*Index, error) {
	var raw rawSections
	for _, s := range h.Sections {
		if !want.has(s.ID) || s.ID > SectionNames {
			continue
		}
		var err error
		if raw[s.ID], err = s.unpack(data, off); err != nil {
			return nil, err
		}
	}
	return raw.decode(want)
}

// rawSections are sections as they were before compression, by number.
type rawSections [SectionNames + 1][]byte

// unpack takes a section from a range of the object that begins at off.
func (s *SectionPlace) unpack(data []byte, off uint64) ([]byte, error) {
	if s.Offset < off || s.Offset-off > uint64(len(data)) || s.Length > uint64(len(data))-(s.Offset-off) {
		return nil, corruptf("section %d lies outside of what was read", s.ID)
	}
	at := s.Offset - off
	b, err := unpack(s.Codec, s.RawLength, s.CRC, data[at:at+s.Length:at+s.Length])
	if err != nil {
		return nil, fmt.Errorf("section %d: %w", s.ID, err)
	}
	if b == nil {
		b = []byte{}
	}
	return b, nil
}

// decode decodes the wanted sections. The Index keeps parts of raw.
func (raw *rawSections) decode(want SectionSet) (*Index, error) {
	x := new(Index)
	// In this order, for some need others.
	for id := SectionTables; id <= SectionNames; id++ {
		if !want.has(id) {
			continue
		}
		if raw[id] == nil {
			return nil, corruptf("section %d is missing", id)
		}
		p := parser{b: raw[id]}
		switch id {
		case SectionTables:
			x.Tables.Resources, x.Tables.Scopes = parseTables(&p)
		case SectionShapes:
			parseShapes(&p, x)
		case SectionRowGroups:
			parseRowGroups(&p, x)
		case SectionPages:
			parsePages(&p, x.RowGroups)
		case SectionTraceIDs:
			parseTraceIDs(&p, &x.Traces)
		case SectionTraces:
			parseTraces(&p, &x.Traces)
		case SectionOperations:
			x.Operations = parseOperations(&p)
		case SectionEdges:
			x.Edges = parseEdges(&p)
		case SectionHalfEdges:
			x.HalfEdges = parseHalfEdges(&p, x.Traces.IDs)
		case SectionLinked:
			x.Linked = parseLinked(&p, x.Traces.IDs)
		case SectionNames:
			x.Names = parseNames(&p)
		}
		if !p.end() {
			return nil, corruptf("section %d", id)
		}
	}
	return x, nil
}

// DecodeIndex decodes a whole index object. The Index keeps parts of data.
func DecodeIndex(data []byte) (*Index, error) {
	h, err := ParseIndexHeader(data)
	if err != nil {
		return nil, err
	}
	return h.DecodeIndex(data, 0, 0)
}
