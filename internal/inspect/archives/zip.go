package archives

import (
	"bytes"
	"errors"
	"hash/crc32"
	"io"

	"github.com/sallyport/sallyport/internal/format"
	"github.com/sallyport/sallyport/internal/format/zip"
	"github.com/sallyport/sallyport/internal/inspect"
)

var zipReading = inspect.Reading{
	Format:     "zip",
	Extensions: []string{".zip", ".npz", ".keras", ".skops", ".pt2", ".mar", ".apk", ".jar", ".whl", ".egg"},
	Match:      matchZip,
	Inspect:    inspectZip,
}

// matchZip knows an archive by its beginning, and by an end that stands exactly
// at the end of the file: readers look there first, so what stands before does
// not matter to them.
func matchZip(f *inspect.File, head []byte) inspect.Fit {
	for _, magic := range []string{"PK\x03\x04", "PK\x05\x06", "PK\x07\x08PK"} {
		if bytes.HasPrefix(head, []byte(magic)) {
			return inspect.Yes
		}
	}
	if a, err := zip.Open(f, f.Size); err == nil && a.Trailing == 0 {
		return inspect.Yes
	}
	return inspect.No
}

// maxMembers is how many entries of a directory are followed.
const maxMembers = 1 << 20

// A zipped is an archive being inspected.
type zipped struct {
	members
	a     *zip.Archive
	spans spans
	loose int            // number of the first member whose place was not noted; 0: all were
	twice map[int64]bool // headers of members that share bytes, and whether one was inspected
	last  int64          // behind the last member inspected
}

// maxTwice is how many members that share bytes are told apart.
const maxTwice = 1 << 14

func inspectZip(p *inspect.Pass, f *inspect.File) error {
	z, err := openZip(p, f)
	if err != nil {
		return err
	}
	return z.whole()
}

func openZip(p *inspect.Pass, f *inspect.File) (*zipped, error) {
	a, err := zip.Open(f, f.Size)
	if err != nil {
		return nil, err
	}
	z := &zipped{a: a, twice: map[int64]bool{}}
	z.p, z.f, z.members.open = p, f, z.reopen
	z.members.each = func(fn func(member) error) error {
		return z.each(func(_ int, e *zip.Entry) error { return fn(remembered(e)) })
	}
	z.spans.inside = z.shared
	return z, nil
}

// whole inspects the archive and then its members.
func (z *zipped) whole() error {
	if err := z.survey(); err != nil {
		return err
	}
	return z.inspected(z.each(z.inspect))
}

// remembered is what is remembered of an entry.
func remembered(e *zip.Entry) member { return member{e.Name, e.At, e.Size, !e.Folder() && !e.Link()} }

// each calls fn with every entry of the directory and its number, from 1 on.
func (z *zipped) each(fn func(n int, e *zip.Entry) error) error {
	w := z.a.Walk()
	for n := 1; ; n++ {
		e, err := w.Next()
		if err == io.EOF {
			return nil
		}
		if err == nil && n > maxMembers {
			err = format.Exceededf(e.At, "the archive has more than %d members", maxMembers)
		}
		if err == nil {
			err = z.p.Step(1)
		}
		if err == nil {
			err = fn(n, e)
		}
		if err != nil {
			return err
		}
	}
}

// survey judges the archive as a whole, before anything in it is inspected.
func (z *zipped) survey() error {
	z.doubts(z.a.Doubts)
	if z.a.Trailing > 0 {
		z.p.Find(z.f, inspect.Finding{Rule: ruleTrailing, Verdict: inspect.Suspicious, Offset: z.f.Size - z.a.Trailing,
			What: "zip", Why: "bytes stand behind the end of the archive"})
	}
	err := z.each(func(n int, e *zip.Entry) error {
		z.add(remembered(e))
		z.doubts(e.Doubts)
		if e.Link() {
			z.p.Find(z.f, inspect.Finding{Rule: ruleLink, Verdict: inspect.Suspicious, Offset: e.At, What: e.Name,
				Why: "it stands for a link or a device; it was not followed"})
		}
		if e.Folder() && e.Size != 0 {
			z.doubts([]zip.Doubt{{Off: e.At, What: e.Name, Why: "it is a folder and has data"}})
		}
		l, err := z.a.Local(e)
		if isFormat(err) {
			return nil // it is met again, and told, when the member is inspected
		}
		if err == nil && z.loose == 0 && !z.spans.add(span{e.Header, l.End}) {
			z.loose = n
		}
		return err
	})
	if err == nil || isFormat(err) {
		err = z.settle()
	}
	if err != nil && !isFormat(err) {
		return err
	}
	z.layout()
	return nil
}

