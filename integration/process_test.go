// Package integration tests Clew as its users run it: as a process, over its
// doors.
package integration

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	collectortrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/clewtrace/clew/storage/trace"
)

var buildOnce = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "clew-integration")
	if err != nil {
		return "", err
	}
	bin := filepath.Join(dir, "clew")
	out, err := exec.Command("go", "build", "-o", bin, module+"cmd/clew").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return bin, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if bin, err := buildOnce(); err == nil {
		os.RemoveAll(filepath.Dir(bin))
	}
	os.Exit(code)
}

// process is a running clew.
type process struct {
	cmd                *exec.Cmd
	otlpGRPC, otlpHTTP string
	jaeger, tempo      string
	exited             chan error
	mu                 sync.Mutex
	log                strings.Builder
	conn               *grpc.ClientConn
}

// start runs clew on dataDir with free ports, and stops it with the test.
func start(t *testing.T, dataDir string, args ...string) *process {
	t.Helper()
	bin, err := buildOnce()
	if err != nil {
		t.Fatal(err)
	}
	args = append([]string{"--data-dir", dataDir, "--set", "ports.otlp_grpc=0", "--set", "ports.otlp_http=0",
		"--set", "ports.jaeger=0", "--set", "ports.tempo=0", "--set", "ingester.log.min_free_bytes=0"}, args...)
	p := &process{cmd: exec.Command(bin, args...), exited: make(chan error, 1)}
	pipe, err := p.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	up := make(chan struct{})
	go func() {
		lines := bufio.NewScanner(pipe)
		for lines.Scan() {
			line := lines.Text()
			p.mu.Lock()
			p.log.WriteString(line + "\n")
			p.mu.Unlock()
			for prefix, to := range map[string]*string{"OTLP gRPC": &p.otlpGRPC, "OTLP HTTP": &p.otlpHTTP, "Jaeger": &p.jaeger, "Tempo": &p.tempo} {
				if f := strings.Fields(line); strings.HasPrefix(line, prefix) && len(f) > 0 {
					*to = f[len(f)-1]
				}
			}
			if strings.Contains(line, "msg=started") {
				close(up)
			}
		}
		p.exited <- p.cmd.Wait()
	}()
	t.Cleanup(func() {
		p.cmd.Process.Kill()
		if t.Failed() {
			p.mu.Lock()
			defer p.mu.Unlock()
			t.Logf("log of clew:\n%s", p.log.String())
		}
	})
	select {
	case <-up:
	case err := <-p.exited:
		p.exited <- err
		t.Fatalf("clew ended at start: %v", err)
	case <-time.After(30 * time.Second):
		t.Fatal("clew does not start")
	}
	if p.conn, err = grpc.NewClient(p.otlpGRPC, grpc.WithTransportCredentials(insecure.NewCredentials())); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.conn.Close() })
	return p
}

// stop sends a signal and waits for the end.
func (p *process) stop(t *testing.T, sig syscall.Signal) time.Duration {
	t.Helper()
	begin := time.Now()
	p.cmd.Process.Signal(sig)
	select {
	case err := <-p.exited:
		if sig == syscall.SIGTERM && err != nil {
			t.Errorf("clew ended with %v", err)
		}
	case <-time.After(30 * time.Second):
		t.Fatalf("clew runs on after %v", sig)
	}
	return time.Since(begin)
}

func (p *process) export(ctx context.Context, req *collectortrace.ExportTraceServiceRequest) (*collectortrace.ExportTraceServiceResponse, error) {
	return collectortrace.NewTraceServiceClient(p.conn).Export(ctx, req)
}

// get returns status and body of a GET.
func get(t *testing.T, url string, header ...string) (int, []byte) {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, body
}

// spansOf returns the spans of a trace, over Tempo's v2 API as protobuf.
func (p *process) spansOf(t *testing.T, id trace.ID) []*tracepb.Span {
	t.Helper()
	code, body := get(t, "http://"+p.tempo+"/api/v2/traces/"+id.String(), "Accept", "application/protobuf")
	if code != http.StatusOK {
		t.Fatalf("trace %s: %d %s", id, code, body)
	}
	var spans []*tracepb.Span
	for i := 0; i < len(body); {
		f, n := trace.NextField(body, i)
		if n < 0 {
			t.Fatalf("trace %s: answer is not protobuf", id)
		}
		if f.Num == 1 {
			var data tracepb.TracesData
			if err := proto.Unmarshal(f.Data, &data); err != nil {
				t.Fatal(err)
			}
			for _, rs := range data.ResourceSpans {
				for _, ss := range rs.ScopeSpans {
					spans = append(spans, ss.Spans...)
				}
			}
		}
		i = n
	}
	return spans
}

// awaitReplay waits until the log has been read.
func (p *process) awaitReplay(t *testing.T) {
	t.Helper()
	for begin := time.Now(); time.Since(begin) < 30*time.Second; time.Sleep(10 * time.Millisecond) {
		if code, body := get(t, "http://"+p.tempo+"/ready"); code == 200 && strings.TrimSpace(string(body)) == "ready" {
			return
		}
	}
	t.Fatal("the log is still being read after 30 s")
}
