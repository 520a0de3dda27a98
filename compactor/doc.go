// Package compactor merges blocks and enforces retention. Today it holds no code: blocks stay as the ingester built them.
package compactor
