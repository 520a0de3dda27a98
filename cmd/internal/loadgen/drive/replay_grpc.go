package drive

import (
	"context"
	"fmt"

	coltracepb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	"github.com/clewtrace/clew/cmd/internal/loadgen"
	_ "github.com/clewtrace/clew/distributor" // registers gzip, zstd and snappy with gRPC
)

// exportMethod is TraceService.Export.
const exportMethod = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"

// rawCodec sends bytes as they are.
type rawCodec struct{}

func (rawCodec) Name() string { return "proto" }

func (rawCodec) Marshal(v any) (mem.BufferSlice, error) {
	b, ok := v.([]byte)
	if !ok {
		return nil, fmt.Errorf("raw codec: cannot send %T", v)
	}
	return mem.BufferSlice{mem.SliceBuffer(b)}, nil
}

func (rawCodec) Unmarshal(data mem.BufferSlice, v any) error {
	*v.(*[]byte) = data.Materialize()
	return nil
}

type grpcReplay struct {
	target *Target
	meter  *Meter
	conn   *grpc.ClientConn
	md     metadata.MD
}

// credentialsOf chooses between TLS and plain text.
func credentialsOf(t *Target) credentials.TransportCredentials {
	if t.TLS != nil {
		return credentials.NewTLS(t.TLS.Clone())
	}
	return insecure.NewCredentials()
}

// callOptions compress what a connection sends.
func callOptions(t *Target) []grpc.CallOption {
	if t.Compression == "none" {
		return nil
	}
	return []grpc.CallOption{grpc.UseCompressor(t.Compression)}
}

func newGRPCReplay(t *Target, m *Meter) (Sender, error) {
	opts := append(callOptions(t), grpc.ForceCodecV2(rawCodec{}))
	conn, err := grpc.NewClient(t.Endpoint, grpc.WithTransportCredentials(credentialsOf(t)),
		grpc.WithDefaultCallOptions(opts...), grpc.WithWriteBufferSize(256<<10))
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", t.Endpoint, err)
	}
	return &grpcReplay{target: t, meter: m, conn: conn, md: metadata.New(t.Headers)}, nil
}

func (s *grpcReplay) Send(ctx context.Context, r loadgen.Request) error {
	ctx = metadata.NewOutgoingContext(ctx, s.md)
	return retrying(ctx, s.target, s.meter, func(ctx context.Context) (int64, string, error) {
		var answer []byte
		if err := s.conn.Invoke(ctx, exportMethod, r.Body, &answer); err != nil {
			return 0, "", refusedGRPC(err)
		}
		return partial(answer)
	})
}

func (s *grpcReplay) Close() error { return s.conn.Close() }

// partial reads the partial success of an encoded ExportTraceServiceResponse.
func partial(answer []byte) (rejected int64, message string, err error) {
	if len(answer) == 0 {
		return 0, "", nil
	}
	var resp coltracepb.ExportTraceServiceResponse
	if err := proto.Unmarshal(answer, &resp); err != nil {
		return 0, "", fmt.Errorf("decode answer: %w", err)
	}
	p := resp.GetPartialSuccess()
	return p.GetRejectedSpans(), p.GetErrorMessage(), nil
}
