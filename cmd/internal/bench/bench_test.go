package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/clewtrace/clew/cmd/internal/loadgen"
)

func TestParseStat(t *testing.T) {
	const stat = "4242 (a (odd) name) S 1 4242 4242 0 -1 4194304 100 0 0 0 250 50 0 0 20 0 9 0 12345 1000 200"
	got, err := parseStat(stat)
	if err != nil || got != 3*time.Second {
		t.Errorf("got %v, %v; want 3s", got, err)
	}
	for _, bad := range []string{"", "1 (x) S 1 2", "1 (x) S 1 2 3 4 5 6 7 8 9 10 a b c"} {
		if _, err := parseStat(bad); err == nil {
			t.Errorf("%q: no error", bad)
		}
	}
	if cpu, err := procCPU(os.Getpid()); err != nil && os.Getenv("GOOS") == "linux" {
		t.Errorf("own CPU time: %v, %v", cpu, err)
	}
}

func TestProcField(t *testing.T) {
	file := filepath.Join(t.TempDir(), "status")
	if err := os.WriteFile(file, []byte("Name:\tclew\nVmHWM:\t  2048 kB\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if n, err := procField(file, "VmHWM:"); n != 2048 || err != nil {
		t.Errorf("got %d, %v", n, err)
	}
	if _, err := procField(file, "VmRSS:"); err == nil {
		t.Error("a field that is not there is no error")
	}
}

func TestParseMetrics(t *testing.T) {
	got := parseMetrics("# HELP a x\na 1\nb{t=\"x y\"} 2\nb{t=\"z\"} 3.5\nc 1e+06\nbroken\n")
	want := map[string]float64{"a": 1, "b": 5.5, "c": 1e6}
	if len(got) != len(want) {
		t.Errorf("got %v", got)
	}
	for k, v := range want {
		if got[k] != v {
			t.Errorf("%s: got %v, want %v", k, got[k], v)
		}
	}
}

func TestTable(t *testing.T) {
	tab := &table{machine: machine{cpu: "x"}}
	low := figure{what: "a|b", reach: "≤ 4 s", limit: 4}
	high := figure{what: "rate", reach: "≥ 200", limit: 200, atLeast: true}
	tab.add(low, measured{values: []float64{3, 5, 4}, format: "%.1f s"}, nil)
	tab.add(low, measured{values: []float64{5}, format: "%.1f s", note: "n"}, nil)
	tab.add(high, measured{values: []float64{100, 200}, format: "%.0f"}, nil)
	tab.add(high, measured{}, errors.New("no server\nat all"))
	text := tab.markdown(&options{spans: 10})
	for _, want := range []string{
		"| a\\|b | ≤ 4 s | 4.0 s | reached | 3 runs, 3.0 s to 5.0 s |",
		"| 5.0 s | misses by 25 % | n |",
		"| rate | ≥ 200 | 150 | misses by 25 % |",
		"| not measured | – | no server |",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

func TestTruth(t *testing.T) {
	cfg := loadgen.DefaultConfig()
	cfg.Spans = 20_000
	tr := truth{users: map[string]int{}, longest: map[string]time.Duration{}}
	counts := map[[16]byte]int{}
	cfg.Watch = func(s *loadgen.Span) { tr.watch(s); counts[s.Trace]++ }
	g, err := loadgen.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, ok := g.Next(nil); !ok {
			break
		}
	}
	tr.endTrace()
	if len(tr.traces) != traceSample || len(tr.rareUsers()) == 0 || tr.longest["storefront"] == 0 {
		t.Errorf("%d traces, %d rare users", len(tr.traces), len(tr.rareUsers()))
	}
	for _, k := range tr.traces {
		if counts[k.id] != k.spans || k.spans > mostTraceSpans {
			t.Fatalf("trace %x: %d spans, want %d", k.id, k.spans, counts[k.id])
		}
	}
}

func TestFigures(t *testing.T) {
	names := map[string]bool{}
	for _, f := range figures {
		if names[f.name] || f.measure == nil || f.limit <= 0 || f.atLeast != strings.HasPrefix(f.reach, "≥") {
			t.Errorf("figure %q is badly described", f.name)
		}
		names[f.name] = true
	}
	var out bytes.Buffer
	if err := bench(t.Context(), []string{"-list"}, &out, &out); err != nil || strings.Count(out.String(), "\n") != len(figures) {
		t.Errorf("-list: %v\n%s", err, out.String())
	}
	for _, args := range [][]string{{"-spans", "1"}, {"x"}, {"-run", "("}} {
		if bench(t.Context(), args, &out, &out) == nil {
			t.Errorf("%v is accepted", args)
		}
	}
}

func TestAnswers(t *testing.T) {
	counts, err := countJaegerSpans([]byte(`{"data":[{"spans":[{},{}]},{"spans":[{}]}]}`))
	if err != nil || len(counts) != 2 || counts[0] != 2 {
		t.Errorf("got %v, %v", counts, err)
	}
	if _, err := countJaegerSpans([]byte(`{"data":[]}`)); err == nil {
		t.Error("no trace is no error")
	}
	if n, err := countTempoSpans([]byte{0x0a, 0x08, 0x0a, 0x06, 0x12, 0x04, 0x12, 0, 0x12, 0, 0x1a, 0}); err != nil || n != 2 {
		t.Errorf("got %d, %v, want 2 spans", n, err)
	}
	if n, err := countTempoSpans([]byte{0x0a, 0}); err != nil || n != 0 {
		t.Errorf("empty trace: %d, %v", n, err)
	}
	if _, err := countTempoSpans([]byte{0x0a, 9}); err == nil {
		t.Error("cut-off answer is no error")
	}
	if wantStatus(&statusError{code: 404}, 404) != nil || wantStatus(nil, 404) == nil {
		t.Error("wantStatus")
	}
}

func TestMeasureFsync(t *testing.T) {
	p50, p99, err := measureFsync(t.TempDir(), 10)
	if err != nil || p50 <= 0 || p99 < p50 {
		t.Errorf("%v, %v, %v", p50, p99, err)
	}
}
