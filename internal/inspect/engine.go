package inspect

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
)

// The engine's own rules.
var (
	ruleBroken = &Rule{ID: "broken", Title: "The file is not what its format demands, or ends early.",
		Mend: "get the file again from where it was made; a file that is not whole proves nothing", CWE: 502}
	ruleUnsupported = &Rule{ID: "unsupported", Title: "The file uses a part of its format that the scanner cannot follow.",
		Mend: "have it written in another format, or have a reviewer waive this very file"}
	ruleLimit = &Rule{ID: "limit", Title: "A limit was reached before the file was read to its end.",
		Mend: "have it written smaller or less nested, or have a reviewer waive this very file", CWE: 409}
	ruleUnknown = &Rule{ID: "unknown-format", Title: "No reader knows this format.",
		Mend: "leave it out, write it in a format that is known, or have a reviewer waive this very file"}
	ruleName = &Rule{ID: "name-lies", Title: "The name promises another format than the bytes are.",
		Mend: "find out why; programs that go by the name and programs that go by the bytes read different things", CWE: 351}
	rulePolyglot = &Rule{ID: "polyglot", Title: "The bytes are valid in more than one format.",
		Mend: "have it written again by the library that it belongs to", CWE: 351}
	ruleCrash = &Rule{ID: "scanner-fault", Title: "The scanner has a fault that this file brings to light.",
		Mend: "do not load the file, and send it to the makers of the scanner if you may"}
)

// Rules lists the engine's own rules.
var Rules = []*Rule{ruleBroken, ruleUnsupported, ruleLimit, ruleUnknown, ruleName, rulePolyglot, ruleCrash}

// inspect tries every reading of a file.
func (p *Pass) inspect(f *File) error {
	head := make([]byte, min(f.Size, 4096))
	if n, err := f.ReadAt(head, 0); n < len(head) {
		return fmt.Errorf("the file ended while it was read: %w", err)
	}
	var accepted []Reading
	for _, generic := range []bool{false, true} {
		if generic && len(accepted) > 0 {
			break
		}
		for _, r := range p.readings {
			if r.Generic != generic || r.match(f, head) == No {
				continue
			}
			ok, err := p.try(r, f)
			if err != nil {
				return err
			}
			if ok {
				accepted = append(accepted, r)
				if generic {
					break
				}
			}
		}
	}
	p.formats(f, accepted)
	p.judgeReadings(f, accepted)
	return nil
}

// judgeReadings finds fault with a file that is nothing, several things, or not
// what it is called.
func (p *Pass) judgeReadings(f *File, accepted []Reading) {
	if len(accepted) == 0 && f.Size > 0 {
		p.Find(f, Finding{Rule: ruleUnknown, Verdict: Inconclusive, What: "unknown", Why: "what a program does with it cannot be told"})
	}
	exclusive := slices.DeleteFunc(slices.Clone(accepted), func(r Reading) bool { return r.Wraps })
	if len(exclusive) > 1 {
		p.Find(f, Finding{Rule: rulePolyglot, Verdict: Suspicious, What: strings.Join(names(exclusive), " and "),
			Why: "which of them a program reads depends on the program"})
	}
	ext := f.Ext()
	owns := func(r Reading) bool { return slices.Contains(r.Extensions, ext) }
	if f.Size > 0 && ext != "" && slices.ContainsFunc(p.readings, owns) && !slices.ContainsFunc(accepted, owns) {
		is := strings.Join(names(accepted), " and ")
		if is == "" {
			is = "of no known format"
		}
		p.Find(f, Finding{Rule: ruleName, Verdict: Suspicious, What: ext, Why: "its bytes are " + is})
	}
}

func names(readings []Reading) []string {
	var out []string
	for _, r := range readings {
		out = append(out, r.Format)
	}
	return out
}

// match is Match, where a reader that fails says no: Inspect of the others, or
// the file being unknown, tells what is wrong.
func (r Reading) match(f *File, head []byte) (fit Fit) {
	defer func() {
		if recover() != nil {
			fit = Maybe // Inspect meets the same fault and says so
		}
	}()
	return r.Match(f, head)
}

// try inspects a file as one format and reports whether it was of that format.
func (p *Pass) try(r Reading, f *File) (accepted bool, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			p.Find(f, Finding{Rule: ruleCrash, Verdict: Inconclusive, What: r.Format, Why: "its reader stopped in the middle of the file"})
			accepted, err = true, nil
		}
	}()
	err = r.Inspect(p, f)
	if errors.Is(err, ErrNotThis) {
		return false, nil
	}
	return true, p.ended(f, err)
}

// pour reads r to its end into fn by large pieces, the next while fn has one.
func pour(r io.Reader, fn func([]byte) error) error {
	type piece struct {
		data []byte
		err  error
	}
	free, full, stop := make(chan []byte, 2), make(chan piece), make(chan struct{})
	free <- make([]byte, 1<<20)
	free <- make([]byte, 1<<20)
	var reading sync.WaitGroup
	defer reading.Wait()
	defer close(stop)
	reading.Go(func() {
		for {
			var buf []byte
			select {
			case buf = <-free:
			case <-stop:
				return
			}
			n, err := r.Read(buf)
			select {
			case full <- piece{buf[:n], err}:
			case <-stop:
				return
			}
			if err != nil {
				return
			}
		}
	})
	for {
		p := <-full
		if len(p.data) > 0 {
			if err := fn(p.data); err != nil {
				return err
			}
		}
		if p.err == io.EOF {
			return nil
		}
		if p.err != nil {
			return p.err
		}
		free <- p.data[:cap(p.data)]
	}
}
