package loadgen

import "strings"

// Recipes are the attributes that instrumentation libraries set, by language:
// newer libraries follow the stable semantic conventions (http.request.method,
// db.query.text), older ones the ones before (http.method, db.statement). Both
// live side by side in real systems.

var browsers = []string{
	"Mozilla/5.0 (X11; Linux x86_64) Firefox/137.0",
	"Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/135.0.0.0 Safari/537.36",
	"Mozilla/5.0 (iPhone; CPU iPhone OS 18_4 like Mac OS X) Mobile/15E148",
	"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/18.4 Safari/605.1.15",
	"ShopApp/7.12.0 (Android 15; Pixel 8)", "ShopApp/7.11.3 (iOS 18.4; iPhone16,2)",
	"Mozilla/5.0 (compatible; Googlebot/2.1)", "curl/8.7.1",
}

// oldHTTP says whether a language's HTTP libraries keep the older names.
func oldHTTP(language string) bool { return language == "python" || language == "ruby" }

// oldSQL says the same of its database libraries.
func oldSQL(language string) bool {
	return language != "go" && language != "dotnet" && language != "rust"
}

// pathOf fills the parameters of a route: /a/{id} needs a hole of its own.
func pathOf(route string) (path, pattern string) {
	pattern = strings.NewReplacer("{sku}", "{id}", "{order}", "{orderId}", "{user}", "{userId}",
		"{n:5000}", "{page}", "{hex:16}", "{key}").Replace(route)
	return route, pattern
}

// thread is what the Java agent adds to every span.
func thread(s *service, prefix string) []spec {
	if s.language != "java" {
		return nil
	}
	return []spec{intIn("thread.id", 31, 94), mostly("thread.name", prefix+"-1", prefix+"-2", prefix+"-3", prefix+"-4")}
}

func httpServer(s *service, method, route string) []spec {
	path, pattern := pathOf(route)
	if oldHTTP(s.language) {
		return []spec{
			str("http.method", method), str("http.server_name", s.name), str("http.scheme", "http"),
			integer("net.host.port", 8080), str("http.host", s.host()+":8080"), str("http.target", path),
			str("net.peer.ip", "{peer}"), intIn("net.peer.port", 32768, 60999),
			str("http.flavor", "1.1"), plain("http.route", pattern), special("http.status_code", httpStatus),
		}
	}
	specs := []spec{
		str("http.request.method", method), str("url.scheme", "http"), str("url.path", path), plain("http.route", pattern),
	}
	if s.language == "cpp" {
		specs = append(specs, str("server.address", "shop.example.com"), integer("server.port", 443),
			str("client.address", "{ip}"), str("network.protocol.version", "2"),
			mostly("user_agent.original", browsers...), str("guid:x-request-id", "{uuid}"),
			str("upstream_cluster", "storefront"), mostly("response_flags", "-", "UF", "DC"))
	} else {
		specs = append(specs, str("server.address", s.host()), integer("server.port", 8080),
			str("network.peer.address", "{peer}"), intIn("network.peer.port", 32768, 60999),
			str("network.protocol.version", "1.1"))
	}
	if method == "POST" || method == "PUT" {
		specs = append(specs, sizeIn("http.request.body.size", 60, 4000))
	}
	specs = append(specs, special("http.response.status_code", httpStatus),
		sizeIn("http.response.body.size", 200, 60000), special("error.type", errorType))
	return append(specs, thread(s, "http-nio-8080-exec")...)
}

func httpClient(s *service, method, host, port, path string) []spec {
	if oldHTTP(s.language) {
		return []spec{
			str("http.method", method), str("http.url", "http://"+host+path), special("http.status_code", httpStatus),
		}
	}
	portNumber := int64(8080)
	scheme := "http"
	if port == "443" {
		portNumber, scheme = 443, "https"
	}
	specs := []spec{
		str("http.request.method", method), str("url.full", scheme+"://"+host+path), str("server.address", host),
		integer("server.port", portNumber),
	}
	if s.language != "java" {
		specs = append(specs, str("network.peer.address", "{peer}"))
	}
	specs = append(specs, str("network.protocol.version", "1.1"), special("http.response.status_code", httpStatus), special("error.type", errorType))
	return append(specs, thread(s, "http-nio-8080-exec")...)
}

