package portion

import (
	"reflect"
	"testing"

	"github.com/google/uuid"
)

func TestRoundTrip(t *testing.T) {
	p := &Portion{
		Stream: Stream{Tenant: "shop", Boot: uuid.New(), Builder: Identity{"ingester-0", uuid.New()}},
		Seq:    7, Spans: 500, RawSize: 1 << 20, ReceivedUnixNano: 1 << 60,
		Owners: []Identity{{"ingester-1", uuid.New()}}, Payload: []byte("payload"),
	}
	got, err := Parse(append(p.AppendHeader(nil), p.Payload...))
	if err != nil || !reflect.DeepEqual(got, p) {
		t.Errorf("got %+v, %v", got, err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add((&Portion{Stream: Stream{Tenant: "a"}}).AppendHeader(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		if p, err := Parse(b); err == nil {
			if q, err := Parse(append(p.AppendHeader(nil), p.Payload...)); err != nil || !reflect.DeepEqual(p, q) {
				t.Fatalf("%+v became %+v, %v", p, q, err)
			}
		}
	})
}