func (z *zipped) doubts(list []zip.Doubt) {
	for _, d := range list {
		what := d.What
		if what == "" {
			what = "zip"
		}
		z.p.Find(z.f, inspect.Finding{Rule: ruleDoubt, Verdict: inspect.Suspicious, Offset: d.Off, What: what, Why: d.Why})
	}
}

// inspect inspects the n-th member.
func (z *zipped) inspect(n int, e *zip.Entry) error {
	l, err := z.a.Local(e)
	if isFormat(err) {
		return z.p.Expand(z.f, e.Name, unreadable{err}, z)
	}
	if err != nil {
		return err
	}
	z.doubts(l.Doubts)
	if e.Folder() && e.Size == 0 && e.Compressed == 0 {
		return nil
	}
	if z.loose > 0 && n >= z.loose && e.Header < z.last {
		return nil // it may share bytes with others, which could have it inspected without end
	}
	if done, shares := z.twice[e.Header]; done {
		return nil
	} else if shares {
		z.twice[e.Header] = true
	}
	z.last = max(z.last, l.End)
	if e.Encrypted() {
		if !z.plain(e, l) {
			z.p.Find(z.f, inspect.Finding{Rule: ruleEncrypted, Verdict: inspect.Inconclusive, Offset: e.Header, What: e.Name, Why: "the member cannot be read without its password"})
			return nil
		}
		z.doubts([]zip.Doubt{{Off: e.At, What: e.Name, Why: "it is marked as encrypted and is not: programs that do not heed the mark read it"}})
	}
	if e.Method == zip.Stored && e.Size == e.Compressed {
		part, err := z.part(e.Name, l.Data, e.Size)
		if err != nil {
			return err
		}
		if err := z.checksum(part, e.CRC); err != nil {
			return err
		}
		return z.p.Inspect(part)
	}
	r, err := z.a.Data(e, l)
	if isFormat(err) {
		r = unreadable{err}
	} else if err != nil {
		return err
	}
	return z.p.Expand(z.f, e.Name, r, z)
}

// mostTried is how much of a member that is marked as encrypted is expanded to
// see whether it is.
const mostTried = 64 << 20

// plain reports whether a member's data is what the directory says although it
// is marked as encrypted.
func (z *zipped) plain(e *zip.Entry, l *zip.Local) bool {
	r, err := z.a.Data(e, l)
	if err != nil || e.Size > mostTried {
		return false
	}
	n, err := io.Copy(io.Discard, r)
	return err == nil && n == e.Size
}

// watched is the size from which a checksum waits for the one pass over the
// file; what is smaller is read at once, so that archives of many small members
// do not fill memory with what is to be watched.
const watched = 1 << 20

// checksum verifies a stored member.
func (z *zipped) checksum(part *inspect.File, want uint32) error {
	var sum uint32
	see := func(b []byte) { sum = crc32.Update(sum, crc32.IEEETable, b) }
	judge := func() {
		if sum != want {
			z.p.Find(part, inspect.Finding{Rule: ruleDoubt, Verdict: inspect.Suspicious, Offset: 0, What: "checksum",
				Why: "the member's bytes are not those whose checksum the directory has: programs that check it refuse what others load"})
		}
	}
	if part.Size >= watched {
		return z.p.Watch(part, 0, part.Size, see, judge)
	}
	buf := make([]byte, min(part.Size, 32<<10))
	_, err := io.CopyBuffer(struct{ io.Writer }{watcher(see)}, struct{ io.Reader }{part.Reader()}, append(buf, 0))
	judge()
	return err
}

// A watcher is a Write that cannot fail.
type watcher func([]byte)

func (w watcher) Write(b []byte) (int, error) {
	w(b)
	return len(b), nil
}

// reopen reads a member for another that refers to it.
func (z *zipped) reopen(m member) (*inspect.File, error) {
	e, err := z.a.At(m.at)
	if err != nil {
		return nil, err
	}
	l, err := z.a.Local(e)
	if err != nil {
		return nil, err
	}
	if e.Method == zip.Stored && e.Size == e.Compressed {
		return z.part(e.Name, l.Data, e.Size)
	}
	r, err := z.a.Data(e, l)
	if err != nil {
		return nil, err
	}
	return keep(z.p, z.f, e.Name, r, z)
}

// keep expands a member for another that refers to it. One that breaks is not
// handed out.
func keep(p *inspect.Pass, f *inspect.File, name string, r io.Reader, around inspect.Around) (*inspect.File, error) {
	file, err := p.Keep(f, name, r, around)
	if err != nil && file != nil {
		file.Close()
		return nil, err
	}
	return file, err
}

// isFormat reports whether err is about the file's bytes.
func isFormat(err error) bool {
	return err != nil && errors.As(err, new(*format.Error))
}
