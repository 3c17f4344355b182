package deps

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/advisory"
	"github.com/sallyport/sallyport/internal/flock"
	"github.com/sallyport/sallyport/internal/installed"
	"github.com/sallyport/sallyport/internal/ledger"
	"github.com/sallyport/sallyport/internal/lockfile"
)

// A Service keeps a site's advisories and checks with them. Its methods may be
// used concurrently, and by several processes.
type Service struct {
	Log     *ledger.Log
	Dir     string              // where databases lie: public data, compiled from a bundle
	Who     sallyport.Principal // may be nobody, who may check and not import
	Version string              // of Sallyport

	// History tells which environments the site has ever built, and what came of
	// them. It is asked within a transaction.
	History func(tx *ledger.Tx, each func(Ran) error) error
}

// Imported is the document of the object "advisories" named "current": the
// bundle that the site goes by.
type Imported struct {
	advisory.Name
	Database  sallyport.Digest `json:"database"`  // of the compiled file
	Statement []byte           `json:"statement"` // the envelope of the bundle
	Importer  string           `json:"importer"`
}

const current = "current"

// dbSuffix ends the name of a compiled database. What precedes it is its digest,
// so that another never comes in its place.
const dbSuffix = ".advisories"

func (s *Service) path(d sallyport.Digest) string { return filepath.Join(s.Dir, d.Hex()+dbSuffix) }

// Current returns the site's advisories, or nil if none were imported yet. A
// database that is not the one that was imported is an error of kind Corrupt.
// The caller closes it.
func (s *Service) Current(ctx context.Context) (*Advisories, error) {
	for was := int64(0); ; {
		var im Imported
		err := s.Log.View(ctx, func(tx *ledger.Tx) error { return tx.Get("advisories", current, &im) })
		if sallyport.Is(err, sallyport.NotFound) {
			return nil, nil
		} else if err != nil {
			return nil, err
		}
		db, err := s.load(im)
		if err == nil || im.Serial == was {
			return db, err
		}
		was = im.Serial // perhaps newer ones have just come in, and these were swept
	}
}

func (s *Service) load(im Imported) (*Advisories, error) {
	bad := func(why string) error {
		return sallyport.Errorf(sallyport.Corrupt, "the site's advisories %s", why).At("advisories %d", im.Serial).
			Try("import the bundle again with: sallyport deps update --again")
	}
	db, err := advisory.Open(s.path(im.Database))
	switch {
	case sallyport.Is(err, sallyport.NotFound):
		return nil, bad("are missing")
	case err != nil:
		return nil, err
	case db.Digest() != im.Database: // which every block of the file proves itself by
		db.Close()
		return nil, bad("are not those that were imported")
	}
	return &Advisories{db, im.Name}, nil
}

// Check checks a list with the site's advisories.
func (s *Service) Check(ctx context.Context, list *lockfile.List, policy *Policy, problems []installed.Problem) (*Report, error) {
	db, err := s.Current(ctx)
	if err != nil {
		return nil, err
	}
	if db != nil {
		defer db.Close()
	}
	return Check(ctx, list, Options{Version: s.Version, Advisories: db, Policy: policy, Problems: problems})
}

// Import brings a bundle in: it is compiled beside the database that is in use,
// and counts from the moment at which the ledger says so. In the same
// transaction everything that the site has ever built is checked with it, and an
// incident is opened for whatever it says that nobody knew. A bundle older than
// the one in use is refused.
func (s *Service) Import(ctx context.Context, b *Bundle, again bool) (*Outcome, error) {
	if err := s.Who.May(sallyport.Advise); err != nil {
		return nil, err
	}
	if b.Made.After(now().Add(day)) {
		return nil, sallyport.Errorf(sallyport.Refused, "the bundle was made on a day to come: %s", b.Made.Format("2006-01-02")).Try("set the clock of this machine, or of the one that made it")
	}
	im := Imported{Importer: s.Who.Name, Statement: b.Statement, Name: advisory.Name{
		Serial: b.Serial, Digest: b.Digest, Made: b.Made, AsOf: b.AsOf, Records: b.Records, By: b.By}}
	if err := s.newer(ctx, im, again); err != nil {
		return nil, err
	}
	lock, err := s.lock()
	if err != nil {
		return nil, err
	}
	defer lock.Close()
	if im.Database, err = s.compile(ctx, b.inner.File); err != nil {
		return nil, err
	}
	db, err := s.load(im)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	if err := db.Verify(); err != nil {
		return nil, err
	}
	var out *Outcome
	err = s.Log.Update(ctx, s.Who.Name, func(tx *ledger.Tx) error {
		if err := older(tx, im, again); err != nil { // somebody may have been faster
			return err
		}
		if _, err := tx.Put("advisories.imported", "advisories", current, im, map[string]sallyport.Digest{statementName: sallyport.Sum(b.Statement)}); err != nil {
			return err
		}
		out, err = s.recheck(tx, db)
		return err
	})
	if err == nil {
		err = s.sweep(ctx)
	}
	return out, err
}

