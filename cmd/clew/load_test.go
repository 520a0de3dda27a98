package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	coltracepb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/grpc"
)

// load runs clew load and returns what it printed.
func load(t *testing.T, ctx context.Context, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	var out, errOut bytes.Buffer
	cmd := newLoadCommand()
	cmd.SetArgs(args)
	cmd.SetOut(&out)
	cmd.SetErr(&errOut)
	cmd.SilenceUsage, cmd.SilenceErrors = true, true
	err = cmd.ExecuteContext(ctx)
	return out.String(), errOut.String(), err
}

// spanCounter takes all spans and counts them.
type spanCounter struct {
	coltracepb.UnimplementedTraceServiceServer
	spans, newest atomic.Int64
}

func (c *spanCounter) Export(_ context.Context, req *coltracepb.ExportTraceServiceRequest) (*coltracepb.ExportTraceServiceResponse, error) {
	for _, rs := range req.ResourceSpans {
		for _, ss := range rs.ScopeSpans {
			c.spans.Add(int64(len(ss.Spans)))
			for _, s := range ss.Spans {
				if end := int64(s.EndTimeUnixNano); end > c.newest.Load() {
					c.newest.Store(end)
				}
			}
		}
	}
	return &coltracepb.ExportTraceServiceResponse{}, nil
}

func (c *spanCounter) listen(t *testing.T) (endpoint string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer()
	coltracepb.RegisterTraceServiceServer(s, c)
	go func() { _ = s.Serve(l) }()
	t.Cleanup(s.Stop)
	return l.Addr().String()
}

func TestLoadReport(t *testing.T) {
	for _, mode := range []string{"sdk", "replay"} {
		t.Run(mode, func(t *testing.T) {
			var c spanCounter
			at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
			args := []string{"--endpoint", c.listen(t), "--spans", "3000", "--rate", "0", "--at", at.Format(time.RFC3339), "--window", "10m", "--output", "json", "--seed", "5"}
			if mode == "replay" {
				args = append(args, "--replay")
			}
			out, _, err := load(t, t.Context(), args...)
			if err != nil {
				t.Fatal(err)
			}
			var rep loadReport
			if err := json.Unmarshal([]byte(out), &rep); err != nil {
				t.Fatalf("%v in %s", err, out)
			}
			if rep.Mode != mode || rep.Seed != 5 || rep.Made == nil || rep.Spans.Acked != c.spans.Load() || rep.Made.Spans != c.spans.Load() {
				t.Errorf("server took %d spans; report %s", c.spans.Load(), out)
			}
			if newest := time.Unix(0, c.newest.Load()); newest.After(at) || newest.Before(at.Add(-time.Minute)) {
				t.Errorf("newest span ends at %v, want just before %v", newest.UTC(), at)
			}
		})
	}
}

func TestLoadFilesAreEqual(t *testing.T) {
	dir := t.TempDir()
	var files [2][]byte
	for i := range files {
		name := filepath.Join(dir, "spans.bin")
		out, _, err := load(t, t.Context(), "--replay", "--spans", "5000", "--seed", "3", "--at", "2026-01-02T03:04:05Z", "--out", name)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(out, "again with --seed 3 --at 2026-01-02T03:04:05Z") {
			t.Errorf("the report does not say how to repeat it:\n%s", out)
		}
		if files[i], err = os.ReadFile(name); err != nil {
			t.Fatal(err)
		}
	}
	if len(files[0]) < 5000*300 || !bytes.Equal(files[0], files[1]) {
		t.Errorf("two runs wrote %d and %d bytes that are not equal", len(files[0]), len(files[1]))
	}
}

func TestLoadStopsWhenTold(t *testing.T) {
	var c spanCounter
	ctx, cancel := context.WithTimeout(t.Context(), 2500*time.Millisecond)
	defer cancel()
	out, progress, err := load(t, ctx, "--endpoint", c.listen(t), "--rate", "2000")
	if err != nil {
		t.Fatal(err)
	}
	if n := c.spans.Load(); n < 1000 || n > 8000 || !strings.Contains(out, "accepted") || strings.Count(progress, "acked") < 2 {
		t.Errorf("%d spans in 2.5 s at 2,000 a second:\n%s%s", n, progress, out)
	}
}

func TestLoadRefusesBadFlags(t *testing.T) {
	for want, args := range map[string][]string{
		"--output":    {"--output", "xml"},
		"--header":    {"--header", "novalue"},
		"--window":    {"--window", "1h"},
		"--at":        {"--at", "yesterday"},
		"protocol":    {"--protocol", "udp"},
		"compression": {"--compression", "lz4"},
		"replayed":    {"--protocol", "http/json", "--replay", "--spans", "10"},
		"certificate": {"--cert", "x.pem"},
		"--rate":      {"--rate", "-1"},
	} {
		if _, _, err := load(t, t.Context(), args...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: got error %v, want one that names %s", args, err, want)
		}
	}
}
