package inspect

import (
	"context"
	"errors"
	"io"
	"slices"

	"github.com/sallyport/sallyport/internal/format"
)

// Limits bound the work on one file on disk. Zero fields mean the default.
type Limits struct {
	Expanded int64 // bytes that all its members have together, uncompressed
	Ratio    int64 // expanded bytes for each byte on disk, beyond the first GiB
	Members  int   // files inside it, at any depth
	Depth    int   // containers within containers
	Work     int64 // steps of inspectors
}

// Default are the limits for honest files of any size.
var Default = Limits{Expanded: 256 << 30, Ratio: 200, Members: 1_000_000, Depth: 12, Work: 2 << 30}

// free is how many bytes may be expanded before the ratio counts.
const free = 1 << 30

// A Pass is the inspection of one file on disk. Inspectors report to it, hand it
// what they find inside, and ask it whether they may go on. A Pass is not for
// concurrent use.
type Pass struct {
	Explain bool // findings shall carry a trace

	ctx      context.Context
	readings []Reading
	limits   Limits
	temp     string
	disk     *disk
	report   *Report
	known    map[string]bool // globals in the report
	copying  []byte          // what Keep copies by
	used     struct {
		expanded, work int64
		members        int
	}
}

// Find reports a finding about f. Its Member is filled in.
func (p *Pass) Find(f *File, found Finding) {
	found.Member = f.Member
	p.report.add(found)
}

// Global records that the file names code, which is "module name", and that it
// is thereby allowed at best. Whether it may is for the inspector to find.
func (p *Pass) Global(name string) {
	p.Allow()
	name = clean(name, 2*maxWhat)
	switch {
	case p.known[name]:
	case len(p.known) >= maxGlobals:
		p.report.Dropped++
	default:
		p.known[name] = true
		p.report.Globals = append(p.report.Globals, name)
	}
}

// Allow says that the file names code that is known to be harmless, so that it
// is more than inert.
func (p *Pass) Allow() { p.report.Verdict = max(p.report.Verdict, Allowed) }

// Step counts n units of work, roughly one for each opcode, token or node. Its
// error says that the file was given up or the scan was stopped.
func (p *Pass) Step(n int) error {
	before := p.used.work
	p.used.work += int64(n)
	if p.used.work > p.limits.Work {
		return format.Exceededf(-1, "the work on this file reached its limit of %d steps", p.limits.Work)
	}
	if before>>16 != p.used.work>>16 {
		return p.ctx.Err()
	}
	return nil
}

// Inspect inspects a file inside another: a section of it or a file from
// Around.Open. Findings go into the report; the error is only for what must end
// the pass.
func (p *Pass) Inspect(f *File) error {
	if err := p.enter(f); err != nil {
		return p.ended(f, err)
	}
	return p.inspect(f)
}

// Expand inspects what r yields as a member of f called name, whose siblings
// around holds. What r yields is kept in memory, or encrypted under a key that
// is in memory only, and is gone when Expand returns. An error of r that is a
// *format.Error becomes a finding about the member, after what came before the
// error has been inspected.
func (p *Pass) Expand(f *File, name string, r io.Reader, around Around) error {
	child, broken := p.Keep(f, name, r, around)
	if child == nil {
		return p.ended(&File{Name: name, Member: f.inner(name)}, broken)
	}
	defer child.Close()
	if err := p.Inspect(child); err != nil {
		return err
	}
	if broken != nil {
		return p.ended(child, broken)
	}
	return nil
}

// Keep reads all of r as a member of f called name, for readers that need to
// move about in it; the caller closes it. With a *format.Error it returns also
// the file as far as it goes, if there is any.
func (p *Pass) Keep(f *File, name string, r io.Reader, around Around) (*File, error) {
	if around == nil {
		around = nothing{}
	}
	child := &File{Name: name, Member: f.inner(name), Around: around, depth: f.depth + 1}
	store := &spill{temp: p.temp}
	if p.copying == nil {
		p.copying = make([]byte, 64<<10)
	}
	_, err := io.CopyBuffer(struct{ io.Writer }{store}, &metered{p, r}, p.copying) // of one member at a time
	var e *format.Error
	if err != nil && !errors.As(err, &e) {
		store.Close()
		return nil, err
	}
	child.Size, child.r, child.close = store.size, store, store.Close
	return child, err
}

// metered counts what is expanded against the limits.
type metered struct {
	p *Pass
	r io.Reader
}

func (m *metered) Read(b []byte) (int, error) {
	n, err := m.r.Read(b)
	p := m.p
	p.used.expanded += int64(n)
	switch {
	case p.used.expanded > p.limits.Expanded:
		return n, format.Exceededf(-1, "its members have more than %d bytes together", p.limits.Expanded)
	case p.used.expanded > free && (p.used.expanded-free)/p.limits.Ratio > p.disk.size:
		return n, format.Exceededf(-1, "its members have more than %d times its size: it may be made to exhaust the reader", p.limits.Ratio)
	}
	if cerr := p.ctx.Err(); cerr != nil {
		return n, cerr
	}
	return n, err
}

// Watch has fn see the n bytes of f from off on, in order and in pieces that
// are valid during the call, and then done. For bytes that lie on disk as they
// are it happens after the inspection, in the one pass over the file that also
// computes its digest; for others at once. It is how large data is checked
// without being read twice. Findings about f may be reported from both.
func (p *Pass) Watch(f *File, off, n int64, fn func([]byte), done func()) error {
	if off < 0 || n < 0 || off > f.Size || n > f.Size-off {
		return format.Brokenf(off, "a part of %d bytes leaves the file", n)
	}
	if f.disk != nil && f.disk == p.disk {
		p.disk.watch(f.off+off, n, fn, done)
		return nil
	}
	r := io.NewSectionReader(f, off, n)
	buf := make([]byte, min(n+1, 64<<10))
	for {
		m, err := r.Read(buf)
		fn(buf[:m])
		if err == io.EOF {
			done()
			return nil
		}
		if err == nil {
			err = p.ctx.Err()
		}
		if err != nil {
			return err
		}
	}
}

// enter counts a member.
func (p *Pass) enter(f *File) error {
	p.used.members++
	p.report.Members++
	switch {
	case p.used.members > p.limits.Members:
		return format.Exceededf(-1, "it holds more than %d files", p.limits.Members)
	case f.depth > p.limits.Depth:
		return format.Exceededf(-1, "it lies in more than %d containers", p.limits.Depth)
	}
	return p.ctx.Err()
}

// ended makes a finding about f of the *format.Error that ended its reading;
// other errors it returns.
func (p *Pass) ended(f *File, err error) error {
	var e *format.Error
	if err == nil || !errors.As(err, &e) {
		return err
	}
	rules := [...]*Rule{format.Broken: ruleBroken, format.Unsupported: ruleUnsupported, format.Exceeded: ruleLimit}
	verdict := Inconclusive
	if e.Kind == format.Broken {
		verdict = Suspicious
	}
	p.Find(f, Finding{Rule: rules[e.Kind], Verdict: verdict, Offset: e.Off, What: e.Text, Why: rules[e.Kind].Title})
	return nil
}

// formats adds to what the file on disk is known to be.
func (p *Pass) formats(f *File, accepted []Reading) {
	if !f.OnDisk() {
		return
	}
	for _, r := range accepted {
		p.report.model = p.report.model || !(r.Plain || r.Generic)
		if !slices.Contains(p.report.Formats, r.Format) {
			p.report.Formats = append(p.report.Formats, r.Format)
		}
	}
}
