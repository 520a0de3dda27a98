// Package ingestertest runs an ingester with its block store for tests.
package ingestertest

import (
	"context"
	"errors"
	"fmt"
	"path"
	"testing"
	"time"

	"github.com/clewtrace/clew/ingester"
	"github.com/clewtrace/clew/storage/backend/local"
	"github.com/clewtrace/clew/storage/block"
	"github.com/clewtrace/clew/storage/blocklist"
	"github.com/clewtrace/clew/storage/fsys"
	"github.com/clewtrace/clew/storage/tenant"
	"github.com/clewtrace/clew/storage/trace"
)

// Instance is a running ingester. Stop ends it; its data stay.
type Instance struct {
	*ingester.Ingester
	Blocks *blocklist.List

	t     testing.TB
	stop  context.CancelFunc
	done  chan error
	close func() error
}

// Open opens the data below dir and returns once the log has been read.
func Open(t testing.TB, fs fsys.FS, dir string, cfg ingester.Config) *Instance {
	t.Helper()
	i, err := TryOpen(t, fs, dir, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// TryOpen is Open for file systems that may fail.
func TryOpen(t testing.TB, fs fsys.FS, dir string, cfg ingester.Config) (*Instance, error) {
	cache, err := block.NewCache(16<<20, nil)
	if err != nil {
		return nil, err
	}
	store, err := local.Open(fs, path.Join(dir, "store"))
	if err != nil {
		cache.Close()
		return nil, err
	}
	list, err := blocklist.Open(store, blocklist.Options{Cache: cache})
	var in *ingester.Ingester
	if err == nil {
		in, err = ingester.Open(fs, path.Join(dir, "ingester"), cfg, list, ingester.Options{Name: "i"})
	}
	if err != nil {
		cache.Close()
		return nil, errors.Join(err, store.Close())
	}
	ctx, cancel := context.WithCancel(context.Background())
	i := &Instance{Ingester: in, Blocks: list, t: t, stop: cancel, done: make(chan error, 1)}
	i.close = func() error {
		defer cache.Close()
		return errors.Join(in.Close(), store.Close())
	}
	go func() { i.done <- in.Run(ctx) }()
	for in.Replaying() {
		select {
		case err := <-i.done:
			cancel()
			return nil, errors.Join(fmt.Errorf("ingester ended while it read its log: %w", err), i.close())
		case <-time.After(100 * time.Microsecond):
		}
	}
	return i, nil
}

// Kill ends the instance without caring how: what is left on the file system is
// what counts.
func (i *Instance) Kill() {
	i.stop()
	if err := <-i.done; err != nil {
		i.t.Logf("killed: %v", err)
	}
	_ = i.close() // the files may be beyond closing
}

// Spans returns the spans of a trace, from every source, once each.
func (i *Instance) Spans(id tenant.ID, tid trace.ID) (*trace.Trace, error) {
	ctx := context.Background()
	for {
		v := i.Blocks.View(id)
		r, stale := i.Recent(id, v.Version)
		if stale {
			continue
		}
		if len(v.Failed)+len(r.Failed) > 0 {
			return nil, fmt.Errorf("not readable: %v %v", v.Failed, r.Failed)
		}
		sources := r.Sources
		for _, b := range v.Blocks {
			parts, err := b.Parts(ctx)
			if err != nil {
				return nil, err
			}
			sources = append(sources, parts...)
		}
		var fragments [][]byte
		for _, s := range sources {
			b, found, err := s.Fragment(ctx, nil, tid)
			if err != nil {
				return nil, err
			}
			if found {
				fragments = append(fragments, b)
			}
			s.Release()
		}
		return trace.Assemble(fragments...)
	}
}

// Stop stops the ingester as a process does on SIGTERM.
func (i *Instance) Stop() {
	i.t.Helper()
	i.stop()
	if err := errors.Join(<-i.done, i.close()); err != nil {
		i.t.Error(err)
	}
}
