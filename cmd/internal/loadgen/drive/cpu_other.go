//go:build !linux

package drive

import "time"

// CPU times are told on Linux only.
func threadCPU() time.Duration  { return 0 }
func processCPU() time.Duration { return 0 }
