package site

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/flock"
	"github.com/sallyport/sallyport/internal/ledger"
	"github.com/sallyport/sallyport/internal/seal"
	"github.com/sallyport/sallyport/internal/state"
)

// Init makes a site in dir, called name, whose first principal is me with the
// given roles. Everything is made in a folder beside dir and renamed into
// place at the end: a site is either there and whole or not there at all.
func Init(ctx context.Context, dir, name string, me *seal.Identity, roles []sallyport.Role) (err error) {
	if err := sallyport.CheckName("site", name); err != nil {
		return err
	}
	if _, err := os.Lstat(dir); err == nil {
		return sallyport.Errorf(sallyport.Usage, "there is something already").At("%s", dir).
			Try("use the site that is there, or name another place with --site")
	}
	parent := filepath.Dir(dir)
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return cannotWrite(err, parent)
	}
	tmp := dir + ".new"
	lock, err := begin(tmp)
	if err != nil {
		return err
	}
	defer lock.Close()
	defer func() {
		if err != nil {
			os.RemoveAll(tmp)
		}
	}()
	if err := fill(ctx, tmp, name, me, roles); err != nil {
		return err
	}
	if err := syncDir(tmp); err != nil {
		return err
	}
	if err := os.Rename(tmp, dir); err != nil {
		return cannotWrite(err, dir)
	}
	return syncDir(parent)
}

// begin makes the folder of a site to come and holds the site's lock alone.
// What a killed init has left there goes.
func begin(tmp string) (*flock.Lock, error) {
	if err := os.Mkdir(tmp, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, cannotWrite(err, tmp)
	}
	lock, err := flock.Open(filepath.Join(tmp, "lock"))
	if err != nil {
		return nil, err
	}
	if ok, err := lock.TryAlone(); err != nil || !ok {
		lock.Close()
		return nil, sallyport.Errorf(sallyport.Busy, "another process is making a site here").At("%s", tmp)
	}
	left, err := os.ReadDir(tmp)
	for _, f := range left {
		if f.Name() != "lock" && err == nil {
			err = os.RemoveAll(filepath.Join(tmp, f.Name()))
		}
	}
	return lock, err
}

func fill(ctx context.Context, dir, name string, me *seal.Identity, roles []sallyport.Role) error {
	for _, sub := range []string{"keys", "packs", "env", "runs"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o700); err != nil {
			return cannotWrite(err, dir)
		}
	}
	// A site is never part of the project's code, even when it lies inside it.
	if err := writeFile(filepath.Join(dir, ".gitignore"), []byte("*\n"), 0o600); err != nil {
		return err
	}
	skey, vkey := ledger.NewKey(name)
	if err := writeFile(filepath.Join(dir, "keys", "ledger"), []byte(skey+"\n"+vkey+"\n"), 0o600); err != nil {
		return err
	}
	p := principal(me, roles, me.Name)
	db, err := state.Open(filepath.Join(dir, "state.db"))
	if err != nil {
		return err
	}
	defer db.Close()
	log, _, err := openLog(db, dir)
	if err != nil {
		return err
	}
	if err := log.Update(ctx, me.Name, func(tx *ledger.Tx) error {
		if _, err := tx.Put("site.made", "principal", p.Name, p, nil); err != nil {
			return err
		}
		for _, r := range rings {
			doc, err := wrap(dir, seal.NewRing(r.name), []sallyport.Principal{p}, r.action)
			if err != nil {
				return err
			}
			if _, err := tx.Put("ring.wrapped", "ring", r.name, doc, nil); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		return err
	}
	return db.Close()
}
