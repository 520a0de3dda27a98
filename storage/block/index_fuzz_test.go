package block

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"runtime"
	"testing"

	"github.com/clewtrace/clew/storage"
	"github.com/clewtrace/clew/storage/columns"
	"github.com/clewtrace/clew/storage/trace"
)

// smallBlock is a block of a few KB with something in every section.
func smallBlock(t testing.TB) (memory, *Meta) {
	t.Helper()
	opts := testOptions()
	opts.RowGroupRows, opts.PageRows = 30, 7
	return writeSet(t, randomSet(t, 3, 12), opts)
}

// boundedDecode runs decode and fails if it allocates more than a few KB and a
// multiple of the size of its input. Other goroutines count too; they do little.
func boundedDecode(t *testing.T, size int, decode func()) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	decode()
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > 1<<20+200*uint64(size) {
		t.Fatalf("%d bytes allocated for %d", n, size)
	}
}

func soundError(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrNewer) {
		t.Fatal(err)
	}
}

// use walks through a decoded index as readers do.
func (x *Index) use() {
	x.cost()
	_, _ = x.fixed()
	for i := range x.Traces.IDs {
		var s storage.Summary
		x.Traces.summary(uint32(i), &s, make([]storage.ServiceCount, x.Traces.SvcFirst[i+1]-x.Traces.SvcFirst[i]))
	}
	for g := range x.RowGroups {
		for c := range x.RowGroups[g].Chunks {
			ch := &x.RowGroups[g].Chunks[c]
			ch.extent()
			ch.mayHold(500)
		}
	}
}

// FuzzSection decodes an index in which one section is any bytes: no panic, and
// no memory beyond what they can hold.
func FuzzSection(f *testing.F) {
	objects, _ := smallBlock(f)
	h, err := ParseIndexHeader(objects[IndexObject])
	if err != nil {
		f.Fatal(err)
	}
	var good rawSections
	size := 0
	for i := range h.Sections {
		s := &h.Sections[i]
		if good[s.ID], err = s.unpack(objects[IndexObject], 0); err != nil {
			f.Fatal(err)
		}
		size += len(good[s.ID])
		f.Add(uint8(s.ID), good[s.ID])
	}
	f.Fuzz(func(t *testing.T, id uint8, section []byte) {
		raw := good
		raw[1+id%uint8(SectionNames)] = append([]byte{}, section...)
		boundedDecode(t, size+len(section), func() {
			x, err := raw.decode(0)
			if err != nil {
				soundError(t, err)
				return
			}
			x.use()
		})
	})
}

// FuzzIndex decodes any bytes as an index object, as they are and with the
// checksum of their header made to fit.
func FuzzIndex(f *testing.F) {
	objects, _ := smallBlock(f)
	f.Add(objects[IndexObject])
	f.Add(appendIndex(nil, nil))
	f.Add(appendIndex(nil, []packed{pack(SectionTables, make([]byte, 1000)), pack(40, []byte("later"))}))
	f.Fuzz(func(t *testing.T, data []byte) {
		for range 2 {
			boundedDecode(t, 256*len(data), func() {
				x, err := DecodeIndex(data)
				if err != nil {
					soundError(t, err)
					return
				}
				x.use()
			})
			if len(data) < 12 {
				return
			}
			end := 12 + int(binary.LittleEndian.Uint16(data[10:]))*sectionEntry
			if len(data) < end+4 {
				return
			}
			data = bytes.Clone(data)
			binary.LittleEndian.PutUint32(data[end:], crc32.Checksum(data[:end], castagnoli))
		}
	})
}

// FuzzBloom decodes any bytes as a bloom object, as they are and with checksums
// made to fit, and any bytes as its tail.
func FuzzBloom(f *testing.F) {
	objects, m := smallBlock(f)
	for i := range m.Blooms {
		b := objects[BloomObject(i)]
		h, err := ParseBloomHeader(b)
		if err != nil {
			f.Fatal(err)
		}
		tail, err := unpack(h.TailCodec, h.TailRaw, h.TailCRC, b[h.Probe():])
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, tail)
	}
	f.Fuzz(func(t *testing.T, object, tail []byte) {
		id := trace.ID{1, 2, 3}
		for range 2 {
			boundedDecode(t, 256*len(object), func() {
				h, err := ParseBloomHeader(object)
				if err == nil {
					err = h.Check(object)
				}
				if err != nil {
					soundError(t, err)
					return
				}
				h.MayHold(object, &id)
				decodeTail(t, h, object[h.Probe():], &id)
			})
			if len(object) < bloomHeaderSize {
				break
			}
			object = bytes.Clone(object)
			if bits := binary.LittleEndian.Uint64(object[16:]); bits/8 <= uint64(len(object)-bloomHeaderSize) {
				binary.LittleEndian.PutUint32(object[56:], crc32.Checksum(object[bloomHeaderSize:bloomHeaderSize+bits/8], castagnoli))
			}
			binary.LittleEndian.PutUint32(object[bloomHeaderSize-4:], crc32.Checksum(object[:bloomHeaderSize-4], castagnoli))
		}
		boundedDecode(t, len(tail), func() {
			h := &BloomHeader{TailCRC: crc32.Checksum(tail, castagnoli), TailLength: uint64(len(tail)), TailRaw: uint64(len(tail))}
			decodeTail(t, h, tail, &id)
		})
	})
}

func decodeTail(t *testing.T, h *BloomHeader, stored []byte, id *trace.ID) {
	t.Helper()
	tail, err := h.DecodeTail(stored)
	if err != nil {
		soundError(t, err)
		return
	}
	tail.Pages(id)
	tail.Index.use()
}

// FuzzRest reads values from any bytes; what is read can be written and read
// again.
func FuzzRest(f *testing.F) {
	var all, types []byte
	for typ := columns.Empty; typ <= columns.Any; typ++ {
		types = append(types, byte(typ))
		all = AppendRestValue(all, typ, 1, []byte("value"))
	}
	f.Add(types, all)
	f.Add([]byte{byte(columns.Int)}, AppendRestValue(nil, columns.Int, 1<<63, nil))
	f.Fuzz(func(t *testing.T, types, b []byte) {
		for _, typ := range types {
			typ := columns.ValueType(typ % (byte(columns.Any) + 1))
			bits, val, rest, ok := NextRestValue(b, typ)
			if !ok {
				return
			}
			if len(rest) > len(b) {
				t.Fatal("more is left than there was")
			}
			again, val2, left, ok := NextRestValue(AppendRestValue(nil, typ, bits, val), typ)
			if !ok || again != bits || !bytes.Equal(val, val2) || len(left) > 0 {
				t.Fatalf("%s %d %q: read back as %d %q, %t", typ, bits, val, again, val2, ok)
			}
			b = rest
		}
	})
}
