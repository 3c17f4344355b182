//go:build unix

package main

import (
	"io/fs"

	"github.com/sallyport/sallyport"
)

// private refuses a secret that others could read.
func private(path string, info fs.FileInfo) error {
	if info.Mode().Perm()&0o077 == 0 {
		return nil
	}
	return sallyport.Errorf(sallyport.Denied, "others can read this secret (mode %04o)", info.Mode().Perm()).At("%s", path).
		Try("chmod 600 %s", path)
}
