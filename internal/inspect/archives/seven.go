package archives

import (
	"io"
	"strings"

	"github.com/sallyport/sallyport/internal/format/sevenzip"
	"github.com/sallyport/sallyport/internal/inspect"
)

var sevenReading = inspect.Reading{
	Format: "7z", Extensions: []string{".7z"},
	Match: begins(sevenzip.Magic), Inspect: inspectSeven,
}

// A seven is a 7z archive being inspected.
type seven struct {
	members
	a *sevenzip.Archive
}

func inspectSeven(p *inspect.Pass, f *inspect.File) error {
	a, err := sevenzip.Open(f, f.Size)
	if err == sevenzip.ErrEncrypted {
		p.Find(f, inspect.Finding{Rule: ruleEncrypted, Verdict: inspect.Inconclusive, Offset: 0, What: "7z", Why: "even the list of members is encrypted"})
		return nil
	}
	if err != nil {
		return err
	}
	s := &seven{a: a}
	s.p, s.f, s.members.each, s.members.open = p, f, s.each, s.reopen
	s.layout()
	// What follows can fail only where a member is read.
	s.each(func(m member) error {
		s.add(m)
		switch of := &a.Members[m.at]; {
		case linked(of):
			p.Find(f, inspect.Finding{Rule: ruleLink, Verdict: inspect.Suspicious, Offset: -1, What: m.name, Why: "it stands for a link or a device; it was not followed"})
		case of.Anti:
			p.Find(f, inspect.Finding{Rule: ruleDoubt, Verdict: inspect.Suspicious, Offset: -1, What: m.name, Why: "it stands for a file to be deleted"})
		}
		return nil
	})
	if err := s.settle(); err != nil {
		return err
	}
	return s.inspected(a.Each(s.inspect))
}

// each calls fn with every member.
func (s *seven) each(fn func(member) error) error {
	for i := range s.a.Members {
		m := &s.a.Members[i]
		name := m.Name
		if m.Dir && !strings.HasSuffix(name, "/") {
			name += "/"
		}
		if err := fn(member{name, int64(i), m.Size, !m.Dir && !linked(m)}); err != nil {
			return err
		}
	}
	return nil
}

// linked reports whether a member stands for a link or a device of Unix.
func linked(m *sevenzip.Member) bool {
	kind := m.Mode & 0o170000
	return kind != 0 && kind != 0o100000 && kind != 0o040000
}

// layout tells of bytes that belong to nothing.
func (s *seven) layout() {
	if s.a.Hole > 0 {
		s.p.Find(s.f, inspect.Finding{Rule: ruleDoubt, Verdict: inspect.Suspicious, Offset: -1, What: "7z", Why: "bytes stand between the members and the list of them"})
	}
	if s.a.End < s.f.Size {
		s.p.Find(s.f, inspect.Finding{Rule: ruleTrailing, Verdict: inspect.Suspicious, Offset: s.a.End, What: "7z", Why: "bytes stand behind the end of the archive"})
	}
}

func (s *seven) inspect(_ int, m *sevenzip.Member, r io.Reader) error {
	if m.Dir {
		return s.p.Step(1)
	}
	_, err := r.Read(nil)
	if err == sevenzip.ErrEncrypted {
		s.p.Find(s.f, inspect.Finding{Rule: ruleEncrypted, Verdict: inspect.Inconclusive, Offset: -1, What: m.Name, Why: "the member cannot be read without its password"})
		return nil
	}
	return s.p.Expand(s.f, m.Name, r, s)
}

// reopen reads a member for another that refers to it: the archive is expanded
// up to it once more, and that counts.
func (s *seven) reopen(want member) (*inspect.File, error) {
	var file *inspect.File
	err := s.a.Each(func(i int, m *sevenzip.Member, r io.Reader) error {
		before, err := keep(s.p, s.f, m.Name, r, s)
		switch {
		case err != nil:
			return err
		case int64(i) == want.at:
			file = before
			return io.EOF // go no further
		}
		return before.Close()
	})
	if file != nil {
		return file, nil
	}
	if err == nil || err == io.EOF {
		err = errNoMember
	}
	return nil, err
}
