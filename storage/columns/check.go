package columns

import "github.com/clewtrace/clew/storage/trace"

// What a Set accepts must be readable again by every OTLP client: one broken
// event would make the whole answer that carries it undecodable. The checks
// below walk what is stored verbatim. They allocate nothing.

// maxDepth is how deeply values may be nested: a little below what decoders of
// clients are known to take.
const maxDepth = 40

const maxSpanField = 16

// spanWire and the others below give the wire type of each known field; index
// 0 is unused, since no field has that number.
var (
	spanWire     = [maxSpanField + 1]uint8{0, 2, 2, 2, 2, 2, 0, 1, 1, 2, 0, 2, 0, 2, 0, 2, 5}
	anyWire      = [8]uint8{0, 2, 0, 0, 1, 2, 2, 2}
	eventWire    = [5]uint8{0, 1, 2, 2, 0}
	linkWire     = [7]uint8{0, 2, 2, 2, 2, 0, 5}
	resourceWire = [4]uint8{0, 2, 0, 2}
	scopeWire    = [5]uint8{0, 2, 2, 2, 0}
)

// walk calls check for each field of b; it is false if b is not a message, a
// known field has another wire type, or check says so.
func walk(b []byte, wires []uint8, check func(f trace.Field) bool) bool {
	for i := 0; i < len(b); {
		f, n := trace.NextField(b, i)
		if n < 0 || int(f.Num) < len(wires) && f.Wire != wires[f.Num] {
			return false
		}
		if !check(f) {
			return false
		}
		i = n
	}
	return true
}

// validAny reports whether b is a sound AnyValue at the given depth.
func validAny(b []byte, depth int) bool {
	if depth > maxDepth {
		return false
	}
	return walk(b, anyWire[:], func(f trace.Field) bool {
		switch f.Num {
		case 5: // ArrayValue: repeated AnyValue values = 1
			return walk(f.Data, []uint8{0, 2}, func(e trace.Field) bool {
				return e.Num != 1 || validAny(e.Data, depth+1)
			})
		case 6: // KeyValueList: repeated KeyValue values = 1
			return walk(f.Data, []uint8{0, 2}, func(e trace.Field) bool {
				return e.Num != 1 || validKeyValue(e.Data, depth+1)
			})
		}
		return true
	})
}

func validKeyValue(b []byte, depth int) bool {
	return walk(b, []uint8{0, 2, 2}, func(f trace.Field) bool {
		return f.Num != 2 || validAny(f.Data, depth)
	})
}

func validEvent(b []byte) bool {
	return walk(b, eventWire[:], func(f trace.Field) bool {
		return f.Num != 3 || validKeyValue(f.Data, 0)
	})
}

func validLink(b []byte) bool {
	return walk(b, linkWire[:], func(f trace.Field) bool {
		switch f.Num {
		case 1:
			return len(f.Data) == 0 || len(f.Data) == 16
		case 2:
			return len(f.Data) == 0 || len(f.Data) == 8
		case 4:
			return validKeyValue(f.Data, 0)
		}
		return true
	})
}

// validResourceSpans checks a ResourceSpans message without scope_spans.
func validResourceSpans(b []byte) bool {
	return walk(b, []uint8{0, 2, 2, 2}, func(f trace.Field) bool {
		return f.Num != 1 || walk(f.Data, resourceWire[:], func(a trace.Field) bool {
			return a.Num != 1 || validKeyValue(a.Data, 0)
		})
	})
}

// validScopeSpans checks a ScopeSpans message without spans.
func validScopeSpans(b []byte) bool {
	return walk(b, []uint8{0, 2, 2, 2}, func(f trace.Field) bool {
		return f.Num != 1 || walk(f.Data, scopeWire[:], func(a trace.Field) bool {
			return a.Num != 3 || validKeyValue(a.Data, 0)
		})
	})
}
