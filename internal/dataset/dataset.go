package dataset

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/blob"
	"github.com/sallyport/sallyport/internal/ledger"
	"github.com/sallyport/sallyport/internal/seal"
	"github.com/sallyport/sallyport/internal/state"
)

// A Store is the datasets of a site. Ring is nil when the identity at hand may
// not open data; then nothing but the public documents can be read.
type Store struct {
	Log   *ledger.Log
	Blobs *blob.Store
	Ring  *seal.Ring
}

// The formats of datasets.
const (
	CSV   = "csv"   // RFC 4180, comma, UTF-8 by convention
	TSV   = "tsv"   // the same with tabs
	JSONL = "jsonl" // a JSON object in every line
	Tree  = "tree"  // a folder: every file is a record
)

// A Dataset is what all versions of a dataset have in common. It is public
// within the site: the name of the subject's column is, its values are not.
type Dataset struct {
	Name    string    `json:"name"`
	Format  string    `json:"format"`
	Subject string    `json:"subject,omitempty"` // column or JSON field
	Pattern string    `json:"pattern,omitempty"` // trees: a regular expression over the slash path
	Created time.Time `json:"created"`
	By      string    `json:"by"`
	Epoch   int       `json:"epoch"` // how many erasures there were
}

// A Version is a fixed state of a dataset, as everybody on the site may see
// it: how much there is, and a commitment to what it is. Root is
// SHA-256(salt || content), the salt sealed, so that nobody can try out what
// the records might be.
type Version struct {
	Dataset    string           `json:"dataset"`
	Number     int              `json:"number"`
	Created    time.Time        `json:"created"`
	By         string           `json:"by"`
	Records    int64            `json:"records"`
	Subjects   int64            `json:"subjects"`
	Bytes      int64            `json:"bytes"`
	Columns    int              `json:"columns"`
	Root       sallyport.Digest `json:"root"`
	Parent     int              `json:"parent"` // the version that this one extends; 0 if it stands alone
	NewRecords int64            `json:"newRecords"`
	NewBytes   int64            `json:"newBytes"`
	Segments   []span           `json:"segments"`         // ids of the segments that are new in this version, by index; 0 for one that was erased
	Manifest   []int            `json:"manifest"`         // the indexes of those that hold its manifest
	Erased     int              `json:"erased,omitempty"` // how many erasures took something out of it

	pending []state.Segment // of a version that is being rewritten: by index, where its segments lie now
}

// Ref returns the version's name, dataset@number.
func (v *Version) Ref() sallyport.Ref { return sallyport.Ref{Name: v.Dataset, Version: v.Number} }

// A span is a run of consecutive segment ids: the first, and how many.
type span [2]int64

func spans(ids []int64) []span {
	var out []span
	for _, id := range ids {
		if n := len(out); n > 0 && out[n-1][0] != 0 && out[n-1][0]+out[n-1][1] == id {
			out[n-1][1]++
			continue
		}
		out = append(out, span{id, 1})
	}
	return out
}

// segment returns the id of the i-th segment.
func (v *Version) segment(i int) (int64, error) {
	n := int64(i)
	for _, s := range v.Segments {
		if n < s[1] {
			return s[0] + n, nil
		}
		n -= s[1]
	}
	return 0, corrupt(v.Ref(), "its manifest names a segment that it does not have")
}

// count returns how many segments the version brought.
func (v *Version) count() (n int64) {
	for _, s := range v.Segments {
		n += s[1]
	}
	return n
}

// List returns every dataset, the oldest first.
func (s *Store) List(ctx context.Context) ([]*Dataset, error) {
	var out []*Dataset
	err := s.Log.View(ctx, func(tx *ledger.Tx) error {
		return tx.Each("dataset", func(id string, raw []byte, _ ledger.Entry) error {
			d := new(Dataset)
			if json.Unmarshal(raw, d) != nil {
				return sallyport.Errorf(sallyport.Corrupt, "the document cannot be read").At("dataset %s", id)
			}
			out = append(out, d)
			return nil
		})
	})
	return out, err
}

// Dataset returns the dataset of that name; an error of kind NotFound if there
// is none.
func (s *Store) Dataset(ctx context.Context, name string) (d *Dataset, err error) {
	err = s.Log.View(ctx, func(tx *ledger.Tx) error {
		d, err = getDataset(tx, name)
		return err
	})
	return d, err
}

// Versions returns the versions of a dataset in order.
func (s *Store) Versions(ctx context.Context, name string) (out []*Version, err error) {
	err = s.Log.View(ctx, func(tx *ledger.Tx) error {
		if _, err := getDataset(tx, name); err != nil {
			return err
		}
		out, err = getVersions(tx, name)
		return err
	})
	return out, err
}

// Find returns the version that ref names; an error of kind NotFound if there
// is none.
func (s *Store) Find(ctx context.Context, ref sallyport.Ref) (*Version, error) {
	all, err := s.Versions(ctx, ref.Name)
	if err != nil {
		return nil, err
	}
	if ref.Version == 0 && len(all) > 0 {
		return all[len(all)-1], nil
	}
	for _, v := range all {
		if v.Number == ref.Version {
			return v, nil
		}
	}
	return nil, sallyport.Errorf(sallyport.NotFound, "dataset %s has no version %d", ref.Name, ref.Version).
		Try("list its versions with: sallyport data show %s", ref.Name)
}

func getDataset(tx *ledger.Tx, name string) (*Dataset, error) {
	d := new(Dataset)
	err := tx.Get("dataset", name, d)
	if sallyport.Is(err, sallyport.NotFound) {
		return nil, sallyport.Errorf(sallyport.NotFound, "no dataset is named %q", name).
			Try("list the datasets with: sallyport data ls")
	}
	return d, err
}

// getVersions relies on versions being numbered from 1 without gaps.
func getVersions(tx *ledger.Tx, name string) ([]*Version, error) {
	var out []*Version
	for n := 1; ; n++ {
		v := new(Version)
		err := tx.Get("version", versionID(name, n), v)
		if sallyport.Is(err, sallyport.NotFound) {
			return out, nil
		} else if err != nil {
			return nil, err
		}
		if v.Dataset != name || v.Number != n {
			return nil, corrupt(sallyport.Ref{Name: name, Version: n}, "its document is another version's")
		}
		out = append(out, v)
	}
}

func versionID(name string, n int) string { return fmt.Sprintf("%s@%d", name, n) }

// mayOpen returns an error of kind Denied if the identity at hand may not open
// data.
func (s *Store) mayOpen() error {
	if s.Ring != nil {
		return nil
	}
	return sallyport.Errorf(sallyport.Denied, "this identity's key does not open the data of this site").
		Try("use a steward's or an operator's identity, with --as")
}

func corrupt(ref sallyport.Ref, format string, args ...any) error {
	return sallyport.Errorf(sallyport.Corrupt, format, args...).At("dataset %s", ref).
		Try("restore the site from a backup, then run: sallyport log verify")
}
