package local

import (
	"errors"
	"fmt"
	"path"

	"github.com/oklog/ulid/v2"

	"github.com/clewtrace/clew/storage/block"
	"github.com/clewtrace/clew/storage/fsys"
	"github.com/clewtrace/clew/storage/tenant"
)

// Build is a block being built, as a block.Output. Exactly one of Commit and
// Abort ends it. Not for concurrent use.
type Build struct {
	s      *Store
	parent string
	tmp    string
	final  string
}

// Create starts a block.
func (s *Store) Create(id tenant.ID, b ulid.ULID) (*Build, error) {
	w := &Build{s: s, parent: s.folder(id), final: s.block(id, b)}
	w.tmp = w.final + unfinished
	if err := s.fs.MkdirAll(w.tmp); err != nil {
		return nil, fmt.Errorf("make folder of block %s: %w", b, err)
	}
	return w, nil
}

// Create implements block.Output.
func (w *Build) Create(name string) (block.OutputObject, error) {
	f, err := w.s.fs.Create(path.Join(w.tmp, name))
	if err != nil {
		return nil, err
	}
	return f, nil
}

// Commit makes the block durable under its name. After an error it is unknown
// whether the block is there: the caller keeps what it was made from, and the
// next start finds out.
func (w *Build) Commit() error {
	err := w.s.fs.SyncDir(w.tmp)
	if err == nil {
		err = w.s.fs.Rename(w.tmp, w.final)
	}
	if err == nil {
		err = w.s.fs.SyncDir(w.parent)
	}
	if err != nil {
		return fmt.Errorf("commit block in %s: %w", w.final, err)
	}
	return nil
}

// Abort removes what was written.
func (w *Build) Abort(cause error) error {
	if err := w.s.fs.RemoveAll(w.tmp); err != nil {
		return errors.Join(cause, fmt.Errorf("remove unfinished block: %w", err))
	}
	return cause
}

var _ block.OutputObject = fsys.File(nil)
