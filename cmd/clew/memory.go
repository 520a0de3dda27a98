package main

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"runtime/debug"
	"strings"

	"github.com/KimMachineGun/automemlimit/memlimit"

	"github.com/clewtrace/clew/storage/setting"
)

// cgroupPercent is the part of a cgroup's memory that the Go heap may take. The
// rest is for what the runtime does not count: stacks of the system, files of
// the log that the kernel is writing.
const cgroupPercent = 90

// memoryLimit is the soft limit of the Go heap.
type memoryLimit struct {
	bytes setting.Bytes // 0: none
	from  string        // where it comes from
	apply bool          // the Go runtime does not know it yet
	err   error         // why the cgroup's limit could not be read
}

// findMemoryLimit looks for the limit: in memory_limit_bytes, in what GOMEMLIMIT
// has set (runtime, as debug.SetMemoryLimit returns it), in the cgroup.
func findMemoryLimit(c *config, runtime int64, goMemLimit string, cgroup memlimit.Provider) memoryLimit {
	if c.MemoryLimitBytes > 0 {
		return memoryLimit{bytes: c.MemoryLimitBytes, from: "memory_limit_bytes", apply: true}
	}
	if goMemLimit != "" {
		if runtime == math.MaxInt64 {
			return memoryLimit{from: "GOMEMLIMIT"}
		}
		return memoryLimit{bytes: setting.Bytes(runtime), from: "GOMEMLIMIT"}
	}
	n, err := cgroup()
	switch {
	case errors.Is(err, memlimit.ErrNoLimit), errors.Is(err, memlimit.ErrNoCgroup), errors.Is(err, memlimit.ErrCgroupsNotSupported):
		return memoryLimit{from: "no cgroup has a limit"}
	case err != nil:
		return memoryLimit{from: "the limit of the cgroup cannot be read", err: err}
	}
	n = min(n, math.MaxInt64)
	limit := setting.Bytes(n / 100 * cgroupPercent)
	if limit > 1<<20 {
		limit &^= 1<<20 - 1 // MiB, to be read easily
	}
	return memoryLimit{
		bytes: limit, apply: true,
		from: fmt.Sprintf("%d %% of the %s of the cgroup", cgroupPercent, setting.Bytes(n)),
	}
}

// String is the limit and where it comes from, in words.
func (m memoryLimit) String() string {
	if m.bytes == 0 {
		return "none (" + m.from + ")"
	}
	return fmt.Sprintf("%s (%s)", m.bytes, m.from)
}

// check compares the budgets of memory with the limit. It returns what is
// wrong, by the keys to change, or nothing.
func (m memoryLimit) check(c *config) string {
	budgets := []struct {
		key string
		of  setting.Bytes
	}{
		{"ingester.max_live_bytes", c.Ingester.MaxLiveBytes},
		{"storage.cache_bytes", c.Storage.CacheBytes},
		{"distributor.max_in_flight_bytes", c.Distributor.MaxInFlightBytes},
	}
	sum, words := 0.0, []string{}
	for _, b := range budgets {
		sum += float64(b.of) // which cannot overflow
		words = append(words, fmt.Sprintf("%s (%s)", b.key, b.of))
	}
	if m.bytes == 0 || sum <= float64(m.bytes) {
		return ""
	}
	return fmt.Sprintf("%s may take more than the memory limit, which is %s: lower them, or the process may be killed when they are used up", strings.Join(words, ", "), m)
}

// processMemoryLimit is the limit of this process.
func processMemoryLimit(c *config) memoryLimit {
	return findMemoryLimit(c, debug.SetMemoryLimit(-1), os.Getenv("GOMEMLIMIT"), memlimit.FromCgroup)
}

// use puts the limit in force, and says so.
func (m memoryLimit) use(c *config, log *slog.Logger) {
	if m.apply {
		debug.SetMemoryLimit(int64(m.bytes))
	}
	switch {
	case m.err != nil:
		log.Warn("memory limit of the cgroup cannot be read; set memory_limit_bytes or GOMEMLIMIT", "err", m.err)
	case m.bytes > 0:
		log.Info("memory limit", "limit", m.bytes, "from", m.from)
	}
	if warning := m.check(c); warning != "" {
		log.Warn(warning)
	}
}
