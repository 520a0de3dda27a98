package drive

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"
)

// Protocols of OTLP.
const (
	GRPC         = "grpc"
	HTTPProtobuf = "http/protobuf"
	HTTPJSON     = "http/json"
)

// Target is where and how to send.
type Target struct {
	// Endpoint is host:port or a URL; https:// turns TLS on, and a URL with a
	// path is used as it is over HTTP. Empty is the protocol's port on this
	// machine.
	Endpoint string
	// Protocol is one of the constants above.
	Protocol string
	// Compression is none, gzip, zstd or snappy.
	Compression string
	// Headers are sent with every request, as metadata over gRPC.
	Headers map[string]string
	// TLS, if set, secures the connections.
	TLS *tls.Config
	// Timeout bounds one attempt.
	Timeout time.Duration
	// RetryFor is how long a request that is refused is tried again before its
	// spans are given up.
	RetryFor time.Duration
}

// Validate completes the endpoint and reports what cannot work.
func (t *Target) Validate() error {
	switch t.Protocol {
	case GRPC, HTTPProtobuf, HTTPJSON:
	default:
		return fmt.Errorf("protocol %q: want %s, %s or %s", t.Protocol, GRPC, HTTPProtobuf, HTTPJSON)
	}
	switch t.Compression {
	case "none", "gzip", "zstd", "snappy":
	default:
		return fmt.Errorf("compression %q: want none, gzip, zstd or snappy", t.Compression)
	}
	if t.Endpoint == "" {
		t.Endpoint = "localhost:4318"
		if t.Protocol == GRPC {
			t.Endpoint = "localhost:4317"
		}
	}
	if strings.Contains(t.Endpoint, "://") {
		u, err := url.Parse(t.Endpoint)
		if err != nil {
			return fmt.Errorf("endpoint: %w", err)
		}
		switch {
		case u.Scheme == "https" && t.TLS == nil:
			t.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
		case u.Scheme == "http" && t.TLS != nil:
			return fmt.Errorf("endpoint %s: TLS is asked for, but the scheme is http", t.Endpoint)
		case u.Scheme != "http" && u.Scheme != "https":
			return fmt.Errorf("endpoint %s: the scheme is neither http nor https", t.Endpoint)
		}
		if t.Protocol == GRPC {
			t.Endpoint = u.Host
		}
	}
	return nil
}

// Open returns n senders to a target: through the SDK, or as they are if
// replay is set. The caller closes them.
func Open(ctx context.Context, t *Target, m *Meter, n int, replay bool) ([]Sender, error) {
	var senders []Sender
	for range n {
		var s Sender
		var err error
		switch {
		case !replay:
			s, err = newSDKSender(ctx, t, m)
		case t.Protocol == GRPC:
			s, err = newGRPCReplay(t, m)
		default:
			s, err = newHTTPReplay(t, m)
		}
		if err != nil {
			for _, open := range senders {
				_ = open.Close()
			}
			return nil, err
		}
		senders = append(senders, s)
	}
	return senders, nil
}

// url is the address of the traces resource over HTTP.
func (t *Target) url() string {
	if u, err := url.Parse(t.Endpoint); err == nil && u.Host != "" {
		if strings.Trim(u.Path, "/") == "" {
			u.Path = "/v1/traces"
		}
		return u.String()
	}
	scheme := "http"
	if t.TLS != nil {
		scheme = "https"
	}
	return scheme + "://" + t.Endpoint + "/v1/traces"
}

// TLSFiles reads a client's TLS configuration: the CA's certificate instead of
// the system's, and a certificate with its key to show. Each may be empty.
func TLSFiles(ca, cert, key string, insecureSkipVerify bool) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: insecureSkipVerify}
	if ca != "" {
		pem, err := os.ReadFile(ca)
		if err != nil {
			return nil, fmt.Errorf("read CA certificate: %w", err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("CA certificate %s: holds no certificate", ca)
		}
	}
	if (cert == "") != (key == "") {
		return nil, errors.New("a client certificate and its key go together")
	}
	if cert != "" {
		pair, err := tls.LoadX509KeyPair(cert, key)
		if err != nil {
			return nil, fmt.Errorf("client certificate: %w", err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}
