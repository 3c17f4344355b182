package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/term"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/seal"
	"github.com/sallyport/sallyport/internal/site"
)

// Identities are kept in the home folder, one file NAME.id each, readable by
// their owner alone. The file "default" names the one to act as when nobody
// says.

// home is the folder of identities.
func home() (string, error) {
	if dir := os.Getenv("SALLYPORT_HOME"); dir != "" {
		return dir, nil
	}
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", sallyport.Errorf(sallyport.Usage, "there is no home folder to keep identities in").
			Try("set SALLYPORT_HOME")
	}
	return filepath.Join(dir, "sallyport"), nil
}

// identity finds and opens the identity to act as: --as names it, else the
// only one in the home folder that is enrolled at the site, else the default.
func (a *app) identity(ctx context.Context, siteDir string) (*seal.Identity, error) {
	if a.as != "" {
		path, err := identityPath(a.as)
		if err != nil {
			return nil, err
		}
		return a.readIdentity(path)
	}
	name, err := a.usual(ctx, siteDir)
	if err != nil {
		return nil, err
	}
	path, err := identityPath(name)
	if err != nil {
		return nil, err
	}
	return a.readIdentity(path)
}

// usual names the identity to act as when nobody says.
func (a *app) usual(ctx context.Context, siteDir string) (string, error) {
	dir, err := home()
	if err != nil {
		return "", err
	}
	s, err := site.Open(ctx, siteDir, nil)
	if err != nil {
		return "", err
	}
	defer s.Close()
	enrolled, err := s.Principals(ctx)
	if err != nil {
		return "", err
	}
	var mine []string
	for _, p := range enrolled {
		if isMine(filepath.Join(dir, p.Name+".id"), p) {
			mine = append(mine, p.Name)
		}
	}
	usual, _ := os.ReadFile(filepath.Join(dir, "default"))
	if name := strings.TrimSpace(string(usual)); slices.Contains(mine, name) {
		return name, nil
	}
	switch len(mine) {
	case 1:
		return mine[0], nil
	case 0:
		return "", sallyport.Errorf(sallyport.Denied, "none of your identities is enrolled at this site").
			Try("ask a steward of the site to enrol one: sallyport id new NAME --role ROLE")
	}
	return "", sallyport.Errorf(sallyport.Usage, "you have several identities here: %s", strings.Join(mine, ", ")).
		Try("say which with --as NAME, or set SALLYPORT_IDENTITY")
}

// isMine reports whether the identity file at path is that of p: another site
// may have somebody else of the same name. A file that is locked or cannot be
// read counts by its name, and opening it will say what is wrong.
func isMine(path string, p sallyport.Principal) bool {
	text, err := os.ReadFile(path)
	if err != nil {
		return !errors.Is(err, fs.ErrNotExist)
	}
	id, err := seal.ParseIdentity(text, func() (string, error) { return "", errors.New("locked") })
	return err != nil || id.SigningPEM() == p.Signing
}

// identityPath turns what --as takes into the path of a file.
func identityPath(as string) (string, error) {
	if strings.ContainsRune(as, os.PathSeparator) || strings.HasSuffix(as, ".id") {
		return as, nil
	}
	if err := sallyport.CheckName("principal", as); err != nil {
		return "", err
	}
	dir, err := home()
	return filepath.Join(dir, as+".id"), err
}

// readIdentity reads an identity file, which nobody else may be able to read.
func (a *app) readIdentity(path string) (*seal.Identity, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, sallyport.Errorf(sallyport.NotFound, "there is no such identity").At("%s", path).
			Try("make one with: sallyport id new NAME --role ROLE")
	} else if err != nil {
		return nil, err
	}
	if err := private(path, info); err != nil {
		return nil, err
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	id, err := seal.ParseIdentity(text, func() (string, error) {
		return a.passphrase("passphrase of " + filepath.Base(path) + ": ")
	})
	if e, ok := errors.AsType[*sallyport.Error](err); ok {
		e.At("%s", path)
	}
	return id, err
}

// ensureIdentity opens the identity file at path, or makes it.
func (a *app) ensureIdentity(name, path string, locked bool) (id *seal.Identity, made bool, err error) {
	if _, err := os.Stat(path); err == nil {
		id, err := a.readIdentity(path)
		if err == nil && id.Name != name {
			err = sallyport.Errorf(sallyport.Usage, "this is the identity of %s", id.Name).At("%s", path).
				Try("choose another file with -o")
		}
		return id, false, err
	}
	if id, err = seal.NewIdentity(name); err != nil {
		return nil, false, err
	}
	pass := ""
	if locked {
		if pass, err = a.newPassphrase(); err != nil {
			return nil, false, err
		}
	}
	return id, true, saveIdentity(id, path, pass)
}

// saveIdentity writes a new identity file. One that exists is never touched.
func saveIdentity(id *seal.Identity, path, passphrase string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	text, err := id.Marshal(passphrase)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*.id") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // its other name, or what could not be written
	if _, err = f.Write(text); err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	return os.Link(f.Name(), path) // unlike a rename it never replaces
}

// passphrase asks for a passphrase on the terminal, unless the environment
// gives it.
func (a *app) passphrase(prompt string) (string, error) {
	if p := os.Getenv("SALLYPORT_PASSPHRASE"); p != "" {
		return p, nil
	}
	f, ok := a.in.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return "", sallyport.Errorf(sallyport.Usage,
			"the identity is locked and there is no terminal to ask for its passphrase").
			Try("set SALLYPORT_PASSPHRASE")
	}
	a.say("%s", prompt)
	p, err := term.ReadPassword(int(f.Fd()))
	a.say("\n")
	return string(p), err
}

// newPassphrase asks twice.
func (a *app) newPassphrase() (string, error) {
	p, err := a.passphrase("new passphrase: ")
	if err != nil || os.Getenv("SALLYPORT_PASSPHRASE") != "" {
		return p, err
	}
	again, err := a.passphrase("the same again: ")
	if err != nil {
		return "", err
	}
	if p == "" || p != again {
		return "", sallyport.Errorf(sallyport.Usage, "the two differ, or are empty").Try("try again")
	}
	return p, nil
}
