package distributor

import (
	"context"
	"fmt"
	"runtime/debug"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/encoding/proto" // the codec that ours stands in for
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	protobuf "google.golang.org/protobuf/proto"

	collectortrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"

	"github.com/clewtrace/clew/storage/tenant"
)

// rawRequest is an OTLP request that stays bytes.
type rawRequest struct{ data []byte }

// codec hands OTLP requests over as bytes and everything else to protobuf.
type codec struct{ fallback encoding.CodecV2 }

func (codec) Name() string { return proto.Name }

func (c codec) Marshal(v any) (mem.BufferSlice, error) { return c.fallback.Marshal(v) }

func (c codec) Unmarshal(data mem.BufferSlice, v any) error {
	if r, ok := v.(*rawRequest); ok {
		r.data = data.Materialize()
		return nil
	}
	return c.fallback.Unmarshal(data, v)
}

// GRPCOptions are the options that a gRPC server needs for RegisterOTLP.
func (d *Distributor) GRPCOptions() []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.ForceServerCodecV2(codec{encoding.GetCodecV2(proto.Name)}),
		grpc.MaxRecvMsgSize(d.cfg.MaxRequestBytes),
		grpc.ReadBufferSize(64 << 10), grpc.WriteBufferSize(8 << 10),
		grpc.MaxHeaderListSize(64 << 10),
	}
}

const serviceName = "opentelemetry.proto.collector.trace.v1.TraceService"

// RegisterOTLP adds the OTLP trace service to s, which must have been made
// with GRPCOptions.
func (d *Distributor) RegisterOTLP(s *grpc.Server) {
	s.RegisterService(&grpc.ServiceDesc{
		ServiceName: serviceName,
		HandlerType: (*any)(nil),
		Methods:     []grpc.MethodDesc{{MethodName: "Export", Handler: d.handleExport}},
		Metadata:    "opentelemetry/proto/collector/trace/v1/trace_service.proto",
	}, d)
}

func (d *Distributor) handleExport(_ any, ctx context.Context, decode func(any) error, interceptor grpc.UnaryServerInterceptor) (any, error) {
	req := new(rawRequest)
	if err := decode(req); err != nil {
		d.m.requests.WithLabelValues("otlp_grpc", status.Code(err).String()).Inc()
		return nil, err
	}
	handler := func(ctx context.Context, req any) (any, error) { return d.export(ctx, req.(*rawRequest)) }
	if interceptor == nil {
		return handler(ctx, req)
	}
	return interceptor(ctx, req, &grpc.UnaryServerInfo{Server: d, FullMethod: "/" + serviceName + "/Export"}, handler)
}

func (d *Distributor) export(ctx context.Context, req *rawRequest) (resp protobuf.Message, err error) {
	defer func() {
		if p := recover(); p != nil {
			d.m.panics.Inc()
			d.opts.Logger.Error("bug: OTLP request", "panic", p, "stack", string(debug.Stack()))
			err = status.Error(codes.Internal, "internal error: see the log of the server")
		}
		d.m.requests.WithLabelValues("otlp_grpc", status.Code(err).String()).Inc()
	}()
	id, err := d.tenantOfGRPC(ctx)
	if err != nil {
		return nil, err
	}
	out, err := d.Push(ctx, id, req.data)
	if err != nil {
		return nil, toStatus(err).Err()
	}
	return response(&out), nil
}

func response(out *Outcome) *collectortrace.ExportTraceServiceResponse {
	r := &collectortrace.ExportTraceServiceResponse{}
	if n := out.RejectedSpans(); n > 0 {
		r.PartialSuccess = &collectortrace.ExportTracePartialSuccess{RejectedSpans: n, ErrorMessage: out.Message()}
	}
	return r
}

func (d *Distributor) tenantOfGRPC(ctx context.Context) (tenant.ID, error) {
	if !d.opts.Multitenancy {
		return tenant.Single, nil
	}
	md, _ := metadata.FromIncomingContext(ctx)
	switch vals := md.Get(tenant.MetadataKey); len(vals) {
	case 0:
		return "", status.Error(codes.Unauthenticated, tenant.ErrMissing.Error())
	case 1:
		id, err := tenant.Parse(vals[0])
		if err == tenant.ErrMissing {
			return "", status.Error(codes.Unauthenticated, err.Error())
		} else if err != nil {
			return "", status.Error(codes.InvalidArgument, err.Error())
		}
		return id, nil
	default:
		return "", status.Error(codes.InvalidArgument, fmt.Sprintf("%s: %d values, want one", tenant.MetadataKey, len(vals)))
	}
}
