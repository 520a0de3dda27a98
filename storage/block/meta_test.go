package block

import (
	"bytes"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/oklog/ulid/v2"

	"github.com/clewtrace/clew/storage/trace"
)

func testMeta() *Meta {
	return &Meta{
		Format: FormatVersion, MinReader: MinReader, Block: ulid.ULID{1, 2}, Tenant: "tenant", Cluster: `a "cluster"`, Level: 2,
		Created: time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC), Rows: 10, Traces: 3, Duplicates: 1,
		Normal:    PartMeta{Rows: 9, Traces: 2, MinStart: 1, MaxStart: 2, MaxEnd: 3, MaxTraceStart: 2, IDs: IDRange{trace.ID{1}, trace.ID{9}}},
		Wild:      PartMeta{Rows: 1, Traces: 1, MaxStart: 1<<64 - 1, MaxEnd: 1<<64 - 1, IDs: IDRange{trace.ID{0xff}, trace.ID{0xff}}},
		IDs:       IDRange{trace.ID{1}, trace.ID{0xff}},
		Codec:     pageCodec,
		Promotion: DefaultPromotion().String(),
		Objects:   []ObjectMeta{{DataObject, 100, 7}, {IndexObject, 10, 1<<32 - 1}, {"bloom-0", 30, 0}},
		Blooms:    []BloomMeta{{IDs: IDRange{trace.ID{1}, trace.ID{9}}, Traces: 3, Probe: 20, Size: 30}},
		Coverage:  []Coverage{{Boot: uuid.UUID{1}, Builder: "b", Incarnation: uuid.UUID{2}, Intervals: Intervals{{1, 4}, {7, 1<<64 - 1}}}},
		Lineage:   []ulid.ULID{{3}, {4}},
	}
}

func TestMeta(t *testing.T) {
	m := testMeta()
	b, err := m.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if !json.Valid(b) {
		t.Errorf("not JSON: %s", b)
	}
	got, err := ParseMeta(b)
	if err != nil || !reflect.DeepEqual(got, m) {
		t.Fatalf("%+v, want %+v: %v", got, m, err)
	}
	// Every flipped bit is noticed.
	for bit := range 8 * len(b) {
		bad := bytes.Clone(b)
		bad[bit/8] ^= 1 << (bit % 8)
		if _, err := ParseMeta(bad); !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrNewer) || !strings.Contains(err.Error(), MetaObject) {
			t.Fatalf("bit %d: %v", bit, err)
		}
	}
	for n := range b {
		if _, err := ParseMeta(b[:n]); !errors.Is(err, ErrCorrupt) {
			t.Fatalf("%d bytes: %v", n, err)
		}
	}
	// What later versions add is passed over, their blocks are refused.
	newer := *m
	newer.Format = 7
	if b, err = newer.Encode(); err != nil {
		t.Fatal(err)
	}
	with := bytes.Replace(b[:len(b)-len(metaEnd(nil))], []byte(`"format": 7`), []byte(`"novelty": [{}], "format": 7`), 1)
	if got, err := ParseMeta(append(with, metaEnd(with)...)); err != nil || got.Format != 7 {
		t.Errorf("format 7: %v", err)
	}
	newer.MinReader = FormatVersion + 1
	if b, err = newer.Encode(); err != nil {
		t.Fatal(err)
	}
	if _, err := ParseMeta(b); !errors.Is(err, ErrNewer) || errors.Is(err, ErrCorrupt) {
		t.Errorf("newer: %v", err)
	}
}

func TestMetaThatMakesNoSense(t *testing.T) {
	for name, spoil := range map[string]func(m *Meta){
		"no format":        func(m *Meta) { m.Format = 0 },
		"tenant":           func(m *Meta) { m.Tenant = "../x" },
		"rows":             func(m *Meta) { m.Rows++ },
		"traces":           func(m *Meta) { m.Wild.Traces++ },
		"object twice":     func(m *Meta) { m.Objects[0].Name = IndexObject },
		"object elsewhere": func(m *Meta) { m.Objects[0].Name = "../data.parquet" },
		"bloom size":       func(m *Meta) { m.Blooms[0].Size++ },
		"bloom probe":      func(m *Meta) { m.Blooms[0].Probe = 31 },
		"bloom missing":    func(m *Meta) { m.Blooms = append(m.Blooms, m.Blooms[0]) },
		"coverage":         func(m *Meta) { m.Coverage[0].Intervals[1].From = 5 },
	} {
		m := testMeta()
		spoil(m)
		b, err := m.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ParseMeta(b); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzMeta parses any bytes, with and without the checksum that fits: what is
// accepted encodes to something equal.
func FuzzMeta(f *testing.F) {
	b, err := testMeta().Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte("{}"))
	f.Add(b[:len(b)-len(metaEnd(nil))])
	r := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		bad := bytes.Clone(b)
		bad[r.IntN(len(bad))] ^= 1 << r.IntN(8)
		f.Add(bad)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, b := range [][]byte{b, append(bytes.Clone(b), metaEnd(b)...)} {
			m, err := ParseMeta(b)
			if err != nil {
				if !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrNewer) {
					t.Fatal(err)
				}
				continue
			}
			again, err := m.Encode()
			if err != nil {
				t.Fatal(err)
			}
			got, err := ParseMeta(again)
			if err != nil {
				t.Fatal(err)
			}
			if third, err := got.Encode(); err != nil || !bytes.Equal(third, again) {
				t.Fatalf("%s\nwant %s", third, again)
			}
		}
	})
}
