// Package fsys is the little of a file system that Clew's log and blocks need,
// so that tests can make it fail, run full, and lose power. Implementations: OS,
// the real one; Faulty, which fails where it is told to; Memory, which knows
// what a power cut would leave.
package fsys

import (
	"errors"
	"io"
)

// ErrLocked reports that another process holds a lock.
var ErrLocked = errors.New("locked by another process")

// FS is a tree of files. Names use slashes. Methods are safe for concurrent use.
type FS interface {
	// Create makes a file for writing; an existing one is an error (fs.ErrExist).
	Create(name string) (File, error)
	// Open opens an existing file for reading and writing.
	Open(name string) (File, error)
	// Rename moves a file or folder; a file in its place is replaced at once.
	Rename(from, to string) error
	// Remove removes a file or an empty folder; RemoveAll a whole tree.
	Remove(name string) error
	RemoveAll(name string) error
	// MkdirAll makes a folder and those above it, durably.
	MkdirAll(name string) error
	// ReadDir returns the names in a folder, sorted.
	ReadDir(name string) ([]string, error)
	// Size returns the size of a file in bytes.
	Size(name string) (int64, error)
	// SyncDir makes the entries of a folder durable.
	SyncDir(name string) error
	// Lock takes a lock that excludes other processes, until Close. If it is
	// taken the error is ErrLocked.
	Lock(name string) (io.Closer, error)
	// Free is the space that may still be written at name, in bytes.
	Free(name string) (int64, error)
}

// File is an open file. Write appends at the end; WriteAt writes over what is
// there and makes the file longer where it ends behind it. One call of Write,
// WriteAt or Truncate at a time. ReadAt is as io.ReaderAt.
type File interface {
	io.ReaderAt
	io.Writer
	io.WriterAt
	io.Closer
	// Sync makes the written bytes durable. After an error nothing is known of
	// what is: never call it again to find out.
	Sync() error
	// Truncate cuts the file to size bytes; later writes go behind them.
	Truncate(size int64) error
	// Size is the present size in bytes.
	Size() (int64, error)
}
