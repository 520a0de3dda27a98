package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

func testConfig(t *testing.T) *config {
	c := defaultConfig()
	c.DataDir, c.Ports = t.TempDir(), portsConfig{}
	c.Ingester.Log.MinFreeBytes = 0
	return &c
}

// lockedBuffer is a log that several goroutines write.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// runFor runs c, calls fn with the doors' addresses by key, and stops it.
func runFor(t *testing.T, c *config, fn func(addr map[string]string)) string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var out lockedBuffer
	up, done := make(chan map[string]string, 1), make(chan error, 1)
	go func() {
		done <- run(ctx, c, &out, func(doors []*door) {
			addr := map[string]string{}
			for _, d := range doors {
				addr[d.key] = d.listener.Addr().String()
			}
			up <- addr
		})
	}()
	select {
	case addr := <-up:
		fn(addr)
	case err := <-done:
		t.Fatalf("run: %v\n%s", err, out.String())
	}
	cancel()
	select {
	case err := <-done:
		if err != nil {
			t.Errorf("run ended with %v", err)
		}
	case <-time.After(stopBudget):
		t.Fatal("does not stop")
	}
	return out.String()
}

func fetch(t *testing.T, url string) (int, string) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

func TestOwnTracesAndStatus(t *testing.T) {
	c := testConfig(t)
	out := runFor(t, c, func(addr map[string]string) {
		tempo := "http://" + addr["ports.tempo"]
		for path, want := range map[string]string{"/ready": "ready", "/metrics": "clew_ingester_log_fsync_seconds", "/status": `"synced`, "/api/echo": "echo", "/debug/pprof/": "goroutine", "/api/status/buildinfo": version} {
			if code, body := fetch(t, tempo+path); code != 200 || !strings.Contains(strings.ToLower(body), want) {
				t.Errorf("%s: %d %.200s, want %q in it", path, code, body, want)
			}
		}
		var body string
		for begin := time.Now(); time.Since(begin) < 20*time.Second; time.Sleep(50 * time.Millisecond) {
			if _, body = fetch(t, "http://"+addr["ports.jaeger"]+"/api/services"); strings.Contains(body, `"clew"`) {
				return
			}
		}
		t.Errorf("no own traces: %s", body)
	})
	if n := strings.Count(out, "\n"); n > 12 {
		t.Errorf("a quiet start and stop prints %d lines:\n%s", n, out)
	}
}

func TestSelfTracingOff(t *testing.T) {
	c := testConfig(t)
	c.SelfTracing.Enabled = false
	runFor(t, c, func(addr map[string]string) {
		time.Sleep(200 * time.Millisecond)
		if _, body := fetch(t, "http://"+addr["ports.jaeger"]+"/api/services"); strings.Contains(body, "clew") {
			t.Errorf("own traces though switched off: %s", body)
		}
	})
}

func TestPortInUse(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c := testConfig(t)
	c.Ports.Jaeger = l.Addr().(*net.TCPAddr).Port
	err = run(t.Context(), c, io.Discard, nil)
	if err == nil || !strings.Contains(err.Error(), fmt.Sprint(c.Ports.Jaeger)) || !strings.Contains(err.Error(), "ports.jaeger") {
		t.Errorf("got %v; want the port and the key", err)
	}
}

func TestSecondProcessRefused(t *testing.T) {
	c := testConfig(t)
	runFor(t, c, func(map[string]string) {
		other := *c
		if err := run(t.Context(), &other, io.Discard, nil); err == nil || !strings.Contains(err.Error(), "another clew") {
			t.Errorf("second process on one data directory: %v", err)
		}
	})
}

func TestMultitenancy(t *testing.T) {
	c := testConfig(t)
	c.Multitenancy = true
	runFor(t, c, func(addr map[string]string) {
		if code, body := fetch(t, "http://"+addr["ports.jaeger"]+"/api/services"); code != 401 || !strings.Contains(body, "no org id") {
			t.Errorf("without a tenant: %d %s", code, body)
		}
	})
}
