package loadgen

// An attribute program writes the attributes of an operation's spans, in the
// same order each time, as instrumentation libraries do. Neighbouring
// attributes that never change are one block of bytes.
type program []instruction

// instruction writes one attribute, or some that never change.
type instruction struct {
	kind   attributeKind
	p      chance    // that a rare key is present
	tag    byte      // of the field that holds the KeyValue
	key    []byte    // the encoded key; of constant the whole fields
	values [][]byte  // of choice: whole fields
	rare   []program // of rareKey
	text   template
	lo, hi uint32
}

type attributeKind uint8

const (
	constant   attributeKind = iota
	choice                   // one of values, each as likely
	skewed                   // one of values, the first ones likelier
	textual                  // a template
	number                   // an int in [lo, hi]
	size                     // an int in [lo, hi], small ones likelier
	amount                   // a double in [lo, hi] with two decimals
	userID                   // user.id
	httpStatus               // the status code of the request, an int
	grpcStatus               // the same of a remote procedure call
	errorType                // present on failed spans only
	rareKey                  // one of the operation's rare keys, with p
)

// spec is an attribute before it is encoded for the field that will hold it.
type spec struct {
	name string
	instruction
	encode []func(tag byte, key []byte) []byte
}

// str is a string, a template.
func str(key, value string) spec {
	t := parseTemplate(value)
	if t.hasHole() {
		return spec{name: key, instruction: instruction{kind: textual, text: t}}
	}
	return plain(key, value)
}

// plain is a string that is no template.
func plain(key, value string) spec {
	return fixed(key, func(tag byte, k []byte) []byte { return appendString(nil, tag, k, value) })
}

func fixed(key string, enc func(tag byte, key []byte) []byte) spec {
	return spec{name: key, instruction: instruction{kind: constant}, encode: []func(byte, []byte) []byte{enc}}
}

func integer(key string, value int64) spec {
	return fixed(key, func(tag byte, k []byte) []byte { return appendInt(nil, tag, k, value) })
}

func boolean(key string, value bool) spec {
	return fixed(key, func(tag byte, k []byte) []byte { return appendBool(nil, tag, k, value) })
}

func list(key string, values ...string) spec {
	return fixed(key, func(tag byte, k []byte) []byte { return appendStrings(nil, tag, k, values) })
}

func oneOf(key string, values ...string) spec {
	s := spec{name: key, instruction: instruction{kind: choice}}
	for _, v := range values {
		s.encode = append(s.encode, func(tag byte, k []byte) []byte { return appendString(nil, tag, k, v) })
	}
	return s
}

// mostly is oneOf with the first values likelier than the last ones.
func mostly(key string, values ...string) spec {
	s := oneOf(key, values...)
	s.kind = skewed
	return s
}

// flag is a bool that is true in trues of 8 spans.
func flag(key string, trues int) spec {
	s := spec{name: key, instruction: instruction{kind: choice}}
	for i := range 8 {
		s.encode = append(s.encode, func(tag byte, k []byte) []byte { return appendBool(nil, tag, k, i < trues) })
	}
	return s
}

func intIn(key string, lo, hi uint32) spec {
	return spec{name: key, instruction: instruction{kind: number, lo: lo, hi: hi}}
}

func sizeIn(key string, lo, hi uint32) spec {
	return spec{name: key, instruction: instruction{kind: size, lo: lo, hi: hi}}
}

func amountIn(key string, lo, hi uint32) spec {
	return spec{name: key, instruction: instruction{kind: amount, lo: lo, hi: hi}}
}

func special(key string, kind attributeKind) spec {
	return spec{name: key, instruction: instruction{kind: kind}}
}

// compile encodes specs for fields with the given tag.
func compile(tag byte, specs []spec) program {
	var p program
	for _, s := range specs {
		a := s.instruction
		a.tag = tag
		key := keyPart(s.name)
		if a.kind == constant {
			enc := s.encode[0](tag, key)
			if n := len(p); n > 0 && p[n-1].kind == constant {
				p[n-1].key = append(p[n-1].key, enc...)
				continue
			}
			a.key = enc
			p = append(p, a)
			continue
		}
		for _, enc := range s.encode {
			a.values = append(a.values, enc(tag, key))
		}
		a.key = key
		p = append(p, a)
	}
	return p
}

// spanState is what attributes may depend on beside the trace.
type spanState struct {
	op      *operation
	pod     int32 // that the span comes from
	peer    int32 // pod at the other end of a call
	outcome outcome
}

// run appends the attributes of one span, event or link.
func (g *Generator) run(dst []byte, p program, s *spanState) []byte {
	for i := range p {
		a := &p[i]
		switch a.kind {
		case constant:
			dst = append(dst, a.key...)
		case choice:
			dst = append(dst, a.values[g.rnd.below(uint32(len(a.values)))]...)
		case skewed:
			dst = append(dst, a.values[g.rnd.small(uint32(len(a.values)))]...)
		case textual:
			g.text = g.fill(g.text[:0], a.text, s)
			dst = appendString(dst, a.tag, a.key, g.text)
		case number:
			dst = appendInt(dst, a.tag, a.key, int64(g.rnd.between(a.lo, a.hi)))
		case size:
			dst = appendInt(dst, a.tag, a.key, int64(g.rnd.logUniform(uint64(a.lo), uint64(a.hi))))
		case amount:
			cents := g.rnd.between(a.lo*100, a.hi*100)
			dst = appendDouble(dst, a.tag, a.key, float64(cents)/100)
		case userID:
			g.text = appendUser(g.text[:0], g.flow.user)
			dst = appendString(dst, a.tag, a.key, g.text)
		case httpStatus:
			dst = appendInt(dst, a.tag, a.key, int64(s.outcome.http))
		case grpcStatus:
			dst = appendInt(dst, a.tag, a.key, int64(s.outcome.grpc))
		case errorType:
			if f := s.outcome.fault; f != nil {
				dst = appendString(dst, a.tag, a.key, f.kind)
			}
		case rareKey:
			if g.rnd.happens(a.p) {
				g.stats.RareKeys++
				dst = g.run(dst, a.rare[g.rnd.below(uint32(len(a.rare)))], s)
			}
		}
	}
	return dst
}
