package fsys

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
)

// maker is what mkdirAll needs of a file system.
type maker interface {
	mkdir(name string) error // one folder, in one that is there; not durable
	isDir(name string) (bool, error)
	SyncDir(name string) error
}

// mkdirAll makes name and the folders above it. Each folder is durable before
// another is made in it, so that a folder that is there proves those above it,
// whoever made them and however that process ended. Only the deepest one that
// was there may be of a process that died before it could sync its parent.
func mkdirAll(f maker, name string) error {
	var missing []string
	at := path.Clean(name)
	for {
		is, err := f.isDir(at)
		if err != nil {
			return fmt.Errorf("make folder %s: %w", name, err)
		}
		if is {
			break
		}
		missing = append(missing, at)
		at = path.Dir(at)
	}
	// Who may not read the folder above did not make the one below.
	if err := f.SyncDir(path.Dir(at)); err != nil && !errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("make folder %s: sync %s: %w", name, path.Dir(at), err)
	}
	slices.Reverse(missing)
	for _, m := range missing {
		if err := f.mkdir(m); err != nil && !errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("make folder %s: %w", name, err)
		}
		if err := f.SyncDir(path.Dir(m)); err != nil {
			return fmt.Errorf("make folder %s: sync %s: %w", name, path.Dir(m), err)
		}
	}
	return nil
}
