package loadgen

import (
	"fmt"
	"strconv"
	"strings"
)

// A template is a text with holes that are filled anew for each span:
//
//	{user} {order} {session}  the trace's own user, order and session
//	{sku}                     one of 4,000 products, some much liked
//	{n:100}                   a number below 100
//	{log:100}                 a number up to 100, small ones likelier
//	{hex:16}                  hexadecimal digits, at most 16
//	{uuid}                    a random UUID
//	{ip}                      a public IPv4 address
//	{peer}                    the address of the pod at the other end
type template []segment

type segment struct {
	hole hole
	text string // of a literal
	arg  uint32
}

type hole uint8

const (
	literal hole = iota
	holeUser
	holeOrder
	holeSession
	holeSKU
	holeNumber
	holeLog
	holeHex
	holeUUID
	holeIP
	holePeer
)

var holes = map[string]hole{
	"user": holeUser, "order": holeOrder, "session": holeSession, "sku": holeSKU,
	"n": holeNumber, "log": holeLog, "hex": holeHex, "uuid": holeUUID, "ip": holeIP, "peer": holePeer,
}

// parseTemplate panics on a text that is not a template: templates are part of
// the program.
func parseTemplate(text string) template {
	var t template
	for text != "" {
		before, rest, found := strings.Cut(text, "{")
		if before != "" {
			t = append(t, segment{text: before})
		}
		if !found {
			break
		}
		inside, after, found := strings.Cut(rest, "}")
		name, arg, _ := strings.Cut(inside, ":")
		kind, known := holes[name]
		if !found || !known {
			panic(fmt.Sprintf("template: bad hole {%s}", inside))
		}
		n, _ := strconv.Atoi(arg)
		t = append(t, segment{hole: kind, arg: uint32(n)})
		text = after
	}
	return t
}

// hasHole reports whether the text differs from span to span.
func (t template) hasHole() bool {
	for _, s := range t {
		if s.hole != literal {
			return true
		}
	}
	return false
}

// fill appends the text of a template for the span being made.
func (g *Generator) fill(dst []byte, t template, s *spanState) []byte {
	for i := range t {
		seg := &t[i]
		switch seg.hole {
		case literal:
			dst = append(dst, seg.text...)
		case holeUser:
			dst = appendUser(dst, g.flow.user)
		case holeOrder:
			dst = append(dst, "ord_"...)
			dst = appendHex(dst, g.flow.order, 12)
		case holeSession:
			dst = appendHex(dst, g.flow.session, 16)
		case holeSKU:
			dst = append(dst, "SKU-"...)
			dst = appendPadded(dst, g.rnd.small(4000), 5)
		case holeNumber:
			dst = strconv.AppendUint(dst, uint64(g.rnd.below(seg.arg)), 10)
		case holeLog:
			dst = strconv.AppendUint(dst, g.rnd.logUniform(1, uint64(seg.arg)), 10)
		case holeHex:
			dst = appendHex(dst, g.rnd.uint64(), int(seg.arg))
		case holeUUID:
			dst = appendUUID(dst, g.rnd.uint64(), g.rnd.uint64())
		case holeIP:
			v := g.rnd.uint64()
			dst = strconv.AppendUint(dst, 11+v>>8&63, 10)
			for _, part := range [3]uint64{v >> 16 & 255, v >> 24 & 255, v >> 32 & 255} {
				dst = append(dst, '.')
				dst = strconv.AppendUint(dst, part, 10)
			}
		case holePeer:
			dst = append(dst, g.pods[s.peer].ip...)
		}
	}
	return dst
}

// appendUser appends the ID of the user with a rank: "u" and eight hexadecimal
// digits that do not show the rank.
func appendUser(dst []byte, rank uint32) []byte {
	return appendHex(append(dst, 'u'), uint64(rank*2654435761+0x5bd1e995), 8)
}

func appendHex(dst []byte, v uint64, digits int) []byte {
	const alphabet = "0123456789abcdef"
	for i := digits - 1; i >= 0; i-- {
		dst = append(dst, alphabet[v>>(4*i)&15])
	}
	return dst
}

func appendUUID(dst []byte, hi, lo uint64) []byte {
	dst = append(appendHex(dst, hi>>32, 8), '-')
	dst = append(appendHex(dst, hi>>16, 4), '-')
	dst = append(appendHex(dst, hi&0xfff|0x4000, 4), '-')
	dst = append(appendHex(dst, lo>>48&0x3fff|0x8000, 4), '-')
	return appendHex(dst, lo, 12)
}

func appendPadded(dst []byte, v uint32, digits int) []byte {
	for limit := uint32(10); digits > 1; digits-- {
		if v < limit {
			for range digits - 1 {
				dst = append(dst, '0')
			}
			break
		}
		limit *= 10
	}
	return strconv.AppendUint(dst, uint64(v), 10)
}
