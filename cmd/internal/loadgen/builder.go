package loadgen

import "fmt"

// Kinds of spans, as OTLP numbers them.
const (
	kindInternal = 1
	kindServer   = 2
	kindClient   = 3
	kindProducer = 4
	kindConsumer = 5
)

// operation is a place in the code of a service that makes spans.
type operation struct {
	index      int32
	service    int32
	scope      int32
	kind       uint8
	name       string
	head       []byte // the encoded name and kind
	attributes program
	work       uint64 // median of its own time in ns
	steps      []step
	target     *operation   // the server side of a call
	consumers  []*operation // of a producer: who processes the message
	links      bool         // has links to earlier producers
	rpc        [2]string    // service and method
	route      [2]string    // method and route
	okStatus   []uint16     // what it answers when all is well, likeliest first
	fails      chance
	faults     []*fault
	event      *eventSpec
	tolerant   bool // goes on when a call has failed
	// Whether its spans carry http.response.status_code (or http.status_code),
	// and user.id.
	hasHTTPStatus, hasUser bool
}

// step is a call that an operation makes while it runs.
type step struct {
	op       *operation
	p        chance
	lo, hi   uint32
	parallel bool
}

// eventSpec is a named event on some of an operation's spans.
type eventSpec struct {
	name       string
	p          chance
	attributes program
}

// once makes one call, maybe one with probability p, times between lo and hi
// one after the other, fanOut as many at once.
func once(op *operation) step             { return step{op: op, p: chanceOf(1), lo: 1, hi: 1} }
func maybe(p float64, op *operation) step { return step{op: op, p: chanceOf(p), lo: 1, hi: 1} }
func times(lo, hi uint32, op *operation) step {
	return step{op: op, p: chanceOf(1), lo: lo, hi: hi}
}
func fanOut(lo, hi uint32, op *operation) step {
	return step{op: op, p: chanceOf(1), lo: lo, hi: hi, parallel: true}
}

// root is an operation that starts traces.
type root struct {
	op     *operation
	weight float64
	lead   uint64 // traces of it end within this many ns, nearly always
}

// topology is the whole system: built once, then only read.
type topology struct {
	services   []service
	operations []*operation
	roots      []root
	rootPick   []uint8 // index into roots, by weight
	rareKeys   []string
}

// builder makes a topology; its methods add operations.
type builder struct {
	topology
	clients map[[2]int32]*operation
}

func (b *builder) service(name string) (int32, *service) {
	for i := range b.services {
		if b.services[i].name == name {
			return int32(i), &b.services[i]
		}
	}
	panic(fmt.Sprintf("no service %q", name))
}

// add makes an operation and turns steps that call another service into calls
// of a client operation of its own.
func (b *builder) add(svc string, lib library, kind uint8, name string, work uint64, attributes []spec, steps ...step) *operation {
	si, s := b.service(svc)
	op := &operation{
		index: int32(len(b.operations)), service: si, scope: s.scopeOf(lib), kind: kind, name: name,
		work: work * 1000, okStatus: []uint16{200},
	}
	op.head = append(appendText(nil, tagName, name), tagKind, kind)
	op.attributes = compile(tagAttribute, attributes)
	for _, a := range attributes {
		op.hasHTTPStatus = op.hasHTTPStatus || a.kind == httpStatus
		op.hasUser = op.hasUser || a.kind == userID
	}
	b.operations = append(b.operations, op)
	for _, st := range steps {
		if st.op.kind == kindServer {
			st.op = b.clientOf(svc, st.op)
		}
		if st.op.service != si {
			panic(fmt.Sprintf("%s %q calls into %s without a client", svc, name, b.services[st.op.service].name))
		}
		op.steps = append(op.steps, st)
	}
	return op
}

