package main

import (
	"errors"
	"log/slog"
	"math"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/KimMachineGun/automemlimit/memlimit"

	"github.com/clewtrace/clew/storage/setting"
)

// TestMemoryLimit has every place that a limit may come from.
func TestMemoryLimit(t *testing.T) {
	none := func() (uint64, error) { return 0, memlimit.ErrNoLimit }
	for _, c := range []struct {
		name       string
		key        setting.Bytes
		runtime    int64
		goMemLimit string
		cgroup     memlimit.Provider
		want       string
		apply      bool
	}{
		{"key", 1 << 30, math.MaxInt64, "", memlimit.Limit(2 << 30), "1GiB (memory_limit_bytes)", true},
		{"key and GOMEMLIMIT", 1 << 30, 3 << 30, "3GiB", memlimit.Limit(2 << 30), "1GiB (memory_limit_bytes)", true},
		{"GOMEMLIMIT", 0, 3 << 30, "3GiB", memlimit.Limit(2 << 30), "3GiB (GOMEMLIMIT)", false},
		{"GOMEMLIMIT off", 0, math.MaxInt64, "off", memlimit.Limit(2 << 30), "none (GOMEMLIMIT)", false},
		{"cgroup", 0, math.MaxInt64, "", memlimit.Limit(2 << 30), "1843MiB (90 % of the 2GiB of the cgroup)", true},
		{"a cgroup that is beyond numbers", 0, math.MaxInt64, "", memlimit.Limit(math.MaxUint64), "9223372036854775807", true},
		{"cgroup without limit", 0, math.MaxInt64, "", none, "none (no cgroup has a limit)", false},
		{"no cgroup", 0, math.MaxInt64, "", func() (uint64, error) { return 0, memlimit.ErrNoCgroup }, "none (no cgroup has a limit)", false},
		{"not Linux", 0, math.MaxInt64, "", func() (uint64, error) { return 0, memlimit.ErrCgroupsNotSupported }, "none (no cgroup has a limit)", false},
		{"cgroup that cannot be read", 0, math.MaxInt64, "", func() (uint64, error) { return 0, errors.New("garbage") }, "none (the limit of the cgroup cannot be read)", false},
	} {
		conf := defaultConfig()
		conf.MemoryLimitBytes = c.key
		m := findMemoryLimit(&conf, c.runtime, c.goMemLimit, c.cgroup)
		if !strings.Contains(m.String(), c.want) || m.apply != c.apply || m.bytes < 0 {
			t.Errorf("%s: %s, apply %v; want %s, %v", c.name, m, m.apply, c.want, c.apply)
		}
	}
}

func TestMemoryBudgets(t *testing.T) {
	c := defaultConfig()
	sum := c.Ingester.MaxLiveBytes + c.Storage.CacheBytes + c.Distributor.MaxInFlightBytes
	for limit, warns := range map[setting.Bytes]bool{0: false, sum: false, sum - 1: true, 1 << 20: true} {
		warning := memoryLimit{bytes: limit, from: "test"}.check(&c)
		if (warning != "") != warns {
			t.Errorf("limit %s, budgets %s: warning %q", limit, sum, warning)
		}
		for _, key := range []string{"ingester.max_live_bytes (1GiB)", "storage.cache_bytes (256MiB)", "distributor.max_in_flight_bytes (64MiB)"} {
			if warns && !strings.Contains(warning, key) {
				t.Errorf("%q does not name %s", warning, key)
			}
		}
	}
	c.Ingester.MaxLiveBytes, c.Storage.CacheBytes = math.MaxInt64, math.MaxInt64
	if (memoryLimit{bytes: math.MaxInt64}).check(&c) == "" {
		t.Error("budgets whose sum is beyond numbers: no warning")
	}
}

// TestMemoryLimitInForce puts a limit in force, and says so.
func TestMemoryLimitInForce(t *testing.T) {
	was := debug.SetMemoryLimit(-1)
	defer debug.SetMemoryLimit(was)
	var out lockedBuffer
	log := slog.New(slog.NewTextHandler(&out, nil))
	c := defaultConfig()
	memoryLimit{bytes: 1 << 30, from: "test", apply: true}.use(&c, log)
	if got := debug.SetMemoryLimit(-1); got != 1<<30 {
		t.Errorf("limit %d in force", got)
	}
	memoryLimit{bytes: 3 << 30, from: "GOMEMLIMIT"}.use(&c, log)
	if got := debug.SetMemoryLimit(-1); got != 1<<30 {
		t.Errorf("limit %d in force; the runtime had its own", got)
	}
	memoryLimit{err: errors.New("garbage")}.use(&c, log)
	for _, want := range []string{`msg="memory limit" limit=1GiB from=test`, "level=WARN msg=\"ingester.max_live_bytes (1GiB), ", "limit=3GiB from=GOMEMLIMIT", "err=garbage"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%s is not in\n%s", want, out.String())
		}
	}
}
