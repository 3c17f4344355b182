package scan

import (
	"bytes"
	"context"
	"errors"
	"io"
	"time"

	"github.com/sallyport/sallyport/internal/inspect"
)

// What a scan says. See package inspect for the fields.
type (
	Verdict = inspect.Verdict
	Report  = inspect.Report
	Finding = inspect.Finding
	Rule    = inspect.Rule
	Limits  = inspect.Limits
)

// The verdicts, from best to worst. The first two pass.
const (
	Inert        = inspect.Inert
	Allowed      = inspect.Allowed
	Inconclusive = inspect.Inconclusive
	Suspicious   = inspect.Suspicious
	Malicious    = inspect.Malicious
)

// Options say how to scan. The zero value is what most want.
type Options struct {
	Explain bool     // findings carry what stands around them in the file
	Limits  Limits   // zero fields: the defaults
	Temp    string   // folder for unpacked members; "": the system's
	Waivers []Waiver // findings that somebody accepted; whoever signed them was checked before
	// Progress, if set, is told of bytes that were read. It may be called
	// concurrently.
	Progress func(n int)
}

// A Scanner scans. It may be used concurrently.
type Scanner struct {
	engine   inspect.Scanner
	waivers  []Waiver
	progress func(n int)
}

// New returns a Scanner.
func New(o Options) *Scanner {
	return &Scanner{
		engine:   inspect.Scanner{Readings: readings(), Limits: o.Limits, Explain: o.Explain, Temp: o.Temp},
		waivers:  o.Waivers,
		progress: o.Progress,
	}
}

// Bytes scans data as the file called name.
func (s *Scanner) Bytes(ctx context.Context, name string, data []byte) (*Report, error) {
	return s.Reader(ctx, name, bytes.NewReader(data), int64(len(data)))
}

// Reader scans size bytes of r as the file called name. What would lie beside
// the file on a disk is not there: references to other files are findings.
func (s *Scanner) Reader(ctx context.Context, name string, r io.ReaderAt, size int64) (*Report, error) {
	return s.scan(ctx, name, r, size, nil)
}

func (s *Scanner) scan(ctx context.Context, name string, r io.ReaderAt, size int64, around inspect.Around) (*Report, error) {
	report, err := s.engine.Scan(ctx, name, r, size, around, s.progress)
	if err == nil {
		apply(s.waivers, report, time.Now())
	}
	return report, err
}

// Worst returns the worst verdict of reports; of none it is Inert.
func Worst(reports []*Report) Verdict {
	worst := Inert
	for _, r := range reports {
		worst = max(worst, r.Verdict)
	}
	return worst
}

var errChanged = errors.New("the file changed while it was scanned")
