// Package project reads a project: the sallyport.yaml that says what a
// project's stages run, read and write, the code as it lies in its git work
// tree, its parameters and the metrics that its stages leave behind.
//
// Everything it reads was written by somebody else, so every reader is bounded
// and strict: what is not understood is refused with its place.
package project

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/sallyport/sallyport"
)

// FileName is the name of the file that makes a folder a project.
const FileName = "sallyport.yaml"

// A Project is a sallyport.yaml that has been read and checked.
//
// All paths in it are relative to Dir, use slashes, are clean and stay inside
// Dir. A trailing slash in Reads and Writes means a folder.
type Project struct {
	Name    string
	Dir     string  // absolute host path of the folder that holds sallyport.yaml
	Python  string  // the lock file; empty means a bare interpreter
	Params  string  // the parameter file; empty means none
	Data    []Input // in the order of the file
	Stages  []Stage // in the order of the file
	Limits  Limits
	Network []string // hosts that may be reached: "host" or "host:port"
	Builds  bool     // source distributions may be built, which runs their code
}

// An Input is a dataset and the path at which the code opens it.
type Input struct {
	Path    string
	Dataset sallyport.Ref
}

// A Stage is one command of a project.
type Stage struct {
	Name    string
	Run     string   // one command line, for a shell
	Reads   []string // inputs and earlier outputs that the stage sees, and files of the code
	Writes  []string // the only places that it may write to
	After   []string // stages that come before it
	Metrics string   // the file that it writes its metrics to; empty means none
	Limits  Limits   // the project's limits, with the stage's own laid over them
	Shards  int      // how many groups the subjects are dealt to, with a run of the command for each; 0: everybody together
	Shard   int      // of what Order returns: which of Shards this is, from 1; 0: not one of them
}

// Limits bound a stage. Zero means the default of whatever runs it.
type Limits struct {
	CPU       float64       // cores
	Memory    int64         // bytes
	Time      time.Duration // wall clock
	Processes int
	FileSize  int64 // bytes of the largest file it may write
}

// maxFile bounds sallyport.yaml, in bytes. Real ones have a hundredth of it.
const maxFile = 64 << 10

// Load reads the project that dir belongs to: its sallyport.yaml lies in dir or
// in the nearest folder above it that has one, no higher than the root of the
// git repository. The error is of kind NotFound if there is none, and Invalid,
// with file, line, column and the line itself, if it cannot be read.
func Load(dir string) (*Project, error) {
	root, err := find(dir)
	if err != nil {
		return nil, err
	}
	b, err := readBounded(filepath.Join(root, FileName), maxFile)
	if err != nil {
		return nil, err
	}
	p, err := parse(b, func(path string) bool {
		_, err := os.Lstat(filepath.Join(root, filepath.FromSlash(path)))
		return err == nil
	})
	if err != nil {
		return nil, err
	}
	p.Dir = root
	return p, nil
}

// find returns the folder that holds the sallyport.yaml for dir.
func find(dir string) (string, error) {
	start, err := filepath.Abs(dir)
	if err != nil {
		return "", sallyport.Errorf(sallyport.Internal, "cannot resolve the folder: %w", err)
	}
	// Symbolic links are resolved first: git speaks of the real path.
	if start, err = filepath.EvalSymlinks(start); err != nil {
		return "", sallyport.Errorf(sallyport.NotFound, "no such folder").At("%s", dir).Try("give the folder of a project")
	}
	for d := start; ; d = filepath.Dir(d) {
		if _, err := os.Lstat(filepath.Join(d, FileName)); err == nil {
			return d, nil
		}
		if _, err := os.Lstat(filepath.Join(d, ".git")); err == nil || d == filepath.Dir(d) {
			return "", sallyport.Errorf(sallyport.NotFound, "no %s here or in a folder above, up to the root of the repository", FileName).
				At("%s", dir).Try("run sallyport init in the folder of the project")
		}
	}
}

// readBounded reads a regular file of at most limit bytes.
func readBounded(path string, limit int64) ([]byte, error) {
	name := filepath.Base(path)
	// Stat first: opening a named pipe would wait for a writer for ever.
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return nil, sallyport.Errorf(sallyport.Invalid, "not a regular file").At("%s", name)
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, sallyport.Errorf(sallyport.NotFound, "no such file").At("%s", name)
	}
	if err != nil {
		return nil, sallyport.Errorf(sallyport.Invalid, "cannot be opened: %w", errors.Unwrap(err)).At("%s", name)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, sallyport.Errorf(sallyport.Invalid, "cannot be read: %w", err).At("%s", name)
	}
	if int64(len(b)) > limit {
		return nil, sallyport.Errorf(sallyport.Limit, "longer than %d KiB", limit>>10).At("%s", name)
	}
	return b, nil
}
