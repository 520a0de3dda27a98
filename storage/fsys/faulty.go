package fsys

import (
	"io"
)

// Faulty fails where Hook says so. Operations are named by the method: Create,
// Open, Rename, Remove, RemoveAll, MkdirAll, ReadDir, Size, SyncDir, Lock,
// Free; and of files Write, ReadAt, Sync, Truncate, Close.
type Faulty struct {
	FS
	// Hook is called before each operation; an error fails it. For Write, n of
	// the bytes are written before the failure.
	Hook func(op, name string) (n int, err error)
}

func (f *Faulty) check(op, name string) error {
	_, err := f.Hook(op, name)
	return err
}

type faultyFile struct {
	File
	fs   *Faulty
	name string
}

// Create implements FS.
func (f *Faulty) Create(name string) (File, error) {
	if err := f.check("Create", name); err != nil {
		return nil, err
	}
	g, err := f.FS.Create(name)
	if err != nil {
		return nil, err
	}
	return &faultyFile{g, f, name}, nil
}

// Open implements FS.
func (f *Faulty) Open(name string) (File, error) {
	if err := f.check("Open", name); err != nil {
		return nil, err
	}
	g, err := f.FS.Open(name)
	if err != nil {
		return nil, err
	}
	return &faultyFile{g, f, name}, nil
}

// Rename implements FS.
func (f *Faulty) Rename(from, to string) error {
	if err := f.check("Rename", from); err != nil {
		return err
	}
	return f.FS.Rename(from, to)
}

// Remove implements FS.
func (f *Faulty) Remove(name string) error {
	if err := f.check("Remove", name); err != nil {
		return err
	}
	return f.FS.Remove(name)
}

// SyncDir implements FS.
func (f *Faulty) SyncDir(name string) error {
	if err := f.check("SyncDir", name); err != nil {
		return err
	}
	return f.FS.SyncDir(name)
}

// Lock implements FS.
func (f *Faulty) Lock(name string) (io.Closer, error) {
	if err := f.check("Lock", name); err != nil {
		return nil, err
	}
	return f.FS.Lock(name)
}

func (f *faultyFile) Write(b []byte) (int, error) {
	if n, err := f.fs.Hook("Write", f.name); err != nil {
		n, _ = f.File.Write(b[:min(n, len(b))])
		return n, err
	}
	return f.File.Write(b)
}

func (f *faultyFile) ReadAt(b []byte, off int64) (int, error) {
	if err := f.fs.check("ReadAt", f.name); err != nil {
		return 0, err
	}
	return f.File.ReadAt(b, off)
}

func (f *faultyFile) Sync() error {
	if err := f.fs.check("Sync", f.name); err != nil {
		return err
	}
	return f.File.Sync()
}

func (f *faultyFile) Truncate(size int64) error {
	if err := f.fs.check("Truncate", f.name); err != nil {
		return err
	}
	return f.File.Truncate(size)
}
