package drive

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/clewtrace/clew/cmd/internal/loadgen"
)

// NewFileSender writes requests to w instead of sending them, each behind its
// length as a varint. Closing it closes w.
func NewFileSender(w io.WriteCloser, m *Meter) Sender {
	return &fileSender{w: bufio.NewWriterSize(w, 1<<20), file: w, meter: m}
}

type fileSender struct {
	w     *bufio.Writer
	file  io.Closer
	meter *Meter
	head  []byte
}

func (s *fileSender) Send(_ context.Context, r loadgen.Request) error {
	began := time.Now()
	s.head = binary.AppendUvarint(s.head[:0], uint64(len(r.Body)))
	_, err := s.w.Write(s.head)
	if err == nil {
		_, err = s.w.Write(r.Body)
	}
	if err != nil {
		err = fmt.Errorf("write request: %w", err)
	}
	s.meter.attempt(time.Since(began), 0, "", err)
	return err
}

func (s *fileSender) Close() error {
	err := s.w.Flush()
	return errors.Join(err, s.file.Close())
}
