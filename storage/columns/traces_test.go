package columns

import (
	"encoding/binary"
	"testing"

	"github.com/clewtrace/clew/storage/trace"
)

// TestHashID: IDs of clients that count fill the table evenly, wherever in the
// ID and in whatever byte order they count.
func TestHashID(t *testing.T) {
	const n, slots = 1 << 14, 1 << 12
	for at := 0; at <= 8; at += 4 {
		for name, put := range map[string]func([]byte, uint64){"big": binary.BigEndian.PutUint64, "little": binary.LittleEndian.PutUint64} {
			var load [slots]int
			for i := range uint64(n) {
				id := trace.ID{15: 1}
				put(id[at:], i)
				load[hashID(&id)%slots]++
			}
			most := 0
			for _, k := range load {
				most = max(most, k)
			}
			if most > 8*n/slots {
				t.Errorf("%s endian from byte %d: %d of %d in one slot of %d", name, at, most, n, slots)
			}
		}
	}
}
