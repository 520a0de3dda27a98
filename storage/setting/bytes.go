package setting

import (
	"errors"
	"math"
	"math/big"
	"strconv"
	"strings"
)

// Bytes is a number of bytes. It is written as a plain number or with a unit:
// kB, MB, GB, TB are powers of 1000, KiB, MiB, GiB, TiB powers of 1024.
type Bytes int64

// binaryUnits are the units of String, largest first.
var binaryUnits = []struct {
	name string
	size int64
}{{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}}

// units are those that ParseBytes knows, in lower case. A bare k or M is none:
// it means both 1000 and 1024.
var units = map[string]int64{
	"": 1, "b": 1, "kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12,
	"kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30, "tib": 1 << 40,
	"ki": 1 << 10, "mi": 1 << 20, "gi": 1 << 30, "ti": 1 << 40, // as Kubernetes writes them
}

var errBytes = errors.New("want bytes: a number such as 1048576, or one with a unit such as 200MiB or 1.5GB")

// ParseBytes reads a number of bytes. Upper and lower case are the same, and so
// are 200MiB and 200 MiB; a part of a byte is an error.
func ParseBytes(s string) (Bytes, error) {
	n := strings.TrimRight(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
	unit, ok := units[strings.ToLower(s[len(n):])]
	n = strings.TrimSuffix(n, " ")
	if !ok || n == "" || len(n) > 20 || strings.Trim(n, "0123456789.") != "" {
		return 0, errBytes
	}
	r, ok := new(big.Rat).SetString(n)
	if !ok {
		return 0, errBytes
	}
	r.Mul(r, new(big.Rat).SetInt64(unit))
	if !r.IsInt() || r.Cmp(new(big.Rat).SetInt64(math.MaxInt64)) > 0 {
		return 0, errBytes
	}
	return Bytes(r.Num().Int64()), nil
}

// String is the shortest exact form with a binary unit, or a plain number.
func (b Bytes) String() string {
	for _, u := range binaryUnits {
		if b != 0 && int64(b)%u.size == 0 {
			return strconv.FormatInt(int64(b)/u.size, 10) + u.name
		}
	}
	return strconv.FormatInt(int64(b), 10)
}
