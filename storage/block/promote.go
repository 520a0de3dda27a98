package block

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/clewtrace/clew/storage/columns"
)

// Promotion is the rule that gives span attributes columns of their own. The
// others stand in attrs_rest, from where they are as exact, but slower to
// search. docs/design/0003-block-format.md has the measurements behind the defaults.
type Promotion struct {
	// MaxColumns is how many attributes get a column at most, the most
	// frequent first.
	MaxColumns int
	// MinShare: an attribute on this share of the block's spans gets a column.
	MinShare float64
	// OperationShare and OperationKeyShare: so does one that stands on
	// OperationKeyShare of the spans of some operation which itself has
	// OperationShare of the block's spans.
	OperationShare    float64
	OperationKeyShare float64
	// ConventionShare is MinShare for keys of the semantic conventions that
	// people search by, see searchedKeys.
	ConventionShare float64
}

// DefaultPromotion returns the rule that blocks are written with.
func DefaultPromotion() Promotion {
	return Promotion{MaxColumns: 100, MinShare: 0.05, OperationShare: 0.01, OperationKeyShare: 0.5, ConventionShare: 0.0005}
}

// String is how meta.json states the rule.
func (p Promotion) String() string {
	return fmt.Sprintf("share>=%g or on %g of an operation with share>=%g or searched and share>=%g; at most %d",
		p.MinShare, p.OperationKeyShare, p.OperationShare, p.ConventionShare, p.MaxColumns)
}

// searchedKeys are keys, and beginnings of keys (with a dot at the end), by which
// people look for spans whatever their share.
var searchedKeys = []string{
	"http.", "url.", "rpc.", "db.", "messaging.", "error.", "exception.", "user.", "enduser.", "session.", "graphql.", "faas.", "gen_ai.",
	"error", "peer.service", "server.address", "client.address",
}

func searched(key string) bool {
	for _, k := range searchedKeys {
		if key == k || k[len(k)-1] == '.' && strings.HasPrefix(key, k) {
			return true
		}
	}
	return false
}

// maxColumnKey bounds the keys that may name a column of a Parquet file.
const maxColumnKey = 256

// census counts the rows of a Set by operation and shape.
type census struct {
	rows   uint64
	counts []opShape
	opRows []uint64 // by operation
}

type opShape struct {
	op, shape uint32
	rows      uint64
}

// count walks all rows of the Set in the order in which they lie.
func (c *census) count(set *columns.Set) {
	n := uint32(set.Len())
	c.rows, c.opRows = uint64(n), make([]uint64, set.NumOps())
	// Nearly every operation has one shape at a time.
	last := make([]struct{ shape, entry uint32 }, set.NumOps())
	for i := range last {
		last[i].shape = NoRow
	}
	entries := map[[2]uint32]uint32{}
	for r := range n {
		row := set.Row(r)
		c.opRows[row.Op]++
		l := &last[row.Op]
		if l.shape != row.Shape {
			k := [2]uint32{row.Op, row.Shape}
			e, ok := entries[k]
			if !ok {
				e = uint32(len(c.counts))
				entries[k] = e
				c.counts = append(c.counts, opShape{op: row.Op, shape: row.Shape})
			}
			l.shape, l.entry = row.Shape, e
		}
		c.counts[l.entry].rows++
	}
}

// choose returns the attributes (numbers of the Set) that get columns, the most
// frequent first. At most one type of a key is among them: the most frequent one.
func (p *Promotion) choose(set *columns.Set, c *census) []uint32 {
	total := make([]uint64, set.NumAttrs()) // rows where the attribute could stand in a column
	regular := make([]bool, set.NumAttrs()) // by the rule for operations
	firsts := firstEntries(set)
	slices.SortFunc(c.counts, func(a, b opShape) int {
		return cmp.Or(cmp.Compare(a.op, b.op), cmp.Compare(a.shape, b.shape))
	})
	inOp := map[uint32]uint64{}
	for i := 0; i < len(c.counts); {
		op := c.counts[i].op
		clear(inOp)
		for ; i < len(c.counts) && c.counts[i].op == op; i++ {
			for _, a := range firsts[c.counts[i].shape] {
				inOp[a] += c.counts[i].rows
			}
		}
		rows := c.opRows[op]
		frequent := float64(rows) >= p.OperationShare*float64(c.rows)
		for a, n := range inOp {
			total[a] += n
			if frequent && float64(n) >= p.OperationKeyShare*float64(rows) {
				regular[a] = true
			}
		}
	}
	best := map[string]uint32{} // by key: the most frequent type
	for a := range uint32(len(total)) {
		attr := set.Attr(a)
		if total[a] == 0 || attr.Type == columns.Empty || len(attr.Key) > maxColumnKey || !utf8.ValidString(attr.Key) {
			continue
		}
		if b, ok := best[attr.Key]; !ok || total[a] > total[b] {
			best[attr.Key] = a
		}
	}
	var chosen []uint32
	for key, a := range best {
		share := float64(total[a]) / float64(c.rows)
		if share >= p.MinShare || regular[a] || share >= p.ConventionShare && searched(key) {
			chosen = append(chosen, a)
		}
	}
	slices.SortFunc(chosen, func(a, b uint32) int {
		return cmp.Or(cmp.Compare(total[b], total[a]), cmp.Compare(set.Attr(a).Key, set.Attr(b).Key))
	})
	return chosen[:min(len(chosen), p.MaxColumns)]
}

// firstEntries returns, by shape, the attributes that are the first of their key.
func firstEntries(set *columns.Set) [][]uint32 {
	out := make([][]uint32, set.NumShapes())
	seen := map[string]bool{}
	for s := range out {
		sh := set.Shape(uint32(s))
		clear(seen)
		out[s] = make([]uint32, 0, len(sh.Attrs))
		for _, e := range sh.Attrs {
			if k := set.Attr(e.Attr).Key; !seen[k] {
				seen[k] = true
				out[s] = append(out[s], e.Attr)
			}
		}
	}
	return out
}
