package jsonenc

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestEncoder(t *testing.T) {
	var b bytes.Buffer
	e := New(&b)
	e.Object()
	e.Key("a")
	e.Array()
	e.Int(-1)
	e.Uint(math.MaxUint64)
	e.IntString(math.MinInt64)
	e.UintString(7)
	e.EndArray()
	e.Key("b")
	e.Object()
	e.EndObject()
	e.Key("c")
	e.Array()
	e.EndArray()
	e.Key("d")
	e.Array()
	for _, f := range []float64{0, 1.5, 1e300, math.NaN(), math.Inf(1), math.Inf(-1), math.Copysign(0, -1)} {
		e.Float(f)
	}
	e.Null()
	e.Bool(true)
	e.Hex([]byte{1, 0xab})
	e.Base64([]byte{0xff, 0xfe})
	e.Raw([]byte(`{"x":1}`))
	e.EndArray()
	e.EndObject()
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	want := `{"a":[-1,18446744073709551615,"-9223372036854775808","7"],"b":{},"c":[],` +
		`"d":[0,1.5,1e+300,"NaN","Infinity","-Infinity",-0,null,true,"01ab","//4=",{"x":1}]}`
	if got := b.String(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// What Str writes is what encoding/json reads.
func FuzzStr(f *testing.F) {
	for _, s := range []string{"", "plain", "\"\\\n\r\t\x00\x1f<>&", "ü\u2028\u2029\U0001F600", "\xff\xfe", "a\xc3", strings.Repeat("x", 100)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var b bytes.Buffer
		e := New(&b)
		e.Str(s)
		e.Close()
		var got string
		if err := json.Unmarshal(b.Bytes(), &got); err != nil {
			t.Fatalf("%q: %v", b.String(), err)
		}
		if utf8.ValidString(s) && got != s {
			t.Fatalf("got %q, want %q", got, s)
		}
		if !utf8.Valid(b.Bytes()) {
			t.Fatalf("%q is no UTF-8", b.String())
		}
	})
}

func FuzzFloat(f *testing.F) {
	f.Add(0.1)
	f.Fuzz(func(t *testing.T, v float64) {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return
		}
		var b bytes.Buffer
		e := New(&b)
		e.Float(v)
		e.Close()
		var got float64
		if err := json.Unmarshal(b.Bytes(), &got); err != nil || got != v {
			t.Fatalf("%s: got %v, %v, want %v", b.String(), got, err, v)
		}
	})
}

type failing struct{ writes int }

func (f *failing) Write(b []byte) (int, error) { f.writes++; return 0, bytes.ErrTooLarge }

func TestEncoderKeepsTheFirstError(t *testing.T) {
	w := &failing{}
	e := New(w)
	for range 100_000 {
		e.Str("some text")
	}
	if err := e.Close(); !errors.Is(err, bytes.ErrTooLarge) || w.writes != 1 {
		t.Errorf("got error %v after %d writes", err, w.writes)
	}
}
