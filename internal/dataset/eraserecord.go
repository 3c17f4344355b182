package dataset

import (
	"context"
	"crypto/sha256"
	"slices"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/ledger"
)

// conclude writes the manifests of the versions that lost something.
func (e *Erasing) conclude(ctx context.Context, lost [][]loss) error {
	written := e.data.Written()
	for n, inc := range e.increments {
		for i, id := range e.ids[n] {
			if id < 0 {
				inc.Version.pending[i] = written[-1-id]
			}
		}
	}
	gone := map[spot]bool{}
	for _, l := range slices.Concat(lost...) {
		gone[spot{l.version, l.window, l.entry, 0}] = true
	}
	for n, inc := range e.increments {
		mine := e.losses(n, lost)
		if len(mine) == 0 {
			continue
		}
		e.changed[n] = true
		change := Change{Version: inc.Ref(), Before: inc.Root}
		e.count(n, mine, &change)
		inc.Dropped = slices.DeleteFunc(inc.Dropped, func(d dropped) bool { return gone[spot{d.Version, d.Window, d.Entry, 0}] })
		inc.Salt = random(saltSize)
		var err error
		if inc.Content, err = e.content(ctx, n); err != nil {
			return err
		}
		inc.Root = inc.salted(inc.Content)
		inc.Version.Erased++
		if err := e.putManifest(n); err != nil {
			return err
		}
		change.After = inc.Root
		e.Versions = append(e.Versions, change)
	}
	return nil
}

// losses returns what the n-th version loses, its own and that of what it
// extends.
func (e *Erasing) losses(n int, lost [][]loss) (all []loss) {
	for m := n + 1; m != 0; m = e.increments[m-1].Parent {
		all = append(all, lost[m-1]...)
	}
	return all
}

// count takes losses off the numbers of the n-th version. What it had dropped
// before is none of its losses.
func (e *Erasing) count(n int, mine []loss, change *Change) {
	v := e.increments[n].Version
	had := map[spot]bool{}
	for _, d := range e.increments[n].Dropped {
		had[spot{d.Version, d.Window, d.Entry, 0}] = true
	}
	subjects := map[string]bool{}
	for _, l := range mine {
		if had[spot{l.version, l.window, l.entry, 0}] {
			continue
		}
		v.Records -= l.records
		v.Bytes -= l.bytes
		change.Records += l.records
		if l.version == v.Number {
			v.NewRecords -= l.records
			v.NewBytes -= l.bytes
		}
		if l.records > 0 {
			subjects[l.subject] = true
		}
	}
	change.Subjects = int64(len(subjects))
	v.Subjects -= change.Subjects
}

// content returns the content hash of the n-th version without the erased.
func (e *Erasing) content(ctx context.Context, n int) (sallyport.Digest, error) {
	c := e.chain(n, true)
	if e.set.Format != Tree {
		return tableContent(c.all), nil
	}
	all, err := c.listings(ctx)
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	for f := all.peek(); f != nil; f = all.peek() {
		f.hash(sum)
		if err := all.skip(); err != nil {
			return "", err
		}
	}
	return contentOf(sum), nil
}

// putManifest writes the manifest of the n-th version, at indexes of its own.
func (e *Erasing) putManifest(n int) error {
	inc := e.increments[n]
	stream := e.manifests.Stream()
	if _, err := stream.Write(inc.encode()); err != nil {
		return err
	}
	if err := stream.Close(); err != nil {
		return err
	}
	for _, i := range inc.Manifest {
		e.drop(n, i)
	}
	inc.Manifest = nil
	first := len(e.data.Written())
	for _, k := range stream.Segments() {
		inc.Manifest = append(inc.Manifest, len(e.ids[n]))
		e.ids[n] = append(e.ids[n], int64(-1-first-k))
	}
	return nil
}

// Record makes the erasure be: the versions are what is left of them, and the
// segments that were replaced are deleted with their keys. If a version was
// added or erased from meanwhile it is an error of kind Busy, and nothing
// happened.
func (e *Erasing) Record(tx *ledger.Tx) error {
	versions, err := getVersions(tx, e.Dataset)
	if err != nil {
		return err
	}
	same := slices.EqualFunc(versions, e.seen, func(v *Version, root sallyport.Digest) bool { return v.Root == root })
	if !same {
		return sallyport.Errorf(sallyport.Busy, "dataset %s was changed meanwhile; nothing was erased", e.Dataset).Try("try again")
	}
	data, err := e.data.Record(tx.State())
	if err != nil {
		return err
	}
	manifests, err := e.manifests.Record(tx.State())
	if err != nil {
		return err
	}
	written := append(data, manifests...)
	for n, inc := range e.increments {
		if !e.changed[n] {
			continue
		}
		for i, id := range e.ids[n] {
			if id < 0 {
				e.ids[n][i] = written[-1-id]
			}
		}
		inc.Segments = spans(e.ids[n])
		if _, err := tx.Put("version.erased", "version", inc.Ref().String(), inc.Version, nil); err != nil {
			return err
		}
	}
	set, err := getDataset(tx, e.Dataset)
	if err != nil {
		return err
	}
	set.Epoch++
	if _, err := tx.Put("dataset.erased", "dataset", set.Name, set, nil); err != nil {
		return err
	}
	return tx.State().DeleteSegments(e.dead)
}
