package block

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/clewtrace/clew/storage/columns"
)

// syntheticSpans is how many spans of clew load the studies use: about as many
// as an ingester cuts a block from.
const syntheticSpans = 1_000_000

// traffic is requests as they arrive, in memory.
type traffic struct {
	name     string
	requests [][]byte
	spans    int
}

// set returns a fresh Set of all requests.
func (tr *traffic) set(t testing.TB) *columns.Set {
	t.Helper()
	s := columns.New(tr.name, columns.DefaultOptions())
	for _, b := range tr.requests {
		if _, err := s.Append(b, 0); err != nil {
			t.Fatal(err)
		}
	}
	s.Seal()
	tr.spans = s.Len()
	return s
}

var made struct {
	sync.Mutex
	traffic map[string]*traffic
}

// trafficOf returns "real", the recorded requests, or "synthetic", those of clew
// load; both the same each time. It skips where they cannot be had.
func trafficOf(t testing.TB, name string) *traffic {
	t.Helper()
	made.Lock()
	defer made.Unlock()
	if tr := made.traffic[name]; tr != nil {
		return tr
	}
	tr := &traffic{name: name}
	switch name {
	case "real":
		dir := realData()
		if dir == "" {
			t.Skip("no recorded spans here; set CLEW_REAL_DATA")
		}
		for i := range 4 {
			tr.read(t, filepath.Join(dir, fmt.Sprintf("capture-%d.otlp.zst", i+1)))
		}
	case "synthetic":
		out := filepath.Join(t.TempDir(), "requests")
		cmd := exec.Command("go", "run", "github.com/clewtrace/clew/cmd/clew", "load", "--quiet", "--replay", "--seed", "1",
			"--at", "2026-01-02T03:04:05Z", "--spans", fmt.Sprint(syntheticSpans), "--out", out)
		if b, err := cmd.CombinedOutput(); err != nil {
			t.Skipf("clew load: %v: %s", err, b)
		}
		tr.read(t, out)
	default:
		t.Fatalf("no traffic %q", name)
	}
	if made.traffic == nil {
		made.traffic = map[string]*traffic{}
	}
	made.traffic[name] = tr
	return tr
}

// read adds the requests of a file, each behind its length as a varint.
func (tr *traffic) read(t testing.TB, name string) {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var in io.Reader = f
	if filepath.Ext(name) == ".zst" {
		z, err := zstd.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		defer z.Close()
		in = z
	}
	r := bufio.NewReaderSize(in, 1<<20)
	for {
		size, err := binary.ReadUvarint(r)
		if errors.Is(err, io.EOF) {
			return
		}
		b := make([]byte, size)
		if err == nil {
			_, err = io.ReadFull(r, b)
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		tr.requests = append(tr.requests, b)
	}
}
