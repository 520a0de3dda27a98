package loadgen

import "container/heap"

// A node's agent gathers the spans of its pods and sends them when it has
// enough, as a collector on each node does: one request holds several
// resources, and a trace is spread over the requests of several nodes.
type node struct {
	pods  []int32
	spans int
	since uint64 // when the oldest waiting span came
}

// place puts an encoded span in its pod's batch and flushes a full one.
func (g *Generator) place(pod, scope int32, span []byte) {
	p := &g.pods[pod]
	gr := &p.groups[scope]
	gr.spans = appendField(gr.spans, tagSpan, span)
	n := &g.nodes[p.node]
	if n.spans == 0 {
		n.since = g.clock()
	}
	n.spans++
	if n.spans >= g.cfg.SpansPerRequest {
		g.flush(n)
	}
}

// flushOld sends batches that have waited for the batch timeout.
func (g *Generator) flushOld(now uint64) {
	if g.cfg.BatchTimeout <= 0 {
		return
	}
	for i := range g.nodes {
		if n := &g.nodes[i]; n.spans > 0 && now-n.since >= uint64(g.cfg.BatchTimeout) {
			g.flush(n)
		}
	}
}

// flush encodes a node's waiting spans as one request.
func (g *Generator) flush(n *node) {
	var buf []byte
	if k := len(g.free); k > 0 {
		buf, g.free = g.free[k-1], g.free[:k-1]
	}
	buf = buf[:0]
	for _, i := range n.pods {
		buf = g.appendPod(buf, &g.pods[i])
	}
	g.ready = append(g.ready, Request{Body: buf, Spans: n.spans, Clock: int64(g.clock())})
	g.stats.Requests++
	g.stats.Bytes += int64(len(buf))
	n.spans = 0
}

// appendPod appends a pod's waiting spans as a resource_spans field, and
// forgets them.
func (g *Generator) appendPod(b []byte, p *pod) []byte {
	svc := &g.top.services[p.service]
	size := 0
	for i := range p.groups {
		if len(p.groups[i].spans) > 0 {
			n := len(svc.scopes[i].field) + len(p.groups[i].spans)
			size += 1 + uvarintLen(uint64(n)) + n
		}
	}
	if size == 0 {
		return b
	}
	size += len(p.resource) + 2 + len(schemaURL)
	b = appendUvarint(append(b, tagResourceSpans), uint64(size))
	b = append(b, p.resource...)
	for i := range p.groups {
		gr := &p.groups[i]
		if len(gr.spans) == 0 {
			continue
		}
		field := svc.scopes[i].field
		b = appendUvarint(append(b, tagScopeSpans), uint64(len(field)+len(gr.spans)))
		b = append(b, field...)
		b = append(b, gr.spans...)
		gr.spans = gr.spans[:0]
	}
	return appendText(b, tagSchemaURL, schemaURL)
}

// lateEntry is an encoded span that arrives after its trace.
type lateEntry struct {
	due        uint64
	order      int // of spans that are due at once
	pod, scope int32
	span       []byte
}

type lateHeap []lateEntry

func (h lateHeap) Len() int      { return len(h) }
func (h lateHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h lateHeap) Less(i, j int) bool {
	return h[i].due < h[j].due || h[i].due == h[j].due && h[i].order < h[j].order
}
func (h *lateHeap) Push(x any) { *h = append(*h, x.(lateEntry)) }
func (h *lateHeap) Pop() any {
	old := *h
	x := old[len(old)-1]
	*h = old[:len(old)-1]
	return x
}

// keepLate holds a span back for two seconds to five minutes.
func (g *Generator) keepLate(pod, scope int32, span []byte) {
	due := g.clock() + g.rnd.logUniform(2e9, 300e9)
	heap.Push(&g.late, lateEntry{due, int(g.stats.Late), pod, scope, append([]byte(nil), span...)})
}

// releaseLate puts the spans that are due in their batches.
func (g *Generator) releaseLate(now uint64) {
	for len(g.late) > 0 && g.late[0].due <= now {
		e := heap.Pop(&g.late).(lateEntry)
		g.place(e.pod, e.scope, e.span)
	}
}
