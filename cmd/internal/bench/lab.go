package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"github.com/clewtrace/clew/cmd/internal/loadgen"
	"github.com/clewtrace/clew/cmd/internal/loadgen/drive"
)

// lab holds what figures share: runs are made once, by the first figure that
// needs them.
type lab struct {
	*options
	ctx    context.Context
	dir    string
	binary string
	began  time.Time
	log    io.Writer
	count  int // of servers started, for names

	writes    []writeRun
	writesErr error
	big       *library
	bigErr    error
	recovery  *recovery
	recovErr  error
}

func (l *lab) close() {
	if l.big != nil && l.big.server != nil {
		l.big.server.kill()
	}
}

func (l *lab) progress(format string, args ...any) {
	fmt.Fprintf(l.log, "  %6.1fs "+format+"\n", append([]any{time.Since(l.began).Seconds()}, args...)...)
}

// newServer starts a server on an empty data folder, or on dataDir if it is
// given, and waits until it answers.
func (l *lab) newServer(dataDir string, settings ...string) (*server, error) {
	l.count++
	if dataDir == "" {
		dataDir = filepath.Join(l.dir, fmt.Sprintf("data-%d", l.count))
	}
	all := append(append(append([]string(nil), baseSettings...), settings...), l.settings...)
	s, err := start(l.binary, dataDir, filepath.Join(l.dir, fmt.Sprintf("server-%d.log", l.count)), all...)
	if err != nil {
		return nil, err
	}
	if err := s.waitUp(l.ctx); err != nil {
		s.kill()
		return nil, err
	}
	return s, nil
}

// discard ends a server and removes its data.
func (l *lab) discard(s *server) {
	s.kill()
	if !l.keep {
		// What is left goes with the folder of all data.
		_ = os.RemoveAll(s.dataDir)
	}
}

// feed sends spans flat out over gRPC: 500 a request on 4 connections, encoded
// beforehand. They end at the time when the bench began.
func (l *lab) feed(s *server, spans int64, watch func(*loadgen.Span)) (*drive.Report, error) {
	cfg := loadgen.DefaultConfig()
	cfg.Seed, cfg.Spans, cfg.Watch = l.seed, spans, watch
	cfg.Origin = l.began.Add(-time.Duration(float64(spans) / cfg.SpansPerSecond * 1e9))
	gen, err := loadgen.New(cfg)
	if err != nil {
		return nil, err
	}
	target := &drive.Target{Endpoint: s.addr(doorGRPC), Protocol: drive.GRPC, Compression: "none", Timeout: 30 * time.Second, RetryFor: time.Minute}
	if err := target.Validate(); err != nil {
		return nil, err
	}
	meter := drive.NewMeter()
	senders, err := drive.Open(l.ctx, target, meter, 4, true)
	if err != nil {
		return nil, err
	}
	rep, err := drive.Run(l.ctx, gen, senders, meter, drive.Config{
		AheadBytes: 256 << 20, Grace: time.Second,
		Progress: func(p drive.Progress) {
			if int(p.Elapsed.Seconds())%5 == 0 {
				l.progress("%d of %d spans, %.0f/s, ack p50 %v", p.Acked, spans, p.AckedPerSecond, p.P50.Round(10*time.Microsecond))
			}
		},
	})
	for _, s := range senders {
		err = errors.Join(err, s.Close())
	}
	debug.FreeOSMemory() // the requests made ahead
	if err == nil {
		err = l.ctx.Err()
	}
	if err == nil && rep.Spans.Acked != gen.Stats().Spans {
		err = fmt.Errorf("%d of %d spans were acknowledged: %s", rep.Spans.Acked, gen.Stats().Spans, rep.LastError)
	}
	return rep, err
}
