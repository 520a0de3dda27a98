package loadgen

import "fmt"

// eventsAndFaults adds what happens inside of spans now and then.
func (b *builder) eventsAndFaults(ops map[string]*operation) {
	note := func(op string, share float64, name string, attributes ...spec) {
		ops[op].event = &eventSpec{name: name, p: chanceOf(share), attributes: compile(tagEventAttribute, attributes)}
	}
	note("cart", 0.5, "cart.merged", intIn("app.cart.merged", 1, 6), str("session.id", "{session}"))
	note("search", 0.3, "index.slow", intIn("app.shard", 0, 24), intIn("took_ms", 200, 4000))
	note("home", 0.2, "model.fallback", mostly("reason", "cold start", "timeout", "no history"))
	note("pay", 0.6, "card.authorized", str("app.payment.authorization", "{hex:12}"), amountIn("app.payment.fee", 0, 9))
	note("render", 0.1, "cache.miss", str("cache.key", "view:{hex:8}"))
	note("prepare", 0.4, "prices.locked", intIn("app.price.ttl_s", 60, 900))
	b.fail(ops["thumb"], 0.004, "*media.DecodeError", "unexpected EOF at byte {n:90000}", 500, grpcInternal)
	b.fail(ops["profile"], 0.01, "KeyError", "'address' missing in profile {user}", 500, grpcInternal)
	b.fail(ops["search"], 0.006, "org.elasticsearch.ElasticsearchStatusException", "all shards failed [{n:24}]", 500, grpcInternal)
	b.fail(ops["suggest"], 0.002, "java.lang.NullPointerException", "Cannot invoke \"Suggester.rank()\" because \"index\" is null", 500, grpcInternal)
	b.fail(ops["render"], 0.003, "TypeError", "Cannot read properties of undefined (reading 'price')", 500, grpcInternal)
}

func (b *builder) fail(op *operation, share float64, kind, message string, http uint16, grpc uint8) {
	b.failing(op, share, thrown(&b.services[op.service], kind, message, http, grpc))
}

// rareShare is how many of the spans that may have one of the rare keys do.
const rareShare = 0.12

// finish gives out the rare keys and lays out the choice of roots.
func (b *builder) finish() {
	b.giveRareKeys()
	total := 0.0
	for _, r := range b.roots {
		total += r.weight
	}
	const slots = 1 << 14
	sum := 0.0
	for i, r := range b.roots {
		sum += r.weight
		for len(b.rootPick) < int(sum/total*slots+0.5) {
			b.rootPick = append(b.rootPick, uint8(i))
		}
	}
}

// giveRareKeys gives each operation of the application (no databases, no
// client calls) a few keys of its own that only some of its spans have.
func (b *builder) giveRareKeys() {
	topics := []string{"coupon", "campaign", "gift", "wishlist", "return", "warranty", "bundle", "loyalty", "courier", "locker", "invoice", "vat", "device", "consent", "migration"}
	facts := []string{"code", "count", "enabled", "ratio", "reason", "owner", "attempt", "legacy", "score", "batch"}
	var owners []*operation
	for _, op := range b.operations {
		if op.kind != kindClient && op.kind != kindProducer {
			owners = append(owners, op)
		}
	}
	own := make([][]program, len(owners))
	for i := range len(topics) * len(facts) {
		key := fmt.Sprintf("app.%s.%s", topics[i%len(topics)], facts[i/len(topics)])
		var s spec
		switch i / len(topics) {
		case 0:
			s = str(key, fmt.Sprintf("%c{n:5000}", 'A'+i%26))
		case 1, 6:
			s = intIn(key, 0, 50)
		case 2, 7:
			s = flag(key, 4)
		case 3, 8:
			s = amountIn(key, 0, 100)
		default:
			s = str(key, "{n:300}-{n:3}")
		}
		b.rareKeys = append(b.rareKeys, key)
		own[i%len(owners)] = append(own[i%len(owners)], compile(tagAttribute, []spec{s}))
	}
	for i, op := range owners {
		if len(own[i]) > 0 {
			op.attributes = append(op.attributes, instruction{kind: rareKey, p: chanceOf(rareShare), rare: own[i]})
		}
	}
}
