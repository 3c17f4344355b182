package env

import (
	"context"
	"os"
	"path/filepath"

	"github.com/sallyport/sallyport"
)

// Verify proves that an environment on disk is the one that e describes: the
// manifest has the digest e.Tree, every file is as the manifest says and no
// other is there, and the interpreter is the one that it was built for. The
// error is of kind Corrupt and names what differs; NotFound if it is not there;
// Refused if only this machine's interpreter has changed.
//
// What e says counts, not what lies beside the tree: pass what was recorded.
func (s *Store) Verify(ctx context.Context, e *Environment) error {
	dir := filepath.Join(s.Dir, e.ID)
	if _, err := os.Lstat(dir); err != nil {
		return sallyport.Errorf(sallyport.NotFound, "the environment is not here").At("environment %s", e.ID[:min(12, len(e.ID))]).
			Try("run again to build it")
	}
	text, err := os.ReadFile(filepath.Join(dir, manifestName))
	if err != nil || sallyport.Sum(text) != e.Tree {
		return s.corrupt(e.ID, "its manifest is not the recorded one")
	}
	want, err := parseManifest(text)
	if err != nil {
		return s.corrupt(e.ID, "its manifest cannot be read: %w", err)
	}
	if err := s.verifySeat(e); err != nil {
		return err
	}
	got, err := scan(ctx, s.Root(e), e.Python)
	if err != nil {
		if ctx.Err() != nil {
			return err
		}
		return s.corrupt(e.ID, "its files cannot be read: %w", err)
	}
	return s.compare(e.ID, want, got)
}

// compare walks two sorted manifests side by side.
func (s *Store) compare(id string, want, got manifest) error {
	for len(want) > 0 || len(got) > 0 {
		switch {
		case len(got) == 0 || len(want) > 0 && want[0].path < got[0].path:
			return s.corrupt(id, "%s is missing", want[0].path)
		case len(want) == 0 || got[0].path < want[0].path:
			return s.corrupt(id, "%s was added", got[0].path)
		case want[0] != got[0]:
			return s.corrupt(id, "%s was changed", got[0].path)
		}
		want, got = want[1:], got[1:]
	}
	return nil
}

// verifySeat checks what links a tree to its interpreter, and the interpreter.
func (s *Store) verifySeat(e *Environment) error {
	if err := checkSeat(s.Root(e), e.Python); err != nil {
		return s.corrupt(e.ID, "%w was changed", err)
	}
	if d, err := fileDigest(e.Python.Executable); err != nil || d != e.Python.Digest {
		return sallyport.Errorf(sallyport.Refused, "the interpreter is not the one that the environment was built for").At("%s", e.Python.Executable).
			Try("run again to build the environment for the interpreter that is there now")
	}
	return nil
}
