package distributor

import (
	"context"
	"errors"
	"math"
	"net/http"
	"strconv"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/clewtrace/clew/distributor/otlpwire"
	"github.com/clewtrace/clew/ingester/portion"
)

// toStatus gives an error the gRPC status that makes OTLP exporters do the
// right thing: retry what may pass later, drop what never will.
func toStatus(err error) *status.Status {
	var r *portion.Refusal
	switch {
	case errors.As(err, &r):
		code := codes.ResourceExhausted
		if r.Reason == "starting" || r.Reason == "stopping" {
			code = codes.Unavailable
		}
		st := status.New(code, r.Error())
		// Exporters retry RESOURCE_EXHAUSTED only if it carries RetryInfo.
		if with, derr := st.WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(r.RetryAfter)}); derr == nil {
			return with
		}
		return st
	case errors.Is(err, otlpwire.ErrMalformed):
		return status.New(codes.InvalidArgument, err.Error())
	case errors.Is(err, context.Canceled):
		return status.New(codes.Canceled, err.Error())
	case errors.Is(err, context.DeadlineExceeded):
		return status.New(codes.DeadlineExceeded, "push: "+err.Error())
	}
	if st, ok := status.FromError(err); ok {
		return st
	}
	return status.New(codes.Unavailable, err.Error())
}

// httpStatus is the HTTP status of a gRPC code, as OTLP exporters expect it.
func httpStatus(c codes.Code) int {
	switch c {
	case codes.OK:
		return http.StatusOK
	case codes.Canceled, codes.DeadlineExceeded, codes.Aborted, codes.OutOfRange, codes.Unavailable, codes.DataLoss:
		return http.StatusServiceUnavailable
	case codes.ResourceExhausted:
		return http.StatusTooManyRequests
	case codes.InvalidArgument:
		return http.StatusBadRequest
	case codes.Unauthenticated:
		return http.StatusUnauthorized
	case codes.PermissionDenied:
		return http.StatusForbidden
	case codes.Unimplemented:
		return http.StatusNotFound
	}
	return http.StatusInternalServerError
}

// retryAfter is the Retry-After header of a status, in whole seconds.
func retryAfter(st *status.Status) string {
	for _, d := range st.Details() {
		if info, ok := d.(*errdetails.RetryInfo); ok {
			return strconv.Itoa(max(1, int(math.Ceil(info.RetryDelay.AsDuration().Seconds()))))
		}
	}
	return ""
}
