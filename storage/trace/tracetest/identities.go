package tracetest

import (
	"fmt"

	"github.com/clewtrace/clew/storage/trace"
)

// Identities returns the canonical identity of every span in OTLP TracesData,
// with how often it is there.
func Identities(dst map[[32]byte]int, otlp []byte) error {
	return children(otlp, 1, nil, func(rs []byte) error {
		var resource []byte
		if err := children(rs, 2, &resource, nil); err != nil {
			return err
		}
		return children(rs, 2, nil, func(ss []byte) error {
			var scope []byte
			if err := children(ss, 2, &scope, nil); err != nil {
				return err
			}
			return children(ss, 2, nil, func(span []byte) error {
				id, err := trace.Identity(resource, scope, span)
				if err != nil {
					return err
				}
				dst[id]++
				return nil
			})
		})
	})
}

// TraceIDs adds the trace IDs of all spans in OTLP TracesData to dst.
func TraceIDs(dst map[trace.ID]bool, otlp []byte) error {
	return children(otlp, 1, nil, func(rs []byte) error {
		return children(rs, 2, nil, func(ss []byte) error {
			return children(ss, 2, nil, func(span []byte) error {
				return children(span, 1, nil, func(b []byte) error {
					if id, ok := trace.IDFromBytes(b); ok {
						dst[id] = true
					}
					return nil
				})
			})
		})
	})
}

// children calls fn with the messages in fields num of b, and appends the other
// fields to own. Either may be nil.
func children(b []byte, num uint32, own *[]byte, fn func([]byte) error) error {
	for i := 0; i < len(b); {
		f, n := trace.NextField(b, i)
		switch {
		case n < 0:
			return fmt.Errorf("damaged OTLP at byte %d", i)
		case f.Num != num:
			if own != nil {
				*own = append(*own, b[i:n]...)
			}
		case fn != nil:
			if err := fn(f.Data); err != nil {
				return err
			}
		}
		i = n
	}
	return nil
}
