package scan

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	"github.com/sallyport/sallyport/internal/inspect"
)

// ruleLink is for what a folder holds besides files.
var ruleLink = &Rule{ID: "link", Title: "A link or a special file is not followed.", CWE: 59,
	Mend: "scan the place that it leads to, or put a copy of the file there"}

// errIrregular is the error of a path that is neither file nor folder.
var errIrregular = errors.New("it is neither a file nor a folder")

// Path scans a file, or every file of a folder and those below it, and calls
// each with every report, in the order of their names. A file that cannot be
// read has a report with an error beside it, and the scan goes on; Path's own
// error says that it did not come to its end. Links inside a folder are not
// followed, and pass only if they lead to what is scanned; path itself may be
// one.
func (s *Scanner) Path(ctx context.Context, path string, each func(*Report, error)) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if info.IsDir() {
		root, err := os.OpenRoot(path)
		if err != nil {
			return err
		}
		defer root.Close()
		return s.Folder(ctx, root, func(r *Report, err error) {
			r.Path = filepath.Join(path, filepath.FromSlash(r.Path))
			each(r, err)
		})
	}
	if !info.Mode().IsRegular() {
		return &fs.PathError{Op: "scan", Path: path, Err: errIrregular}
	}
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return err
	}
	root, err := os.OpenRoot(filepath.Dir(real))
	if err != nil {
		return err
	}
	defer root.Close()
	r, err := s.File(ctx, root, filepath.Base(real))
	if ctx.Err() != nil {
		return ctx.Err()
	}
	r.Path = path
	each(r, err)
	return nil
}

// Folder scans every file below root, as Path does.
func (s *Scanner) Folder(ctx context.Context, root *os.Root, each func(*Report, error)) error {
	folder := &inspect.Folder{Root: root}
	if err := folder.Err(); err != nil {
		return err
	}
	for _, name := range folder.Links() {
		r := &Report{Path: name, Verdict: Inconclusive}
		why := ruleLink.Title
		if leadsInside(root, name) {
			r.Verdict, why = Allowed, "It leads to what is scanned under its own name."
		}
		r.Findings = []Finding{{Rule: ruleLink, Verdict: r.Verdict, Offset: -1, What: "link", Why: why, Times: 1}}
		each(r, nil)
	}
	return s.ordered(ctx, folder.Names(), func(name string) (*Report, error) { return s.file(ctx, folder, name) }, each)
}

// leadsInside reports whether a name is a link that leads to a file or folder
// below root, where it is scanned. Root follows no link that leaves it.
func leadsInside(root *os.Root, name string) bool {
	link, err := root.Lstat(name)
	if err != nil || link.Mode()&fs.ModeSymlink == 0 {
		return false
	}
	to, err := root.Stat(name)
	return err == nil && (to.Mode().IsRegular() || to.IsDir())
}

// ordered does work on every name, some at once, and calls each in order.
func (s *Scanner) ordered(ctx context.Context, names []string, work func(string) (*Report, error), each func(*Report, error)) error {
	type result struct {
		r   *Report
		err error
	}
	at := min(runtime.GOMAXPROCS(0), 4)
	results := make(chan chan result, at) // bounds how far work runs ahead of each
	var wg sync.WaitGroup
	wg.Go(func() {
		defer close(results)
		for _, name := range names {
			if ctx.Err() != nil {
				return
			}
			one := make(chan result, 1)
			results <- one
			wg.Go(func() {
				r, err := work(name)
				one <- result{r, err}
			})
		}
	})
	for one := range results {
		if got := <-one; ctx.Err() == nil {
			each(got.r, got.err)
		}
	}
	wg.Wait()
	return ctx.Err()
}

// File scans the file called name, a slash path below root, with what lies
// beside it. The report is there also beside an error.
func (s *Scanner) File(ctx context.Context, root *os.Root, name string) (*Report, error) {
	return s.file(ctx, &inspect.Folder{Root: root}, name)
}

func (s *Scanner) file(ctx context.Context, folder *inspect.Folder, name string) (*Report, error) {
	f, err := folder.Root.Open(name)
	if err != nil {
		return &Report{Path: name}, err
	}
	defer f.Close()
	before, err := f.Stat()
	if err == nil && !before.Mode().IsRegular() {
		err = &fs.PathError{Op: "scan", Path: name, Err: errIrregular}
	}
	if err != nil {
		return &Report{Path: name}, err
	}
	r, err := s.scan(ctx, name, f, before.Size(), folder)
	if err != nil {
		return r, err
	}
	after, err := f.Stat()
	if err == nil && (after.Size() != before.Size() || !after.ModTime().Equal(before.ModTime())) {
		err = fmt.Errorf("%s: %w", name, errChanged)
	}
	return r, err
}