// lock waits until nobody else imports or sweeps: a sweep would take what an
// import has compiled, and the ledger does not know of yet, for what was left.
func (s *Service) lock() (*flock.Lock, error) {
	bad := func(err error) error { return sallyport.Errorf(sallyport.Invalid, "cannot keep advisories: %w", err) }
	if err := os.MkdirAll(s.Dir, 0o755); err != nil {
		return nil, bad(err)
	}
	l, err := flock.Open(s.Dir + ".lock")
	if err != nil {
		return nil, bad(err)
	}
	if err := l.Alone(); err != nil {
		l.Close()
		return nil, bad(err)
	}
	return l, nil
}

func (s *Service) newer(ctx context.Context, im Imported, again bool) error {
	return s.Log.View(ctx, func(tx *ledger.Tx) error { return older(tx, im, again) })
}

// older returns an error if the site has gone by a later bundle than this one.
func older(tx *ledger.Tx, im Imported, again bool) error {
	var was Imported
	err := tx.Get("advisories", current, &was)
	switch {
	case sallyport.Is(err, sallyport.NotFound):
		return nil
	case err != nil:
		return err
	case im.Digest == was.Digest && im.Serial == was.Serial && !again:
		return sallyport.Errorf(sallyport.Refused, "the site has this bundle already").Try("bring a newer one, or import it again with --again")
	case im.Serial < was.Serial, im.Serial == was.Serial && im.Digest != was.Digest:
		return sallyport.Errorf(sallyport.Refused, "the bundle is number %d, and the site has gone by number %d", im.Serial, was.Serial).
			Try("bring a newer one: an older one would hide what is known")
	}
	return nil
}

// compile makes a database of the advisories and gives it its digest as name,
// durably.
func (s *Service) compile(ctx context.Context, inner *os.File) (sallyport.Digest, error) {
	f, err := os.CreateTemp(s.Dir, ".new-*")
	if err != nil {
		return "", sallyport.Errorf(sallyport.Invalid, "cannot keep advisories: %w", err)
	}
	defer os.Remove(f.Name()) // fails, rightly, once it is renamed
	defer f.Close()
	stats, err := compile(ctx, inner, f)
	if err != nil {
		return "", err
	}
	if err = f.Sync(); err == nil {
		err = os.Rename(f.Name(), s.path(stats.Digest))
	}
	if err == nil {
		err = syncDir(s.Dir)
	}
	return stats.Digest, err
}

// syncDir makes a renaming durable. Windows orders them itself and cannot sync a
// folder.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// Sweep removes databases that are not in use: what a killed import left, and
// those before the current one.
func (s *Service) Sweep(ctx context.Context) error {
	if _, err := os.Stat(s.Dir); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	lock, err := s.lock()
	if err != nil {
		return err
	}
	defer lock.Close()
	return s.sweep(ctx)
}

func (s *Service) sweep(ctx context.Context) error {
	var im Imported
	err := s.Log.View(ctx, func(tx *ledger.Tx) error { return tx.Get("advisories", current, &im) })
	if err != nil && !sallyport.Is(err, sallyport.NotFound) {
		return err
	}
	entries, err := os.ReadDir(s.Dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		ours := strings.HasSuffix(e.Name(), dbSuffix) || strings.HasPrefix(e.Name(), ".new-")
		if ours && e.Name() != im.Database.Hex()+dbSuffix {
			if err := os.Remove(filepath.Join(s.Dir, e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}
