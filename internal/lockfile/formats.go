package lockfile

import (
	"path"
	"slices"
	"strings"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/lazyregexp"
)

// A kind is a format: a kind of file that is read.
type kind struct {
	name  string             // what File.Format says
	files string             // patterns of the base names, with spaces between them
	sign  *lazyregexp.Regexp // what has to be in the file; nil: nothing
	read  func(r *reader, name string, b []byte) error
	locks string // formats of the declarations beside it, or below, that it is made from
	found bool   // Find takes the file where nobody has named it
}

// requirements is the format of pip's requirements files.
const requirements = "requirements.txt"

// formats returns the one table of formats. The first that fits a file is its
// format: names before contents, and those that say more before those that say
// less. Locks stand before what they are made from.
func formats() []kind {
	return []kind{
		{"uv.lock", "uv.lock", nil, (*reader).readUV, "pyproject.toml", true},
		{"pylock.toml", "pylock.toml pylock.*.toml", nil, (*reader).readPylock, "pyproject.toml", true},
		{"poetry.lock", "poetry.lock", nil, (*reader).readPoetry, "pyproject.toml", true},
		{"pdm.lock", "pdm.lock", nil, (*reader).readPDM, "pyproject.toml", true},
		{"pixi.lock", "pixi.lock", nil, (*reader).readPixi, "pyproject.toml", true},
		{"conda-lock.yml", "*conda-lock.yml *conda-lock.yaml", nil, (*reader).readCondaLock, "environment.yml pyproject.toml", true},
		{"conda list", "*.txt *.lock", explicitSign, (*reader).readExplicit, "environment.yml", true},
		{"environment.yml", "*env*.yml *env*.yaml conda*.yml conda*.yaml", environmentSign, (*reader).readEnvironment, "", true},
		{"environment.yml", "*.yml *.yaml", environmentSign, (*reader).readEnvironment, "", false},
		{requirements, "*requirements*.txt *requirements*.lock *constraints*.txt", nil, (*reader).readRequirements, "", true},
		{"Pipfile.lock", "Pipfile.lock", nil, (*reader).readPipfileLock, "Pipfile", true},
		{requirements, "*.txt *.lock *.pip requirements", nil, (*reader).readRequirements, "", false},
		{"requirements.in", "*.in", nil, (*reader).readRequirements, "", false},
		{"pyproject.toml", "pyproject.toml", nil, (*reader).readPyproject, "", true},
		{"Pipfile", "Pipfile", nil, (*reader).readPipfile, "", true},
		{"setup.cfg", "setup.cfg", nil, (*reader).readSetupCfg, "", true},
		{"setup.py", "setup.py", nil, (*reader).readSetupPy, "", true},
		{"requirements.in", "*requirements*.in *constraints*.in", nil, (*reader).readRequirements, "", true},
		{"notebook", "*.ipynb", nil, (*reader).readNotebook, "", true},
		{"script", "*.py", scriptSign, (*reader).readScript, "", true},
	}
}

// Formats lists the names of all formats that Read knows.
func Formats() []string {
	var out []string
	for _, f := range formats() {
		if !slices.Contains(out, f.name) {
			out = append(out, f.name)
		}
	}
	return out
}

// named reports whether a file has one of the format's names.
func (f kind) named(name string) bool {
	base := path.Base(name)
	return slices.ContainsFunc(strings.Fields(f.files), func(pattern string) bool {
		ok, _ := path.Match(pattern, base)
		return ok
	})
}

// formatOf returns the format of a file.
func formatOf(name string, b []byte) (*kind, error) {
	for _, f := range formats() {
		if f.named(name) && (f.sign == nil || f.sign.Get().Match(b)) {
			return &f, nil
		}
	}
	return nil, sallyport.Errorf(sallyport.Invalid, "not a file that says what a project depends on, as far as its name and content tell").
		At("%s", name).Try("name one of these: %s", strings.Join(Formats(), ", "))
}

// locksOf returns the names of the formats that a format's files are the lock of.
func locksOf(name string) []string {
	var out []string
	for _, f := range formats() {
		if f.name == name {
			out = append(out, strings.Fields(f.locks)...)
		}
	}
	return out
}
