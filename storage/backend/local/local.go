// Package local keeps blocks in a folder of the local disk:
//
//	ROOT.lock                      locked by the process that has the store open
//	ROOT/TENANT/blocks/ULID/       a block, whole: its objects never change
//	ROOT/TENANT/blocks/ULID.tmp/   a block being built; removed at the next start
//
// A block appears by one rename, after everything in it is durable.
package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
	"syscall"

	"github.com/oklog/ulid/v2"

	"github.com/clewtrace/clew/storage/block"
	"github.com/clewtrace/clew/storage/fsys"
	"github.com/clewtrace/clew/storage/tenant"
)

const (
	blocksFolder = "blocks"
	unfinished   = ".tmp"
)

// Store is a folder of blocks. It is safe for concurrent use.
type Store struct {
	fs   fsys.FS
	root string
	lock io.Closer
}

// Open returns the store in root, which is made if it does not exist. It takes
// a lock against other processes, until Close.
func Open(fsys fsys.FS, root string) (*Store, error) {
	if err := fsys.MkdirAll(root); err != nil {
		return nil, fmt.Errorf("open block store %s: %w", root, err)
	}
	lock, err := fsys.Lock(root + ".lock")
	if err != nil {
		return nil, fmt.Errorf("open block store %s: is another clew running on this data directory? %w", root, err)
	}
	return &Store{fsys, root, lock}, nil
}

// Close gives the folder back. Nothing may be built or read afterwards.
func (s *Store) Close() error { return s.lock.Close() }

// Root is the folder of the store.
func (s *Store) Root() string { return s.root }

func (s *Store) folder(id tenant.ID) string { return path.Join(s.root, string(id), blocksFolder) }

func (s *Store) block(id tenant.ID, b ulid.ULID) string { return path.Join(s.folder(id), b.String()) }

// Tenants returns the tenants that have a folder, sorted.
func (s *Store) Tenants() ([]tenant.ID, error) {
	names, err := s.fs.ReadDir(s.root)
	if err != nil {
		return nil, fmt.Errorf("list tenants in %s: %w", s.root, err)
	}
	var out []tenant.ID
	for _, n := range names {
		if id, err := tenant.Parse(n); err == nil {
			out = append(out, id)
		}
	}
	return out, nil
}

// Blocks returns the blocks of a tenant, oldest first, and removes what earlier
// processes left unfinished. Call it before the first Create only.
func (s *Store) Blocks(id tenant.ID) ([]ulid.ULID, error) {
	names, err := s.fs.ReadDir(s.folder(id))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) { // or a stray file
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list blocks in %s: %w", s.folder(id), err)
	}
	var out []ulid.ULID
	for _, n := range names {
		if strings.HasSuffix(n, unfinished) {
			if err := s.fs.RemoveAll(path.Join(s.folder(id), n)); err != nil {
				return nil, fmt.Errorf("remove unfinished block: %w", err)
			}
			continue
		}
		if b, err := ulid.ParseStrict(n); err == nil {
			out = append(out, b)
		}
	}
	return out, nil
}

// Meta reads what a block says of itself.
func (s *Store) Meta(id tenant.ID, b ulid.ULID) (*block.Meta, error) {
	raw, err := s.readAll(path.Join(s.block(id, b), block.MetaObject))
	if err != nil {
		return nil, fmt.Errorf("open block %s: %s: %w", b, block.MetaObject, err)
	}
	m, err := block.ParseMeta(raw)
	if err != nil {
		return nil, fmt.Errorf("open block %s: %w", b, err)
	}
	if m.Tenant != id || m.Block != b {
		return nil, fmt.Errorf("open block %s: %s is of block %s of tenant %s: the folder was moved", b, block.MetaObject, m.Block, m.Tenant)
	}
	return m, nil
}

// maxMeta bounds what is read of a meta.json.
const maxMeta = 64 << 20

func (s *Store) readAll(name string) ([]byte, error) {
	size, err := s.fs.Size(name)
	if err != nil {
		return nil, err
	}
	if size > maxMeta {
		return nil, fmt.Errorf("%d bytes, more than %d", size, int64(maxMeta))
	}
	return s.readRange(name, 0, size)
}

func (s *Store) readRange(name string, off, length int64) (b []byte, err error) {
	f, err := s.fs.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	size, err := f.Size()
	if err != nil {
		return nil, err
	}
	if off < 0 || length < 0 || off > size-length { // before memory is taken for it
		return nil, fmt.Errorf("%d bytes at %d: the file has %d: %w", length, off, size, io.ErrUnexpectedEOF)
	}
	b = make([]byte, length)
	if _, err := f.ReadAt(b, off); err != nil && (length > 0 || !errors.Is(err, io.EOF)) {
		return nil, err
	}
	return b, nil
}

// Objects reads the objects of a block, as block.LocalObjects.
func (s *Store) Objects(id tenant.ID, b ulid.ULID) block.Objects { return objects{s, s.block(id, b)} }

type objects struct {
	s      *Store
	folder string
}

// ReadRange implements block.Objects.
func (o objects) ReadRange(ctx context.Context, object string, off, length int64) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return o.s.readRange(path.Join(o.folder, object), off, length)
}

// Local implements block.LocalObjects.
func (o objects) Local() bool { return true }
