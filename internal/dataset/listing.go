package dataset

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"io/fs"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// A file or a folder of a tree, as its listing says it is.
type file struct {
	path  string // slash path relative to the tree
	dir   bool
	mode  fs.FileMode // permission bits only
	mtime time.Time
	size  int64
	sum   [sha256.Size]byte // SHA-256 of the content

	erased bool // nothing is left of it but its number
	kept   int  // then, how many parts it had: their numbers stay too
}

// Files above partSize are cut into parts, a segment each. Empty files are in
// the listing alone.
const partSize = 4 << 20

func (f *file) parts() int {
	if f.erased {
		return f.kept
	}
	if f.size <= partSize {
		return 0
	}
	return int((f.size + partSize - 1) / partSize)
}

// same reports whether f and o are the same but for their times.
func (f *file) same(o *file) bool {
	return f.path == o.path && f.dir == o.dir && f.mode == o.mode && f.size == o.size && f.sum == o.sum
}

// hash adds f to the digest of a tree's content: SHA-256 over every file and
// folder in the order of paths, each as
//
//	type "d" or "f", mode in octal, size in decimal, hex SHA-256, path
//
// separated by spaces and ended by a NUL byte. Times are not part of it.
func (f *file) hash(h hash.Hash) {
	t := byte('f')
	if f.dir {
		t = 'd'
	}
	b := append(make([]byte, 0, 128+len(f.path)), t, ' ')
	b = strconv.AppendUint(b, uint64(f.mode), 8)
	b = append(b, ' ')
	b = strconv.AppendInt(b, f.size, 10)
	b = append(b, ' ')
	b = hex.AppendEncode(b, f.sum[:])
	b = append(b, ' ')
	b = append(b, f.path...)
	h.Write(append(b, 0))
}

// comparePaths orders paths as a walk visits them: a folder's content follows
// it before its next sibling.
func comparePaths(a, b string) int {
	for i := range min(len(a), len(b)) {
		if a[i] == b[i] {
			continue
		}
		if a[i] == '/' {
			return -1
		}
		if b[i] == '/' {
			return 1
		}
		return cmp.Compare(a[i], b[i])
	}
	return cmp.Compare(len(a), len(b))
}

// The body of a listing segment: for each entry, in the order of paths,
//
//	uvarint: how many bytes of the path are those of the path before
//	uvarint: length of the rest; the rest
//	type, one byte, 0 file, 1 folder; uvarint: mode
//	varint: seconds since 1970; uvarint: nanoseconds
//	files: uvarint: size; SHA-256, 32 bytes
//
// or, of an erased one: 0, 0, type 2; uvarint: how many parts it had.
func appendFile(dst []byte, before string, f *file) []byte {
	if f.erased {
		return binary.AppendUvarint(append(dst, 0, 0, 2), uint64(f.kept))
	}
	shared := 0
	for shared < min(len(before), len(f.path)) && before[shared] == f.path[shared] {
		shared++
	}
	dst = binary.AppendUvarint(dst, uint64(shared))
	dst = binary.AppendUvarint(dst, uint64(len(f.path)-shared))
	dst = append(dst, f.path[shared:]...)
	if f.dir {
		dst = append(dst, 1)
	} else {
		dst = append(dst, 0)
	}
	dst = binary.AppendUvarint(dst, uint64(f.mode))
	dst = binary.AppendVarint(dst, f.mtime.Unix())
	dst = binary.AppendUvarint(dst, uint64(f.mtime.Nanosecond()))
	if !f.dir {
		dst = binary.AppendUvarint(dst, uint64(f.size))
		dst = append(dst, f.sum[:]...)
	}
	return dst
}

// maxParts bounds the parts of a file: 4 TiB.
const maxParts = 1 << 20

// maxPath bounds the length of a path in a listing.
const maxPath = 64 << 10

// parseListing reads the body of a listing with n entries.
func parseListing(body []byte, n int) ([]file, error) {
	bad := damaged("a listing contradicts itself")
	if n > len(body) {
		return nil, bad
	}
	out := make([]file, 0, n)
	before := ""
	for range n {
		f, rest, ok := parseFile(body, before)
		if !ok || !f.erased && before != "" && comparePaths(before, f.path) >= 0 {
			return nil, bad
		}
		if !f.erased {
			before = f.path
		}
		body = rest
		out = append(out, f)
	}
	if len(body) != 0 {
		return nil, bad
	}
	return out, nil
}

func parseFile(b []byte, before string) (f file, rest []byte, ok bool) {
	if len(b) > 3 && b[0] == 0 && b[1] == 0 && b[2] == 2 {
		parts, rest, ok := uvarint(b[3:])
		return file{erased: true, kept: int(parts)}, rest, ok && parts <= maxParts
	}
	shared, b, ok := uvarint(b)
	if !ok || shared > uint64(len(before)) {
		return f, nil, false
	}
	n, b, ok := uvarint(b)
	if !ok || n > maxPath || uint64(len(b)) <= n || b[n] > 1 {
		return f, nil, false
	}
	f.path, f.dir, b = before[:shared]+string(b[:n]), b[n] == 1, b[n+1:]
	mode, b, ok := uvarint(b)
	if !ok || mode > uint64(fs.ModePerm) || !validPath(f.path) {
		return f, nil, false
	}
	sec, l := binary.Varint(b)
	if l <= 0 {
		return f, nil, false
	}
	nsec, b, ok := uvarint(b[l:])
	if !ok || nsec >= 1e9 {
		return f, nil, false
	}
	f.mode, f.mtime = fs.FileMode(mode), time.Unix(sec, int64(nsec))
	if f.dir {
		return f, b, true
	}
	size, b, ok := uvarint(b)
	if !ok || size > 1<<62 || len(b) < sha256.Size {
		return f, nil, false
	}
	f.size, f.sum = int64(size), [sha256.Size]byte(b[:sha256.Size])
	return f, b[sha256.Size:], true
}

// validPath reports whether p stays below the folder that it is relative to.
// Unlike fs.ValidPath it does not ask for UTF-8, which Linux does not either.
func validPath(p string) bool {
	if p == "" || len(p) > maxPath || strings.IndexByte(p, 0) >= 0 {
		return false
	}
	for name := range strings.SplitSeq(p, "/") {
		if name == "" || name == "." || name == ".." {
			return false
		}
	}
	return true
}

// subjectOf returns the subject of a path, nil if it has none. A folder is
// looked at as its files would be.
func subjectOf(pattern *regexp.Regexp, f *file) []byte {
	path := f.path
	if f.dir {
		path += "/"
	}
	m := pattern.FindStringSubmatchIndex(path)
	if m == nil || m[2] < 0 || strings.TrimSpace(path[m[2]:m[3]]) == "" {
		return nil
	}
	return []byte(path[m[2]:m[3]])
}

// masked returns a path with its subject hidden, for messages.
func masked(pattern *regexp.Regexp, f *file) string {
	m := pattern.FindStringSubmatchIndex(f.path)
	if m == nil || m[2] < 0 {
		return ""
	}
	return f.path[:m[2]] + "…" + f.path[m[3]:]
}
