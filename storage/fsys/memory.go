package fsys

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
)

// Memory is a file system in memory that knows what is durable: the bytes of a
// file as of its last Sync, and the entries of a folder as of its last SyncDir.
// Crash tells what a power cut leaves.
type Memory struct {
	mu    sync.Mutex
	root  *node
	locks map[string]bool
	Space int64 // what Free reports
}

// node is a file or a folder.
type node struct {
	entries, saved map[string]*node // of a folder: now, and as of its last SyncDir
	data, synced   []byte           // of a file: now, and as of its last Sync
	lo, hi         int              // of a file: where data may differ from synced
}

func newDir() *node { return &node{entries: map[string]*node{}, saved: map[string]*node{}} }

func (n *node) isDir() bool { return n != nil && n.entries != nil }

// NewMemory returns an empty file system with its root folder.
func NewMemory() *Memory {
	return &Memory{root: newDir(), locks: map[string]bool{}, Space: 1 << 40}
}

// split takes a name apart; the root has no parts.
func split(name string) []string {
	name = strings.TrimPrefix(path.Clean(name), "/")
	if name == "." || name == "" {
		return nil
	}
	return strings.Split(name, "/")
}

// lookup returns the node of name, or nil.
func (m *Memory) lookup(name string) *node {
	n := m.root
	for _, part := range split(name) {
		if !n.isDir() {
			return nil
		}
		n = n.entries[part]
	}
	return n
}

// folder returns the folder that name is in, and its name there.
func (m *Memory) folder(op, name string) (*node, string, error) {
	dir := m.lookup(path.Dir(path.Clean(name)))
	if !dir.isDir() {
		return nil, "", &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
	}
	return dir, path.Base(path.Clean(name)), nil
}

// Create implements FS.
func (m *Memory) Create(name string) (File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	dir, base, err := m.folder("create", name)
	if err != nil {
		return nil, err
	}
	if dir.entries[base] != nil {
		return nil, &fs.PathError{Op: "create", Path: name, Err: fs.ErrExist}
	}
	f := &node{}
	dir.entries[base] = f
	return &memHandle{m, f}, nil
}

// Open implements FS.
func (m *Memory) Open(name string) (File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f := m.lookup(name)
	if f == nil || f.isDir() {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return &memHandle{m, f}, nil
}

// Rename implements FS.
func (m *Memory) Rename(from, to string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	fromDir, fromBase, err := m.folder("rename", from)
	if err != nil {
		return err
	}
	n := fromDir.entries[fromBase]
	if n == nil {
		return &fs.PathError{Op: "rename", Path: from, Err: fs.ErrNotExist}
	}
	toDir, toBase, err := m.folder("rename", to)
	if err != nil {
		return err
	}
	if old := toDir.entries[toBase]; old.isDir() && len(old.entries) > 0 {
		return &fs.PathError{Op: "rename", Path: to, Err: fs.ErrExist}
	}
	delete(fromDir.entries, fromBase)
	toDir.entries[toBase] = n
	return nil
}

// Remove implements FS.
func (m *Memory) Remove(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	dir, base, err := m.folder("remove", name)
	if err != nil {
		return err
	}
	n := dir.entries[base]
	switch {
	case n == nil:
		return &fs.PathError{Op: "remove", Path: name, Err: fs.ErrNotExist}
	case n.isDir() && len(n.entries) > 0:
		return &fs.PathError{Op: "remove", Path: name, Err: fs.ErrExist}
	}
	delete(dir.entries, base)
	return nil
}

// RemoveAll implements FS.
func (m *Memory) RemoveAll(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if dir, base, err := m.folder("remove", name); err == nil {
		delete(dir.entries, base)
	}
	return nil
}

// MkdirAll implements FS.
func (m *Memory) MkdirAll(name string) error { return mkdirAll(m, name) }

func (m *Memory) mkdir(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	dir, base, err := m.folder("mkdir", name)
	if err != nil {
		return err
	}
	if dir.entries[base] != nil {
		return &fs.PathError{Op: "mkdir", Path: name, Err: fs.ErrExist}
	}
	dir.entries[base] = newDir()
	return nil
}

func (m *Memory) isDir(name string) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := m.lookup(name)
	if n != nil && !n.isDir() {
		return false, &fs.PathError{Op: "mkdir", Path: name, Err: fs.ErrExist}
	}
	return n != nil, nil
}

// ReadDir implements FS.
func (m *Memory) ReadDir(name string) ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := m.lookup(name)
	if !n.isDir() {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: fs.ErrNotExist}
	}
	return slices.Sorted(maps.Keys(n.entries)), nil
}

// Size implements FS.
func (m *Memory) Size(name string) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f := m.lookup(name)
	if f == nil || f.isDir() {
		return 0, &fs.PathError{Op: "stat", Path: name, Err: fs.ErrNotExist}
	}
	return int64(len(f.data)), nil
}

// SyncDir implements FS.
func (m *Memory) SyncDir(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := m.lookup(name)
	if !n.isDir() {
		return &fs.PathError{Op: "sync", Path: name, Err: fs.ErrNotExist}
	}
	n.saved = maps.Clone(n.entries)
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
	f := m.lookup(name)
	change(f.data)
	f.synced, f.lo, f.hi = bytes.Clone(f.data), 0, 0
}

type memHandle struct {
	m *Memory
	f *node
}

// touch notes that the bytes from lo to hi may not be durable.
func (n *node) touch(lo, hi int) {
	if n.lo == n.hi {
		n.lo, n.hi = lo, hi
		return
	}
	n.lo, n.hi = min(n.lo, lo), max(n.hi, hi)
}

func (h *memHandle) Write(b []byte) (int, error) {
	h.m.mu.Lock()
	defer h.m.mu.Unlock()
	h.f.touch(len(h.f.data), len(h.f.data)+len(b))
	h.f.data = append(h.f.data, b...)
	return len(b), nil
}

func (h *memHandle) WriteAt(b []byte, off int64) (int, error) {
	h.m.mu.Lock()
	defer h.m.mu.Unlock()
	end := int(off) + len(b)
	h.f.touch(min(int(off), len(h.f.data)), end)
	if end > len(h.f.data) {
		h.f.data = append(h.f.data, make([]byte, end-len(h.f.data))...)
	}
	return copy(h.f.data[off:], b), nil
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
	f := h.f
	if n := len(f.data); n <= len(f.synced) {
		f.synced = f.synced[:n]
	} else {
		f.synced = append(f.synced, make([]byte, n-len(f.synced))...)
	}
	if lo, hi := min(f.lo, len(f.data)), min(f.hi, len(f.data)); lo < hi {
		copy(f.synced[lo:hi], f.data[lo:hi])
	}
	f.lo, f.hi = 0, 0
	return nil
}

func (h *memHandle) Truncate(size int64) error {
	h.m.mu.Lock()
	defer h.m.mu.Unlock()
	h.f.touch(int(size), len(h.f.data))
	h.f.data = h.f.data[:size:size]
	return nil
}

func (h *memHandle) Size() (int64, error) {
	h.m.mu.Lock()
	defer h.m.mu.Unlock()
	return int64(len(h.f.data)), nil
}

func (h *memHandle) Close() error { return nil }
