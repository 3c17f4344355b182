package ledger

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/state"
)

const origin = "example.com/ward-7"

// A site is a ledger with its keys in a folder of its own.
type site struct {
	dir        string
	skey, vkey string
	db         *state.DB
	log        *Log
}

func newSite(t testing.TB) *site {
	t.Helper()
	s := &site{dir: t.TempDir()}
	s.skey, s.vkey = NewKey(origin)
	s.open(t)
	return s
}

func (s *site) file() string   { return filepath.Join(s.dir, "state.db") }
func (s *site) memory() string { return filepath.Join(s.dir, "checkpoint") }

// tryOpen opens the database and the log in the site's folder.
func (s *site) tryOpen() (*state.DB, *Log, error) {
	signer, err := note.NewSigner(s.skey)
	if err != nil {
		return nil, nil, err
	}
	verifier, err := NewVerifier(s.vkey)
	if err != nil {
		return nil, nil, err
	}
	db, err := state.Open(s.file())
	if err != nil {
		return nil, nil, err
	}
	log, err := Open(db, signer, verifier, Remember(s.memory()))
	if err != nil {
		db.Close()
		return nil, nil, err
	}
	return db, log, nil
}

func (s *site) open(t testing.TB) {
	t.Helper()
	var err error
	if s.db, s.log, err = s.tryOpen(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.db.Close() })
}

// put stores doc as an object and returns the number of the entry.
func (s *site) put(t testing.TB, kind, id string, doc any) (n int64) {
	t.Helper()
	s.update(t, func(tx *Tx) (err error) {
		n, err = tx.Put(kind+".put", kind, id, doc, nil)
		return err
	})
	return n
}

func (s *site) update(t testing.TB, fn func(*Tx) error) {
	t.Helper()
	if err := s.log.Update(t.Context(), "alice", fn); err != nil {
		t.Fatal(err)
	}
}