func rpcServer(s *service, rpcService, method string) []spec {
	specs := []spec{
		str("rpc.system", "grpc"), str("rpc.service", rpcService), str("rpc.method", method),
		str("server.address", s.host()), integer("server.port", 9090),
		str("network.peer.address", "{peer}"), intIn("network.peer.port", 32768, 60999),
		special("rpc.grpc.status_code", grpcStatus),
	}
	return append(specs, thread(s, "grpc-default-executor")...)
}

func rpcClient(s, target *service, rpcService, method string) []spec {
	specs := []spec{
		str("rpc.system", "grpc"), str("rpc.service", rpcService), str("rpc.method", method),
		str("server.address", target.host()), integer("server.port", 9090),
		str("network.peer.address", "{peer}"), integer("network.peer.port", 9090), str("peer.service", target.name),
		special("rpc.grpc.status_code", grpcStatus),
		special("error.type", errorType),
	}
	return append(specs, thread(s, "grpc-default-executor")...)
}

func sqlQuery(s *service, verb, table, statement string) []spec {
	database := s.name
	host := "pg-" + database + ".data.svc"
	if oldSQL(s.language) {
		specs := []spec{
			str("db.system", "postgresql"), str("db.name", database), str("db.user", database+"_rw"),
			str("db.statement", statement), str("db.operation", verb), str("db.sql.table", table),
			str("net.peer.name", host), integer("net.peer.port", 5432), special("error.type", errorType),
		}
		return append(specs, thread(s, "hikari-"+database)...)
	}
	return []spec{
		str("db.system.name", "postgresql"), str("db.namespace", database), str("db.query.text", statement),
		str("db.operation.name", verb), str("db.collection.name", table), str("server.address", host),
		integer("server.port", 5432), str("network.peer.address", "10.6.1.{n:6}"), integer("network.peer.port", 5432), sizeIn("db.response.returned_rows", 1, 120), special("error.type", errorType),
	}
}

func redisCommand(s *service, command, statement string) []spec {
	specs := []spec{
		str("db.system", "redis"), str("db.statement", statement), str("db.operation", command),
		str("server.address", "redis-"+s.name+".data.svc"), integer("server.port", 6379),
		integer("db.redis.database_index", 0), str("network.peer.address", "10.6.0.{n:6}"), integer("network.peer.port", 6379), flag("app.cache.hit", 6), special("error.type", errorType),
	}
	return append(specs, thread(s, "lettuce-epollEventLoop")...)
}

func kafkaProducer(s *service, topic string) []spec {
	return append([]spec{
		str("messaging.system", "kafka"), str("messaging.destination.name", topic), str("messaging.operation.type", "publish"),
		str("messaging.client.id", s.name+"-producer"), oneOf("messaging.destination.partition.id", "0", "1", "2", "3", "4", "5", "6", "7"),
		intIn("messaging.kafka.message.offset", 1_000_000, 9_000_000), str("messaging.message.id", "{uuid}"),
		sizeIn("messaging.message.body.size", 180, 8000), special("error.type", errorType),
	}, thread(s, "kafka-producer-network-thread")...)
}

func kafkaConsumer(s *service, topic, group string) []spec {
	return append([]spec{
		str("messaging.system", "kafka"), str("messaging.destination.name", topic), str("messaging.operation.type", "process"),
		str("messaging.consumer.group.name", group), str("messaging.client.id", s.name+"-consumer"),
		oneOf("messaging.destination.partition.id", "0", "1", "2", "3", "4", "5", "6", "7"),
		intIn("messaging.kafka.message.offset", 1_000_000, 9_000_000), sizeIn("messaging.message.body.size", 180, 8000),
		flag("messaging.kafka.message.tombstone", 0), special("error.type", errorType),
	}, thread(s, "org.springframework.kafka.KafkaListener")...)
}

func internalCode(s *service, function string) []spec {
	return append([]spec{
		str("code.function.name", function),
		integer("code.line.number", int64(20+len(function)*7)), sizeIn("app.work.items", 1, 64), flag("app.work.cached", 3),
	}, thread(s, "http-nio-8080-exec")...)
}
