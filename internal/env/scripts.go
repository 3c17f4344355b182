package env

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/sallyport/sallyport/internal/dist"
	"github.com/sallyport/sallyport/internal/lazyregexp"
)

var (
	entryName = lazyregexp.New(`^[A-Za-z0-9_][A-Za-z0-9_. -]*$`)
	entryForm = lazyregexp.New(`^([A-Za-z_][A-Za-z0-9_.]*)\s*:\s*([A-Za-z_][A-Za-z0-9_]*)((?:\.[A-Za-z_][A-Za-z0-9_]*)*)\s*(?:\[.*\])?$`)
)

// rewriteScripts makes the programs in bin point at /env. Those that stand for
// an entry point are written anew, since every version of every installer words
// them in its own way; others get a new first line.
func (b *build) rewriteScripts() error {
	dirs, err := b.distInfos()
	if err != nil {
		return err
	}
	for _, dir := range dirs {
		if err := b.entryPoints(dir); err != nil {
			return err
		}
	}
	bin := filepath.Join(b.tree(), "bin")
	entries, err := os.ReadDir(bin)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Type().IsRegular() {
			if err := b.rewriteFirstLine(filepath.Join(bin, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// entryPoints writes the programs that a package's entry_points.txt names.
func (b *build) entryPoints(dir string) error {
	text, err := readFile(filepath.Join(dir, "entry_points.txt"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return dist.Entries(bytes.NewReader(text), func(e dist.Entry) error {
		m := entryForm.FindStringSubmatch(e.Value)
		if !e.Script() || !entryName.MatchString(e.Name) || m == nil {
			return nil
		}
		script := filepath.Join(b.tree(), "bin", e.Name)
		if info, err := os.Lstat(script); err != nil || !info.Mode().IsRegular() {
			return nil // the installer knew better; what it did not write is not missed
		}
		content := fmt.Sprintf("#!%s/bin/python\nimport sys\nfrom %s import %s\nif __name__ == \"__main__\":\n    sys.exit(%s%s())\n", Mount, m[1], m[2], m[2], m[3])
		return replace(script, []byte(content), 0o755)
	})
}

// rewriteFirstLine replaces a first line that names a python below the build's folder. For
// long paths installers write three lines that are both shell and Python.
func (b *build) rewriteFirstLine(script string) error {
	f, err := os.Open(script)
	if err != nil {
		return err
	}
	start := make([]byte, 2)
	_, err = io.ReadFull(f, start)
	f.Close()
	if err != nil || string(start) != "#!" {
		return nil // a compiled program, or nothing
	}
	text, err := readFile(script)
	if err != nil {
		return err
	}
	lines := bytes.SplitN(text, []byte("\n"), 4)
	own := []byte(b.dir)
	body := -1
	switch {
	case bytes.Contains(lines[0], own):
		body = 1
	case len(lines) == 4 && bytes.HasPrefix(lines[1], []byte("'''exec' ")) && bytes.Contains(lines[1], own):
		body = 3
	default:
		return nil
	}
	out := append([]byte("#!"+Mount+"/bin/python\n"), bytes.Join(lines[body:], []byte("\n"))...)
	return replace(script, out, 0o755)
}
