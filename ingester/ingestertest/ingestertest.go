// Package ingestertest runs an ingester with its block store for tests.
package ingestertest

import (
	"context"
	"errors"
	"path"
	"testing"
	"time"

	"github.com/clewtrace/clew/ingester"
	"github.com/clewtrace/clew/storage/backend/local"
	"github.com/clewtrace/clew/storage/block"
	"github.com/clewtrace/clew/storage/blocklist"
	"github.com/clewtrace/clew/storage/fsys"
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
	cache, err := block.NewCache(16<<20, nil)
	if err != nil {
		t.Fatal(err)
	}
	store, err := local.Open(fs, path.Join(dir, "store"))
	if err != nil {
		t.Fatal(err)
	}
	list, err := blocklist.Open(store, blocklist.Options{Cache: cache})
	if err != nil {
		t.Fatal(err)
	}
	in, err := ingester.Open(fs, path.Join(dir, "ingester"), cfg, list, ingester.Options{Name: "i"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	i := &Instance{Ingester: in, Blocks: list, t: t, stop: cancel, done: make(chan error, 1)}
	i.close = func() error {
		err := errors.Join(in.Close(), store.Close())
		cache.Close()
		return err
	}
	go func() { i.done <- in.Run(ctx) }()
	for in.Replaying() {
		select {
		case err := <-i.done:
			t.Fatalf("ingester ended while it read its log: %v", err)
		case <-time.After(100 * time.Microsecond):
		}
	}
	return i
}

// Stop stops the ingester as a process does on SIGTERM.
func (i *Instance) Stop() {
	i.t.Helper()
	i.stop()
	if err := errors.Join(<-i.done, i.close()); err != nil {
		i.t.Error(err)
	}
}
