package evidence

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"syscall"

	"github.com/sallyport/sallyport"
)

// walk calls visit for every file below root, by slash-separated path, in no
// particular order. What skip reports is passed over, folders with all they
// hold. Anything that is neither a file nor a folder is an error; so is a
// symbolic link, unless links lets those count that lead to a file below root.
func walk(root *os.Root, links bool, skip func(string) bool, visit func(string) error) error {
	folders := []string{"."}
	for len(folders) > 0 {
		last := len(folders) - 1
		dir := folders[last]
		folders = folders[:last]
		err := list(root, dir, func(entry fs.DirEntry) error {
			name := path.Join(dir, entry.Name())
			if skip(name) {
				return nil
			}
			mode, err := stat(root, name, links)
			if err != nil {
				return err
			}
			if mode.IsDir() {
				folders = append(folders, name)
				return nil
			}
			return visit(name)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// list calls visit for each entry of dir, a few hundred at a time.
func list(root *os.Root, dir string, visit func(fs.DirEntry) error) error {
	f, err := root.Open(dir)
	if err != nil {
		return unread(dir, err)
	}
	defer f.Close()
	for {
		entries, err := f.ReadDir(256)
		for _, entry := range entries {
			if err := visit(entry); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return unread(dir, err)
		}
	}
}

// stat returns what name is: a file or a folder, or an error.
func stat(root *os.Root, name string, links bool) (fs.FileMode, error) {
	info, err := root.Lstat(name)
	if err != nil {
		return 0, unread(name, err)
	}
	if info.Mode().Type() == fs.ModeSymlink && links {
		if info, err = root.Stat(name); err == nil && info.Mode().IsRegular() {
			return info.Mode(), nil
		}
		return 0, irregular(name, "a symbolic link that does not lead to a file of the folder")
	}
	switch info.Mode().Type() {
	case 0, fs.ModeDir:
		return info.Mode(), nil
	case fs.ModeSymlink:
		return 0, irregular(name, "a symbolic link")
	}
	return 0, irregular(name, "neither a file nor a folder")
}

// openFile opens a file below root and checks that what it opened is the
// regular file that was there before: between a look and an opening somebody
// may put a link or a pipe in its place. Opening does not wait for a pipe's
// other end.
func openFile(root *os.Root, name string, links bool) (*os.File, error) {
	look := root.Lstat
	if links {
		look = root.Stat
	}
	before, err := look(name)
	if err != nil {
		return nil, unread(name, err)
	}
	if !before.Mode().IsRegular() {
		return nil, irregular(name, "not a file")
	}
	f, err := root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, unread(name, err)
	}
	after, err := f.Stat()
	if err != nil || !os.SameFile(before, after) {
		f.Close()
		return nil, irregular(name, "changing while it is read")
	}
	return f, nil
}

// openFolder opens the folder that is to be verified.
func openFolder(dir string) (*os.Root, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, sallyport.Errorf(sallyport.NotFound, "cannot be opened as a folder: %w", bare(err)).At("%s", dir).
			Try("give the folder that holds the model's files and %s", SignatureFile)
	}
	return root, nil
}

// readFile reads a whole file of at most limit bytes.
func readFile(name string, limit int) ([]byte, error) {
	root, err := openFolder(filepath.Dir(name))
	if err != nil {
		return nil, err
	}
	defer root.Close()
	return readBelow(root, filepath.Base(name), limit)
}

func readBelow(root *os.Root, name string, limit int) ([]byte, error) {
	f, err := openFile(root, name, false)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, int64(limit)+1))
	if err != nil {
		return nil, unread(name, err)
	}
	if len(data) > limit {
		return nil, tooLarge(name, limit)
	}
	return data, nil
}

// unread says that name could not be read: it is not there, or it is unknown
// what it holds.
func unread(name string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return sallyport.Errorf(sallyport.NotFound, "there is no such file").At("%q", name).
			Try("get the folder again from where it was made")
	}
	return sallyport.Errorf(sallyport.Unknown, "cannot be read: %w", bare(err)).At("%q", name).
		Try("make the folder and its files readable, and verify again")
}

func irregular(name, what string) error {
	return sallyport.Errorf(sallyport.Refused, "is %s; a model folder holds files only", what).At("%q", name).
		Try("get the folder again from where it was made")
}

// bare strips the path that the os package puts into its errors: the place
// says it already.
func bare(err error) error {
	if pathError, ok := errors.AsType[*fs.PathError](err); ok {
		return pathError.Err
	}
	return err
}
