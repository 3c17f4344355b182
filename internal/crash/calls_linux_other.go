//go:build linux && !amd64

package crash

// oldCalls is empty: this architecture has only the calls that take a
// directory's descriptor.
var oldCalls map[int]call
