//go:build !unix

package state

// full reports whether the operating system said that the disk is full. Here
// only SQLite's own code says so.
func full(error) bool { return false }
