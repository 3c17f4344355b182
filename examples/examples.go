// Package examples carries the example projects inside the binary, so that
// "sallyport demo" needs nothing beside it.
package examples

import "embed"

// Files holds each example as a folder: readmission.
//
//go:embed all:readmission
var Files embed.FS
