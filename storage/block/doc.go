// Package block is the block format: what an ingester writes from its live
// columns, and what queries read. A block is a folder of immutable objects:
//
//	data.parquet  spans as ordinary Parquet, sorted by trace, preorder within
//	index         tables, page locations, zone maps, trace and operation tables
//	bloom-N       the N-th range of trace IDs: bloom filter, page offsets, tables
//	meta.json     written last: identity, coverage, sizes, checksums
//
// FORMAT.md says every byte.
package block