// clientOf returns the operation by which a service calls another's.
func (b *builder) clientOf(svc string, target *operation) *operation {
	si, s := b.service(svc)
	key := [2]int32{si, target.index}
	if op := b.clients[key]; op != nil {
		return op
	}
	t := &b.services[target.service]
	var op *operation
	if target.rpc[0] != "" {
		op = b.add(svc, libRPC, kindClient, target.name, 0, rpcClient(s, t, target.rpc[0], target.rpc[1]))
	} else {
		method, path := target.route[0], target.route[1]
		name := method
		if s.language == "python" {
			name = "HTTP " + method
		}
		op = b.add(svc, libHTTP, kindClient, name, 0, httpClient(s, method, t.host(), "8080", path))
	}
	op.target = target
	b.clients[key] = op
	return op
}

// http adds an HTTP server operation; own are the attributes of the
// application itself.
func (b *builder) http(svc, method, route string, work uint64, own []spec, steps ...step) *operation {
	_, s := b.service(svc)
	_, pattern := pathOf(route)
	op := b.add(svc, libHTTP, kindServer, method+" "+pattern, work, append(httpServer(s, method, route), own...), steps...)
	op.route = [2]string{method, route}
	return b.failing(op, 0.006, s.upstream)
}

func (b *builder) rpc(svc, rpcService, method string, work uint64, own []spec, steps ...step) *operation {
	_, s := b.service(svc)
	op := b.add(svc, libRPC, kindServer, rpcService+"/"+method, work, append(rpcServer(s, rpcService, method), own...), steps...)
	op.rpc = [2]string{rpcService, method}
	return b.failing(op, 0.006, s.upstream)
}

func (b *builder) sql(svc, verb, table, statement string, work uint64) *operation {
	_, s := b.service(svc)
	op := b.add(svc, libSQL, kindClient, verb+" "+table, work, sqlQuery(s, verb, table, statement))
	return b.failing(op, 0.02, sqlFaults(s)...)
}

func (b *builder) redis(svc, command, statement string, work uint64) *operation {
	_, s := b.service(svc)
	op := b.add(svc, libRedis, kindClient, command, work, redisCommand(s, command, statement))
	return b.failing(op, 0.009, thrown(s, "RedisTimeoutException", "command "+command+" timed out after {n:900} ms", 503, grpcUnavailable))
}

func (b *builder) internal(svc, function string, work uint64, own []spec, steps ...step) *operation {
	_, s := b.service(svc)
	return b.add(svc, libApp, kindInternal, function, work, append(internalCode(s, function), own...), steps...)
}

// external adds a call to somebody else's API, which sends no spans.
func (b *builder) external(svc, method, host, path string, work uint64) *operation {
	_, s := b.service(svc)
	op := b.add(svc, libHTTP, kindClient, method, work, httpClient(s, method, host, "443", path))
	return b.failing(op, 0.03, failedCalls[503], failedCalls[504], failedCalls[429])
}

func (b *builder) publish(svc, topic string, work uint64, consumers ...*operation) *operation {
	_, s := b.service(svc)
	op := b.add(svc, libKafka, kindProducer, topic+" publish", work, kafkaProducer(s, topic))
	op.consumers = consumers
	return op
}

func (b *builder) consume(svc, topic string, work uint64, own []spec, steps ...step) *operation {
	_, s := b.service(svc)
	return b.add(svc, libKafka, kindConsumer, topic+" process", work, append(kafkaConsumer(s, topic, svc+"-group"), own...), steps...)
}

// failing makes a share of an operation's spans fail with one of the faults.
func (b *builder) failing(op *operation, share float64, faults ...*fault) *operation {
	op.fails, op.faults = chanceOf(share), faults
	return op
}

func sqlFaults(s *service) []*fault {
	switch s.language {
	case "java":
		return []*fault{
			thrown(s, "java.sql.SQLTransientConnectionException", "HikariPool-1 - Connection is not available, request timed out after {n:30000}ms.", 500, grpcUnavailable),
			thrown(s, "org.postgresql.util.PSQLException", "ERROR: deadlock detected by process {n:90000}", 500, grpcInternal),
		}
	case "python":
		return []*fault{thrown(s, "psycopg2.OperationalError", "canceling statement due to statement timeout ({n:5000} ms)", 500, grpcInternal)}
	default:
		return []*fault{thrown(s, "QueryError", "context deadline exceeded after {n:3000} ms", 500, grpcDeadline)}
	}
}
