package loadgen

import "encoding/binary"

// flow is the trace being made: what all of its spans share.
type flow struct {
	id      [16]byte
	user    uint32 // rank of the user
	order   uint64
	session uint64
	late    bool // some of its spans arrive late
	spans   int
}

// producerSpan is where a message came from, for links.
type producerSpan struct {
	trace [16]byte
	span  uint64
}

// makeTrace makes one trace, whose spans end up in the batches of their nodes.
func (g *Generator) makeTrace() {
	now := g.clock()
	g.releaseLate(now)
	g.flushOld(now)

	r := &g.top.roots[g.top.rootPick[g.rnd.below(uint32(len(g.top.rootPick)))]]
	f := &g.flow
	binary.BigEndian.PutUint64(f.id[:], g.rnd.uint64())
	binary.BigEndian.PutUint64(f.id[8:], g.rnd.uint64()|1)
	f.user = g.users.draw(&g.rnd)
	f.order = g.rnd.uint64()
	f.session = uint64(f.user)*0x9e3779b97f4a7c15 ^ uint64(g.rnd.below(4))
	f.late = g.rnd.happens(g.lateTrace)
	f.spans = 0

	first := r.op.service * podsPerService
	pod := first + int32(g.rnd.below(podsPerService))
	// A trace that began a little earlier is complete by now.
	start := now - r.lead - uint64(g.rnd.below(1<<30))
	g.visit(r.op, pod, pod, 0, flagsLocal, start)
	g.stats.Traces++
	g.stats.LargestTrace = max(g.stats.LargestTrace, f.spans)
}

// visit makes the span of an operation, after the spans of all that it calls,
// and returns when it ended and how. Children lie inside of their parents, but
// for those that process a message: they start after the producer ended.
func (g *Generator) visit(op *operation, pod, peer int32, parent uint64, flags uint32, start uint64) (end uint64, out outcome) {
	id := g.rnd.uint64() | 1<<63
	switch {
	case op.target != nil:
		peer = op.target.service*podsPerService + int32(g.rnd.below(podsPerService))
		wire := g.rnd.duration(180_000)
		end, out = g.visit(op.target, peer, pod, id, flagsRemote, start+wire)
		end += wire - wire>>2
		if out.fault != nil {
			out.fault = clientFault(op, out)
		}
	default:
		end, out = g.work(op, pod, id, start)
	}
	g.emit(op, &spanState{op: op, pod: pod, peer: peer, outcome: out}, id, parent, flags, start, end)
	for _, consumer := range op.consumers {
		at := end + g.rnd.duration(6_000_000)
		to := consumer.service*podsPerService + int32(g.rnd.below(podsPerService))
		g.visit(consumer, to, pod, id, flagsRemote, at)
	}
	if op.kind == kindProducer {
		g.producers[g.producerAt%len(g.producers)] = producerSpan{g.flow.id, id}
		g.producerAt++
	}
	return end, out
}

// work spends an operation's own time and makes its calls. When a call fails
// for good, most operations give up and fail as well.
func (g *Generator) work(op *operation, pod int32, id, start uint64) (end uint64, out outcome) {
	own := g.rnd.duration(op.work)
	now := start + own>>2
	for i := range op.steps {
		st := &op.steps[i]
		if !g.rnd.happens(st.p) {
			continue
		}
		n := st.lo + g.rnd.small(st.hi-st.lo+1)
		latest := now
		for k := range n {
			at := now
			if st.parallel {
				at += uint64(k) * 27_000
			}
			childEnd, child := g.visit(st.op, pod, pod, id, flagsLocal, at)
			if child.fault != nil && g.rnd.happens(retries) {
				childEnd, child = g.visit(st.op, pod, pod, id, flagsLocal, childEnd+g.rnd.duration(2_000_000))
			}
			latest = max(latest, childEnd)
			if !st.parallel {
				now = latest + own>>6
			}
			if child.fault != nil && !op.tolerant && g.rnd.happens(givesUp) {
				up := g.top.services[op.service].upstream
				return latest + own>>2, outcome{up.http, up.grpc, up}
			}
		}
		now = max(now, latest) + own>>6
	}
	end = now + own - own>>2
	if g.rnd.happens(op.fails) {
		f := op.faults[g.rnd.below(uint32(len(op.faults)))]
		return end, outcome{f.http, f.grpc, f}
	}
	out.http = op.okStatus[g.rnd.small(uint32(len(op.okStatus)))]
	return end, out
}

// clientFault is how a failed call looks to the caller.
func clientFault(op *operation, out outcome) *fault {
	if op.target.rpc[0] != "" {
		if f := failedRPCs[out.grpc]; f != nil {
			return f
		}
		return failedRPCs[grpcInternal]
	}
	if f := failedCalls[out.http]; f != nil {
		return f
	}
	return failedCalls[500]
}
