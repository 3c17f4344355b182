// Package site opens a site: a directory that holds keys, sealed data, state
// and the ledger. It is the one place that knows how the parts lie on disk.
//
//	state.db          objects, segment locations, the ledger (state, ledger)
//	packs/            sealed segments (blob)
//	env/              built environments (env)
//	runs/             a lock per running run (run)
//	advisories/       the compiled advisories, public data (deps)
//	keys/ledger       secret key that signs checkpoints, owner-only
//	keys/data-…       the data ring, wrapped for stewards and operators
//	keys/output-…     the output ring, wrapped for stewards, operators and reviewers
//	checkpoint        the newest checkpoint that this site remembers
//	lock              held shared by every command, alone by the sweep
//
// The folder keys must not go into backups: the keys of a ring are what an
// erasure destroys.
package site

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/blob"
	"github.com/sallyport/sallyport/internal/dataset"
	"github.com/sallyport/sallyport/internal/deps"
	"github.com/sallyport/sallyport/internal/env"
	"github.com/sallyport/sallyport/internal/flock"
	"github.com/sallyport/sallyport/internal/ledger"
	"github.com/sallyport/sallyport/internal/run"
	"github.com/sallyport/sallyport/internal/seal"
	"github.com/sallyport/sallyport/internal/state"
)

// DirName is the name of a site's folder inside a project.
const DirName = ".sallyport"

// A Site is an open site. With an identity it can open what that identity may.
type Site struct {
	Dir   string
	Name  string // the origin of its checkpoints
	State *state.DB
	Log   *ledger.Log
	Blobs *blob.Store
	Envs  *env.Store

	Me     *seal.Identity      // nil: nobody, who may only look
	Who    sallyport.Principal // the principal that Me is enrolled as
	data   *seal.Ring
	output *seal.Ring
	lock   *flock.Lock
}

// Find returns the site's directory: dir itself if it is given, otherwise the
// nearest .sallyport at or above the working directory.
func Find(dir string) (string, error) {
	missing := sallyport.Errorf(sallyport.NotFound, "there is no site here").
		Try("make one with: sallyport init, or name one with --site or SALLYPORT_SITE")
	if dir != "" {
		if _, err := os.Stat(filepath.Join(dir, "state.db")); err != nil {
			return "", missing.At("%s", dir)
		}
		return filepath.Abs(dir)
	}
	at, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for ; ; at = filepath.Dir(at) {
		if _, err := os.Stat(filepath.Join(at, DirName, "state.db")); err == nil {
			return filepath.Join(at, DirName), nil
		}
		if at == filepath.Dir(at) {
			return "", missing
		}
	}
}

// Open opens the site in dir as me, who may be nil. An identity that is not
// enrolled is an error of kind Denied.
func Open(ctx context.Context, dir string, me *seal.Identity) (_ *Site, err error) {
	s := &Site{Dir: dir, Me: me}
	defer func() {
		if err != nil {
			s.Close()
		}
	}()
	if s.lock, err = flock.Open(filepath.Join(dir, "lock")); err != nil {
		return nil, err
	}
	if err = s.lock.Share(); err != nil {
		return nil, err
	}
	if s.State, err = state.Open(filepath.Join(dir, "state.db")); err != nil {
		return nil, err
	}
	if s.Log, s.Name, err = openLog(s.State, dir); err != nil {
		return nil, err
	}
	if s.Blobs, err = blob.Open(filepath.Join(dir, "packs")); err != nil {
		return nil, err
	}
	s.Envs = &env.Store{Dir: filepath.Join(dir, "env")}
	if me == nil {
		return s, nil
	}
	if s.Who, err = s.principalOf(ctx, me); err != nil {
		return nil, err
	}
	if s.data, err = s.openRing(ctx, "data"); err != nil {
		return nil, err
	}
	s.output, err = s.openRing(ctx, "output")
	return s, err
}

