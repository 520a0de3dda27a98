package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// errEnded is how a process ends that has no reason to.
var errEnded = errors.New("without an error")

// server is a clew process.
type server struct {
	cmd     *exec.Cmd
	dataDir string
	logFile string
	ports   [doorCount]int
	started time.Time // just before the process was started
	exited  chan error
	client  *http.Client
}

// start runs the server on free ports with its data in dataDir. It does not
// wait for anything.
func start(binary, dataDir, logFile string, settings ...string) (*server, error) {
	s := &server{dataDir: dataDir, logFile: logFile, exited: make(chan error, 1), client: &http.Client{Timeout: time.Minute}}
	args := []string{"--data-dir", dataDir}
	for d, key := range doorKeys {
		port, err := freePort()
		if err != nil {
			return nil, err
		}
		s.ports[d] = port
		args = append(args, "--set", key+"="+strconv.Itoa(port))
	}
	for _, set := range settings {
		args = append(args, "--set", set)
	}
	log, err := os.OpenFile(logFile, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }()
	s.cmd = exec.Command(binary, args...)
	s.cmd.Stdout, s.cmd.Stderr = log, log
	s.started = time.Now()
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start clew: %w", err)
	}
	go func() { s.exited <- s.cmd.Wait(); close(s.exited) }()
	return s, nil
}

// freePort finds a port that nobody listens on at the moment.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port, nil
}

func (s *server) pid() int                       { return s.cmd.Process.Pid }
func (s *server) addr(d door) string             { return "127.0.0.1:" + strconv.Itoa(s.ports[d]) }
func (s *server) url(d door, path string) string { return "http://" + s.addr(d) + path }

// get returns the body of an answer with status 200.
func (s *server) get(d door, path string, header http.Header) ([]byte, error) {
	req, err := http.NewRequest(http.MethodGet, s.url(d, path), nil)
	if err != nil {
		return nil, err
	}
	if header != nil {
		req.Header = header
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return body, &statusError{resp.StatusCode, path, body}
	}
	return body, nil
}

type statusError struct {
	code int
	path string
	body []byte
}

func (e *statusError) Error() string {
	path, _, _ := strings.Cut(e.path, "?")
	return fmt.Sprintf("GET %s: HTTP %d %.120s", path, e.code, strings.TrimSpace(string(e.body)))
}

// waitFor polls until ok returns true. It fails when the process ends, the
// time is up or ctx is done.
func (s *server) waitFor(ctx context.Context, what string, within, every time.Duration, ok func() bool) error {
	deadline := time.Now().Add(within)
	for {
		if ok() {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s: not after %v", what, within)
		}
		select {
		case err := <-s.exited:
			return fmt.Errorf("%s: the server ended (%w): %s", what, cmp.Or(err, errEnded), s.logTail())
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(every):
		}
	}
}

// waitUp waits until the server answers; waitRead also until it has read its
// log.
func (s *server) waitUp(ctx context.Context) error {
	return s.waitFor(ctx, "start", time.Minute, 2*time.Millisecond, func() bool {
		_, err := s.get(doorTempo, readyPath, nil)
		return err == nil
	})
}

func (s *server) waitRead(ctx context.Context) error {
	return s.waitFor(ctx, "read the log", 2*time.Minute, 5*time.Millisecond, func() bool {
		body, err := s.get(doorTempo, readyPath, nil)
		return err == nil && strings.TrimSpace(string(body)) == readyText
	})
}

// flush puts everything in blocks and waits until all is done: nothing is
// live, and the process is at rest.
func (s *server) flush(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url(doorTempo, flushPath), nil)
	if err != nil {
		return err
	}
	flusher := &http.Client{Timeout: 5 * time.Minute}
	resp, err := flusher.Do(req)
	if err != nil {
		return fmt.Errorf("flush: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, _ := io.ReadAll(io.LimitReader(resp.Body, 200))
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("flush: HTTP %d %s", resp.StatusCode, strings.TrimSpace(string(body)))
	}
	err = s.waitFor(ctx, "everything in blocks", 5*time.Minute, 20*time.Millisecond, func() bool {
		values, err := s.metrics()
		if err != nil {
			return false
		}
		for _, name := range liveMetrics {
			if v, ok := values[name]; ok && v != 0 {
				return false
			}
		}
		return true
	})
	if err != nil {
		return err
	}
	return s.waitQuiet(ctx)
}

// waitQuiet waits until the process has used next to no CPU for half a second.
func (s *server) waitQuiet(ctx context.Context) error {
	last, _ := procCPU(s.pid())
	return s.waitFor(ctx, "come to rest", 2*time.Minute, 500*time.Millisecond, func() bool {
		now, err := procCPU(s.pid())
		quiet := err == nil && last > 0 && now-last <= 2*clockTick
		last = now
		return quiet
	})
}

// metrics returns the values of /metrics, those of one name added up.
func (s *server) metrics() (map[string]float64, error) {
	body, err := s.get(doorTempo, "/metrics", nil)
	if err != nil {
		return nil, err
	}
	return parseMetrics(string(body)), nil
}

func parseMetrics(text string) map[string]float64 {
	values := make(map[string]float64)
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		series, value, ok := cutLast(strings.TrimSpace(line), ' ')
		if !ok {
			continue
		}
		name, _, _ := strings.Cut(series, "{")
		if v, err := strconv.ParseFloat(value, 64); err == nil {
			values[name] += v
		}
	}
	return values
}

func cutLast(s string, sep byte) (before, after string, ok bool) {
	i := strings.LastIndexByte(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+1:], true
}

// blockBytes adds up the files of all blocks.
func (s *server) blockBytes() (bytes int64, files int, err error) {
	err = filepath.WalkDir(s.dataDir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		inside := strings.TrimPrefix(path, s.dataDir)
		if !strings.Contains(filepath.ToSlash(inside), "/"+blockFolder+"/") {
			return nil
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil {
			bytes += info.Size()
			files++
		}
		return err
	})
	return bytes, files, err
}

// stop asks the server to end and returns how long that took.
func (s *server) stop() (time.Duration, error) {
	began := time.Now()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return 0, err
	}
	select {
	case err := <-s.exited:
		if err != nil {
			return time.Since(began), fmt.Errorf("the server ended with %w: %s", err, s.logTail())
		}
		return time.Since(began), nil
	case <-time.After(time.Minute):
		s.kill()
		return time.Since(began), errors.New("the server did not stop within a minute")
	}
}

// kill ends the server as a power cut would end it. It may have ended before.
func (s *server) kill() {
	_ = s.cmd.Process.Kill()
	for range s.exited { // one error, then closed
	}
}

// logTail is the end of what the server printed, on one line.
func (s *server) logTail() string {
	b, err := os.ReadFile(s.logFile)
	if err != nil {
		return ""
	}
	if len(b) > 500 {
		b = b[len(b)-500:]
	}
	return strings.Join(strings.Fields(string(b)), " ")
}
