package installed

import (
	"bytes"
	"io"
	"io/fs"
	"path"
	"strings"

	"github.com/sallyport/sallyport/internal/lazyregexp"
)

// machineCode reports whether a file is machine code, by its first bytes or, for
// formats whose first bytes are too few to tell, by its name as well.
func machineCode(name string, head []byte) bool {
	base := strings.ToLower(path.Base(name))
	for _, magic := range []string{"\x7fELF", "\xcf\xfa\xed\xfe", "\xce\xfa\xed\xfe"} {
		if bytes.HasPrefix(head, []byte(magic)) {
			return true
		}
	}
	for _, end := range []string{".so", ".dylib", ".dll", ".pyd", ".exe"} {
		if strings.HasSuffix(base, end) {
			return true
		}
	}
	return strings.Contains(base, ".so.") && sharedForm.MatchString(base)
}

var (
	sharedForm = lazyregexp.New(`^(.+?)\.so((?:\.[0-9]+)*)$`)
	dylibForm  = lazyregexp.New(`^(.+?)((?:\.[0-9]+)*)\.dylib$`)
	// saltForm is what tools that put libraries into wheels add to their names.
	saltForm = lazyregexp.New(`(-[0-9a-f]{8,})+$`)
)

// describeNative tells what the name of a file of machine code says, and the
// name that an ELF file gives itself.
func describeNative(name, pkg string, f fs.File) *Native {
	n := &Native{Package: pkg, Path: name}
	base := path.Base(name)
	lower := strings.ToLower(base)
	switch m, d := sharedForm.FindStringSubmatch(base), dylibForm.FindStringSubmatch(base); {
	case m != nil:
		n.Name, n.Version = m[1], strings.TrimPrefix(m[2], ".")
	case d != nil:
		n.Name, n.Version = d[1], strings.TrimPrefix(d[2], ".")
	default:
		n.Name = strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(base, ".dll"), ".pyd"), ".exe")
	}
	n.Extension = strings.HasSuffix(lower, ".pyd") || strings.HasSuffix(lower, ".so") && !strings.HasPrefix(lower, "lib") ||
		strings.Contains(lower, ".cpython-") || strings.Contains(lower, ".abi3.") || strings.Contains(lower, ".pypy")
	if n.Extension {
		n.Name, _, _ = strings.Cut(n.Name, ".")
	}
	n.Name = printable(saltForm.Get().ReplaceAllString(n.Name, ""), 120)
	if at, ok := f.(io.ReaderAt); ok {
		if info, err := f.Stat(); err == nil {
			n.Soname = printable(soname(at, info.Size()), 120)
		}
	}
	return n
}
