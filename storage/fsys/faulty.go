package fsys

import (
	"io"
)

// Faulty fails where Hook says so. Operations are named by the method: Create,
// Open, Rename, Remove, RemoveAll, MkdirAll, ReadDir, Size, SyncDir, Lock,
// Free; and of files Write (WriteAt too), ReadAt, Sync, Truncate, Close.
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

// open hooks the operations of a file that do gives.
func (f *Faulty) open(op, name string, do func(string) (File, error)) (File, error) {
	if err := f.check(op, name); err != nil {
		return nil, err
	}
	g, err := do(name)
	if err != nil {
		return nil, err
	}
	return &faultyFile{g, f, name}, nil
}

// Create implements FS.
func (f *Faulty) Create(name string) (File, error) { return f.open("Create", name, f.FS.Create) }

// Open implements FS.
func (f *Faulty) Open(name string) (File, error) { return f.open("Open", name, f.FS.Open) }

// Rename implements FS.
func (f *Faulty) Rename(from, to string) error {
	if err := f.check("Rename", from); err != nil {
		return err
	}
	return f.FS.Rename(from, to)
}

// do runs an operation that has a name only.
func (f *Faulty) do(op, name string, do func(string) error) error {
	if err := f.check(op, name); err != nil {
		return err
	}
	return do(name)
}

// Remove implements FS.
func (f *Faulty) Remove(name string) error { return f.do("Remove", name, f.FS.Remove) }

// RemoveAll implements FS.
func (f *Faulty) RemoveAll(name string) error { return f.do("RemoveAll", name, f.FS.RemoveAll) }

// MkdirAll implements FS.
func (f *Faulty) MkdirAll(name string) error { return f.do("MkdirAll", name, f.FS.MkdirAll) }

// SyncDir implements FS.
func (f *Faulty) SyncDir(name string) error { return f.do("SyncDir", name, f.FS.SyncDir) }

// ReadDir implements FS.
func (f *Faulty) ReadDir(name string) ([]string, error) {
	if err := f.check("ReadDir", name); err != nil {
		return nil, err
	}
	return f.FS.ReadDir(name)
}

// Size implements FS.
func (f *Faulty) Size(name string) (int64, error) {
	if err := f.check("Size", name); err != nil {
		return 0, err
	}
	return f.FS.Size(name)
}

// Lock implements FS.
func (f *Faulty) Lock(name string) (io.Closer, error) {
	if err := f.check("Lock", name); err != nil {
		return nil, err
	}
	return f.FS.Lock(name)
}

// Free implements FS.
func (f *Faulty) Free(name string) (int64, error) {
	if err := f.check("Free", name); err != nil {
		return 0, err
	}
	return f.FS.Free(name)
}

func (f *faultyFile) Write(b []byte) (int, error) {
	if n, err := f.fs.Hook("Write", f.name); err != nil {
		n, _ = f.File.Write(b[:min(n, len(b))])
		return n, err
	}
	return f.File.Write(b)
}

func (f *faultyFile) WriteAt(b []byte, off int64) (int, error) {
	if n, err := f.fs.Hook("Write", f.name); err != nil {
		n, _ = f.File.WriteAt(b[:min(n, len(b))], off)
		return n, err
	}
	return f.File.WriteAt(b, off)
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

func (f *faultyFile) Close() error {
	if err := f.fs.check("Close", f.name); err != nil {
		f.File.Close() // the descriptor goes either way
		return err
	}
	return f.File.Close()
}
