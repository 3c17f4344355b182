package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/lazyregexp"
	"github.com/sallyport/sallyport/internal/project"
	"github.com/sallyport/sallyport/internal/seal"
	"github.com/sallyport/sallyport/internal/site"
)

func (a *app) initCommand() *cobra.Command {
	var name, who string
	var locked bool
	c := &cobra.Command{
		Use:   "init",
		Short: "Make a site, and a project if there is none",
		Long: `Make a site: keys, a store for sealed data, state and the ledger. It lies in
.sallyport in this folder, or where --site says, and git never sees it.

The first identity holds every role, so that one person can start at once. That
gives up the promise that nothing leaves unless two people agreed: enrol others
with "sallyport id new" before real decisions are made.

The site's folder "keys" must not go into backups of the site: destroying keys
is how a person is taken out of what backups hold. Keep a copy of it apart.`,
		Example: `  sallyport init
  sallyport init --name cardiology --as anna
  sallyport init --site /srv/sallyport --passphrase`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if a.as != "" {
				who = a.as
			}
			return a.init(c.Context(), name, who, locked)
		},
	}
	c.Flags().StringVar(&name, "name", "", "the site's `name`, on its evidence for ever (default: the folder's)")
	c.Flags().BoolVar(&locked, "passphrase", false, "lock a new identity with a passphrase")
	return c
}

func (a *app) init(ctx context.Context, name, who string, locked bool) error {
	dir := a.site
	if dir == "" {
		dir = site.DirName
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	if name == "" {
		if name = filepath.Base(filepath.Dir(dir)); a.site != "" {
			name = filepath.Base(dir)
		}
		name = asName(name, "site")
	}
	if _, err := os.Lstat(dir); err == nil {
		return sallyport.Errorf(sallyport.Usage, "there is something already").At("%s", dir).
			Try("use the site that is there, or name another place with --site")
	}
	id, made, err := a.firstIdentity(who, locked)
	if err != nil {
		return err
	}
	if err := site.Init(ctx, dir, name, id, sallyport.Roles); err != nil {
		return err
	}
	starter, err := a.starter(name)
	if err != nil {
		return err
	}
	result := map[string]any{"site": name, "directory": dir, "identity": id.Name, "identity_made": made, "project_file": starter}
	return a.show(result, func() {
		a.print("Made the site %s in %s\n", name, dir)
		if made != "" {
			a.print("Made the identity %s in %s\n", id.Name, made)
		}
		a.print("Enrolled %s as %s\n", id.Name, rolesText(sallyport.Roles))
		if starter != "" {
			a.print("Wrote a starter %s: edit it to say what your code reads and writes\n", starter)
		}
		a.print(`
One person holds every role here. That is enough to work, and gives up one
promise: that nothing leaves unless somebody agreed who neither wrote the code
nor ran it. Enrol others with: sallyport id new NAME --role ROLE

Keep a copy of %s apart from all
backups of the site. Without it nothing can be opened, by anybody.

Next: sallyport data add NAME FILE --subject COLUMN
`, filepath.Join(dir, "keys"))
	})
}

// firstIdentity opens the identity called who, or makes it. The path is empty
// unless it was made.
func (a *app) firstIdentity(who string, locked bool) (*seal.Identity, string, error) {
	if who == "" {
		who = userName()
	}
	path, err := identityPath(who)
	if err != nil {
		return nil, "", err
	}
	id, made, err := a.ensureIdentity(strings.TrimSuffix(filepath.Base(path), ".id"), path, locked)
	if err != nil || !made {
		return id, "", err
	}
	usual := filepath.Join(filepath.Dir(path), "default")
	if _, err := os.Stat(usual); errors.Is(err, fs.ErrNotExist) {
		if err := os.WriteFile(usual, []byte(id.Name+"\n"), 0o600); err != nil {
			return nil, "", err
		}
	}
	return id, path, nil
}

// starter writes a commented sallyport.yaml where there is none, unless the
// site lies apart from any project.
func (a *app) starter(name string) (string, error) {
	if a.site != "" {
		return "", nil
	}
	f, err := os.OpenFile(project.FileName, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return "", nil
	} else if err != nil {
		return "", err
	}
	_, err = f.Write(project.Starter(name))
	return project.FileName, errors.Join(err, f.Close())
}

func userName() string {
	if u, err := user.Current(); err == nil {
		return asName(u.Username, "me")
	}
	return "me"
}

var notInNames = lazyregexp.New(`[^a-z0-9._-]+`)

// asName makes a valid name of s, or returns otherwise.
func asName(s, otherwise string) string {
	s = strings.Trim(notInNames.ReplaceAllString(strings.ToLower(s), "-"), "-._")
	if sallyport.CheckName("", s) != nil {
		return otherwise
	}
	return s
}

func rolesText(roles []sallyport.Role) string {
	names := make([]string, len(roles))
	for i, r := range roles {
		names[i] = string(r)
	}
	return strings.Join(names, ", ")
}
