// Package env builds environments: the packages that a lock file pins, for one
// interpreter, installed once, compiled, hashed and never written to again.
//
// An environment is a function of its lock and its Python. It is mounted at
// /env and holds no trace of where, when or with which tool it was built, so
// that two machines can compare what they run by one digest. Unless a project
// allows builds, no byte of a package is executed while its environment is
// built: wheels are unpacked and compiled, never imported.
package env

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/sallyport/sallyport"
)

// Mount is where an environment lies inside a sandbox.
const Mount = "/env"

// A Store keeps environments in a folder. Several processes may use one folder
// at the same time. It remembers nothing else: whoever asks for an environment
// records what it got.
type Store struct {
	Dir string
}

// An Environment says what was built, for what, with what.
type Environment struct {
	ID       string           `json:"id"`     // 64 hex digits; names the folder in the store
	Lock     sallyport.Digest `json:"lock"`   // of the lock file's bytes; empty for a bare interpreter
	Builds   bool             `json:"builds"` // whether source distributions were allowed
	Python   Python           `json:"python"`
	Platform string           `json:"platform"` // "linux-x86_64-glibc"
	Tool     string           `json:"tool"`     // "pip 24.0" or "uv 0.9.1"; empty if nothing was to be installed
	Tree     sallyport.Digest `json:"tree"`     // of the manifest: every installed file's path, mode and SHA-256
	Files    int              `json:"files"`
	Bytes    int64            `json:"bytes"`
	Packages []Package        `json:"packages"` // as installed, sorted by name
}

// A Package is an installed package.
type Package struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// Options say how an environment may be built.
type Options struct {
	Builds   bool      // build source distributions, which runs their code on this machine
	Progress io.Writer // lines for a person; nil for none
}

// The parts of a built environment's folder.
const (
	treeName     = "tree"             // what is mounted
	manifestName = "manifest"         // what Environment.Tree is the digest of
	recordName   = "environment.json" // the Environment
)

// Ensure returns the environment of a lock, and builds it first if it is not
// there. A nil lock is a bare interpreter. Of several callers that need the
// same environment at once, one builds and the others wait.
//
// An environment that was there already is returned as its builder described
// it; Verify proves that it still is what was recorded.
func (s *Store) Ensure(ctx context.Context, lock *Lock, opt Options) (*Environment, error) {
	if opt.Progress == nil {
		opt.Progress = io.Discard
	}
	python, err := Discover(ctx)
	if err != nil {
		return nil, err
	}
	if lock == nil {
		lock = &Lock{choose: func(map[string]string) ([]Pin, error) { return nil, nil }}
	}
	e := &Environment{Lock: lock.Digest, Builds: opt.Builds, Python: *python, Platform: python.platform}
	e.ID = identity(e)
	if found, err := s.load(e.ID); found != nil || err != nil {
		return found, err
	}
	pins, err := lock.choose(python.markers)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(s.Dir, 0o755); err != nil {
		return nil, fault("cannot make the folder of environments", err)
	}
	unlock, err := s.lock(ctx, e.ID, opt.Progress)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if found, err := s.load(e.ID); found != nil || err != nil {
		return found, err // somebody else has built it while this process waited
	}
	s.sweep(e.ID)
	b := &build{store: s, env: e, lock: lock, pins: pins, opt: opt}
	if err := b.run(ctx); err != nil {
		return nil, err
	}
	return e, nil
}

// identity names an environment by everything that decides what it holds. The
// interpreter counts with its bytes and its place: the tree links to it.
func identity(e *Environment) string {
	return sallyport.Sum(fmt.Appendf(nil, "sallyport environment 1\n%s\n%s %s\n%s\n%s\n%s\nbuilds %t\n",
		e.Lock, e.Python.Implementation, e.Python.Version, e.Python.Executable, e.Python.Digest, e.Platform, e.Builds)).Hex()
}

// Root returns the host path of an environment's tree, to be mounted read-only.
func (s *Store) Root(e *Environment) string { return filepath.Join(s.Dir, e.ID, treeName) }

// load returns the environment id, or nil if it has not been built.
func (s *Store) load(id string) (*Environment, error) {
	dir := filepath.Join(s.Dir, id)
	b, err := os.ReadFile(filepath.Join(dir, recordName))
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Lstat(dir); errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
	}
	e := &Environment{}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err != nil || dec.Decode(e) != nil || e.ID != id || identity(e) != id {
		return nil, s.corrupt(id, "the environment's own description is damaged")
	}
	return e, nil
}

// corrupt makes an error about a built environment.
func (s *Store) corrupt(id, format string, args ...any) *sallyport.Error {
	dir := filepath.Join(s.Dir, id)
	return sallyport.Errorf(sallyport.Corrupt, format, args...).At("environment %s", id[:min(12, len(id))]).
		Try("find out who changed it; then remove it (chmod -R u+w %s && rm -r %s) and run again to build it anew", dir, dir)
}

// removeTree removes a folder although its folders are read-only.
func removeTree(dir string) {
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			_ = os.Chmod(path, 0o700)
		}
		return nil
	})
	// What cannot be removed stays under a name that never counts as built.
	_ = os.RemoveAll(dir)
}

// baseName is the interpreter's own name in a tree: python3.11.
func baseName(version string) string {
	parts := strings.SplitN(version, ".", 3)
	return "python" + parts[0] + "." + parts[1]
}
