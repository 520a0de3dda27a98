package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/clewtrace/clew/cmd/internal/loadgen"
	"github.com/clewtrace/clew/cmd/internal/loadgen/drive"
)

// coldLookups is how many traces are looked up after each start.
const coldLookups = 10

// traceByIDCold restarts the library's server and looks up traces that it has
// not read since. The system's own cache of the files stays warm.
func traceByIDCold(l *lab) (measured, error) {
	m := measured{format: "%.2f ms", of: "look-ups"}
	b, err := l.library()
	if err != nil {
		return m, err
	}
	m.void = b.notFromBlocks()
	q := b.byIDJaeger(true)
	for r := range 3 {
		if _, err := b.server.stop(); err != nil {
			return m, err
		}
		if b.server, err = l.newServer(b.server.dataDir); err != nil {
			return m, err
		}
		if err := b.server.waitRead(l.ctx); err != nil {
			return m, err
		}
		for k := range coldLookups {
			n := r*coldLookups + k
			began := time.Now()
			body, err := b.server.get(q.door, q.path(n), q.header)
			took := time.Since(began)
			if _, err := q.check(n, body, err); err != nil {
				return m, err
			}
			m.values = append(m.values, float64(took.Microseconds())/1000)
		}
	}
	m.note = fmt.Sprintf("the first %d of each of 3 starts", coldLookups)
	return m, nil
}

// recovery is what a server took to come back after kill -9.
type recovery struct {
	spans      int64
	push, read []float64 // seconds since the start of the process
	cpu        float64   // CPU-s of the last one until all was read
}

// recover fills a log, kills the server, and starts others on copies of what it
// left, with the settings of everyone: they cut blocks while they read.
func (l *lab) recover() (*recovery, error) {
	if l.recovery == nil && l.recovErr == nil {
		l.recovery, l.recovErr = l.newRecovery()
	}
	return l.recovery, l.recovErr
}

func (l *lab) newRecovery() (*recovery, error) {
	s, err := l.newServer("", holdBlocks...)
	if err != nil {
		return nil, err
	}
	filled := s.dataDir
	defer func() { l.discard(s) }()
	known := truth{users: make(map[string]int), longest: make(map[string]time.Duration)}
	rep, err := l.feed(s, l.spans*5/2, known.watch)
	if err != nil {
		return nil, err
	}
	if _, files, err := s.blockBytes(); err != nil {
		return nil, err
	} else if files > 0 {
		return nil, fmt.Errorf("the log was cut into %d files of blocks: holding it back does not work", files)
	}
	r := &recovery{spans: rep.Spans.Acked}
	s.kill()
	for n := range l.runs {
		left := fmt.Sprintf("%s-restart-%d", filled, n)
		if err := os.CopyFS(left, os.DirFS(filled)); err != nil {
			return nil, fmt.Errorf("copy the log: %w", err)
		}
		// newServer waits for an answer; the time counts from the start.
		if s, err = l.newServer(left); err != nil {
			return nil, err
		}
		pushed := make(chan error, 1)
		var push time.Duration
		go func() {
			err := l.pushOne(s)
			push = time.Since(s.started)
			pushed <- err
		}()
		err := s.waitRead(l.ctx)
		read := time.Since(s.started)
		if err := errors.Join(err, <-pushed); err != nil {
			return nil, err
		}
		cpu, err := procCPU(s.pid())
		if err != nil {
			return nil, err
		}
		r.push, r.read, r.cpu = append(r.push, push.Seconds()), append(r.read, read.Seconds()), cpu.Seconds()
		b := &library{server: s, truth: known}
		for n := range 20 {
			q := b.byIDJaeger(true)
			body, err := s.get(q.door, q.path(n), nil)
			if _, err := q.check(n, body, err); err != nil {
				return nil, fmt.Errorf("after reading the log: %w", err)
			}
		}
		if n < l.runs-1 {
			s.kill()
		}
	}
	return r, nil
}

// pushOne sends one small request until it is acknowledged.
func (l *lab) pushOne(s *server) error {
	cfg := loadgen.DefaultConfig()
	cfg.Seed, cfg.Traces, cfg.Origin = l.seed+1000+uint64(s.ports[doorGRPC]), 1, l.began
	gen, err := loadgen.New(cfg)
	if err != nil {
		return err
	}
	target := &drive.Target{Endpoint: s.addr(doorGRPC), Protocol: drive.GRPC, Compression: "none", Timeout: 10 * time.Second, RetryFor: time.Minute}
	meter := drive.NewMeter()
	senders, err := drive.Open(l.ctx, target, meter, 1, true)
	if err != nil {
		return err
	}
	defer func() { _ = senders[0].Close() }()
	ctx, cancel := context.WithTimeout(l.ctx, time.Minute)
	defer cancel()
	_, err = drive.Run(ctx, gen, senders, meter, drive.Config{AheadBytes: 1 << 20})
	return err
}

func logPush(l *lab) (measured, error) {
	r, err := l.recover()
	if err != nil {
		return measured{}, err
	}
	return measured{values: r.push, format: "%.2f s", note: fmt.Sprintf("%d spans", r.spans)}, nil
}

func logSearch(l *lab) (measured, error) {
	r, err := l.recover()
	if err != nil {
		return measured{}, err
	}
	return measured{values: r.read, format: "%.2f s", note: fmt.Sprintf("%.2f CPU-s", r.cpu)}, nil
}
