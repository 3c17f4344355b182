package dataset

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/ledger"
	"github.com/sallyport/sallyport/internal/state"
)

// erase takes subjects out of a dataset and out of the packs.
func erase(t *testing.T, s *Store, name string, subjects ...string) *Erasing {
	t.Helper()
	e, err := s.Erase(t.Context(), name, subjects, s.Ring)
	check(t, err)
	if e != nil {
		check(t, s.Log.Update(t.Context(), "sam", e.Record))
	}
	return e
}

// without returns the lines of a table that are of other subjects.
func without(table string, subjects ...string) string {
	var b strings.Builder
	for line := range strings.Lines(table) {
		id, _, _ := strings.Cut(line, ",")
		if !slices.Contains(subjects, id) {
			b.WriteString(line)
		}
	}
	return b.String()
}

// TestEraseTable erases from random tables of several versions, some of which
// extend others, and wants of each exactly the other lines, and of what was
// erased nothing.
func TestEraseTable(t *testing.T) {
	for seed := range uint64(12) {
		r := rand.New(rand.NewPCG(seed, 4))
		s := newStore(t, t.TempDir())
		path := filepath.Join(t.TempDir(), "t.csv")
		rows := func(n int) string {
			var b strings.Builder
			for range n {
				fmt.Fprintf(&b, "patient%d,%d,%s\n", r.IntN(40), r.IntN(1000), strings.Repeat("x", r.IntN(300)))
			}
			return b.String()
		}
		var tables []string
		table := "id,a,b\n" + rows(50)
		for v := range 5 {
			tables = append(tables, table)
			check(t, os.WriteFile(path, []byte(table), 0o600))
			_, report, err := s.Add(t.Context(), "sam", "x", Source{Path: path, Subject: "id"}, nil)
			check(t, err)
			if report.Appended != (v > 0 && strings.HasPrefix(table, tables[max(0, v-1)])) {
				t.Fatalf("version %d: %+v", v+1, report)
			}
			if r.IntN(3) == 0 {
				table = "id,a,b\n" + rows(60)
			} else {
				table += rows(r.IntN(40) + 1)
			}
		}
		gone := []string{"patient3", "patient17", "nobody"}
		e := erase(t, s, "x", gone...)
		wantVersions(t, s, "x", tables, gone)
		for _, c := range e.Versions {
			if c.Before == c.After || c.Records == 0 || c.Subjects == 0 {
				t.Errorf("%+v", c)
			}
		}
		if e := erase(t, s, "x", gone...); e != nil {
			t.Errorf("erased twice: %+v", e.Versions)
		}
		// It can grow and lose again.
		last := without(tables[4]+rows(10), gone...)
		check(t, os.WriteFile(path, []byte(last), 0o600))
		_, report, err := s.Add(t.Context(), "sam", "x", Source{Path: path, Subject: "id"}, nil)
		check(t, err)
		if !report.Appended {
			t.Error("what is left of a version is not extended")
		}
		erase(t, s, "x", "patient5", "patient6", "patient7", "patient8", "patient9")
		wantVersions(t, s, "x", append(tables, last), append(gone, "patient5", "patient6", "patient7", "patient8", "patient9"))
	}
}

// wantVersions demands that the versions are what is left of tables, in every respect.
func wantVersions(t *testing.T, s *Store, name string, tables []string, gone []string) {
	t.Helper()
	versions, err := s.Versions(t.Context(), name)
	check(t, err)
	for i, table := range tables {
		want := without(table, gone...)
		dst := filepath.Join(t.TempDir(), "out")
		check(t, s.Get(t.Context(), versions[i].Ref(), dst, nil))
		got, err := os.ReadFile(dst)
		check(t, err)
		if string(got) != want {
			t.Fatalf("version %d: %d bytes, want %d", i+1, len(got), len(want))
		}
		subjects := map[string]bool{}
		for line := range strings.Lines(want) {
			id, _, _ := strings.Cut(line, ",")
			subjects[id] = true
		}
		v := versions[i]
		if v.Records != int64(strings.Count(want, "\n")-1) || v.Bytes != int64(len(want)) || v.Subjects != int64(len(subjects)-1) {
			t.Errorf("version %d has %d records of %d subjects, %d bytes; want %d, %d, %d", i+1,
				v.Records, v.Subjects, v.Bytes, strings.Count(want, "\n")-1, len(subjects)-1, len(want))
		}
		var sample bytes.Buffer
		x, err := s.WriteTo(t.Context(), v, Selection{Percent: 100}, &sample)
		check(t, err)
		if sample.String() != want || x.Subjects != v.Subjects {
			t.Errorf("version %d: a sample of everybody is another: %d subjects", i+1, x.Subjects)
		}
	}
	for _, g := range gone {
		hits, err := s.Holds(t.Context(), g)
		check(t, err)
		if len(hits) > 0 {
			t.Errorf("%s is still found: %+v", g, hits)
		}
	}
	leftNowhere(t, s, gone)
}

