package archives

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/internal/inspect"
)

// maxKept and maxNames bound what is remembered of the members of an archive,
// and of the archives around it, for those of them that refer to others: how
// many, and how many bytes of names. The members beyond them are inspected like
// all others, but nobody finds them.
const (
	maxKept  = 1 << 16
	maxNames = 4 << 20
)

// A member is what is remembered of one.
type member struct {
	name    string
	at      int64 // for the archive, to find it again
	size    int64
	regular bool
}

// members are those of one archive, and what lies around each of them. They are
// listed only when one of them looks around: most never do, however many.
type members struct {
	p     *inspect.Pass
	f     *inspect.File
	names names
	// each calls fn with every member once more.
	each func(fn func(member) error) error
	// open reads a member again.
	open func(m member) (*inspect.File, error)

	listed bool
	kept   []member // sorted by name
	bytes  int      // of their names
	cut    bool     // there are more
	err    error    // that ended the list
}

// add judges the name of a member and remembers what tells it from others.
func (s *members) add(m member) {
	if why := unsafeName(m.name); why != "" {
		s.p.Find(s.f, inspect.Finding{Rule: rulePath, Verdict: inspect.Suspicious, Offset: m.at, What: m.name, Why: why})
	}
	s.names.add(m.name)
}

// list lists the members, up to where the archive breaks.
func (s *members) list() []member {
	if !s.listed {
		s.listed = true
		s.err = s.each(func(m member) error { s.keep(m); return nil })
		slices.SortFunc(s.kept, func(a, b member) int { return strings.Compare(a.name, b.name) })
	}
	return s.kept
}

func (s *members) keep(m member) {
	if kept, bytes := s.held(); kept >= maxKept || bytes+len(m.name) > maxNames {
		s.cut = true
		return
	}
	s.bytes += len(m.name)
	s.kept = append(s.kept, m)
}

// held is how much is listed here and of the archives around.
func (s *members) held() (kept, bytes int) {
	if outer, ok := s.f.Around.(interface{ held() (int, int) }); ok {
		kept, bytes = outer.held()
	}
	return kept + len(s.kept), bytes + s.bytes
}

// unsafeName says what is wrong with a member's name, or nothing.
func unsafeName(name string) string {
	clean := path.Clean(name)
	switch {
	case strings.HasPrefix(name, "/"):
		return "it is a path from the root of the file system"
	case clean == ".." || strings.HasPrefix(clean, "../"):
		return "it leads out of the folder into which it is unpacked"
	case strings.ContainsRune(name, '\\'):
		return "its backslashes part folders on one system and not on another"
	case len(name) >= 2 && name[1] == ':' && (name[0]|0x20) >= 'a' && (name[0]|0x20) <= 'z':
		return "it begins with a drive"
	case strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return "it holds a control character, at which some readers stop"
	}
	return ""
}

// settle reports the members that have one name.
func (s *members) settle() error {
	twins, whole, err := s.names.twins(s.each)
	for i := 1; i < len(twins); i++ {
		a, b := twins[i-1], twins[i]
		if fold(a.name) != fold(b.name) || distinct(a.name, b.name) {
			continue
		}
		why := "which of the two is read depends on the program"
		if a.name != b.name {
			why = "programs that read names loosely take it for another member"
		}
		s.p.Find(s.f, inspect.Finding{Rule: ruleDuplicate, Verdict: inspect.Suspicious, Offset: b.at, What: b.name, Why: why})
	}
	if !whole {
		s.large("names", fmt.Sprintf("more than %d of them resemble each other, and the rest was not compared", maxTwins))
	}
	return err
}

// inspected is the end of the inspection of all members, by err. It says if one
// may have missed another.
func (s *members) inspected(err error) error {
	if s.cut {
		s.large("members", fmt.Sprintf("one of them refers to others, and of those no more than %d, or %d MiB of their names, are held for that", maxKept, maxNames>>20))
	}
	if err == nil && !isFormat(s.err) {
		err = s.err
	}
	return err
}

// large says that a limit was reached.
func (s *members) large(what, why string) {
	s.p.Find(s.f, inspect.Finding{Rule: ruleMany, Verdict: inspect.Inconclusive, Offset: -1, What: what, Why: why})
}

// fold writes a name as loose readers see it: without regard to case, doubled
// or turned slashes, and what follows a NUL.
func fold(name string) string {
	name, _, _ = strings.Cut(name, "\x00")
	return strings.ToLower(path.Clean("/" + strings.ReplaceAll(name, `\`, "/")))
}

// distinct reports whether names that differ in case only are meant to: arrays
// of NumPy, which may be called W and w, and whose readers tell them apart.
func distinct(a, b string) bool {
	return a != b && path.Ext(a) == ".npy" && path.Ext(b) == ".npy" && path.Clean(a) == a && path.Clean(b) == b && !strings.ContainsAny(a+b, "\\\x00")
}

// find is where a name is or would be.
func (s *members) find(name string) (int, bool) {
	return slices.BinarySearchFunc(s.list(), name, func(m member, n string) int { return strings.Compare(m.name, n) })
}

// Names lists the members that are files.
func (s *members) Names() []string {
	var out []string
	for _, m := range s.list() {
		if m.regular {
			out = append(out, m.name)
		}
	}
	return out
}

// Lookup finds a member, or a folder that only its members' names speak of.
func (s *members) Lookup(name string) (inspect.Entry, bool) {
	if !fs.ValidPath(name) {
		return inspect.Entry{}, false
	}
	for i, c := range name { // a file or a link on the way has nothing below it
		if c != '/' {
			continue
		}
		if _, ok := s.find(name[:i]); ok {
			return inspect.Entry{}, false
		}
	}
	if i, ok := s.find(name); ok {
		return inspect.Entry{Size: s.kept[i].size, Regular: s.kept[i].regular}, true
	}
	i, _ := s.find(name + "/")
	return inspect.Entry{}, i < len(s.kept) && strings.HasPrefix(s.kept[i].name, name+"/")
}

// Open reads a member again; what had to be expanded is so once more, and
// counts.
func (s *members) Open(name string) (*inspect.File, error) {
	i, ok := s.find(name)
	if e, is := s.Lookup(name); !ok || !is || !e.Regular {
		return nil, errNoMember
	}
	return s.open(s.kept[i])
}

var errNoMember = errors.New("the archive has no such file")

// part is a member that lies in the archive as it is.
func (s *members) part(name string, off, n int64) (*inspect.File, error) {
	part, err := s.f.Section(name, off, n)
	if err == nil {
		part.Around = s
	}
	return part, err
}

// unreadable is the content of a member that ends in err at once. Handed to the
// engine, it makes a finding of err that names the member.
type unreadable struct{ err error }

func (u unreadable) Read([]byte) (int, error) { return 0, u.err }

var _ io.Reader = unreadable{}
