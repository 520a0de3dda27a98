package ingester_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/clewtrace/clew/ingester"
	"github.com/clewtrace/clew/ingester/ingestertest"
	"github.com/clewtrace/clew/ingester/portion"
	"github.com/clewtrace/clew/storage/fsys"
	"github.com/clewtrace/clew/storage/tenant"
)

// TestManySmallTenants fills the budget with heads that are each too small to be
// cut: they are cut all the same, so that nobody is kept out for minutes.
func TestManySmallTenants(t *testing.T) {
	for _, c := range []struct {
		name   string
		config func(*ingester.Config)
		reason string
	}{
		{"live bytes", func(c *ingester.Config) { c.MaxLiveBytes, c.Block.MaxBytes = 4<<20, 4<<20 }, "live_bytes"},
		{"log bytes", func(c *ingester.Config) { c.Log.SegmentBytes, c.Log.MaxBytes = 64<<10, 256<<10 }, "log_bytes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := ingester.DefaultConfig()
			cfg.Log.MinFreeBytes = 0
			c.config(&cfg)
			in := ingestertest.Open(t, fsys.NewMemory(), "data", cfg)
			defer in.Stop()
			var clients []*client
			for n := range 8 {
				clients = append(clients, newClient(in, tenant.ID(fmt.Sprint("tenant-", n))))
			}
			refused := 0
			for k := range uint64(400) {
				for _, cl := range clients {
					await(t, "room for a small tenant", func() bool {
						err := cl.push(t, in, payload(k, 0, 20), 20)
						var r *portion.Refusal
						if errors.As(err, &r) {
							if r.Reason != c.reason {
								t.Fatalf("refused for %s: %v", r.Reason, r)
							}
							refused++
						} else if err != nil {
							t.Fatal(err)
						}
						return err == nil
					})
				}
			}
			if refused == 0 {
				t.Error("the budget was never reached")
			}
			for _, cl := range clients {
				wantSpans(t, in, cl.stream.Tenant, 399, 20)
			}
		})
	}
}

// TestBudgetIsHeld pushes from many clients at once: what is under way counts.
func TestBudgetIsHeld(t *testing.T) {
	cfg := ingester.DefaultConfig()
	cfg.Log.MinFreeBytes, cfg.MaxLiveBytes, cfg.Block.MaxBytes = 0, 2<<20, 2<<20
	in := ingestertest.Open(t, fsys.NewMemory(), "data", cfg)
	defer in.Stop()
	raw := payload(1, 0, 4000) // about 250 kB
	var wg sync.WaitGroup
	var mu sync.Mutex
	most := int64(0)
	for range 16 {
		wg.Go(func() {
			cl := newClient(in, "a")
			for range 20 {
				_ = cl.push(t, in, raw, 4000) // refused or not
				mu.Lock()
				most = max(most, in.Stats().LiveBytes)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	// Columns of such small spans are larger than their wire form, by a factor.
	if limit := int64(cfg.MaxLiveBytes) * 3; most > limit {
		t.Errorf("%d live bytes at a budget of %d", most, cfg.MaxLiveBytes)
	}
}

// TestDamageIsInAnswers damages the log below the synced mark: whose spans they
// were cannot be known, so every tenant's answers say so.
func TestDamageIsInAnswers(t *testing.T) {
	fs := fsys.NewMemory()
	in := ingestertest.Open(t, fs, "data", smallConfig())
	cl := newClient(in, "a")
	for k := range uint64(20) {
		if err := cl.push(t, in, payload(k, 0, 20), 20); err != nil {
			t.Fatal(err)
		}
	}
	in.Stop()
	names, err := fs.ReadDir("data/ingester/log")
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range names {
		if strings.HasSuffix(n, ".log") {
			fs.Corrupt("data/ingester/log/"+n, func(b []byte) {
				if at := bytes.Index(b, []byte("CREC")); at >= 0 {
					b[at+60] ^= 1
				}
			})
			break
		}
	}
	in = ingestertest.Open(t, fs, "data", smallConfig())
	defer in.Stop()
	if len(in.Damage()) == 0 {
		t.Fatal("the damage was not found")
	}
	for _, id := range []tenant.ID{"a", "another"} {
		if r, _ := in.Recent(id, 0); len(r.Failed) == 0 || !strings.Contains(r.Failed[0].Name, "log segment") {
			t.Errorf("tenant %s: %+v; want the segment named", id, r.Failed)
		}
	}
}
