package evidence

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
)

// VerifyModel verifies the OpenSSF Model Signing bundle in the file signature
// and then that dir holds the files it lists, unchanged, and no others.
// Symbolic links are followed only if the signature says so, and never out of
// dir. An error of kind Refused says which files differ.
func VerifyModel(dir, signature string, believe Authority) (*Model, error) {
	data, err := readFile(signature, maxEvidence)
	if err != nil {
		return nil, err
	}
	m, err := OpenModel(signature, data, believe)
	if err != nil {
		return nil, err
	}
	root, err := openFolder(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	d, err := m.compare(root, below(dir, signature))
	if err != nil {
		return nil, err
	}
	return m, d.err(dir)
}

// below returns file's slash-separated path below dir, or a path that no file
// below dir has.
func below(dir, file string) string {
	dir, err1 := filepath.Abs(dir)
	file, err2 := filepath.Abs(file)
	inside, err3 := filepath.Rel(dir, file)
	if errors.Join(err1, err2, err3) != nil {
		return ".."
	}
	return filepath.ToSlash(inside)
}

// compare reads every file below root that m does not ignore. The signature's
// own file is ignored wherever it lies.
func (m *Model) compare(root *os.Root, own string) (Difference, error) {
	var d Difference
	missing := maps.Clone(m.files)
	skip := func(name string) bool { return name == own || under(m.ignore, name) || under(unsigned, name) }
	err := walk(root, m.links, skip, func(name string) error {
		parts, ok := m.files[name]
		if !ok {
			d.Extra.add(name)
			return nil
		}
		delete(missing, name)
		same, err := matches(root, name, m.links, parts)
		if err == nil && !same {
			d.Changed.add(name)
		}
		return err
	})
	for name := range missing {
		d.Missing.add(name)
	}
	return d, err
}

// matches reports whether the file is its parts, one after another and to its
// end. It reads in small pieces, whatever the size of a part.
func matches(root *os.Root, name string, links bool, parts []part) (bool, error) {
	f, err := openFile(root, name, links)
	if err != nil {
		return false, err
	}
	defer f.Close()
	for _, p := range parts {
		var r io.Reader = f
		if p.end != wholeFile {
			r = io.LimitReader(f, p.end-p.start)
		}
		h := p.new()
		n, err := io.Copy(h, r)
		if err != nil {
			return false, unread(name, err)
		}
		if p.end != wholeFile && n != p.end-p.start || !bytes.Equal(h.Sum(nil), p.digest) {
			return false, nil
		}
	}
	n, err := io.CopyN(io.Discard, f, 1)
	if err != nil && !errors.Is(err, io.EOF) {
		return false, unread(name, err)
	}
	return n == 0, nil
}
