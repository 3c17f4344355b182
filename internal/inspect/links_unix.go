//go:build unix

package inspect

import (
	"io/fs"
	"syscall"
)

// linksOf returns how many names a file has, or 0 if that is unknown.
func linksOf(info fs.FileInfo) int {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(st.Nlink)
	}
	return 0
}
