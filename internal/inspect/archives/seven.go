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
	p *inspect.Pass
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
	s := &seven{p: p, a: a}
	s.f, s.members.open = f, s.reopen
	s.layout()
	for i, m := range a.Members {
		name := m.Name
		if m.Dir && !strings.HasSuffix(name, "/") {
			name += "/"
		}
		kind := m.Mode & 0o170000
		link := kind != 0 && kind != 0o100000 && kind != 0o040000
		s.add(p, member{name, int64(i), m.Size, !m.Dir && !link})
		if link {
			p.Find(f, inspect.Finding{Rule: ruleLink, Verdict: inspect.Suspicious, Offset: -1, What: name, Why: "it stands for a link or a device; it was not followed"})
		}
		if m.Anti {
			p.Find(f, inspect.Finding{Rule: ruleDoubt, Verdict: inspect.Suspicious, Offset: -1, What: name, Why: "it stands for a file to be deleted"})
		}
	}
	s.settle(p)
	return a.Each(s.inspect)
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
