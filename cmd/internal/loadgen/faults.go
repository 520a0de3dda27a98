package loadgen

import (
	"fmt"
	"strings"
)

// outcome is how a request ended.
type outcome struct {
	http  uint16
	grpc  uint8
	fault *fault // nil if it went well
}

// fault is one way to fail.
type fault struct {
	kind   string  // error.type
	status []byte  // the encoded status field
	event  program // attributes of the exception event; nil: none is recorded
	http   uint16
	grpc   uint8
}

// Codes of gRPC that faults carry.
const (
	grpcDeadline    = 4
	grpcExhausted   = 8
	grpcInternal    = 13
	grpcUnavailable = 14
)

// statusOK is what the Go SDK sends for a span without a status: an empty one.
var statusOK = []byte{tagStatus, 0}

func newFault(kind, statusMessage string, http uint16, grpc uint8) *fault {
	var s []byte
	if statusMessage != "" {
		s = appendText(s, 0x12, statusMessage)
	}
	return &fault{kind: kind, status: appendField(nil, tagStatus, append(s, 0x18, 2)), http: http, grpc: grpc}
}

// thrown is a fault with an exception event; message is a template.
func thrown(svc *service, kind, message string, http uint16, grpc uint8) *fault {
	statusMessage := strings.TrimSpace(strings.NewReplacer("{", "", "}", "").Replace(message))
	if parseTemplate(message).hasHole() {
		statusMessage, _, _ = strings.Cut(message, " {")
	}
	f := newFault(kind, statusMessage, http, grpc)
	f.event = compile(tagEventAttribute, []spec{
		str("exception.type", kind),
		str("exception.message", message),
		str("exception.stacktrace", stackTrace(svc, kind)),
		boolean("exception.escaped", false),
	})
	return f
}

// failedCalls are the faults of client spans, by the status that came back.
var failedCalls = func() map[uint16]*fault {
	m := make(map[uint16]*fault)
	for _, code := range []uint16{402, 409, 429, 500, 502, 503, 504} {
		m[code] = newFault(text(int(code)), "", code, grpcInternal)
	}
	return m
}()

// failedRPCs are the same for remote procedure calls.
var failedRPCs = map[uint8]*fault{
	grpcDeadline:    newFault("DEADLINE_EXCEEDED", "context deadline exceeded", 504, grpcDeadline),
	grpcExhausted:   newFault("RESOURCE_EXHAUSTED", "too many requests", 429, grpcExhausted),
	grpcInternal:    newFault("INTERNAL", "internal error", 500, grpcInternal),
	grpcUnavailable: newFault("UNAVAILABLE", "connection error: desc = \"transport is closing\"", 503, grpcUnavailable),
}

// upstreamFault is what a service throws when a call that it needs has failed.
func upstreamFault(svc *service) *fault {
	switch svc.language {
	case "cpp":
		return newFault("502", "upstream_reset_before_response_started", 502, grpcUnavailable)
	case "java":
		return thrown(svc, "org.springframework.web.client.HttpServerErrorException", "500 Internal Server Error on POST request {hex:8}", 500, grpcInternal)
	case "go", "rust":
		return thrown(svc, "*status.Error", "rpc error: code = Internal desc = request {hex:8} was not answered", 500, grpcInternal)
	case "python":
		return thrown(svc, "requests.exceptions.HTTPError", "500 Server Error: INTERNAL SERVER ERROR for url: http://gateway/internal/{hex:8}", 500, grpcInternal)
	case "dotnet":
		return thrown(svc, "Grpc.Core.RpcException", "Status(StatusCode=\"Unavailable\", Detail=\"Error starting gRPC call {hex:6}.\")", 503, grpcUnavailable)
	default:
		return thrown(svc, "Error", "Request failed with status code 500 (request {hex:8})", 500, grpcInternal)
	}
}

// stackTrace makes up a stack as the service's language prints it.
func stackTrace(svc *service, kind string) string {
	var b strings.Builder
	title := strings.ToUpper(svc.name[:1]) + svc.name[1:]
	frames := []string{"Repository.load", "Service.find", "Service.handle", "Handler.invoke", "Filter.doFilter", "Pool.acquire", "Dispatcher.dispatch"}
	switch svc.language {
	case "java":
		fmt.Fprintf(&b, "%s\n", kind)
		for i, f := range frames {
			fmt.Fprintf(&b, "\tat com.example.shop.%s.%s%s(%s.java:%d)\n", svc.name, title, f, title, 41+17*i)
		}
		b.WriteString("\tat java.base/java.util.concurrent.ThreadPoolExecutor.runWorker(ThreadPoolExecutor.java:1144)\n\t... 23 common frames omitted\n")
	case "python":
		b.WriteString("Traceback (most recent call last):\n")
		for i, f := range frames[:5] {
			fmt.Fprintf(&b, "  File \"/app/%s/%s.py\", line %d, in %s\n", svc.name, svc.name, 33+29*i, strings.ToLower(f))
		}
		fmt.Fprintf(&b, "%s", kind)
	case "go", "rust", "cpp":
		b.WriteString("goroutine 5184 [running]:\n")
		for i, f := range frames[:5] {
			fmt.Fprintf(&b, "shop/%s/internal.(*%s).%s(...)\n\t/src/%s/internal/%s.go:%d +0x%x\n", svc.name, title, f[strings.Index(f, ".")+1:], svc.name, svc.name, 52+31*i, 0x1c4+72*i)
		}
	default:
		fmt.Fprintf(&b, "%s\n", kind)
		for i, f := range frames[:6] {
			fmt.Fprintf(&b, "    at %s.%s (/app/src/%s/%s.js:%d:%d)\n", title, f[strings.Index(f, ".")+1:], svc.name, svc.name, 18+23*i, 7+3*i)
		}
	}
	return b.String()
}
