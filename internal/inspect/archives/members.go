package archives

import (
	"errors"
	"hash/maphash"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/internal/inspect"
)

// maxKept and maxNames bound what is remembered of an archive's members: how
// many, and how many bytes of names. The members beyond them are inspected, but
// not held against the others.
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

// members are those of one archive, and what lies around each of them.
type members struct {
	f     *inspect.File
	kept  []member // sorted by name once all are known
	bytes int
	over  bool // there are more
	// open reads a member again.
	open func(m member) (*inspect.File, error)
}

// add remembers a member and judges its name.
func (s *members) add(p *inspect.Pass, m member) {
	if why := unsafeName(m.name); why != "" {
		p.Find(s.f, inspect.Finding{Rule: rulePath, Verdict: inspect.Suspicious, Offset: m.at, What: m.name, Why: why})
	}
	if len(s.kept) >= maxKept || s.bytes+len(m.name) > maxNames {
		s.over = true
		return
	}
	s.bytes += len(m.name)
	s.kept = append(s.kept, m)
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

// settle sorts the members and reports those that have one name.
func (s *members) settle(p *inspect.Pass) {
	slices.SortFunc(s.kept, func(a, b member) int { return strings.Compare(a.name, b.name) })
	type key struct {
		sum uint64
		i   int32
	}
	seed := maphash.MakeSeed()
	keys := make([]key, len(s.kept))
	for i, m := range s.kept {
		keys[i] = key{maphash.String(seed, fold(m.name)), int32(i)}
	}
	slices.SortFunc(keys, func(a, b key) int {
		if a.sum != b.sum {
			if a.sum < b.sum {
				return -1
			}
			return 1
		}
		return int(a.i - b.i)
	})
	for i := 1; i < len(keys); i++ {
		a, b := s.kept[keys[i-1].i], s.kept[keys[i].i]
		if fold(a.name) != fold(b.name) || distinct(a.name, b.name) {
			continue
		}
		why := "which of the two is read depends on the program"
		if a.name != b.name {
			why = "programs that read names loosely take it for another member"
		}
		p.Find(s.f, inspect.Finding{Rule: ruleDuplicate, Verdict: inspect.Suspicious, Offset: b.at, What: b.name, Why: why})
	}
	if s.over {
		p.Find(s.f, inspect.Finding{Rule: ruleMany, Verdict: inspect.Inconclusive, Offset: -1, What: "members",
			Why: "the rest was not checked for names that are used twice and for shared bytes"})
	}
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
	return slices.BinarySearchFunc(s.kept, name, func(m member, n string) int { return strings.Compare(m.name, n) })
}

// Names lists the members that are files.
func (s *members) Names() []string {
	var out []string
	for _, m := range s.kept {
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
