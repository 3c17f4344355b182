package dataset

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport"
)

// soundError fails the test if err is of a kind that damage does not have.
func soundError(t *testing.T, err error) {
	t.Helper()
	if k := sallyport.KindOf(err); k != sallyport.Corrupt && k != sallyport.Newer {
		t.Fatalf("error %v has kind %v", err, k)
	}
}

func FuzzJSONL(f *testing.F) {
	for _, s := range []string{`{"id":1}`, `{"v":[{"id":2}],"id":"a\"b"}`, "{\"id\":\"x\"}\n\n \t\n{\"id\":1e5}", `{"id":1,"id":2}`, `{"id":null}`,
		`{"\u0069d":"\ud83d\ude00"}`, `{}`, `[]`, `{"a":{"b":"}"},"id":true}`, "\xef\xbb\xbf{\"id\":1}\r\n", `{"id":"` + "\xff" + `"}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		lead, records, subjects, err := cutAll(newLayout(JSONL, "id"), strings.NewReader(s), 16, 3, len(s)+16)
		if err != nil {
			if !sallyport.Is(err, sallyport.Invalid) {
				t.Fatalf("kind of %v", err)
			}
			return
		}
		if got := string(lead) + string(bytes.Join(records, nil)); got != s {
			t.Fatalf("%q is put together as %q", s, got)
		}
		for i, r := range records {
			d := json.NewDecoder(bytes.NewReader(r))
			d.UseNumber()
			var m map[string]any
			if err := d.Decode(&m); err != nil {
				t.Fatalf("%q was taken: %v", r, err)
			}
			want := ""
			switch v := m["id"].(type) {
			case string:
				want = v
			case json.Number:
				want = v.String()
			}
			if strings.ToValidUTF8(subjects[i], "\ufffd") != strings.ToValidUTF8(want, "\ufffd") && !strings.Contains(want, "\ufffd") {
				t.Fatalf("%q: subject %q, want %q", r, subjects[i], want)
			}
			newLayout(JSONL, "id").columns(r, func(string, []byte, kind) {})
		}
	})
}

func FuzzRecords(f *testing.F) {
	texts := []string{"a", "", "ccc", "dd", ""}
	record := func(i int) []byte { return []byte(texts[i]) }
	f.Add(appendRecords(nil, nil, record), 5)
	f.Add(appendRecords(nil, []uint32{0, 1, 2, 3, 4}, record), 5)
	f.Add(appendRecords(nil, []uint32{1, 4}, record), 5)
	f.Add([]byte{2, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 0, 2, 0, 0}, 9)
	f.Fuzz(func(t *testing.T, b []byte, limit int) {
		limit = min(max(limit, 0), 1000)
		r, err := parseRecords(b, limit)
		if err != nil {
			soundError(t, err)
			return
		}
		last, total := -1, 0
		for r.left > 0 {
			n := int(r.nextNumber())
			if n <= last || n >= limit {
				t.Fatalf("record %d after %d, of %d", n, last, limit)
			}
			last = n
			total += len(r.nextRecord())
		}
		if total > len(b) {
			t.Fatalf("%d bytes of records in %d", total, len(b))
		}
	})
}

func TestRecordsComeBack(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	for range 200 {
		texts := make([]string, r.IntN(300))
		for i := range texts {
			texts[i] = strings.Repeat("x", r.IntN(4)*r.IntN(100))
		}
		var numbers []uint32
		for i := range texts {
			if r.IntN(3) > 0 {
				numbers = append(numbers, uint32(i))
			}
		}
		got, err := parseRecords(appendRecords(nil, numbers, func(i int) []byte { return []byte(texts[i]) }), len(texts))
		check(t, err)
		for _, n := range numbers {
			if m := got.nextNumber(); m != n {
				t.Fatalf("record %d, want %d", m, n)
			}
			if b := got.nextRecord(); string(b) != texts[n] {
				t.Fatalf("record %d is %q", n, b)
			}
		}
	}
}

func FuzzBlock(f *testing.F) {
	f.Add(appendBlock(nil, nil))
	f.Add(appendBlock(nil, []entry{{1, 0, 1}, {1, 4, 2}, {1 << 63, 3, 0}}))
	f.Add([]byte{1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 1, 0, 0})
	f.Fuzz(func(t *testing.T, body []byte) {
		b, err := parseBlock(body)
		if err != nil {
			soundError(t, err)
			return
		}
		var all []entry
		for b.left > 0 {
			if all, err = b.next(all); err != nil {
				soundError(t, err)
				return
			}
		}
		if len(all) > len(body) {
			t.Fatalf("%d entries in %d bytes", len(all), len(body))
		}
	})
}

func TestIndexMerges(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	for range 100 {
		want := make(map[[2]uint64]uint32)
		var lists [][]entry
		for w := range 1 + r.IntN(6) {
			tags := make([]uint64, r.IntN(200))
			for i := range tags {
				tags[i] = r.Uint64N(50) << (r.IntN(2) * 58)
				want[[2]uint64{tags[i], uint64(w)}]++
			}
			parts := partition(tags)
			last := uint64(0)
			var list []entry
			for _, p := range parts {
				slices.Sort(p)
				for _, tag := range p {
					if tag < last {
						t.Fatal("a part holds tags of another")
					}
					if last = tag; len(list) > 0 && list[len(list)-1].tag == tag {
						list[len(list)-1].records++
						continue
					}
					list = append(list, entry{tag, uint32(w), 1})
				}
			}
			lists = append(lists, list)
		}
		got := make(map[[2]uint64]uint32)
		for _, block := range cutBlocks(mergeLists(lists)) {
			b, err := parseBlock(appendBlock(nil, block))
			check(t, err)
			for b.left > 0 {
				entries, err := b.next(nil)
				check(t, err)
				for _, e := range entries {
					got[[2]uint64{e.tag, uint64(e.window)}] += e.records
				}
			}
		}
		if len(got) != len(want) {
			t.Fatalf("%d entries, want %d", len(got), len(want))
		}
		for k, n := range want {
			if got[k] != n {
				t.Fatalf("%v: %d records, want %d", k, got[k], n)
			}
		}
	}
}

func FuzzListing(f *testing.F) {
	a := file{path: "a", dir: true, mode: 0o755, mtime: time.Unix(-5, 7)}
	b := file{path: "a/b.bin", mode: 0o644, mtime: time.Unix(1e9, 0), size: 1 << 40}
	f.Add([]byte(nil), 0)
	f.Add(appendFile(nil, "", &a), 1)
	f.Add(appendFile(appendFile(nil, "", &a), "a", &b), 2)
	f.Add(appendFile(nil, "", &file{path: "../x"}), 1)
	f.Fuzz(func(t *testing.T, body []byte, n int) {
		files, err := parseListing(body, min(max(n, 0), 1000))
		if err != nil {
			soundError(t, err)
			return
		}
		again, before := []byte(nil), ""
		for i := range files {
			if !validPath(files[i].path) || files[i].mode&^fs.ModePerm != 0 || files[i].size < 0 {
				t.Fatalf("%+v", files[i])
			}
			again = appendFile(again, before, &files[i])
			before = files[i].path
		}
		back, err := parseListing(again, len(files))
		if err != nil || len(back) != len(files) {
			t.Fatalf("it does not come back: %v", err)
		}
		for i := range back {
			if !back[i].same(&files[i]) || !back[i].mtime.Equal(files[i].mtime) {
				t.Fatalf("%+v comes back as %+v", files[i], back[i])
			}
		}
	})
}

func someManifest() *manifest {
	m := &manifest{Format: manifestFormat, Dataset: "d", Number: 2, Increment: make([]byte, idSize), Key: make([]byte, 32), Salt: make([]byte, saltSize),
		Content: sallyport.Sum(nil), Lead: []byte("id,v\n"), Header: []string{"id", "v"},
		Windows: []windowEntry{{Records: 3, Buckets: []int{0, -1}}, {Records: 1, Buckets: []int{1}, Listing: 3, Parts: []int{4}}},
		Index:   [][]fence{{{1, 5}, {9, 6}}}, Dropped: []dropped{{Version: 1, Records: 1}}}
	l := newLayout(CSV, "id")
	l.resume(m.Header)
	m.Profile.look(l, []byte("1,x\n"), m.tagger())
	return m
}

func FuzzManifest(f *testing.F) {
	f.Add(someManifest().encode(), int64(7))
	f.Add(someManifest().encode(), int64(2))
	f.Add([]byte(`{"format":3}`), int64(0))
	f.Add([]byte(`{}`), int64(0))
	f.Fuzz(func(t *testing.T, b []byte, segments int64) {
		m, err := decodeManifest(b, segments)
		if err != nil {
			soundError(t, err)
			return
		}
		if _, err := decodeManifest(m.encode(), segments); err != nil {
			t.Fatalf("it does not come back: %v", err)
		}
		for _, c := range m.Profile.Columns {
			c.column(m.Profile.Sampled, "id")
		}
		m.Profile.plus(&m.Profile)
	})
}

func TestManifestsThatContradictThemselves(t *testing.T) {
	if _, err := decodeManifest(someManifest().encode(), 7); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*manifest){
		"bucket":        func(m *manifest) { m.Windows[0].Buckets[0] = 7 },
		"bucket -2":     func(m *manifest) { m.Windows[0].Buckets[0] = -2 },
		"three buckets": func(m *manifest) { m.Windows[0].Buckets = []int{0, 1, 2} },
		"no bucket":     func(m *manifest) { m.Windows[0].Buckets = nil },
		"records":       func(m *manifest) { m.Windows[0].Records = -1 },
		"many records":  func(m *manifest) { m.Windows[0].Records = windowRecords + 1 },
		"listing":       func(m *manifest) { m.Windows[1].Listing = 8 },
		"part":          func(m *manifest) { m.Windows[1].Parts[0] = 7 },
		"fence":         func(m *manifest) { m.Index[0][1].Segment = -1 },
		"fence order":   func(m *manifest) { m.Index[0][1].First = 1 },
		"empty run":     func(m *manifest) { m.Index[0] = nil },
		"dropped":       func(m *manifest) { m.Dropped[0].Version = 2 },
		"key":           func(m *manifest) { m.Key = m.Key[1:] },
		"salt":          func(m *manifest) { m.Salt = nil },
		"increment":     func(m *manifest) { m.Increment = append(m.Increment, 0) },
		"content":       func(m *manifest) { m.Content = "sha256:0" },
		"hashes":        func(m *manifest) { m.Profile.Columns[0].Least = []byte{1} },
		"sampled":       func(m *manifest) { m.Profile.Sampled = -1 },
	} {
		m := someManifest()
		change(m)
		if _, err := decodeManifest(m.encode(), 7); !sallyport.Is(err, sallyport.Corrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := decodeManifest([]byte(`{"format":3,"new":1}`), 7); !sallyport.Is(err, sallyport.Newer) {
		t.Errorf("a newer format: %v", err)
	}
	if _, err := decodeManifest(append(someManifest().encode(), "{}"...), 7); !sallyport.Is(err, sallyport.Corrupt) {
		t.Errorf("two manifests: %v", err)
	}
}

func TestPathOrderIsThatOfWalks(t *testing.T) {
	paths := []string{"a", "a/b", "a/b/c", "a/b.c", "a.b", "a0", "b", "b-", "b-/a", "b.x/a"}
	for i, p := range paths {
		for j, q := range paths {
			if got := comparePaths(p, q); (got < 0) != (i < j) || (got == 0) != (i == j) {
				t.Errorf("%q and %q compare as %d", p, q, got)
			}
		}
	}
}
