package archives

import (
	"io"
	"strings"

	"github.com/sallyport/sallyport/internal/format"
	"github.com/sallyport/sallyport/internal/format/tar"
	"github.com/sallyport/sallyport/internal/inspect"
)

var tarReading = inspect.Reading{
	Format:     "tar",
	Extensions: []string{".tar", ".nemo", ".mar"},
	Match: func(_ *inspect.File, head []byte) inspect.Fit {
		if tar.Begins(head) {
			return inspect.Yes
		}
		return inspect.No
	},
	Inspect: inspectTar,
}

// A tape is a tar archive being inspected.
type tape struct{ members }

func inspectTar(p *inspect.Pass, f *inspect.File) error {
	t := &tape{}
	t.p, t.f = p, f
	t.members.each = func(fn func(member) error) error {
		return t.each(tar.NewReader(f, f.Size), func(e *tar.Entry) error { return fn(recalled(e)) })
	}
	t.members.open = func(m member) (*inspect.File, error) { return t.part(m.name, m.at, m.size) }
	// What breaks the archive is told by the second round, after the members
	// before it.
	r := tar.NewReader(f, f.Size)
	err := t.each(r, func(e *tar.Entry) error {
		t.add(recalled(e))
		t.judge(e)
		return nil
	})
	if err != nil && !isFormat(err) {
		return err
	}
	t.doubts(r.Doubts)
	if err := t.settle(); err != nil && !isFormat(err) {
		return err
	}
	return t.inspected(t.each(tar.NewReader(f, f.Size), t.inspect))
}

// recalled is what is remembered of an entry.
func recalled(e *tar.Entry) member {
	return member{local(e), e.Data, e.Size, e.Regular() && !e.Sparse}
}

// local is a member's name as others refer to it: tar packs the folder in which
// it is called as "./", and folders with or without a slash.
func local(e *tar.Entry) string {
	name := e.Name
	for strings.HasPrefix(name, "./") && len(name) > 2 {
		name = name[2:]
	}
	if e.Type == tar.Folder && !strings.HasSuffix(name, "/") {
		name += "/"
	}
	return name
}

// each calls fn with every member.
func (t *tape) each(r *tar.Reader, fn func(e *tar.Entry) error) error {
	for n := 0; ; n++ {
		e, err := r.Next()
		if err == io.EOF {
			return nil
		}
		if err == nil && n == maxMembers {
			err = format.Exceededf(e.Header, "the archive has more than %d members", maxMembers)
		}
		if err == nil {
			err = t.p.Step(1)
		}
		if err == nil {
			err = fn(e)
		}
		if err != nil {
			return err
		}
	}
}

// judge judges what a member is.
func (t *tape) judge(e *tar.Entry) {
	t.doubts(e.Doubts)
	switch e.Type {
	case tar.File, tar.Contiguous, tar.Folder:
	case tar.Hard, tar.Symbolic:
		t.p.Find(t.f, inspect.Finding{Rule: ruleLink, Verdict: inspect.Suspicious, Offset: e.Header, What: e.Name + " to " + e.Target,
			Why: "it is a link; it was not followed"})
	case tar.Char, tar.Block, tar.Pipe:
		t.p.Find(t.f, inspect.Finding{Rule: ruleLink, Verdict: inspect.Suspicious, Offset: e.Header, What: e.Name, Why: "it is a device or a pipe"})
	default:
		t.doubts([]tar.Doubt{{Off: e.Header + 156, What: e.Name, Why: "it is of a type that readers do not share"}})
	}
}

func (t *tape) doubts(list []tar.Doubt) {
	for _, d := range list {
		what := d.What
		if what == "" {
			what = "tar"
		}
		t.p.Find(t.f, inspect.Finding{Rule: ruleDoubt, Verdict: inspect.Suspicious, Offset: d.Off, What: what, Why: d.Why})
	}
}

// inspect inspects a member. Whatever has data is: readers that do not know its
// type take it for a file.
func (t *tape) inspect(e *tar.Entry) error {
	switch e.Type {
	case tar.Hard, tar.Symbolic, tar.Char, tar.Block, tar.Folder, tar.Pipe:
		return nil
	}
	if e.Sparse {
		return t.p.Expand(t.f, local(e), unreadable{format.Unsupportedf(e.Header, "a sparse member is not put together")}, t)
	}
	part, err := t.part(local(e), e.Data, e.Size)
	if err != nil {
		return err
	}
	return t.p.Inspect(part)
}
