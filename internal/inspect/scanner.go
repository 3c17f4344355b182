package inspect

import (
	"context"
	"fmt"
	"io"

	"github.com/sallyport/sallyport"
)

// A Scanner inspects files on disk with a set of readings. Its methods may be
// used concurrently.
type Scanner struct {
	Readings []Reading
	Limits   Limits
	Explain  bool   // findings carry a trace
	Temp     string // folder for what does not fit in memory, encrypted; "": the system's
}

// Scan inspects size bytes of r as the file called name and returns what was
// found, also beside an error, which says that the file could not be read or
// the scan was stopped. Progress, which may be nil, is told of bytes that the
// last pass over the file has read.
func (s *Scanner) Scan(ctx context.Context, name string, r io.ReaderAt, size int64, around Around, progress func(n int)) (*Report, error) {
	if around == nil {
		around = nothing{}
	}
	d := &disk{r: r, size: size}
	report := &Report{Path: name, Size: size}
	p := &Pass{
		Explain: s.Explain, ctx: ctx, readings: s.Readings, limits: s.Limits.orDefault(), temp: s.Temp,
		disk: d, report: report, known: map[string]bool{},
	}
	f := &File{Name: name, Size: size, Around: around, r: r, disk: d}
	err := p.inspect(f)
	if err == nil {
		report.SHA256, err = p.sweep(f, progress)
	}
	report.sort()
	return report, err
}

// sweep makes the one pass over all bytes.
func (p *Pass) sweep(f *File, progress func(n int)) (digest sallyport.Digest, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			p.Find(f, Finding{Rule: ruleCrash, Verdict: Inconclusive, Offset: -1, What: "watch", Why: "a reader stopped in the middle of the file"})
			err = fmt.Errorf("the scanner has a fault: %v", fault)
		}
	}()
	return p.disk.sweep(p.ctx, progress)
}

func (l Limits) orDefault() Limits {
	if l.Expanded == 0 {
		l.Expanded = Default.Expanded
	}
	if l.Ratio == 0 {
		l.Ratio = Default.Ratio
	}
	if l.Members == 0 {
		l.Members = Default.Members
	}
	if l.Depth == 0 {
		l.Depth = Default.Depth
	}
	if l.Work == 0 {
		l.Work = Default.Work
	}
	return l
}
