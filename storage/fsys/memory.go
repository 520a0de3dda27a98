package fsys

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"path"
	"sort"
	"strings"
	"sync"
)

// Memory is a file system in memory that knows what is durable: the bytes of a
// file up to its last Sync, and the entries of a folder as of its last SyncDir.
// Crash tells what a power cut leaves.
type Memory struct {
	mu    sync.Mutex
	dirs  map[string]bool
	files map[string]*memFile // as seen by the process
	saved map[string]*memFile // entries that SyncDir made durable
	locks map[string]bool
	Space int64 // what Free reports
}

type memFile struct {
	data   []byte
	synced []byte
}

// NewMemory returns an empty file system with its root folder.
func NewMemory() *Memory {
	return &Memory{dirs: map[string]bool{".": true, "/": true}, files: map[string]*memFile{}, saved: map[string]*memFile{}, locks: map[string]bool{}, Space: 1 << 40}
}

// Crash returns the file system as a power cut now could leave it: of what was
// not synced, a random part. The receiver must not be used any more.
func (m *Memory) Crash(rng *rand.Rand) *Memory {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := NewMemory()
	for d := range m.dirs {
		n.dirs[d] = true
	}
	after := func(f *memFile) *memFile {
		data := bytes.Clone(f.synced)
		if len(f.data) > len(data) && bytes.HasPrefix(f.data, data) && rng.IntN(2) == 0 {
			// Some of the unsynced tail reached the disk, perhaps as zeros.
			tail := bytes.Clone(f.data[len(data):])
			tail = tail[:rng.IntN(len(tail)+1)]
			if len(tail) > 0 && rng.IntN(3) == 0 {
				clear(tail[rng.IntN(len(tail)):])
			}
			data = append(data, tail...)
		}
		return &memFile{data: data, synced: bytes.Clone(data)}
	}
	names := map[string]bool{}
	for name := range m.files {
		names[name] = true
	}
	for name := range m.saved {
		names[name] = true
	}
	sorted := make([]string, 0, len(names))
	for name := range names {
		sorted = append(sorted, name)
	}
	sort.Strings(sorted)
	for _, name := range sorted {
		f := m.saved[name]
		if m.files[name] != f && rng.IntN(2) == 0 {
			f = m.files[name] // the unsynced entry happened to be written
		}
		if f != nil {
			g := after(f)
			n.files[name], n.saved[name] = g, g
		}
	}
	return n
}

type memHandle struct {
	m    *Memory
	f    *memFile
	name string
}

func clean(name string) string { return path.Clean(name) }

// Create implements FS.
func (m *Memory) Create(name string) (File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	name = clean(name)
	if !m.dirs[path.Dir(name)] {
		return nil, &fs.PathError{Op: "create", Path: name, Err: fs.ErrNotExist}
	}
	if m.files[name] != nil {
		return nil, &fs.PathError{Op: "create", Path: name, Err: fs.ErrExist}
	}
	f := &memFile{}
	m.files[name] = f
	return &memHandle{m, f, name}, nil
}

// Open implements FS.
func (m *Memory) Open(name string) (File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f := m.files[clean(name)]
	if f == nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return &memHandle{m, f, name}, nil
}

// Rename implements FS.
func (m *Memory) Rename(from, to string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	from, to = clean(from), clean(to)
	if f := m.files[from]; f != nil {
		delete(m.files, from)
		m.files[to] = f
		return nil
	}
	if !m.dirs[from] {
		return &fs.PathError{Op: "rename", Path: from, Err: fs.ErrNotExist}
	}
	for name, f := range m.files {
		if rest, ok := strings.CutPrefix(name, from+"/"); ok {
			delete(m.files, name)
			m.files[to+"/"+rest] = f
			// The files of a renamed folder go with its entry.
			if m.saved[name] == f {
				m.saved[to+"/"+rest] = f
				delete(m.saved, name)
			}
		}
	}
	delete(m.dirs, from)
	m.dirs[to] = true
	return nil
}