// leftNowhere opens every segment there is and finds nothing of the subjects: no
// line of theirs, and no tag.
func leftNowhere(t *testing.T, s *Store, gone []string) {
	t.Helper()
	key := s.Ring.Lasting("subjects")
	tags := newTagger(key, "subject")
	sets, err := s.List(t.Context())
	check(t, err)
	for _, set := range sets {
		versions, err := s.Versions(t.Context(), set.Name)
		check(t, err)
		for _, v := range versions {
			inc, err := s.increment(t.Context(), v)
			check(t, err)
			c := &chain{s: s, set: set, all: []*increment{inc}, last: inc}
			for r, run := range inc.Index {
				for i := range run {
					body, err := c.indexBlock(t.Context(), inc, r, i)
					check(t, err)
					entries, err := entriesOf(body)
					check(t, err)
					for _, g := range gone {
						tag := tags.tag([]byte(g))
						if run[i].First == tag || slices.ContainsFunc(entries, func(x entry) bool { return x.tag == tag }) {
							t.Errorf("version %d: the index still names %s", v.Number, g)
						}
					}
				}
			}
		}
	}
	check(t, s.Log.View(t.Context(), func(tx *ledger.Tx) error {
		return tx.State().EachSegment(func(seg state.Segment) error {
			b, err := s.Blobs.Read(seg, s.Ring, nil)
			if err != nil {
				return err
			}
			for _, g := range gone {
				if bytes.Contains(b, []byte(g+",")) || bytes.Contains(b, []byte(g+"/")) {
					t.Errorf("a segment of %d bytes still holds %s", len(b), g)
				}
			}
			return nil
		})
	}))
}

// TestEraseTree does the same with trees: files small and large, folders,
// files that later versions drop, change and add.
func TestEraseTree(t *testing.T) {
	root := t.TempDir()
	s := newStore(t, t.TempDir())
	add := func() {
		t.Helper()
		_, _, err := s.Add(t.Context(), "sam", "x", Source{Path: root, Pattern: byFolder}, nil)
		check(t, err)
	}
	now := time.Now()
	for p := range 6 {
		plant(t, root, fmt.Sprintf("p7000000%d/a", p), fmt.Sprint("small ", p), 0o600, now)
		plant(t, root, fmt.Sprintf("p7000000%d/sub/b", p), strings.Repeat("b", p), 0o600, now)
	}
	plant(t, root, "p70000002/large", strings.Repeat("large p70000002/", partSize/8), 0o600, now)
	plant(t, root, "p70000003/large", strings.Repeat("large p70000003/", partSize/8), 0o600, now)
	add()
	check(t, os.Remove(filepath.Join(root, "p70000002/a"))) // dropped in version 2
	plant(t, root, "p70000002/new", "p70000002/ again", 0o600, now)
	plant(t, root, "p70000004/a", "changed", 0o600, now)
	add()
	check(t, os.RemoveAll(filepath.Join(root, "p70000002"))) // gone in version 3
	add()

	e := erase(t, s, "x", "p70000002")
	if n := len(e.Versions); n != 3 {
		t.Errorf("%d versions change", n)
	}
	check(t, os.RemoveAll(filepath.Join(root, "p70000002")))
	versions, err := s.Versions(t.Context(), "x")
	check(t, err)
	for _, v := range versions {
		dst := filepath.Join(t.TempDir(), "out")
		check(t, s.Get(t.Context(), v.Ref(), dst, nil))
		if _, err := os.Stat(filepath.Join(dst, "p70000002")); !os.IsNotExist(err) {
			t.Errorf("version %d still has p70000002", v.Number)
		}
		if _, err := os.Stat(filepath.Join(dst, "p70000003/large")); err != nil {
			t.Errorf("version %d: %v", v.Number, err)
		}
		if v.Subjects != 5 {
			t.Errorf("version %d has %d subjects", v.Number, v.Subjects)
		}
	}
	leftNowhere(t, s, []string{"p70000002"})
	add()
	if again, err := s.Versions(t.Context(), "x"); err != nil || len(again) != 3 {
		t.Errorf("what is left of the newest version is not what lies there: %d versions, %v", len(again), err)
	}
}

// TestEraseMeanwhile adds a version while an erasure is under way.
func TestEraseMeanwhile(t *testing.T) {
	s := newStore(t, t.TempDir())
	path := filepath.Join(t.TempDir(), "t.csv")
	add := func(text string) {
		check(t, os.WriteFile(path, []byte(text), 0o600))
		_, _, err := s.Add(context.Background(), "sam", "x", Source{Path: path, Subject: "id"}, nil)
		check(t, err)
	}
	add("id,a\np1,1\np2,2\n")
	e, err := s.Erase(t.Context(), "x", []string{"p1"}, s.Ring)
	check(t, err)
	add("id,a\np1,1\np2,2\np1,3\n")
	if err := s.Log.Update(t.Context(), "sam", e.Record); !sallyport.Is(err, sallyport.Busy) {
		t.Errorf("%v", err)
	}
	e.Abort()
	erase(t, s, "x", "p1")
	wantVersions(t, s, "x", []string{"id,a\np1,1\np2,2\n", "id,a\np1,1\np2,2\np1,3\n"}, []string{"p1"})
}
