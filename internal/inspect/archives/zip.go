package archives

import (
	"bytes"
	"cmp"
	"hash/crc32"
	"io"
	"slices"

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
	p     *inspect.Pass
	a     *zip.Archive
	spans []span
	twice map[int64]bool // headers of members that share bytes, and whether one was inspected
	last  int64          // behind the last member inspected
}

// A span is where a member lies.
type span struct{ from, to int64 }

func inspectZip(p *inspect.Pass, f *inspect.File) error {
	a, err := zip.Open(f, f.Size)
	if err != nil {
		return err
	}
	z := &zipped{p: p, a: a, twice: map[int64]bool{}}
	z.f, z.members.open = f, z.reopen
	if err := z.survey(); err != nil {
		return err
	}
	n := 0
	return z.each(func(e *zip.Entry) error {
		n++
		return z.inspect(e, n)
	})
}

// each calls fn with every entry of the directory.
func (z *zipped) each(fn func(e *zip.Entry) error) error {
	w := z.a.Walk()
	for n := 0; ; n++ {
		e, err := w.Next()
		if err == io.EOF {
			return nil
		}
		if err == nil && n == maxMembers {
			err = format.Exceededf(e.At, "the archive has more than %d members", maxMembers)
		}
		if err == nil {
			err = z.p.Step(1)
		}
		if err == nil {
			err = fn(e)
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
	err := z.each(func(e *zip.Entry) error {
		z.add(z.p, member{e.Name, e.At, e.Size, !e.Folder() && !e.Link()})
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
		if err == nil && len(z.spans) < maxKept {
			z.spans = append(z.spans, span{e.Header, l.End})
		}
		return err
	})
	if err != nil && !isFormat(err) {
		return err
	}
	z.settle(z.p)
	z.layout()
	return nil
}

// layout finds bytes that belong to several members or to none.
func (z *zipped) layout() {
	slices.SortFunc(z.spans, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	var end int64
	for i, s := range z.spans {
		switch {
		case s.from < end:
			z.twice[s.from] = false
			z.p.Find(z.f, inspect.Finding{Rule: ruleOverlap, Verdict: inspect.Suspicious, Offset: s.from, What: "zip",
				Why: "a member begins inside another; it was inspected at most once"})
		case s.from > end && !z.over && !(i == 0 && z.appended()):
			z.gap(end, s.from)
		}
		end = max(end, s.to)
	}
	if dir := z.a.Directory(); end < dir && !z.over && !(end == 0 && z.appended()) {
		z.gap(end, dir)
	}
}

func (z *zipped) gap(from, to int64) {
	z.doubts([]zip.Doubt{{Off: from, Why: "bytes stand there that belong to no member in the directory: readers that go from the front may find members in them"}})
}

// appended reports whether the archive stands behind a TFLite model, where the
// model's own tools put its labels and vocabulary. The model is another reading
// of the file.
func (z *zipped) appended() bool {
	var b [8]byte
	_, err := z.f.ReadAt(b[:], 0)
	return err == nil && string(b[4:]) == "TFL3"
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
func (z *zipped) inspect(e *zip.Entry, n int) error {
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
	if done, shares := z.twice[e.Header]; shares || n > maxKept && e.Header < z.last {
		if done || n > maxKept {
			return nil
		}
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
	return format.Is(err, format.Broken) || format.Is(err, format.Unsupported) || format.Is(err, format.Exceeded)
}