// Remove implements FS.
func (m *Memory) Remove(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	name = clean(name)
	if m.files[name] == nil && !m.dirs[name] {
		return &fs.PathError{Op: "remove", Path: name, Err: fs.ErrNotExist}
	}
	delete(m.files, name)
	delete(m.dirs, name)
	return nil
}

// RemoveAll implements FS.
func (m *Memory) RemoveAll(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	name = clean(name)
	for n := range m.files {
		if n == name || strings.HasPrefix(n, name+"/") {
			delete(m.files, n)
		}
	}
	for n := range m.dirs {
		if n == name || strings.HasPrefix(n, name+"/") {
			delete(m.dirs, n)
		}
	}
	return nil
}

// MkdirAll implements FS.
func (m *Memory) MkdirAll(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for name = clean(name); !m.dirs[name]; name = path.Dir(name) {
		m.dirs[name] = true
	}
	return nil
}

// ReadDir implements FS.
func (m *Memory) ReadDir(name string) ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	name = clean(name)
	if !m.dirs[name] {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: fs.ErrNotExist}
	}
	var out []string
	for n := range m.files {
		if path.Dir(n) == name {
			out = append(out, path.Base(n))
		}
	}
	for n := range m.dirs {
		if n != name && path.Dir(n) == name {
			out = append(out, path.Base(n))
		}
	}
	sort.Strings(out)
	return out, nil
}

// Size implements FS.
func (m *Memory) Size(name string) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f := m.files[clean(name)]
	if f == nil {
		return 0, &fs.PathError{Op: "stat", Path: name, Err: fs.ErrNotExist}
	}
	return int64(len(f.data)), nil
}

// SyncDir implements FS.
func (m *Memory) SyncDir(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	name = clean(name)
	for n := range m.saved {
		if path.Dir(n) == name && m.files[n] != m.saved[n] {
			delete(m.saved, n)
		}
	}
	for n, f := range m.files {
		if path.Dir(n) == name {
			m.saved[n] = f
		}
	}
	return nil
}

type memLock struct {
	m    *Memory
	name string
}

func (l memLock) Close() error {
	l.m.mu.Lock()
	defer l.m.mu.Unlock()
	delete(l.m.locks, l.name)
	return nil
}

// Lock implements FS.
func (m *Memory) Lock(name string) (io.Closer, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.locks[name] {
		return nil, fmt.Errorf("lock %s: %w", name, ErrLocked)
	}
	m.locks[name] = true
	return memLock{m, name}, nil
}

// Free implements FS.
func (m *Memory) Free(string) (int64, error) { return m.Space, nil }

// Corrupt calls change with the bytes of a file, to damage them.
func (m *Memory) Corrupt(name string, change func([]byte)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f := m.files[clean(name)]
	change(f.data)
	f.synced = bytes.Clone(f.data)
}

func (h *memHandle) Write(b []byte) (int, error) {
	h.m.mu.Lock()
	defer h.m.mu.Unlock()
	h.f.data = append(h.f.data, b...)
	return len(b), nil
}

func (h *memHandle) ReadAt(b []byte, off int64) (int, error) {
	h.m.mu.Lock()
	defer h.m.mu.Unlock()
	if off >= int64(len(h.f.data)) {
		return 0, io.EOF
	}
	n := copy(b, h.f.data[off:])
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

func (h *memHandle) Sync() error {
	h.m.mu.Lock()
	defer h.m.mu.Unlock()
	h.f.synced = bytes.Clone(h.f.data)
	return nil
}

func (h *memHandle) Truncate(size int64) error {
	h.m.mu.Lock()
	defer h.m.mu.Unlock()
	h.f.data = h.f.data[:size:size]
	return nil
}

func (h *memHandle) Size() (int64, error) {
	h.m.mu.Lock()
	defer h.m.mu.Unlock()
	return int64(len(h.f.data)), nil
}

func (h *memHandle) Close() error { return nil }
