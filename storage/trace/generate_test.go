package trace

import (
	"math"
	"math/rand/v2"
	"testing"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// randomTrace makes spans of trace 1 that collide often in IDs and content.
func randomTrace(rng *rand.Rand) ptrace.Traces {
	td := ptrace.NewTraces()
	for range 1 + rng.IntN(2) {
		rs := td.ResourceSpans().AppendEmpty()
		rs.Resource().Attributes().PutStr("service.name", string(rune('a'+rng.IntN(2))))
		if rng.IntN(3) == 0 {
			rs.SetSchemaUrl("s")
		}
		for range 1 + rng.IntN(2) {
			ss := rs.ScopeSpans().AppendEmpty()
			ss.Scope().SetName([]string{"", "x", "y"}[rng.IntN(3)])
			for range rng.IntN(4) {
				randomSpan(rng, ss.Spans().AppendEmpty())
			}
		}
	}
	return td
}

func randomSpan(rng *rand.Rand, sp ptrace.Span) {
	sp.SetTraceID(pcommon.TraceID{15: 1})
	sp.SetSpanID(pcommon.SpanID{7: byte(1 + rng.IntN(5))})
	sp.SetParentSpanID(pcommon.SpanID{7: byte(rng.IntN(6))})
	sp.SetStartTimestamp(pcommon.Timestamp(rng.IntN(3)))
	sp.SetEndTimestamp(pcommon.Timestamp(rng.IntN(5)))
	sp.SetKind(ptrace.SpanKind(rng.IntN(6)))
	keys := []string{"a", "b", "c"}
	rng.Shuffle(3, func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
	for _, k := range keys[:1+rng.IntN(3)] {
		randomValue(rng, sp.Attributes().PutEmpty(k), 0)
	}
	if rng.IntN(4) == 0 {
		e := sp.Events().AppendEmpty()
		e.SetName("e")
		e.Attributes().PutInt("n", int64(rng.IntN(2)))
		l := sp.Links().AppendEmpty()
		l.SetTraceID(pcommon.TraceID{0: 7})
	}
}

func randomValue(rng *rand.Rand, v pcommon.Value, depth int) {
	switch rng.IntN(10) {
	case 0:
		v.SetInt(int64(rng.IntN(2)))
	case 1:
		v.SetDouble([]float64{0, math.Copysign(0, -1), math.NaN()}[rng.IntN(3)])
	case 2:
		v.SetBool(rng.IntN(2) == 0)
	case 3:
		v.SetEmptyBytes().FromRaw([]byte{0}[:rng.IntN(2)])
	case 4:
		if s := v.SetEmptySlice(); depth < 3 {
			for range rng.IntN(3) {
				randomValue(rng, s.AppendEmpty(), depth+1)
			}
		}
	case 5:
		if m := v.SetEmptyMap(); depth < 3 {
			for _, k := range []string{"k", "l"} {
				randomValue(rng, m.PutEmpty(k), depth+1)
			}
		}
	case 6: // empty
	default:
		v.SetStr([]string{"", "v", "w"}[rng.IntN(3)])
	}
}

func marshal(t testing.TB, td ptrace.Traces) []byte {
	t.Helper()
	b, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(td)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func mustAssemble(t testing.TB, fragments ...[]byte) *Trace {
	t.Helper()
	tr, err := Assemble(fragments...)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

// field writes one length-delimited field.
func field(num byte, parts ...[]byte) []byte {
	var data []byte
	for _, p := range parts {
		data = append(data, p...)
	}
	return appendMessageField(nil, num, data)
}

func seeded(t *testing.T) *rand.Rand {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 1))
}
