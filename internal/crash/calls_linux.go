package crash

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// A call is a system call that can change a file, a name or what is durable.
type call struct {
	name  string
	on    []operand
	flags int // the argument with open's flags, where only some of them change anything; or none
}

// An operand says which arguments name a file: a descriptor, a path, or a path
// relative to a directory's descriptor.
type operand struct{ fd, path int }

const none = -1

func fd(n int) operand          { return operand{n, none} }
func path(n int) operand        { return operand{none, n} }
func at(dir, path int) operand  { return operand{dir, path} }
func on(o ...operand) []operand { return o }

// creates are the flags of open that change something by themselves.
const creates = unix.O_CREAT | unix.O_TRUNC

// calls are those that every architecture has, and those that only old ones do.
var calls = func() map[int]call {
	m := map[int]call{
		unix.SYS_WRITE:           {"write", on(fd(0)), none},
		unix.SYS_PWRITE64:        {"pwrite64", on(fd(0)), none},
		unix.SYS_WRITEV:          {"writev", on(fd(0)), none},
		unix.SYS_PWRITEV:         {"pwritev", on(fd(0)), none},
		unix.SYS_PWRITEV2:        {"pwritev2", on(fd(0)), none},
		unix.SYS_SENDFILE:        {"sendfile", on(fd(0)), none},
		unix.SYS_SPLICE:          {"splice", on(fd(2)), none},
		unix.SYS_COPY_FILE_RANGE: {"copy_file_range", on(fd(2)), none},
		unix.SYS_FTRUNCATE:       {"ftruncate", on(fd(0)), none},
		unix.SYS_TRUNCATE:        {"truncate", on(path(0)), none},
		unix.SYS_FALLOCATE:       {"fallocate", on(fd(0)), none},
		unix.SYS_FSYNC:           {"fsync", on(fd(0)), none},
		unix.SYS_FDATASYNC:       {"fdatasync", on(fd(0)), none},
		unix.SYS_SYNC_FILE_RANGE: {"sync_file_range", on(fd(0)), none},
		unix.SYS_SYNCFS:          {"syncfs", on(fd(0)), none},
		unix.SYS_FCHMOD:          {"fchmod", on(fd(0)), none},
		unix.SYS_FCHMODAT:        {"fchmodat", on(at(0, 1)), none},
		unix.SYS_FCHOWN:          {"fchown", on(fd(0)), none},
		unix.SYS_FCHOWNAT:        {"fchownat", on(at(0, 1)), none},
		unix.SYS_UTIMENSAT:       {"utimensat", on(at(0, 1)), none},
		unix.SYS_MKDIRAT:         {"mkdirat", on(at(0, 1)), none},
		unix.SYS_MKNODAT:         {"mknodat", on(at(0, 1)), none},
		unix.SYS_UNLINKAT:        {"unlinkat", on(at(0, 1)), none},
		unix.SYS_SYMLINKAT:       {"symlinkat", on(at(1, 2)), none},
		unix.SYS_LINKAT:          {"linkat", on(at(2, 3), at(0, 1)), none},
		unix.SYS_RENAMEAT:        {"renameat", on(at(2, 3), at(0, 1)), none},
		unix.SYS_RENAMEAT2:       {"renameat2", on(at(2, 3), at(0, 1)), none},
		unix.SYS_OPENAT:          {"openat", on(at(0, 1)), 2},
		unix.SYS_OPENAT2:         {"openat2", on(at(0, 1)), none},
	}
	maps.Copy(m, oldCalls)
	return m
}()

// point returns the point that a stopped thread has come to, if its call
// touches the directory.
func (t *tracer) point(tid int) (Point, bool) {
	info, err := syscallOf(tid)
	if err != nil {
		return Point{}, false // killed meanwhile
	}
	c, ok := calls[int(info.Nr)]
	if !ok || info.Nr == unix.SYS_OPENAT2 && !opensToChange(tid, info.Args[2]) {
		return Point{}, false
	}
	// A thread whose namespace cannot be read has one that is not ours.
	if s, err := os.Readlink(proc(tid, "ns/mnt")); err != nil || s != t.space {
		return Point{}, false
	}
	for _, o := range c.on {
		p, err := o.resolve(tid, info.Args)
		if err != nil {
			continue
		}
		if rel, err := filepath.Rel(t.Dir, p); err == nil && filepath.IsLocal(rel) {
			return Point{c.name, rel}, true
		}
	}
	return Point{}, false
}

// resolve returns the absolute path of the file that an operand names. Its last
// element may not exist yet and is not followed if it is a link.
func (o operand) resolve(tid int, args [6]uint64) (string, error) {
	base := proc(tid, "cwd")
	if o.fd != none {
		// A descriptor is an int, whatever the upper half of the register holds.
		if n := int32(args[o.fd]); n != unix.AT_FDCWD {
			base = proc(tid, fmt.Sprint("fd/", n))
		}
	}
	var name string
	if o.path != none && args[o.path] != 0 { // utimensat takes none, for the descriptor itself
		var err error
		if name, err = stringAt(tid, args[o.path]); err != nil {
			return "", err
		}
	}
	if !filepath.IsAbs(name) {
		dir, err := os.Readlink(base)
		if err != nil {
			return "", err
		}
		if !filepath.IsAbs(dir) {
			return "", errors.New("a pipe or a socket")
		}
		if name == "" {
			return dir, nil
		}
		name = dir + "/" + name
	}
	name = strings.TrimRight(name, "/")
	dir, err := filepath.EvalSymlinks(filepath.Dir(name))
	return filepath.Join(dir, filepath.Base(name)), err
}

func proc(tid int, name string) string { return fmt.Sprintf("/proc/%d/%s", tid, name) }

// stringAt reads a NUL-terminated path from a thread's memory, page by page,
// since the page behind its end may not be there.
func stringAt(tid int, addr uint64) (string, error) {
	mem, err := os.Open(proc(tid, "mem"))
	if err != nil {
		return "", err
	}
	defer mem.Close()
	var s []byte
	page := make([]byte, os.Getpagesize())
	for len(s) < unix.PathMax {
		part := page[:len(page)-int(addr)%len(page)]
		if _, err := mem.ReadAt(part, int64(addr)); err != nil {
			return "", err
		}
		if end := bytes.IndexByte(part, 0); end >= 0 {
			return string(append(s, part[:end]...)), nil
		}
		s, addr = append(s, part...), addr+uint64(len(part))
	}
	return "", unix.ENAMETOOLONG
}

// opensToChange reads the flags of openat2, which begin struct open_how.
func opensToChange(tid int, how uint64) bool {
	mem, err := os.Open(proc(tid, "mem"))
	if err != nil {
		return false
	}
	defer mem.Close()
	var flags [8]byte
	_, err = mem.ReadAt(flags[:], int64(how))
	return err == nil && binary.NativeEndian.Uint64(flags[:])&creates != 0
}
