package trace

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// randomFragment is a few spans of one trace; IDs and contents collide often.
func randomFragment(rng *rand.Rand) []byte {
	td := ptrace.NewTraces()
	for range 1 + rng.IntN(2) {
		rs := td.ResourceSpans().AppendEmpty()
		rs.Resource().Attributes().PutStr("service.name", string(rune('a'+rng.IntN(2))))
		for range 1 + rng.IntN(2) {
			ss := rs.ScopeSpans().AppendEmpty()
			ss.Scope().SetName(string(rune('x' + rng.IntN(2))))
			for range rng.IntN(4) {
				sp := ss.Spans().AppendEmpty()
				sp.SetTraceID(pcommon.TraceID{1})
				sp.SetSpanID(pcommon.SpanID{7: byte(1 + rng.IntN(5))})
				sp.SetParentSpanID(pcommon.SpanID{7: byte(rng.IntN(6))})
				sp.SetStartTimestamp(pcommon.Timestamp(rng.IntN(3)))
				sp.SetKind(ptrace.SpanKind(rng.IntN(6)))
				keys := []string{"a", "b", "c"}
				rng.Shuffle(3, func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
				for _, k := range keys {
					sp.Attributes().PutStr(k, "v")
				}
			}
		}
	}
	b, _ := (&ptrace.ProtoMarshaler{}).MarshalTraces(td)
	return b
}

// The whole does not depend on order, grouping or repetition of its parts.
func TestAssembleIsAFunctionOfTheSet(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 1))
	for range 500 {
		a, b, c := randomFragment(rng), randomFragment(rng), randomFragment(rng)
		want := assembled(t, a, b, c)
		for _, parts := range [][][]byte{{c, b, a}, {b, a, c, a, b}, {append(bytes.Clone(c), a...), b}} {
			if got := assembled(t, parts...); !same(got, want) {
				t.Fatalf("other arrangement, other trace:\n%x\n%x", got.Wire, want.Wire)
			}
		}
		if want != nil {
			if again := assembled(t, want.Wire); !bytes.Equal(again.Wire, want.Wire) {
				t.Fatal("assembling a whole trace changes it")
			}
			parents, err := want.Parents()
			if err != nil {
				t.Fatal(err)
			}
			for i := range parents { // no cycles
				steps := 0
				for at := parents[i]; at != NoParent; at = parents[at] {
					if steps++; steps > len(parents) {
						t.Fatal("cycle")
					}
				}
			}
		}
	}
}

func assembled(t *testing.T, parts ...[]byte) *Trace {
	t.Helper()
	tr, err := Assemble(parts...)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

// same compares spans by identity; which of several equal byte forms of a span
// stands is not part of the answer.
func same(a, b *Trace) bool {
	if a == nil || b == nil {
		return a == b
	}
	if len(a.Spans) != len(b.Spans) {
		return false
	}
	var err error
	x, y := a.identities(&err), b.identities(&err)
	for i := range x {
		if x[i] != y[i] {
			return false
		}
	}
	return err == nil
}

func TestIdentity(t *testing.T) {
	kv := func(k, v string) []byte {
		val := append([]byte{1<<3 | 2, byte(len(v))}, v...)
		b := append([]byte{1<<3 | 2, byte(len(k))}, k...)
		return append(append(b, 2<<3|2, byte(len(val))), val...)
	}
	attr := func(k, v string) []byte { return appendField(nil, 9, kv(k, v)) }
	id := func(span ...[]byte) [32]byte {
		t.Helper()
		got, err := Identity(nil, nil, bytes.Join(span, nil))
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	name := appendField(nil, 5, []byte("n"))
	if id(attr("a", "1"), attr("b", "2"), name) != id(name, attr("b", "2"), attr("a", "1")) {
		t.Error("order of attributes or fields changes the identity")
	}
	if id(attr("a", "1")) == id(attr("a", "1"), attr("a", "1")) {
		t.Error("a repeated attribute is lost")
	}
	if id(attr("a", "1")) == id(attr("a", "2")) {
		t.Error("another value, the same identity")
	}
	if id(appendField(nil, 4, make([]byte, 8))) != id() {
		t.Error("a zero parent differs from none")
	}
	if id(appendField(nil, 1, []byte("12345678"))) != id(appendField(nil, 1, append(make([]byte, 8), "12345678"...))) {
		t.Error("an 8-byte trace ID differs from its padded form")
	}
}

func FuzzIdentity(f *testing.F) {
	f.Add([]byte{}, []byte{}, []byte{9<<3 | 2, 2, 0x12, 0})
	f.Fuzz(func(t *testing.T, a, b, c []byte) { Identity(a, b, c) })
}

func FuzzAssemble(f *testing.F) {
	f.Add(randomFragment(rand.New(rand.NewPCG(1, 1))))
	f.Fuzz(func(t *testing.T, b []byte) { Assemble(b) })
}
