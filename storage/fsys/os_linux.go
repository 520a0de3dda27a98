package fsys

import (
	"os"
	"syscall"
)

// Sync implements File. The size of the file is made durable with the data;
// times are not, which saves a journal commit.
func (f *osFile) Sync() error {
	for {
		err := syscall.Fdatasync(int(f.Fd()))
		if err == syscall.EINTR {
			continue
		}
		if err != nil {
			return &os.PathError{Op: "fdatasync", Path: f.Name(), Err: err}
		}
		return nil
	}
}
