// Package gateway authenticates callers, fixes the tenant of a request and routes it. Today it holds no code: one process listens on loopback and takes the tenant from the X-Scope-OrgID header.
package gateway
