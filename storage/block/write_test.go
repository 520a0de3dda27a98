package block

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/clewtrace/clew/storage/columns"
)

// memoryOutput is Output in memory. fail, if set, says what does not work.
type memoryOutput struct {
	objects memory
	order   []string
	fail    func(op, name string) error
}

type memoryObject struct {
	o    *memoryOutput
	name string
	buf  bytes.Buffer
}

func (o *memoryOutput) failed(op, name string) error {
	if o.fail == nil {
		return nil
	}
	return o.fail(op, name)
}

func (o *memoryOutput) Create(name string) (OutputObject, error) {
	if err := o.failed("create", name); err != nil {
		return nil, err
	}
	return &memoryObject{o: o, name: name}, nil
}

func (f *memoryObject) Write(b []byte) (int, error) {
	if err := f.o.failed("write", f.name); err != nil {
		return 0, err
	}
	return f.buf.Write(b)
}

func (f *memoryObject) Sync() error { return f.o.failed("sync", f.name) }

func (f *memoryObject) Close() error {
	if err := f.o.failed("close", f.name); err != nil {
		return err
	}
	f.o.order = append(f.o.order, f.name)
	f.o.objects[f.name] = f.buf.Bytes()
	return nil
}

func testOptions() WriteOptions {
	return WriteOptions{ID: ulid.ULID{1, 2, 3}, Tenant: "tenant", ClusterID: "cluster", Created: time.Unix(1_700_000_000, 0)}
}

// writeSet seals s and writes it.
func writeSet(t testing.TB, s *columns.Set, opts WriteOptions) (memory, *Meta) {
	t.Helper()
	s.Seal()
	out := &memoryOutput{objects: memory{}}
	m, err := Write(context.Background(), out, s, s.Order(), opts)
	if err != nil {
		t.Fatal(err)
	}
	return out.objects, m
}
