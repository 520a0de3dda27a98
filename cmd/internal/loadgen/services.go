package loadgen

import (
	"fmt"
	"strconv"
)

// The system that the traffic comes from is a shop: twenty services in eight
// languages, ten pods each, on ten nodes of one cluster.
const (
	podsPerService = 10
	nodeCount      = 10
	schemaURL      = "https://opentelemetry.io/schemas/1.26.0"
)

type service struct {
	name, language, version, team string
	scopes                        []scope
	upstream                      *fault // what it throws when a call of its own failed
}

// scope is an instrumentation library: one ScopeSpans of a pod's batch.
type scope struct {
	name, version string
	field         []byte // the encoded scope field
}

var serviceTable = []service{
	{name: "edge", language: "cpp", version: "1.33.0", team: "platform"},
	{name: "storefront", language: "nodejs", version: "4.18.2", team: "web"},
	{name: "checkout", language: "go", version: "2.7.1", team: "orders"},
	{name: "cart", language: "dotnet", version: "1.12.0", team: "orders"},
	{name: "catalog", language: "go", version: "3.4.0", team: "catalog"},
	{name: "search", language: "java", version: "5.2.3", team: "catalog"},
	{name: "recommendation", language: "python", version: "0.9.14", team: "catalog"},
	{name: "pricing", language: "java", version: "2.20.1", team: "catalog"},
	{name: "inventory", language: "java", version: "1.8.7", team: "warehouse"},
	{name: "payment", language: "nodejs", version: "6.1.0", team: "money"},
	{name: "fraud", language: "java", version: "1.3.9", team: "money"},
	{name: "shipping", language: "rust", version: "0.22.4", team: "warehouse"},
	{name: "orders", language: "java", version: "3.0.2", team: "orders"},
	{name: "mailer", language: "ruby", version: "2.2.0", team: "messaging"},
	{name: "notifier", language: "go", version: "1.5.5", team: "messaging"},
	{name: "identity", language: "go", version: "4.0.1", team: "platform"},
	{name: "profile", language: "python", version: "1.16.2", team: "web"},
	{name: "reviews", language: "python", version: "0.31.0", team: "catalog"},
	{name: "media", language: "go", version: "1.1.8", team: "web"},
	{name: "billing", language: "java", version: "2.4.6", team: "money"},
}

// library names the part of a service's code that makes a span.
type library string

const (
	libHTTP  library = "http"
	libRPC   library = "rpc"
	libSQL   library = "sql"
	libRedis library = "redis"
	libKafka library = "kafka"
	libApp   library = "app"
)

// libraries maps language and library to the scope's name and version.
var libraries = map[string]map[library][2]string{
	"cpp": {libHTTP: {"envoy", "1.33.0"}},
	"nodejs": {
		libHTTP: {"@opentelemetry/instrumentation-http", "0.57.1"}, libRPC: {"@opentelemetry/instrumentation-grpc", "0.57.1"},
		libSQL: {"@opentelemetry/instrumentation-pg", "0.50.0"}, libRedis: {"@opentelemetry/instrumentation-ioredis", "0.46.0"},
		libKafka: {"@opentelemetry/instrumentation-kafkajs", "0.6.0"},
	},
	"go": {
		libHTTP: {"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp", "0.61.0"},
		libRPC:  {"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc", "0.61.0"},
		libSQL:  {"github.com/XSAM/otelsql", "0.38.0"}, libRedis: {"github.com/redis/go-redis/extra/redisotel", "9.7.0"},
		libKafka: {"github.com/IBM/sarama/otelsarama", "0.43.0"},
	},
	"java": {
		libHTTP: {"io.opentelemetry.tomcat-10.0", "2.15.0-alpha"}, libRPC: {"io.opentelemetry.grpc-1.6", "2.15.0-alpha"},
		libSQL: {"io.opentelemetry.jdbc", "2.15.0-alpha"}, libRedis: {"io.opentelemetry.lettuce-5.1", "2.15.0-alpha"},
		libKafka: {"io.opentelemetry.kafka-clients-2.6", "2.15.0-alpha"},
	},
	"python": {
		libHTTP: {"opentelemetry.instrumentation.flask", "0.51b0"}, libRPC: {"opentelemetry.instrumentation.grpc", "0.51b0"},
		libSQL: {"opentelemetry.instrumentation.psycopg2", "0.51b0"}, libRedis: {"opentelemetry.instrumentation.redis", "0.51b0"},
		libKafka: {"opentelemetry.instrumentation.kafka", "0.51b0"},
	},
	"dotnet": {
		libHTTP: {"Microsoft.AspNetCore", "9.0.0"}, libRPC: {"OpenTelemetry.Instrumentation.GrpcNetClient", "1.11.0"},
		libSQL: {"Npgsql", "9.0.2"}, libRedis: {"OpenTelemetry.Instrumentation.StackExchangeRedis", "1.11.0"},
	},
	"rust": {libHTTP: {"opentelemetry-reqwest", "0.28.0"}, libRPC: {"tonic-tracing-opentelemetry", "0.28.0"}, libSQL: {"sqlx", "0.8.3"}},
	"ruby": {libHTTP: {"OpenTelemetry::Instrumentation::Rack", "0.26.0"}, libKafka: {"OpenTelemetry::Instrumentation::RubyKafka", "0.22.0"}},
}

