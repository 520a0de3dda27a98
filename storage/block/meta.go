package block

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/clewtrace/clew/storage/tenant"
	"github.com/clewtrace/clew/storage/trace"
)

// FormatVersion is the version of the block format that this package writes;
// MinReader is the oldest version whose readers understand such blocks.
const (
	FormatVersion = 1
	MinReader     = 1
)

// MetaObject is the name of the object that is written last.
const MetaObject = "meta.json"

// maxMetaBytes bounds what ParseMeta reads.
const maxMetaBytes = 64 << 20

// ErrNewer reports a block that only newer versions of Clew can read.
var ErrNewer = errors.New("block needs a newer version of Clew")

// Meta is what a block says of itself in meta.json. Times are nanoseconds
// since the Unix epoch.
type Meta struct {
	Format     int       `json:"format"`
	MinReader  int       `json:"min_reader"`
	Block      ulid.ULID `json:"block"`
	Tenant     tenant.ID `json:"tenant"`
	Cluster    string    `json:"cluster"`
	Level      int       `json:"level"` // merges behind it; 0: cut by an ingester
	Created    time.Time `json:"created"`
	Rows       uint64    `json:"rows"`
	Traces     uint64    `json:"traces"`
	Duplicates uint64    `json:"duplicates"` // equal spans left out while writing
	// Normal and Wild bound the two parts of the block; see RowGroup.Wild.
	Normal PartMeta `json:"normal"`
	Wild   PartMeta `json:"wild"`
	// IDs is the range of all trace IDs.
	IDs       IDRange      `json:"ids"`
	Codec     string       `json:"codec"`     // compression of pages
	Promotion string       `json:"promotion"` // rule that chose the columns
	Objects   []ObjectMeta `json:"objects"`   // all but meta.json
	Blooms    []BloomMeta  `json:"blooms"`    // bloom-N at place N
	// Coverage lists the portions that are wholly in the block, Quarantined
	// those of them that could not be decoded, so that their spans are not.
	Coverage    []Coverage  `json:"coverage,omitempty"`
	Quarantined []Coverage  `json:"quarantined,omitempty"`
	Lineage     []ulid.ULID `json:"lineage,omitempty"` // blocks that it replaces
}

// PartMeta sums up the normal or the wild traces of a block.
type PartMeta struct {
	Rows          uint64  `json:"rows"`
	Traces        uint64  `json:"traces"`
	MinStart      uint64  `json:"min_start"`
	MaxStart      uint64  `json:"max_start"`
	MaxEnd        uint64  `json:"max_end"`
	MaxTraceStart uint64  `json:"max_trace_start"`
	IDs           IDRange `json:"ids"`
}

// IDRange is the smallest and the largest of some trace IDs.
type IDRange struct{ Min, Max trace.ID }

// ObjectMeta is one object of a block.
type ObjectMeta struct {
	Name string `json:"name"`
	Size uint64 `json:"size"`
	CRC  uint32 `json:"crc32c"`
}

// BloomMeta says what bloom-N covers. The ranges of normal shards do not
// overlap, nor do those of wild ones.
type BloomMeta struct {
	IDs    IDRange `json:"ids"`
	Wild   bool    `json:"wild,omitempty"`
	Traces uint64  `json:"traces"`
	// Probe is how many bytes from the start on tell that a trace is not there.
	Probe uint64 `json:"probe"`
	Size  uint64 `json:"size"`
}

// BloomObject is the name of the n-th bloom object.
func BloomObject(n int) string { return fmt.Sprintf("bloom-%d", n) }

// Object finds an object by its name.
func (m *Meta) Object(name string) (o ObjectMeta, ok bool) {
	for _, o := range m.Objects {
		if o.Name == name {
			return o, true
		}
	}
	return o, false
}

// metaEnd is the end of the JSON form: a last field that has the CRC-32C of all
// bytes before it.
func metaEnd(before []byte) string {
	return fmt.Sprintf(",\n  \"crc32c\": %q\n}\n", fmt.Sprintf("%08x", crc32.Checksum(before, castagnoli)))
}

// Encode returns the JSON form.
func (m *Meta) Encode() ([]byte, error) {
	b, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return nil, err
	}
	b = bytes.TrimSuffix(b, []byte("\n}"))
	return append(b, metaEnd(b)...), nil
}

// ParseMeta reads the JSON form and checks that it is as it was written. Fields
// that it does not know are passed over; a block that this version cannot read
// is ErrNewer, and what is no meta.json is ErrCorrupt.
func ParseMeta(b []byte) (*Meta, error) {
	if len(b) > maxMetaBytes {
		return nil, corruptf("%s of %d bytes", MetaObject, len(b))
	}
	m := new(Meta)
	if err := json.Unmarshal(b, m); err != nil {
		return nil, corruptf("%s: %v", MetaObject, err)
	}
	if m.MinReader > FormatVersion {
		return nil, fmt.Errorf("%s: format %d, which needs a reader of version %d: %w", MetaObject, m.Format, m.MinReader, ErrNewer)
	}
	if n := len(b) - len(metaEnd(nil)); n < 0 || string(b[n:]) != metaEnd(b[:n]) {
		return nil, fmt.Errorf("%s: %w", MetaObject, errChecksum)
	}
	if err := m.validate(); err != nil {
		return nil, corruptf("%s: %v", MetaObject, err)
	}
	return m, nil
}

func (m *Meta) validate() error {
	if m.Format < 1 || m.MinReader < 1 {
		return fmt.Errorf("format %d, min_reader %d", m.Format, m.MinReader)
	}
	if _, err := tenant.Parse(string(m.Tenant)); err != nil {
		return err
	}
	if m.Rows != m.Normal.Rows+m.Wild.Rows || m.Traces != m.Normal.Traces+m.Wild.Traces || m.Rows < m.Traces || m.Rows > 0 && m.Traces == 0 {
		return fmt.Errorf("%d rows and %d traces do not add up", m.Rows, m.Traces)
	}
	names := map[string]bool{}
	for _, o := range m.Objects {
		if o.Name == "" || strings.ContainsAny(o.Name, "/\\") || o.Name == "." || o.Name == ".." || names[o.Name] {
			return fmt.Errorf("object %q: not a permitted name", o.Name)
		}
		names[o.Name] = true
	}
	for i := range m.Blooms {
		s := &m.Blooms[i]
		if o, ok := m.Object(BloomObject(i)); !ok || o.Size != s.Size || s.Probe > s.Size {
			return fmt.Errorf("%s: size %d of %d does not agree with the object", BloomObject(i), s.Probe, s.Size)
		}
	}
	for _, list := range [][]Coverage{m.Coverage, m.Quarantined} {
		for i := range list {
			if err := list[i].Intervals.Validate(); err != nil {
				return fmt.Errorf("coverage of %s: %w", list[i].Builder, err)
			}
		}
	}
	return nil
}

// MarshalJSON implements json.Marshaler: two hexadecimal IDs.
func (r IDRange) MarshalJSON() ([]byte, error) {
	return json.Marshal([2]string{r.Min.String(), r.Max.String()})
}

// UnmarshalJSON implements json.Unmarshaler.
func (r *IDRange) UnmarshalJSON(b []byte) error {
	var s []string
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	if len(s) != 2 {
		return fmt.Errorf("ID range %.128s: want two IDs", b)
	}
	lo, err := trace.ParseID(s[0])
	if err != nil {
		return err
	}
	hi, err := trace.ParseID(s[1])
	if err != nil {
		return err
	}
	r.Min, r.Max = lo, hi
	return nil
}
