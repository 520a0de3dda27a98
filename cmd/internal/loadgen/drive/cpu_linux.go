package drive

import (
	"syscall"
	"time"
)

// rusageThread asks getrusage for the calling thread.
const rusageThread = 1

func threadCPU() time.Duration  { return rusage(rusageThread) }
func processCPU() time.Duration { return rusage(syscall.RUSAGE_SELF) }

func rusage(who int) time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(who, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