// scopeOf returns the index of a library's scope in a service, adding it if
// it is new there. A service's own code is a scope by the service's name.
func (s *service) scopeOf(lib library) int32 {
	nameVersion, ok := libraries[s.language][lib]
	if !ok {
		nameVersion = [2]string{"shop/" + s.name, s.version}
	}
	for i, sc := range s.scopes {
		if sc.name == nameVersion[0] {
			return int32(i)
		}
	}
	field := appendText(appendText(nil, 0x0a, nameVersion[0]), 0x12, nameVersion[1])
	s.scopes = append(s.scopes, scope{nameVersion[0], nameVersion[1], appendField(nil, tagScope, field)})
	return int32(len(s.scopes) - 1)
}

// pod is one process that sends spans: a resource, and the spans that wait for
// the next request of its node.
type pod struct {
	service  int32
	node     int32
	ip       string
	resource []byte // the encoded resource field
	groups   []group
}

// group holds the waiting spans of one scope, as encoded ScopeSpans.spans.
type group struct{ spans []byte }

// sdkVersions are the versions of the OpenTelemetry SDKs in use.
var sdkVersions = map[string]string{
	"cpp": "1.19.0", "nodejs": "1.30.1", "go": "1.36.0", "java": "1.49.0",
	"python": "1.30.0", "dotnet": "1.11.2", "rust": "0.28.0", "ruby": "1.7.0",
}

// newPods makes the pods of all services. Names and addresses depend on the
// seed.
func newPods(services []service, rnd *random) []pod {
	pods := make([]pod, 0, len(services)*podsPerService)
	for si := range services {
		svc := &services[si]
		replicaSet := appendHex(nil, rnd.uint64(), 9)
		for i := range podsPerService {
			p := pod{service: int32(si), node: int32(i % nodeCount), groups: make([]group, len(svc.scopes))}
			p.ip = fmt.Sprintf("10.4.%d.%d", p.node, 10+si)
			version := svc.version
			if i == podsPerService-1 { // a canary
				version += "-rc.1"
			}
			podName := fmt.Sprintf("%s-%s-%s", svc.name, replicaSet, appendHex(nil, rnd.uint64(), 5))
			// Sorted by key, as the Go SDK sends them.
			attributes := []spec{
				str("deployment.environment.name", "production"),
				str("host.name", fmt.Sprintf("node-%02d.eu-west-1", p.node)),
				str("k8s.deployment.name", svc.name),
				str("k8s.namespace.name", "shop-"+svc.team),
				str("k8s.node.name", fmt.Sprintf("node-%02d.eu-west-1", p.node)),
				str("k8s.pod.name", podName),
				integer("process.pid", int64(7+rnd.below(90))),
				str("service.instance.id", string(appendUUID(nil, rnd.uint64(), rnd.uint64()))),
				str("service.name", svc.name),
				str("service.version", version),
				str("telemetry.sdk.language", svc.language),
				str("telemetry.sdk.name", "opentelemetry"),
				str("telemetry.sdk.version", sdkVersions[svc.language]),
			}
			p.resource = appendField(nil, tagResource, compile(tagResourceAttr, attributes)[0].key)
			pods = append(pods, p)
		}
	}
	return pods
}

// host is a service's name in the cluster.
func (s *service) host() string { return s.name + ".shop.svc" }

func text(v int) string { return strconv.Itoa(v) }
