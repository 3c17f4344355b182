package dataset

import (
	"bytes"
	stdcsv "encoding/csv"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport"
)

// sampleOf returns the lines and the subjects that sel selects.
func sampleOf(t *testing.T, s *Store, v *Version, sel Selection) (Extracted, []string, map[string]int) {
	t.Helper()
	var out bytes.Buffer
	x, err := s.WriteTo(t.Context(), v, sel, &out)
	check(t, err)
	rows, err := stdcsv.NewReader(&out).ReadAll()
	check(t, err)
	var lines []string
	subjects := make(map[string]int)
	for _, row := range rows[1:] {
		lines = append(lines, strings.Join(row, ","))
		subjects[row[0]]++
	}
	if x.Records != int64(len(lines)) || x.Subjects != int64(len(subjects)) {
		t.Fatalf("%+v: %d records of %d subjects are told as %+v", sel, len(lines), len(subjects), x)
	}
	return x, lines, subjects
}

func TestSamples(t *testing.T) {
	s := newStore(t, t.TempDir())
	r := rand.New(rand.NewPCG(6, 6))
	var lines []string
	of := make(map[string]int)
	for i := range 5000 {
		id := fmt.Sprint("p", r.IntN(1000))
		of[id]++
		lines = append(lines, fmt.Sprintf("%s,%d", id, i))
	}
	text := "id,n\n" + strings.Join(lines[:4000], "\n") + "\n"
	v1, _ := addTable(t, s, "d", "id", "a.csv", text)
	v2, _ := addTable(t, s, "d", "id", "a.csv", text+strings.Join(lines[4000:], "\n")+"\n")

	whole, all, _ := sampleOf(t, s, v2, Selection{})
	if len(all) != 5000 || whole.Digest != v2.Root || whole.Bytes != v2.Bytes {
		t.Errorf("everything is %+v of %+v", whole, v2)
	}
	var before map[string]int
	var digests = make(map[sallyport.Digest]bool)
	for _, percent := range []float64{0.5, 1, 10, 20, 50, 99, 100} {
		x, got, subjects := sampleOf(t, s, v2, Selection{Percent: percent})
		if share := 100 * float64(len(subjects)) / float64(len(of)); share < percent-6 || share > percent+6 {
			t.Errorf("%v %% are %v %%", percent, share)
		}
		for id, n := range subjects {
			if n != of[id] {
				t.Fatalf("%d of the %d records of a subject are in the sample", n, of[id])
			}
		}
		for id := range before {
			if subjects[id] == 0 {
				t.Fatalf("%v %% lack a subject that fewer have", percent)
			}
		}
		next := 0 // in order
		for _, line := range got {
			for lines[next] != line {
				next++
			}
		}
		if digests[x.Digest] {
			t.Errorf("%v %% have the digest of another sample", percent)
		}
		digests[x.Digest] = true
		if again, _, _ := sampleOf(t, s, v2, Selection{Percent: percent}); again != x {
			t.Errorf("%v %% again are %+v, not %+v", percent, again, x)
		}
		_, _, older := sampleOf(t, s, v1, Selection{Percent: percent})
		for id := range older {
			if subjects[id] == 0 {
				t.Fatalf("%v %%: a subject of version 1 is not in version 2", percent)
			}
		}
		before = subjects
	}
	before = nil
	for _, n := range []int{1, 2, 17, 500, len(of), len(of) + 5} {
		_, _, subjects := sampleOf(t, s, v2, Selection{Subjects: n})
		if len(subjects) != min(n, len(of)) {
			t.Errorf("%d subjects are %d", n, len(subjects))
		}
		for id := range before {
			if subjects[id] == 0 {
				t.Fatalf("%d subjects lack one that fewer have", n)
			}
		}
		before = subjects
	}
	a, _, _ := sampleOf(t, s, v2, Selection{Percent: 10, Seed: "a"})
	b, _, _ := sampleOf(t, s, v2, Selection{Percent: 10, Seed: "b"})
	if a.Digest == b.Digest {
		t.Error("two seeds give one sample")
	}
	for _, sel := range []Selection{{Subjects: -1}, {Percent: -1}, {Percent: 101}, {Subjects: 1, Percent: 1}} {
		_, err := s.WriteTo(t.Context(), v2, sel, new(bytes.Buffer))
		fails(t, err, sallyport.Usage, "a sample is")
	}
}

