package dataset

import (
	"context"
	"crypto/rand"
	"time"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/blob"
	"github.com/sallyport/sallyport/internal/ledger"
	"github.com/sallyport/sallyport/internal/seal"
)

// An AddReport says what Add did.
type AddReport struct {
	NewRecords int64
	NewBytes   int64
	Appended   bool  // only what is new was stored
	Unchanged  bool  // the source is what the newest version is; no version was made
	NotUTF8    int64 // new records of a table that are not valid UTF-8; they are kept as they are
}

// Add makes src the newest version of the dataset of that name, which is made
// if it is not there. If src is a table that begins with the whole newest
// version, or a tree, then what is in that version already is referred to and
// not stored again. The plaintext goes through memory only.
//
// progress, which may be nil, is called now and then with how many bytes were
// read; total is 0 for a tree, which is not measured beforehand.
//
// Kinds of errors: Denied (no key), Invalid (with file and line; a tree: with
// the number of the file in the order of names), Usage, NotFound, Busy (another
// version came in between), NoSpace, Interrupted. After an error nothing has
// changed.
func (s *Store) Add(ctx context.Context, by, name string, src Source, progress func(done, total int64)) (*Version, AddReport, error) {
	a, err := s.begin(ctx, by, name, src)
	if err != nil {
		return nil, AddReport{}, err
	}
	defer a.w.Abort()
	a.progress = progress
	read := a.table
	if a.set.Format == Tree {
		read = a.tree
	}
	if err := read(ctx); err != nil {
		return nil, AddReport{}, err
	}
	if a.report.Unchanged {
		return a.old.last.Version, a.report, nil
	}
	if err := a.finish(ctx); err != nil {
		return nil, AddReport{}, err
	}
	return a.v, a.report, nil
}

// An adding is an Add under way.
type adding struct {
	s        *Store
	src      Source
	set      *Dataset
	isNew    bool   // the dataset is
	old      *chain // of the newest version there is; nil if there is none
	w        *blob.Writer
	v        *Version
	m        *manifest
	index    *indexer
	tags     *tagger // of subjects
	hashes   *tagger // of values, for the profile
	progress func(done, total int64)
	report   AddReport
	numbers  []uint32 // memory that deal uses again
}

// begin reads what there is of the dataset and prepares the next version.
func (s *Store) begin(ctx context.Context, by, name string, src Source) (*adding, error) {
	if err := sallyport.CheckName("dataset", name); err != nil {
		return nil, err
	}
	if err := s.mayOpen(); err != nil {
		return nil, err
	}
	set, err := src.describe(name)
	if err != nil {
		return nil, err
	}
	now := time.Now().UTC().Truncate(time.Millisecond)
	a := &adding{s: s, src: src, set: set}
	a.v = &Version{Dataset: name, Number: 1, Created: now, By: by}
	key := s.Ring.Lasting("subjects")
	a.m = &manifest{Format: manifestFormat, Dataset: name, Number: 1,
		Increment: random(idSize), Key: key[:], Salt: random(saltSize)}
	newest, err := s.Find(ctx, sallyport.Ref{Name: name})
	if sallyport.Is(err, sallyport.NotFound) {
		a.isNew = true
		set.Created, set.By = now, by
	} else if err != nil {
		return nil, err
	} else if a.old, err = s.open(ctx, newest); err != nil {
		return nil, err
	} else {
		if err := set.agree(a.old.set); err != nil {
			return nil, err
		}
		a.v.Number = newest.Number + 1
		a.m.Number, a.m.Key = a.v.Number, a.old.last.Key
	}
	if err := set.check(src.Path); err != nil {
		return nil, err
	}
	a.tags = a.m.tagger()
	a.hashes = newTagger(seal.Key(a.m.Key), "values")
	a.w = s.Blobs.NewWriter(s.Ring)
	a.index = &indexer{w: a.w, m: a.m}
	return a, nil
}

// extend makes the version one that refers to all of the newest there is.
func (a *adding) extend() {
	a.v.Parent = a.old.last.Version.Number
	a.v.Records, a.v.Bytes = a.old.last.Records, a.old.last.Bytes
	a.report.Appended = true
}

// finish counts the subjects, writes the manifest, makes everything durable,
// and records the version.
func (a *adding) finish(ctx context.Context) error {
	if err := a.index.flush(); err != nil {
		return err
	}
	if err := a.countSubjects(ctx); err != nil {
		return err
	}
	a.v.NewRecords, a.v.NewBytes = a.report.NewRecords, a.report.NewBytes
	a.v.Records += a.report.NewRecords
	a.v.Bytes += a.report.NewBytes
	a.v.Columns = len(a.m.Profile.Columns) + a.m.Profile.More
	a.v.Root = a.m.salted(a.m.Content)

	stream := a.w.Stream()
	if _, err := stream.Write(a.m.encode()); err != nil {
		return err
	}
	if err := stream.Close(); err != nil {
		return err
	}
	a.v.Manifest = stream.Segments()
	if err := a.w.Finish(); err != nil {
		return err
	}
	return a.s.Log.Update(ctx, a.v.By, a.record)
}

// record is the transaction that makes the version be there. It begins by
// looking whether the version that this one follows is still the newest: two
// may have been added at once.
func (a *adding) record(tx *ledger.Tx) error {
	versions, err := getVersions(tx, a.set.Name)
	if err != nil {
		return err
	}
	if len(versions) != a.v.Number-1 {
		return sallyport.Errorf(sallyport.Busy, "another version of dataset %s was added meanwhile; nothing was changed", a.set.Name).
			Try("try again")
	}
	ids, err := a.w.Record(tx.State())
	if err != nil {
		return err
	}
	a.v.Segments = spans(ids)
	if a.isNew {
		if _, err := tx.Put("dataset.created", "dataset", a.set.Name, a.set, nil); err != nil {
			return err
		}
	}
	_, err = tx.Put("version.added", "version", a.v.Ref().String(), a.v, nil)
	return err
}

// countSubjects counts the different tags of the version's records, by walking
// over the sorted runs of all of its increments at once.
func (a *adding) countSubjects(ctx context.Context) error {
	var tallies []*tally
	if a.v.Parent != 0 {
		tallies = a.old.tallies(ctx)
	}
	for r, run := range a.m.Index {
		tallies = append(tallies, &tally{blocks: len(run), read: func(i int) ([]byte, error) {
			b, err := a.w.Read(run[i].Segment, nil)
			if err != nil {
				return nil, err
			}
			return a.m.head(kindIndex, r, i).cut(b)
		}})
	}
	return eachTag(ctx, tallies, minus(a.m.Dropped), func(uint64) { a.v.Subjects++ })
}

func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b)
	return b
}
