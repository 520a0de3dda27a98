package ingester_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/clewtrace/clew/ingester"
	"github.com/clewtrace/clew/ingester/ingestertest"
	"github.com/clewtrace/clew/ingester/portion"
	"github.com/clewtrace/clew/storage/fsys"
	"github.com/clewtrace/clew/storage/setting"
)

func TestConfigValidate(t *testing.T) {
	ok := ingester.DefaultConfig()
	if err := ok.Validate(); err != nil {
		t.Errorf("the default: %v", err)
	}
	for want, spoil := range map[string]func(*ingester.Config){
		"max_live_bytes: 1 is below the limit of 1MiB":                 func(c *ingester.Config) { c.MaxLiveBytes, c.Block.MaxBytes = 1, 1<<16 },
		"max_portion_bytes: 1 is below the limit of 1KiB":              func(c *ingester.Config) { c.MaxPortionBytes = 1 },
		"block.max_bytes: 2GiB is above max_live_bytes (1GiB)":         func(c *ingester.Config) { c.Block.MaxBytes = 2 << 30 },
		"block.max_age: 0s is below the limit of 1s":                   func(c *ingester.Config) { c.Block.MaxAge = 0 },
		"block.max_idle: 1ns is below the limit of 1s":                 func(c *ingester.Config) { c.Block.MaxIdle = 1 },
		"log.segment_bytes: 1 is below the limit of 64KiB":             func(c *ingester.Config) { c.Log.SegmentBytes = 1 },
		"log.max_bytes: 100MiB is below 2 × log.segment_bytes (64MiB)": func(c *ingester.Config) { c.Log.MaxBytes = 100 << 20 },
		"log.min_free_bytes: -1 is below the limit of 0":               func(c *ingester.Config) { c.Log.MinFreeBytes = -1 },
	} {
		c := ingester.DefaultConfig()
		spoil(&c)
		if err := c.Validate(); err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}

// TestMinFree holds log.min_free_bytes on a disk with 64 MiB left, and 0 to be
// none rather than the default.
func TestMinFree(t *testing.T) {
	for minFree, want := range map[setting.Bytes]string{0: "", 32 << 20: "", 128 << 20: "disk_full"} {
		fs := fsys.NewMemory()
		fs.Space = 64 << 20
		cfg := ingester.DefaultConfig()
		cfg.Log.MinFreeBytes = minFree
		in := ingestertest.Open(t, fs, "data", cfg)
		err := newClient(in, "a").push(t, in, payload(1, 0, 2), 2)
		var r *portion.Refusal
		if got := errors.As(err, &r); got != (want != "") || got && !strings.Contains(r.Reason, want) {
			t.Errorf("%s to leave free: %v, want %q", minFree, err, want)
		}
		in.Stop()
	}
}
