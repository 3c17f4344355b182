package dataset

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"

	"github.com/sallyport/sallyport"
)

// treeEntries bounds the files and folders of a window of a tree.
const treeEntries = 64 << 10

// A walker visits a tree in the order of paths, a batch of files and folders
// at a time: as many as fit into one window.
type walker struct {
	ctx     context.Context
	root    string
	pattern *regexp.Regexp
	batches chan batch
	batch   batch
	files   int64
}

// A batch is a stretch of a tree, not read yet.
type batch struct {
	found []found
	size  int // of the files that are not cut into parts
	err   error
}

// found is a file or folder that was met on the walk.
type found struct {
	file
	info   fs.FileInfo
	number int64  // of the file in the order of paths, from 1; folders have that of the file before
	sub    []byte // the subject; nil for a folder that is nobody's
	off    int    // where in the batch's memory the file goes
}

func (w *walker) walk() {
	defer close(w.batches)
	err := w.folder("")
	if err == nil || w.batch.err != nil {
		err = w.flush()
	}
	if err != nil && !errors.Is(err, errStopped) {
		w.batch = batch{err: err}
		w.flush()
	}
}

// errStopped ends a walk that nobody wants to go on.
var errStopped = errors.New("stopped")

func (w *walker) flush() error {
	if len(w.batch.found) == 0 && w.batch.err == nil {
		return nil
	}
	select {
	case w.batches <- w.batch:
		w.batch = batch{}
		return nil
	case <-w.ctx.Done():
		return errStopped
	}
}

// folder visits what is in a folder, given its slash path and a slash.
func (w *walker) folder(path string) error {
	names, err := os.ReadDir(filepath.Join(w.root, filepath.FromSlash(path)))
	if err != nil {
		return w.fault("a folder cannot be read: %w", cause(err))
	}
	for _, e := range names {
		if err := w.visit(path+e.Name(), e); err != nil {
			return err
		}
	}
	return nil
}

func (w *walker) visit(path string, e fs.DirEntry) error {
	info, err := e.Info()
	if err != nil {
		return w.fault("what comes next cannot be looked at: %w", cause(err))
	}
	f := found{info: info, file: file{path: path, dir: info.IsDir(), mode: info.Mode().Perm(), mtime: info.ModTime()}}
	switch {
	case f.dir:
		f.mode |= 0o700 // or what is in it could not be put back
		f.sub = subjectOf(w.pattern, &f.file)
	case !info.Mode().IsRegular():
		return w.fault("what comes next is a symbolic link or a special file").Try("put a copy of the file in its place, or take it out")
	default:
		w.files++
		f.size = info.Size()
		if f.sub = subjectOf(w.pattern, &f.file); f.sub == nil {
			return w.fault("the pattern finds no subject in its path, and a record without a subject could never be taken out again").
				Try("change --subject-pattern so that it finds the subject of every file, or take the file out")
		}
	}
	f.number = w.files
	small := 0
	if f.parts() == 0 {
		small = int(f.size)
	}
	if len(w.batch.found) == treeEntries || w.batch.size+small > windowSize {
		if err := w.flush(); err != nil {
			return err
		}
	}
	f.off = w.batch.size
	w.batch.size += small
	w.batch.found = append(w.batch.found, f)
	if f.dir {
		return w.folder(path + "/")
	}
	return nil
}

// fault says what is wrong with the file that the walk has come to, without
// its path, in which a subject may stand.
func (w *walker) fault(format string, args ...any) *sallyport.Error {
	return sallyport.Errorf(sallyport.Invalid, format, args...).At("%s: file %d in the order of names", w.root, w.files)
}

// cause takes the path off an error of the file system.
func cause(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	return err
}