func (s *site) verify(t testing.TB) *Report {
	t.Helper()
	r, err := s.log.Verify(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (s *site) get(kind, id string) (doc string, err error) {
	err = s.log.View(context.Background(), func(tx *Tx) error { return tx.Get(kind, id, &doc) })
	return doc, err
}

func wantKind(t testing.TB, err error, kind sallyport.Kind, words ...string) {
	t.Helper()
	if !sallyport.Is(err, kind) {
		t.Fatalf("got %v (%v), want an error of kind %v", err, sallyport.KindOf(err), kind)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("the error %q does not say %q", err, w)
		}
	}
}

func TestWhatIsPutIsGot(t *testing.T) {
	s := newSite(t)
	type run struct {
		Name  string
		Files map[string]int
		Note  string `json:",omitempty"`
	}
	want := run{Name: "a <b> & \u2028 \"c\"", Files: map[string]int{"b": 2, "a": 1}}
	holds := map[string]sallyport.Digest{"model/model.sig": sallyport.Sum([]byte("sig"))}
	var n int64
	s.update(t, func(tx *Tx) (err error) {
		if n, err = tx.Put("run.finished", "run", "k3f9", want, holds); err != nil {
			return err
		}
		var got run // within the transaction already
		if err := tx.Get("run", "k3f9", &got); err != nil || got.Name != want.Name {
			t.Errorf("got %+v, %v", got, err)
		}
		return nil
	})
	s.db.Close()
	s.open(t)
	err := s.log.View(t.Context(), func(tx *Tx) error {
		var got run
		if err := tx.Get("run", "k3f9", &got); err != nil || got.Name != want.Name || got.Files["b"] != 2 {
			t.Errorf("got %+v, %v", got, err)
		}
		wantKind(t, tx.Get("run", "other", &got), sallyport.NotFound)
		var number int
		wantKind(t, tx.Get("run", "k3f9", &number), sallyport.Internal, "run/k3f9")
		return tx.Each("run", func(id string, raw []byte, e Entry) error {
			if id != "k3f9" || e.N != n || e.Kind != "run.finished" || e.By != "alice" || e.Object != "run/k3f9" ||
				e.Holds["model/model.sig"] != holds["model/model.sig"] || time.Since(e.Time) > time.Hour || e.Time.Location() != time.UTC {
				t.Errorf("entry is %+v", e)
			}
			if want := `{"Name":"a <b> & \u2028 \"c\"","Files":{"a":1,"b":2}}`; string(raw) != want {
				t.Errorf("document is %s, want %s", raw, want)
			}
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestEqualDocumentsHaveUnequalDigests(t *testing.T) {
	s := newSite(t)
	s.put(t, "k", "a", "positive")
	s.put(t, "k", "b", "positive")
	digests := map[sallyport.Digest]bool{sallyport.Sum([]byte(`"positive"`)): true}
	err := s.log.Entries(t.Context(), 0, 2, func(e Entry) error {
		digests[e.Digest] = true
		return nil
	})
	if err != nil || len(digests) != 3 {
		t.Errorf("digests are %v, %v: a document can be guessed from its entry", digests, err)
	}
}

func TestAnUpdateIsOneTransaction(t *testing.T) {
	s := newSite(t)
	s.put(t, "k", "first", "1")
	before, err := s.log.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	mine := errors.New("mine")
	unencodable := func() {}
	for name, fn := range map[string]func(tx *Tx) error{
		"an error": func(tx *Tx) error {
			_, err := tx.Put("k.put", "k", "second", "2", nil)
			return errors.Join(err, mine)
		},
		"an error that is overlooked": func(tx *Tx) error {
			tx.Put("k.put", "k", "second", "2", nil)
			tx.Put("k.put", "k", "third", unencodable, nil)
			return nil
		},
		"an invalid name": func(tx *Tx) error {
			_, err := tx.Put("k.put", "k", "line\nbreak", "2", nil)
			return err
		},
		"a kind with a slash": func(tx *Tx) error {
			_, err := tx.Put("k.put", "k/l", "second", "2", nil)
			return err
		},
		"deleting nothing": func(tx *Tx) error {
			_, err := tx.Delete("k.deleted", "k", "second", nil)
			return err
		},
		"too much": func(tx *Tx) error {
			holds := make(map[string]sallyport.Digest)
			for i := range 2000 {
				holds[fmt.Sprint(i)] = sallyport.Sum(nil)
			}
			_, err := tx.Put("k.put", "k", "second", "2", holds)
			wantKind(t, err, sallyport.Limit)
			return err
		},
	} {
		if err := s.log.Update(t.Context(), "alice", fn); err == nil {
			t.Errorf("%s: no error", name)
		}
		after, err := s.log.Checkpoint(t.Context())
		if err != nil || string(after) != string(before) {
			t.Errorf("%s: the checkpoint changed; %v", name, err)
		}
	}
	if err := s.log.Update(t.Context(), "", func(tx *Tx) error {
		_, err := tx.Put("k.put", "k", "second", "2", nil)
		return err
	}); err == nil {
		t.Error("an entry by nobody")
	}
	s.update(t, func(tx *Tx) error { return tx.State().SetSetting("only", "state") })
	if r := s.verify(t); r.Size != 1 || r.Objects != 1 {
		t.Errorf("report is %+v", r)
	}
}

func TestNewestObjectCountsAndDeletedOnesAreGone(t *testing.T) {
	s := newSite(t)
	s.put(t, "k", "a", "1")
	s.put(t, "k", "b", "1")
	s.put(t, "k", "a", "2")
	s.update(t, func(tx *Tx) error {
		_, err := tx.Delete("k.deleted", "k", "b", nil)
		return err
	})
	if doc, err := s.get("k", "a"); doc != "2" {
		t.Errorf("a is %q, %v", doc, err)
	}
	_, err := s.get("k", "b")
	wantKind(t, err, sallyport.NotFound)
	if r := s.verify(t); r.Size != 4 || r.Objects != 1 || r.Deleted != 1 {
		t.Errorf("report is %+v", r)
	}
	s.put(t, "k", "b", "again")
	if r := s.verify(t); r.Objects != 2 {
		t.Errorf("report is %+v", r)
	}
}

func TestEmptyLog(t *testing.T) {
	s := newSite(t)
	if r := s.verify(t); r.Size != 0 || r.Checkpoint != nil {
		t.Errorf("report is %+v", r)
	}
	if n, err := s.log.Size(t.Context()); n != 0 || err != nil {
		t.Errorf("size is %d, %v", n, err)
	}
	_, err := s.log.Checkpoint(t.Context())
	wantKind(t, err, sallyport.NotFound)
	_, _, err = s.log.Proof(t.Context(), 0)
	wantKind(t, err, sallyport.NotFound)
	_, _, err = s.log.Consistency(t.Context(), 0)
	wantKind(t, err, sallyport.NotFound)
	wantKind(t, s.log.Export(t.Context(), filepath.Join(s.dir, "x")), sallyport.NotFound)
	if _, err := os.Lstat(filepath.Join(s.dir, "x")); err == nil {
		t.Error("a failed export left a folder")
	}
}

func TestALogWithoutItsSecretKeyIsReadOnly(t *testing.T) {
	s := newSite(t)
	s.put(t, "k", "a", "1")
	v, _ := NewVerifier(s.vkey)
	log, err := Open(s.db, nil, v)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := log.Verify(t.Context(), nil); err != nil {
		t.Error(err)
	}
	err = log.Update(t.Context(), "alice", func(tx *Tx) error {
		_, err := tx.Put("k.put", "k", "b", "1", nil)
		return err
	})
	wantKind(t, err, sallyport.Denied)
}

func TestKeysThatDoNotBelong(t *testing.T) {
	s := newSite(t)
	s.put(t, "k", "a", "1")
	_, other := NewKey(origin)
	v, err := NewVerifier(other)
	if err != nil {
		t.Fatal(err)
	}
	signer, _ := note.NewSigner(s.skey)
	_, err = Open(s.db, signer, v)
	wantKind(t, err, sallyport.Invalid)
	_, err = Open(s.db, nil, v)
	wantKind(t, err, sallyport.Corrupt, "checkpoint")
	for _, vkey := range []string{"", "x", s.skey, s.vkey + "x"} {
		_, err = NewVerifier(vkey)
		wantKind(t, err, sallyport.Invalid)
	}
	for _, origin := range []string{"", "a b", "a+b"} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%q names a key", origin)
				}
			}()
			NewKey(origin)
		}()
	}
}

func TestAClockThatIsSetBackIsSaid(t *testing.T) {
	s := newSite(t)
	now := time.Date(2026, 3, 1, 12, 0, 0, 987654321, time.FixedZone("east", 3600))
	s.log.now = func() time.Time { return now }
	s.put(t, "k", "a", "1")
	now = now.Add(-time.Hour)
	s.put(t, "k", "b", "1")
	now = now.Add(time.Minute)
	s.put(t, "k", "c", "1")
	r := s.verify(t)
	if len(r.Backwards) != 1 || r.Backwards[0] != 1 {
		t.Errorf("backwards are %v", r.Backwards)
	}
	if got := r.First.Format(time.RFC3339Nano); got != "2026-03-01T11:00:00.987Z" {
		t.Errorf("first time is %s", got)
	}
}

func TestReadersAndWritersAtOnce(t *testing.T) {
	s := newSite(t)
	s.put(t, "k", "start", "1")
	const writers, each = 4, 15
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				err := s.log.Update(t.Context(), "alice", func(tx *Tx) error {
					_, err := tx.Put("k.put", "k", fmt.Sprintf("%d-%d", w, i), "1", nil)
					return err
				})
				if err != nil {
					t.Error(err)
				}
				if _, err := s.get("k", "start"); err != nil {
					t.Error(err)
				}
				if _, err := s.log.Size(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if r := s.verify(t); r.Size != 1+writers*each {
		t.Errorf("%d entries, want %d", r.Size, 1+writers*each)
	}
}

func TestProgressEndsAtTheTotal(t *testing.T) {
	s := newSite(t)
	for i := range 3 {
		s.put(t, "k", fmt.Sprint(i), "1")
	}
	var calls []string
	if _, err := s.log.Verify(t.Context(), func(done, total int64) {
		calls = append(calls, fmt.Sprintf("%d/%d", done, total))
	}); err != nil || strings.Join(calls, " ") != "0/3 3/3" {
		t.Errorf("progress is %v, %v", calls, err)
	}
}
