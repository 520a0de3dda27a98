package wal

import (
	"bytes"
	"context"
	"errors"
	"path"
	"reflect"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/clewtrace/clew/storage/fsys"
)

var someHead = segmentHead{
	Header: Header{"cluster", "ingester-0", uuid.UUID{1, 2, 3}}, base: 900,
	before: []link{{1, 100}, {100, 0}, {300, 300}, {301, 900}},
}

func TestSegmentHeader(t *testing.T) {
	b, err := encodeSegmentHeader(someHead)
	if err != nil {
		t.Fatal(err)
	}
	got, size, err := decodeSegmentHeader(append(b, "records"...))
	if err != nil || size != len(b) || !reflect.DeepEqual(got, someHead) {
		t.Errorf("got %+v, size %d of %d, %v", got, size, len(b), err)
	}
	for at := range b {
		bad := bytes.Clone(b)
		bad[at] ^= 4
		if _, _, err := decodeSegmentHeader(bad); !errors.Is(err, errHeader) {
			t.Errorf("byte %d flipped: %v", at, err)
		}
	}
	if _, err := encodeSegmentHeader(segmentHead{base: 1 << 40, before: make([]link, maxHeader/16)}); err == nil {
		t.Error("a header above the limit was encoded")
	}
	for name, ok := range map[string]bool{"0000000000000010.log": true, "10.log": false, "000000000000001G.log": false, "+000000000000010.log": false, "0000000000000000.log": false, "000000000000000A.log": false, "next.tmp": false} {
		if _, got := parseSegmentName(name); got != ok {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// A segment of a later version is refused by name, not taken for damage.
func TestLaterVersion(t *testing.T) {
	mem, _ := filled(t)
	name := segments(t, mem)[3]
	mem.Corrupt(name, func(b []byte) {
		b[12] = Version + 1
		size := int(b[8]) + int(b[9])<<8 + 12
		sealHeader(b[:size])
	})
	if _, err := Open(mem, "log", Options{}); err == nil || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), "version 2") {
		t.Errorf("got %v", err)
	}
}

func sealHeader(b []byte) {
	c := crc(string(b[:len(b)-4]))
	copy(b[len(b)-4:], []byte{byte(c), byte(c >> 8), byte(c >> 16), byte(c >> 24)})
}

// encodeRecord returns a record of the segment at base.
func encodeRecord(h recordHead, base, synced Position, data string) []byte {
	b := make([]byte, recordHeader, recordHeader+len(data))
	h.length, h.dataCRC = len(data), crc(data)
	h.put(b)
	finishHead(b, base, synced)
	return append(b, data...)
}

func TestRecordHead(t *testing.T) {
	want := recordHead{kind: 1, length: 4, pos: 100, origin: 50, synced: 90, dataCRC: crc("data")}
	b := encodeRecord(want, 60, 90, "data")
	if got, ok := parseRecordHead(b, 60); !ok || got != want {
		t.Errorf("got %+v, %v", got, ok)
	}
	if _, ok := parseRecordHead(b, 61); ok {
		t.Error("sound in another segment")
	}
	for at := range recordHeader {
		b[at] ^= 1
		if _, ok := parseRecordHead(b, 60); ok {
			t.Errorf("byte %d flipped: still sound", at)
		}
		b[at] ^= 1
	}
}

func FuzzSegmentHeader(f *testing.F) {
	b, _ := encodeSegmentHeader(someHead)
	f.Add(b)
	f.Add(b[:40])
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 16 { // so that the fuzzer gets behind the CRC
			if n := int(b[8]) + int(b[9])<<8 + 12; n >= 20 && n <= len(b) {
				b = bytes.Clone(b)
				sealHeader(b[:n])
			}
		}
		h, size, err := decodeSegmentHeader(b)
		if err != nil {
			return
		}
		again, err := encodeSegmentHeader(h)
		if err != nil || !bytes.Equal(again, b[:size]) {
			t.Fatalf("%x decodes to %+v, which encodes to %x, %v", b[:size], h, again, err)
		}
	})
}

// Whatever is in the files, the log opens or says why, replays, and works.
func FuzzReplay(f *testing.F) {
	head, _ := encodeSegmentHeader(segmentHead{Header: Header{"c", "n", uuid.UUID{1}}, base: 1})
	one := encodeRecord(recordHead{kind: 1, pos: 1, origin: 1}, 1, 1, "data")
	gone := encodeRecord(recordHead{kind: kindGone, pos: 49, origin: 49}, 1, 49, "\x01\x00\x00\x00\x00\x00\x00\x00")
	last, _ := encodeSegmentHeader(segmentHead{Header: Header{"c", "n", uuid.UUID{1}}, base: 1 << 20, before: []link{{1, 49}}})
	moved := encodeRecord(recordHead{kind: 1, pos: 1 << 20, origin: 1}, 1<<20, 1<<20, "data")
	f.Add(append(bytes.Clone(head), one...), append(bytes.Clone(last), moved...))
	f.Add(append(append(bytes.Clone(head), one...), gone...), last)
	f.Add(append(bytes.Clone(head), encodeRecord(recordHead{kind: 1, pos: 1}, 1, 1, "no origin")...), last)
	f.Add(head, []byte{})
	f.Fuzz(func(t *testing.T, a, b []byte) {
		fs := fsys.NewMemory()
		if err := fs.MkdirAll("log"); err != nil {
			t.Fatal(err)
		}
		for base, data := range map[Position][]byte{1: a, 1 << 20: b} {
			g, _ := fs.Create(path.Join("log", segmentName(base)))
			g.Write(data)
		}
		for range 2 {
			l, err := Open(fs, "log", Options{SegmentBytes: 100})
			if err != nil {
				return
			}
			seen := map[Position]bool{}
			_, err = l.Replay(context.Background(), func(r Record) error {
				if seen[r.Position] {
					t.Errorf("position %d twice", r.Position)
				}
				seen[r.Position] = true
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			pos, err := appendWait(l, "still works")
			if err != nil || seen[pos] {
				t.Fatalf("append at %d: %v", pos, err)
			}
			for p := range seen {
				l.Drop(p)
			}
			l.Close()
		}
	})
}