// Close releases the site.
func (s *Site) Close() error {
	var errs []error
	if s.State != nil {
		errs = append(errs, s.State.Close())
	}
	if s.lock != nil {
		errs = append(errs, s.lock.Close())
	}
	return errors.Join(errs...)
}

// Data returns the site's datasets. Without a right to open them they can be
// listed, not read.
func (s *Site) Data() *dataset.Store {
	return &dataset.Store{Log: s.Log, Blobs: s.Blobs, Ring: s.data}
}

// Runs returns the service that runs projects on this site.
func (s *Site) Runs() *run.Service {
	return &run.Service{
		Log: s.Log, Blobs: s.Blobs, Data: s.Data(), Envs: s.Envs, Output: s.output,
		Me: s.Me, Who: s.Who, Locks: filepath.Join(s.Dir, "runs"), Site: s.Name, Deps: s.Deps(),
	}
}

// Deps returns the service that keeps the site's advisories.
func (s *Site) Deps() *deps.Service {
	return &deps.Service{Log: s.Log, Dir: filepath.Join(s.Dir, "advisories"), Who: s.Who, Version: run.Version(), History: run.History}
}

// Recover mends what killed commands left behind: it records their runs as
// interrupted, whose names it returns, and sweeps their packs.
func (s *Site) Recover(ctx context.Context) ([]string, error) {
	mended, err := s.Runs().Recover(ctx)
	if err != nil {
		return mended, err
	}
	return mended, s.sweep(ctx)
}

// sweep removes keys and packs that nothing refers to: what a killed command had
// written before its transaction. It does nothing while another command is at
// work, whose packs are not yet referred to.
func (s *Site) sweep(ctx context.Context) (err error) {
	ok, err := s.lock.TryAlone()
	// A conversion, also one that failed, may have lost the lock (flock(2)).
	defer func() { err = errors.Join(err, s.lock.Share()) }()
	if err != nil || !ok {
		return err
	}
	return s.sweepAlone(ctx)
}

// sweepAlone is sweep for who holds the lock alone.
func (s *Site) sweepAlone(ctx context.Context) error {
	if err := s.sweepKeys(ctx); err != nil {
		return err
	}
	if err := s.Deps().Sweep(ctx); err != nil {
		return err
	}
	var packs map[string]bool
	if err := s.State.View(ctx, func(tx *state.Tx) (err error) {
		packs, err = tx.Packs()
		return err
	}); err != nil {
		return err
	}
	_, _, err := s.Blobs.Sweep(packs)
	return err
}

func openLog(db *state.DB, dir string) (*ledger.Log, string, error) {
	secret, err := os.ReadFile(filepath.Join(dir, "keys", "ledger"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, "", sallyport.Errorf(sallyport.Corrupt, "the site's ledger key is missing").At("keys/ledger").
			Try("restore the folder keys, or make a new site")
	} else if err != nil {
		return nil, "", err
	}
	skey, vkey, _ := strings.Cut(strings.TrimSpace(string(secret)), "\n")
	signer, err := note.NewSigner(skey)
	if err != nil {
		return nil, "", damagedLedgerKey()
	}
	verifier, err := ledger.NewVerifier(vkey)
	if err != nil || verifier.Name() != signer.Name() || verifier.KeyHash() != signer.KeyHash() {
		return nil, "", damagedLedgerKey()
	}
	log, err := ledger.Open(db, signer, verifier, ledger.Remember(filepath.Join(dir, "checkpoint")))
	return log, signer.Name(), err
}

func damagedLedgerKey() error {
	return sallyport.Errorf(sallyport.Corrupt, "the site's ledger key is damaged").At("keys/ledger").
		Try("restore the folder keys from where you keep it safe")
}

// VerifierKey returns the public key of the site's ledger in the note format
// (name+hash+key).
func (s *Site) VerifierKey() (string, error) {
	secret, err := os.ReadFile(filepath.Join(s.Dir, "keys", "ledger"))
	if err != nil {
		return "", err
	}
	_, vkey, _ := strings.Cut(strings.TrimSpace(string(secret)), "\n")
	return vkey, nil
}
