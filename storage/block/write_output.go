package block

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

// Output makes the objects of one block. Objects are made one after the other.
type Output interface {
	Create(name string) (OutputObject, error)
}

// OutputObject is one object being made. Write calls Sync before Close, once
// each, and neither after an error of Write or Sync but Close.
type OutputObject interface {
	io.Writer
	Sync() error
	Close() error
}

// objectWriter buffers, counts and sums the bytes of one object. After an error
// it writes nothing more; finish returns the error.
type objectWriter struct {
	name string
	out  OutputObject
	buf  []byte
	size uint64 // written, buffered bytes included
	crc  uint32
	err  error
}

const outputBuffer = 256 << 10

func createObject(out Output, name string) (*objectWriter, error) {
	o, err := out.Create(name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return &objectWriter{name: name, out: o}, nil
}

// Write implements io.Writer.
func (w *objectWriter) Write(b []byte) (int, error) {
	if w.err != nil {
		return 0, w.err
	}
	w.size += uint64(len(b))
	w.crc = crc32.Update(w.crc, castagnoli, b)
	if len(w.buf)+len(b) > outputBuffer {
		w.flush()
		if len(b) >= outputBuffer {
			if w.err == nil {
				_, w.err = w.out.Write(b)
			}
			return len(b), w.err
		}
	}
	w.buf = append(w.buf, b...)
	return len(b), w.err
}

func (w *objectWriter) flush() {
	if w.err == nil && len(w.buf) > 0 {
		_, w.err = w.out.Write(w.buf)
	}
	w.buf = w.buf[:0]
}

// finish makes the object durable and closes it, whatever happened before. The
// error names the object.
func (w *objectWriter) finish() (ObjectMeta, error) {
	w.flush()
	if w.err == nil {
		w.err = w.out.Sync()
	}
	if err := w.out.Close(); w.err == nil {
		w.err = err
	}
	if w.err != nil {
		return ObjectMeta{}, fmt.Errorf("%s: %w", w.name, w.err)
	}
	return ObjectMeta{Name: w.name, Size: w.size, CRC: w.crc}, nil
}

// abandon closes an object that will not be complete.
func (w *objectWriter) abandon(err error) error {
	if w.err == nil {
		w.err = err
	}
	if cerr := w.out.Close(); cerr != nil {
		return errors.Join(fmt.Errorf("%s: %w", w.name, err), cerr)
	}
	return fmt.Errorf("%s: %w", w.name, err)
}

// writeObject makes an object of bytes in hand.
func writeObject(out Output, name string, b []byte) (ObjectMeta, error) {
	w, err := createObject(out, name)
	if err != nil {
		return ObjectMeta{}, err
	}
	_, _ = w.Write(b) // finish returns the error
	return w.finish()
}
