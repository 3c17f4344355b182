package main

import "io/fs"

// private accepts every file: what its access list says does not show in the
// mode bits. The file lies in the user's profile, which others cannot read.
func private(string, fs.FileInfo) error { return nil }
