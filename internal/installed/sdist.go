package installed

import (
	"archive/tar"
	"compress/bzip2"
	"compress/gzip"
	"errors"
	"io"
	"path"
	"strings"

	"github.com/sallyport/sallyport/internal/dist"
	"github.com/sallyport/sallyport/internal/format/toml"
	"github.com/sallyport/sallyport/internal/format/zip"
	"github.com/sallyport/sallyport/internal/pep508"
)

const (
	maxUnpacked = 4 << 30 // bytes of a source distribution that are unpacked to find what builds it
	maxBuild    = 1 << 20 // bytes of a pyproject.toml
)

// sdist tells what runs when a source distribution is installed.
func (a *archive) sdist(r io.ReaderAt, size int64) {
	b := &building{}
	err := errors.New("a form that is not read")
	whole := io.NewSectionReader(r, 0, size)
	switch {
	case strings.HasSuffix(a.path, ".tar.gz"), strings.HasSuffix(a.path, ".tgz"):
		var gz io.Reader
		if gz, err = gzip.NewReader(whole); err == nil {
			err = b.tar(gz)
		}
	case strings.HasSuffix(a.path, ".tar.bz2"):
		err = b.tar(bzip2.NewReader(whole))
	case strings.HasSuffix(a.path, ".zip"):
		err = b.zip(r, size)
	}
	if err != nil {
		a.say(BuildCode, "", 0, "a source distribution: installing it runs code, and it cannot be read to say which")
		return
	}
	if b.name != "" && (b.name != a.pkg || !sameVersion(b.version, a.version)) {
		a.say(Misnamed, "PKG-INFO", 0, "the metadata are not of the package and version which the file's name names")
	}
	a.say(BuildCode, "", 0, "a source distribution: installing it runs "+b.code())
}

// A building is what a source distribution says about how it is built.
type building struct {
	name, version string // of its PKG-INFO
	setup         bool   // it has a setup.py
	unread        bool   // it has a pyproject.toml that cannot be understood
	system        buildSystem
}

// A buildSystem is the table of a pyproject.toml that PEP 518 and 517 define.
type buildSystem struct {
	Backend  string   `toml:"build-backend"`
	Path     []string `toml:"backend-path"`
	Requires []string `toml:"requires"`
}

// code names the code that runs.
func (b *building) code() string {
	backend := b.system.Backend
	if backend == "" {
		backend = "setuptools"
	}
	out := "the build backend " + printable(backend, 80)
	switch {
	case b.unread:
		out = "a build backend that its pyproject.toml does not name in a way that can be read"
	case len(b.system.Path) > 0:
		out += " out of the archive itself"
	}
	if b.setup && strings.HasPrefix(backend, "setuptools") {
		out += " and its setup.py"
	}
	if len(b.system.Requires) > 0 {
		out += ", with " + printable(strings.Join(b.system.Requires, ", "), 200)
	}
	return out
}

// tar reads an archive until its end: a file may be there twice, and the last
// one counts.
func (b *building) tar(r io.Reader) error {
	limited := &io.LimitedReader{R: r, N: maxUnpacked}
	members := tar.NewReader(limited)
	for {
		h, err := members.Next()
		if err == io.EOF && limited.N > 0 {
			return nil
		}
		if err != nil || limited.N <= 0 {
			return errors.New("it cannot be read to its end")
		}
		if err := b.member(h.Name, members); err != nil {
			return err
		}
	}
}

func (b *building) zip(r io.ReaderAt, size int64) error {
	z, err := zip.Open(r, size)
	if err != nil {
		return err
	}
	walk := z.Walk()
	for range maxMembers {
		e, err := walk.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		local, err := z.Local(e)
		if err != nil {
			return err
		}
		data, err := z.Data(e, local)
		if err != nil {
			return err
		}
		if err := b.member(e.Name, data); err != nil {
			return err
		}
	}
	return errors.New("it has too many members")
}

// member reads a member, if it stands in the archive's one folder and says
// something.
func (b *building) member(name string, r io.Reader) error {
	dir, base := path.Split(path.Clean(name))
	if strings.Count(dir, "/") != 1 {
		return nil
	}
	switch base {
	case "setup.py":
		b.setup = true
	case "PKG-INFO":
		head, err := dist.ReadHead(r)
		if err != nil {
			return err
		}
		b.name, b.version = pep508.Normal(head.Get("name")), head.Get("version")
	case "pyproject.toml":
		text, err := io.ReadAll(io.LimitReader(r, maxBuild+1))
		if err != nil {
			return err
		}
		var root struct {
			System buildSystem `toml:"build-system"`
		}
		_, err = toml.Decode(text, "", &root)
		b.system = root.System
		b.unread = err != nil || len(text) > maxBuild
	}
	return nil
}