// Shards part the subjects of a dataset, or of a sample of it, evenly; a subject
// is in the same one in every version and every dataset, where Deal says.
func TestShards(t *testing.T) {
	s := newStore(t, t.TempDir())
	var first, second strings.Builder
	for i := range 4000 {
		fmt.Fprintf(&first, "p%d,%d\n", i%800, i)
		fmt.Fprintf(&second, "p%d,%d\n", 3*i%1000, i)
	}
	v1, _ := addTable(t, s, "a", "id", "a.csv", "id,n\n"+first.String())
	v2, _ := addTable(t, s, "a", "id", "a.csv", "id,n\n"+first.String()+second.String())
	other, _ := addTable(t, s, "b", "id", "b.csv", "id,n\n"+second.String())
	const n = 8
	home := map[string]int{} // of each subject, in all that follows
	shardsOf := func(v *Version, sel Selection) (records int64) {
		_, _, of := sampleOf(t, s, v, sel)
		seen := 0
		for k := range n {
			sel.Shard, sel.Shards = k+1, n
			x, _, subjects := sampleOf(t, s, v, sel)
			for id := range subjects {
				if at, ok := home[id]; ok && at != k+1 {
					t.Fatalf("%s %+v: a subject of shard %d is in shard %d", v.Ref(), sel, at, k+1)
				}
				if home[id] = k + 1; of[id] == 0 || of[id] != subjects[id] {
					t.Fatalf("%s %+v: %d of a subject's %d records", v.Ref(), sel, subjects[id], of[id])
				}
			}
			if fair := len(of) / n; len(of) > 500 && (len(subjects) < fair/2 || len(subjects) > 2*fair) {
				t.Errorf("%s %+v: %d subjects, of %d", v.Ref(), sel, len(subjects), len(of))
			}
			seen += len(subjects)
			records += x.Records
		}
		if seen != len(of) {
			t.Errorf("%s %+v: the shards have %d subjects, of %d", v.Ref(), sel, seen, len(of))
		}
		return records
	}
	for _, v := range []*Version{v1, v2, other} {
		if got := shardsOf(v, Selection{}); got != v.Records {
			t.Errorf("%s: the shards have %d of %d records", v.Ref(), got, v.Records)
		}
		shardsOf(v, Selection{Percent: 25})
		shardsOf(v, Selection{Subjects: 20})
	}
	ids := slices.Sorted(maps.Keys(home))
	shards, err := s.Deal(ids, n)
	check(t, err)
	for i, id := range ids {
		if shards[i] != home[id] {
			t.Fatalf("a subject of shard %d is said to be in %d", home[id], shards[i])
		}
	}
	for _, sel := range []Selection{{Shard: 1}, {Shards: 2}, {Shard: 3, Shards: 2}, {Shard: -1, Shards: 2}} {
		_, err := s.WriteTo(t.Context(), v1, sel, new(bytes.Buffer))
		fails(t, err, sallyport.Internal, "no shard")
	}
}

func TestExtract(t *testing.T) {
	s := newStore(t, t.TempDir())
	text := "id,v\n1,a\n2,b\n1,c\n"
	v, _ := addTable(t, s, "d", "id", "a.csv", text)
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	check(t, err)
	defer root.Close()
	check(t, root.Mkdir("data", 0o700))
	x, err := s.Extract(t.Context(), v, Selection{}, root, "data/a.csv")
	check(t, err)
	same(t, "extracted", read(t, dir+"/data/a.csv"), []byte(text))
	if x != (Extracted{3, 2, int64(len(text)), v.Root}) {
		t.Errorf("told as %+v", x)
	}
	if _, err = s.Extract(t.Context(), v, Selection{}, root, "data/a.csv"); err == nil {
		t.Error("a file was overwritten")
	}
	if _, err = s.Extract(t.Context(), v, Selection{}, root, "../b.csv"); err == nil {
		t.Error("it left its root")
	}
	same(t, "still", read(t, dir+"/data/a.csv"), []byte(text))
}

func TestSchema(t *testing.T) {
	s := newStore(t, t.TempDir())
	var b strings.Builder
	b.WriteString("pid,Email,age,score,visit,at,sex,smoker,phone,comment,empty\n")
	for i := range 400 {
		age := fmt.Sprint(20 + i%60)
		if i%4 == 0 {
			age = "?"
		}
		fmt.Fprintf(&b, "%d,u%d@example.org,%s,%d.5,2020-01-%02d,2020-01-01T10:00:%02dZ,%s,%s,+49 30 1234%04d,note %d is free,\n",
			i/2, i, age, i, 1+i%28, i%60, []string{"f", "m", "x"}[i%3], []string{"yes", "no"}[i%2], i, i)
	}
	v, _ := addTable(t, s, "d", "pid", "a.csv", b.String())
	schema, err := s.Schema(t.Context(), v)
	check(t, err)
	want := []struct {
		name  string
		t     Type
		flags int // at least; 0: none
	}{{"pid", Integer, 1}, {"Email", Text, 2}, {"age", Integer, 0}, {"score", Number, 0}, {"visit", Date, 0}, {"at", Timestamp, 0},
		{"sex", Category, 0}, {"smoker", Boolean, 0}, {"phone", Text, 2}, {"comment", Text, 1}, {"empty", Empty, 0}}
	if len(schema.Columns) != len(want) || v.Columns != len(want) {
		t.Fatalf("%d columns, want %d", len(schema.Columns), len(want))
	}
	for i, w := range want {
		c := schema.Columns[i]
		if c.Name != w.name || c.Type != w.t || len(c.Flags) < w.flags || w.flags == 0 && len(c.Flags) > 0 || c.Subject != (i == 0) {
			t.Errorf("column %+v, want %+v", c, w)
		}
	}
	if c := schema.Columns[2]; c.Missing < 0.2 || c.Missing > 0.3 || c.As["?"] == 0 || c.Distinct < 40 || c.Distinct > 75 {
		t.Errorf("age is %+v", c)
	}
	if schema.Sampled < 200 || schema.Records != 400 {
		t.Errorf("%d of %d sampled", schema.Sampled, schema.Records)
	}
	v, _ = addTable(t, s, "d", "pid", "a.csv", b.String()+"1000,a@b.de,1,1,2020-01-01,,f,no,,,now\n")
	more, err := s.Schema(t.Context(), v)
	check(t, err)
	if more.Sampled != schema.Sampled+1 || more.Columns[10].Type == Empty {
		t.Errorf("after one more record: %+v", more)
	}
	v, _ = addTable(t, s, "j", "id", "a.jsonl", "{\"id\":\"1\",\"v\":{\"x\":1}}\n{\"id\":\"2\",\"w\":null}\n{\"id\":\"3\",\"u\":true}\n")
	schema, err = s.Schema(t.Context(), v)
	check(t, err)
	if len(schema.Columns) != 4 || schema.Columns[1].Type != Nested || schema.Columns[2].Type != Empty || schema.Columns[3].Type != Boolean ||
		schema.Columns[1].Missing < 0.6 {
		t.Errorf("JSON fields are %+v", schema.Columns)
	}
}
