package fsys

import (
	"maps"
	"math/rand/v2"
	"slices"
)

// Crash returns the file system as a power cut now could leave it. Of what was
// not synced a random part is there: of a folder any of its entries, old or new;
// of a file any of its pages, in any order, and any length between the old and
// the new. Without rng nothing that was not synced is there. The receiver stays
// as it is.
func (m *Memory) Crash(rng *rand.Rand) *Memory {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := NewMemory()
	n.Space = m.Space
	n.root = m.root.crash(rng, map[*node]*node{})
	return n
}

// crash returns what is left of a node. A node that two names lead to, the old
// and the new of a rename, stays one.
func (n *node) crash(rng *rand.Rand, done map[*node]*node) *node {
	if out := done[n]; out != nil {
		return out
	}
	if !n.isDir() {
		out := n.crashFile(rng)
		done[n] = out
		return out
	}
	out := newDir()
	done[n] = out
	names := maps.Clone(n.entries)
	maps.Copy(names, n.saved)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		e := n.saved[name]
		if now := n.entries[name]; now != e && rng != nil && rng.IntN(2) == 0 {
			e = now // the unsynced change happened to be written
		}
		if e != nil {
			out.entries[name] = e.crash(rng, done)
		}
	}
	out.saved = maps.Clone(out.entries)
	return out
}

func (n *node) crashFile(rng *rand.Rand) *node {
	size := len(n.synced)
	if rng == nil {
		return &node{data: slices.Clone(n.synced), synced: slices.Clone(n.synced)}
	}
	if now := len(n.data); now != size {
		switch rng.IntN(3) {
		case 0:
			size = now
		case 1:
			size = min(now, size) + rng.IntN(max(now, size)-min(now, size)+1)
		}
	}
	data := make([]byte, size)
	copy(data, n.synced)
	page := []int{32, 512, 4096}[rng.IntN(3)]
	for at := n.lo - n.lo%page; at < min(n.hi, size); at += page {
		if end := min(at+page, size, len(n.data)); at < end && rng.IntN(2) == 0 {
			copy(data[at:end], n.data[at:end])
		}
	}
	return &node{data: data, synced: slices.Clone(data)}
}
