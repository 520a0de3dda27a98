package distributor

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/encoding/proto" // the codec that ours stands in for
	"google.golang.org/grpc/experimental"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	collectortrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"

	"github.com/clewtrace/clew/storage/tenant"
)

// rawRequest is an OTLP request that stays bytes. data is valid until free.
type rawRequest struct {
	data []byte
	buf  mem.Buffer
}

func (r *rawRequest) free() {
	if r.buf != nil {
		r.buf.Free()
	}
	r.data, r.buf = nil, nil
}

// codec hands OTLP requests over as bytes, in one buffer of the pool, and
// everything else to protobuf.
type codec struct {
	fallback encoding.CodecV2
	pool     mem.BufferPool
}

func (codec) Name() string { return proto.Name }

func (c codec) Marshal(v any) (mem.BufferSlice, error) { return c.fallback.Marshal(v) }

func (c codec) Unmarshal(data mem.BufferSlice, v any) error {
	if r, ok := v.(*rawRequest); ok {
		r.buf = data.MaterializeToBuffer(c.pool)
		r.data = r.buf.ReadOnlyData()
		return nil
	}
	return c.fallback.Unmarshal(data, v)
}

// What a connection may send before it has been admitted is bounded by its
// streams and their windows; the windows are large enough for an ordinary
// request to come in one go.
const (
	maxStreams       = 128
	streamWindow     = 256 << 10
	connectionWindow = 4 << 20 // bytes on the way, not bytes kept
)

// GRPCOptions are the options that a gRPC server needs for RegisterOTLP.
func (d *Distributor) GRPCOptions() []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.ForceServerCodecV2(codec{encoding.GetCodecV2(proto.Name), d.buffers}),
		experimental.BufferPool(d.buffers),
		grpc.MaxRecvMsgSize(int(d.cfg.MaxRequestBytes)),
		grpc.ReadBufferSize(64 << 10), grpc.WriteBufferSize(8 << 10),
		grpc.MaxHeaderListSize(64 << 10),
		grpc.MaxConcurrentStreams(maxStreams),
		grpc.InitialWindowSize(streamWindow), grpc.InitialConnWindowSize(connectionWindow),
		// A peer that has vanished must not hold what it was admitted for.
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: time.Minute, Timeout: 20 * time.Second}),
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

// handleExport finds room for a request before it reads it.
func (d *Distributor) handleExport(_ any, ctx context.Context, decode func(any) error, interceptor grpc.UnaryServerInterceptor) (resp any, err error) {
	defer func() {
		if p := recover(); p != nil {
			d.m.panics.Inc()
			d.opts.Logger.Error("bug: OTLP request", "panic", p, "stack", string(debug.Stack()))
			err = status.Error(codes.Internal, "internal error: see the log of the server")
		}
		d.m.door("otlp_grpc", status.Code(err)).Inc()
	}()
	id, err := d.tenantOfGRPC(ctx)
	if err != nil {
		return nil, err
	}
	a, err := d.admit(ctx, id, d.expect())
	if err != nil {
		return nil, toStatus(err).Err()
	}
	defer a.release()
	req := new(rawRequest)
	if err := decode(req); err != nil {
		return nil, err
	}
	handler := func(ctx context.Context, _ any) (any, error) {
		out, err := d.pushAdmitted(ctx, id, req.data, nil, a)
		if err != nil {
			return nil, toStatus(err).Err()
		}
		return response(&out), nil
	}
	if interceptor == nil {
		resp, err = handler(ctx, req)
	} else {
		resp, err = interceptor(ctx, req, &grpc.UnaryServerInfo{Server: d, FullMethod: "/" + serviceName + "/Export"}, handler)
	}
	req.free() // not after a panic
	return resp, err
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
		if errors.Is(err, tenant.ErrMissing) {
			return "", status.Error(codes.Unauthenticated, err.Error())
		} else if err != nil {
			return "", status.Error(codes.InvalidArgument, err.Error())
		}
		return id, nil
	default:
		return "", status.Error(codes.InvalidArgument, fmt.Sprintf("%s: %d values, want one", tenant.MetadataKey, len(vals)))
	}
}
