package block

import (
	"bytes"
	"context"
	"errors"
	"strings"
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

// TestWriteFails makes every operation on every object fail once: an error that
// names block and object, and none of the later objects is made.
func TestWriteFails(t *testing.T) {
	s := randomSet(t, 5, 10)
	objects, m := writeSet(t, s, testOptions())
	for name := range objects {
		for _, op := range []string{"create", "write", "sync", "close"} {
			broken := errors.New("broken")
			out := &memoryOutput{objects: memory{}}
			out.fail = func(o, n string) error {
				if o == op && n == name {
					return broken
				}
				return nil
			}
			_, err := Write(context.Background(), out, s, s.Order(), testOptions())
			if !errors.Is(err, broken) || !strings.HasPrefix(err.Error(), "write block "+m.Block.String()+": "+name+": ") {
				t.Errorf("%s %s: %v", op, name, err)
			}
			if _, made := out.objects[MetaObject]; made && name != MetaObject {
				t.Errorf("%s %s: %s was made", op, name, MetaObject)
			}
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Write(ctx, &memoryOutput{objects: memory{}}, s, s.Order(), testOptions()); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	empty := columns.New("empty", columns.DefaultOptions())
	empty.Seal()
	if _, err := Write(context.Background(), &memoryOutput{objects: memory{}}, empty, empty.Order(), testOptions()); !errors.Is(err, ErrEmpty) {
		t.Errorf("no spans: %v", err)
	}
}

// TestStored reads frames of zstd that hold bodies as they are.
func TestStored(t *testing.T) {
	for _, n := range []int{0, 1, 255, 256, 257, 65_791, 65_792, zstdBlock, zstdBlock + 1, 3*zstdBlock + 7} {
		body := make([]byte, n)
		for i := range body {
			body[i] = byte(i * i >> 3)
		}
		frame := appendStored([]byte("x"), body)
		got, err := decoder().DecodeAll(frame[1:], make([]byte, 0, n+decompressSlack))
		if err != nil || !bytes.Equal(got, body) || len(frame) > n+32 {
			t.Errorf("%d bytes: %d in a frame of %d: %v", n, len(got), len(frame), err)
		}
	}
}
