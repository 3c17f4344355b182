package site

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/ledger"
	"github.com/sallyport/sallyport/internal/seal"
)

// rings lists the rings of a site and the action that entitles to open each.
var rings = []struct {
	name   string
	action sallyport.Action
}{
	{"data", sallyport.OpenData},
	{"output", sallyport.OpenRun},
}

// A Ring is the document of an object "ring": which file holds the ring, and
// for whom it is wrapped. The ledger vouches for the digest, so that nobody who
// can write to the disk can put a ring of their own in its place and have new
// data sealed under keys that they know.
type Ring struct {
	Name   string           `json:"name"`
	File   string           `json:"file"` // in keys
	Digest sallyport.Digest `json:"digest"`
	For    []string         `json:"for"` // principals
}

// wrap writes a ring for everybody who is entitled, under a name that no other
// ring has had. It counts once its document is in the ledger.
func wrap(dir string, r *seal.Ring, all []sallyport.Principal, a sallyport.Action) (Ring, error) {
	doc := Ring{Name: r.Name}
	var to []string
	for _, p := range all {
		if p.May(a) == nil {
			doc.For = append(doc.For, p.Name)
			to = append(to, p.Recipient)
		}
	}
	wrapped, err := r.Wrap(to)
	if err != nil {
		return doc, err
	}
	doc.Digest = sallyport.Sum(wrapped)
	doc.File = r.Name + "-" + doc.Digest.Short()
	return doc, writeFile(filepath.Join(dir, "keys", doc.File), wrapped, 0o600)
}

// openRing opens a ring if it is wrapped for the principal; otherwise it
// returns nil without an error.
func (s *Site) openRing(ctx context.Context, name string) (*seal.Ring, error) {
	var doc Ring
	if err := s.Log.View(ctx, func(tx *ledger.Tx) error { return tx.Get("ring", name, &doc) }); err != nil {
		return nil, err
	}
	if !slices.Contains(doc.For, s.Who.Name) {
		return nil, nil
	}
	place := "keys/" + doc.File
	wrapped, err := os.ReadFile(filepath.Join(s.Dir, "keys", filepath.Base(doc.File)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, sallyport.Errorf(sallyport.Corrupt, "a key of the site is missing").At("%s", place).
			Try("restore the folder keys from where you keep it safe")
	} else if err != nil {
		return nil, err
	}
	if sallyport.Sum(wrapped) != doc.Digest {
		return nil, sallyport.Errorf(sallyport.Corrupt, "a key of the site is not the one that the ledger vouches for").At("%s", place).
			Try("restore the folder keys from where you keep it safe")
	}
	return seal.OpenRing(name, wrapped, s.Me)
}

// sweepKeys removes rings that the ledger no longer names, or never did: what
// an enrolment leaves behind, whether it came through or was killed.
func (s *Site) sweepKeys(ctx context.Context) error {
	keep := map[string]bool{"ledger": true}
	if err := s.Log.View(ctx, func(tx *ledger.Tx) error {
		for _, r := range rings {
			var doc Ring
			if err := tx.Get("ring", r.name, &doc); err != nil {
				return err
			}
			keep[doc.File] = true
		}
		return nil
	}); err != nil {
		return err
	}
	files, err := os.ReadDir(filepath.Join(s.Dir, "keys"))
	if err != nil {
		return err
	}
	for _, f := range files {
		ours := slices.ContainsFunc(rings, func(r struct {
			name   string
			action sallyport.Action
		}) bool {
			return strings.HasPrefix(f.Name(), r.name+"-")
		}) || strings.HasPrefix(f.Name(), ".new-")
		if ours && !keep[f.Name()] {
			if err := os.Remove(filepath.Join(s.Dir, "keys", f.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}
