package loadgen

import "encoding/binary"

// Span is what a watcher is told of a span. Its strings are not to be changed.
type Span struct {
	Trace         [16]byte
	ID, Parent    uint64 // as big-endian numbers; Parent is 0 for a root
	Service, Name string
	Kind          uint8
	Start, End    uint64 // ns since the Unix epoch
	Error         bool
	HTTPStatus    int  // of spans that carry one, else 0
	Late          bool // arrives after the rest of its trace
	// User is the value of user.id, empty on spans without it.
	User string
}

// emit encodes a span and puts it in its pod's batch, or keeps it if it is to
// be late.
func (g *Generator) emit(op *operation, s *spanState, id, parent uint64, flags uint32, start, end uint64) {
	b := append(g.span[:0], tagTraceID, 16)
	b = append(b, g.flow.id[:]...)
	b = append(b, tagSpanID, 8)
	b = binary.BigEndian.AppendUint64(b, id)
	if parent != 0 {
		b = append(b, tagParentSpanID, 8)
		b = binary.BigEndian.AppendUint64(b, parent)
	}
	b = append(b, op.head...)
	b = binary.LittleEndian.AppendUint64(append(b, tagStart), start)
	b = binary.LittleEndian.AppendUint64(append(b, tagEnd), end)
	b = g.run(b, op.attributes, s)

	fault := s.outcome.fault
	if op.event != nil && g.rnd.happens(op.event.p) {
		b = g.appendEvent(b, op.event.name, op.event.attributes, s, start+(end-start)/2)
	}
	if fault != nil && fault.event != nil {
		b = g.appendEvent(b, "exception", fault.event, s, end-min(end-start, 40_000))
		g.stats.Exceptions++
	}
	if op.links {
		b = g.appendLinks(b)
	}
	if fault != nil {
		b = append(b, fault.status...)
		g.stats.Errors++
		g.errors[op.index]++
	} else {
		b = append(b, statusOK...)
	}
	b = append(b, 0x85, 0x01)
	b = binary.LittleEndian.AppendUint32(b, flags)
	g.span = b

	g.counts[op.index]++
	g.stats.Spans++
	g.flow.spans++
	late := g.flow.late && g.rnd.happens(lateSpan)
	if g.cfg.Watch != nil {
		g.watch(op, s, id, parent, start, end, late)
	}
	if late {
		g.stats.Late++
		g.keepLate(s.pod, op.scope, b)
		return
	}
	g.place(s.pod, op.scope, b)
}

func (g *Generator) appendEvent(b []byte, name string, attributes program, s *spanState, at uint64) []byte {
	e := binary.LittleEndian.AppendUint64(append(g.event[:0], tagEventTime), at)
	e = appendText(e, tagEventName, name)
	e = g.run(e, attributes, s)
	g.event = e
	g.stats.Events++
	return appendField(b, tagEvent, e)
}

// appendLinks links to two to nine earlier producers, if there were any.
func (g *Generator) appendLinks(b []byte) []byte {
	have := min(g.producerAt, len(g.producers))
	if have == 0 {
		return b
	}
	for range g.rnd.between(2, 9) {
		p := &g.producers[g.rnd.below(uint32(have))]
		l := append(g.event[:0], tagTraceID, 16)
		l = append(l, p.trace[:]...)
		l = binary.BigEndian.AppendUint64(append(l, tagSpanID, 8), p.span)
		l = g.run(l, linkAttributes, nil)
		l = binary.LittleEndian.AppendUint32(append(l, tagLinkFlags), flagsRemote)
		g.event = l
		g.stats.Links++
		b = appendField(b, tagLink, l)
	}
	return b
}

var linkAttributes = compile(tagLinkAttribute, []spec{str("messaging.system", "kafka"), intIn("messaging.kafka.message.offset", 1_000_000, 9_000_000)})

func (g *Generator) watch(op *operation, s *spanState, id, parent uint64, start, end uint64, late bool) {
	sp := &g.seen
	*sp = Span{
		Trace: g.flow.id, ID: id, Parent: parent, Service: g.top.services[op.service].name, Name: op.name, Kind: op.kind,
		Start: start, End: end, Error: s.outcome.fault != nil, Late: late,
	}
	if op.hasHTTPStatus {
		sp.HTTPStatus = int(s.outcome.http)
	}
	if op.hasUser {
		sp.User = string(appendUser(nil, g.flow.user))
	}
	g.cfg.Watch(sp)
}
