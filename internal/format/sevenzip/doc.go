// Package sevenzip reads 7z archives (7zFormat.txt of the 7-Zip sources). It
// reads members one after another, as their compressed folders hold them, and
// verifies every checksum that the archive has.
package sevenzip
