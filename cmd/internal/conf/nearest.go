package conf

import (
	"strings"

	"github.com/clewtrace/clew/storage/setting"
)

// nearest returns the key that is most likely meant by one that does not exist:
// one of the same section with a name like it, else one with this very name
// elsewhere, else any key like it. It is empty if there is none.
func nearest(key string, fields []setting.Field) string {
	section, name := key[:strings.LastIndexByte(key, '.')+1], key[strings.LastIndexByte(key, '.')+1:]
	best, least := "", max(len(name)/3+1, 2)
	for i := range fields {
		f := &fields[i]
		if f.Key == section+f.Name() {
			d := distance(name, f.Name(), least)
			if len(name) > 3 && (strings.HasPrefix(f.Name(), name) || strings.HasPrefix(name, f.Name())) {
				d = min(d, 1)
			}
			if d < least {
				best, least = f.Key, d
			}
		}
	}
	if best != "" {
		return best
	}
	least = 1 << 10
	for i := range fields {
		if f := &fields[i]; f.Name() == name {
			if d := distance(key, f.Key, least); d < least {
				best, least = f.Key, d
			}
		}
	}
	if best != "" {
		return best
	}
	least = len(key)/4 + 1
	for i := range fields {
		if d := distance(key, fields[i].Key, least); d < least {
			best, least = fields[i].Key, d
		}
	}
	return best
}

// distance is how many letters must be put in, left out, changed or swapped
// with the next to make b of a; atLeast or more if it is not below that.
func distance(a, b string, atLeast int) int {
	if d := len(a) - len(b); d >= atLeast || -d >= atLeast {
		return atLeast
	}
	rows := [3][]int{make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		row, before, before2 := rows[i%3], rows[(i+2)%3], rows[(i+1)%3]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := 1
			if a[i-1] == b[j-1] {
				change = 0
			}
			row[j] = min(before[j]+1, row[j-1]+1, before[j-1]+change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before2[j-2]+1)
			}
		}
	}
	return rows[len(a)%3][len(b)]
}
