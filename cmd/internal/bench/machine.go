package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// machine is what figures depend on beside the program.
type machine struct {
	cpu, kernel, load string
	memory            int64
	fsync             time.Duration // p50 of 512 KiB appended and synced
	fsyncP99          time.Duration
}

func describeMachine(dir string) machine {
	m := machine{cpu: "unknown CPU", kernel: "unknown kernel"}
	if b, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(b)) {
			if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				m.cpu = strings.TrimSpace(value)
				break
			}
		}
	}
	if b, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		m.kernel = strings.TrimSpace(string(b))
	}
	if b, err := os.ReadFile("/proc/loadavg"); err == nil {
		m.load, _, _ = strings.Cut(string(b), " ")
	}
	if kb, err := procField("/proc/meminfo", "MemTotal:"); err == nil {
		m.memory = kb * 1024
	}
	m.fsync, m.fsyncP99, _ = measureFsync(dir, 200)
	return m
}

func (m machine) String() string {
	return fmt.Sprintf("%d × %s, %.0f GiB, Linux %s, %s; load average %s before the first run; append of 512 KiB and fdatasync p50 %.2f ms, p99 %.2f ms",
		runtime.NumCPU(), m.cpu, float64(m.memory)/(1<<30), m.kernel, runtime.Version(), m.load,
		float64(m.fsync.Microseconds())/1000, float64(m.fsyncP99.Microseconds())/1000)
}

// measureFsync appends 512 KiB and syncs, n times, in a file of its own.
func measureFsync(dir string, n int) (p50, p99 time.Duration, err error) {
	name := filepath.Join(dir, "fsync-probe")
	f, err := os.Create(name)
	if err != nil {
		return 0, 0, err
	}
	defer func() {
		_ = f.Close()
		_ = os.Remove(name)
	}()
	chunk := make([]byte, 512<<10)
	for i := range chunk {
		chunk[i] = byte(i * 31)
	}
	var took []time.Duration
	for range n {
		began := time.Now()
		if _, err := f.Write(chunk); err != nil {
			return 0, 0, err
		}
		if err := dataSync(f); err != nil {
			return 0, 0, err
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	return took[n/2], took[n*99/100], nil
}
