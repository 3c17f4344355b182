// Package examples carries the example projects inside the binary, so that
// "sallyport demo" needs nothing beside it.
package examples

import "embed"

// Files holds each example as a folder: the project readmission, and advisories
// about packages that it uses, one of them made up.
//
//go:embed all:readmission advisories advisories-later
var Files embed.FS
