package dataset

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/sallyport/sallyport"
)

func TestGrowingTable(t *testing.T) {
	base := "id,v\n1,a\n2,b\n"
	for name, c := range map[string]struct {
		file, before, after string
		appended            bool
		records             int64 // new ones
	}{
		"one more":             {"a.csv", base, base + "3,c\n", true, 1},
		"a known subject":      {"a.csv", base, base + "1,c\n1,d", true, 2},
		"after blank lines":    {"a.csv", base, base + "\n\r\n3,c\n", true, 1},
		"only blank lines":     {"a.csv", base, base + "\n\n", true, 0},
		"no newline before":    {"a.csv", "id,v\n1,a", "id,v\n1,a\n2,b\n", true, 1},
		"half a line end":      {"a.csv", "id,v\n1,a\r", "id,v\n1,a\r\n2,b\n", true, 1},
		"header only":          {"a.csv", "id,v", "id,v\n1,a\n", true, 1},
		"the last record grew": {"a.csv", "id,v\n1,a", "id,v\n1,ab\n2,c\n", false, 2},
		"changed":              {"a.csv", base, "id,v\n1,x\n2,b\n3,c\n", false, 3},
		"shorter":              {"a.csv", base, "id,v\n1,a\n", false, 1},
		"another header":       {"a.csv", base, "v,id\na,1\nb,2\n", false, 2},
		"json":                 {"a.jsonl", "{\"id\":1}\n", "{\"id\":1}\n \n{\"id\":2}\n", true, 1},
		"json, no newline":     {"a.jsonl", "{\"id\":1}", "{\"id\":1}  \n{\"id\":2}\n", true, 1},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStore(t, t.TempDir())
			v1, _ := addTable(t, s, "d", "id", c.file, c.before)
			v2, r := addTable(t, s, "d", "", c.file, c.after)
			if r.Appended != c.appended || r.NewRecords != c.records || v2.Number != 2 || v2.NewRecords != c.records {
				t.Errorf("report %+v", r)
			}
			if want := map[bool]int{true: 1, false: 0}[c.appended]; v2.Parent != want {
				t.Errorf("it extends version %d, want %d", v2.Parent, want)
			}
			same(t, "version 1", get(t, s, v1.Ref()), []byte(c.before))
			same(t, "version 2", get(t, s, v2.Ref()), []byte(c.after))
			v, r := addTable(t, s, "d", "id", c.file, c.after)
			if !r.Unchanged || v.Number != 2 {
				t.Errorf("added again: version %d, %+v", v.Number, r)
			}
		})
	}
}

// A chain of versions, grown at random and now and then rewritten, gives every
// version back, counts its subjects, and finds them.
func TestRandomHistory(t *testing.T) {
	s := newStore(t, t.TempDir())
	r := rand.New(rand.NewPCG(5, 5))
	header, records, of := randomTable(r, 50, 30)
	var texts []string
	var counts []map[string]int64
	for range 15 {
		if r.IntN(5) == 0 {
			header, records, of = randomTable(r, 50, 30)
		}
		_, more, moreOf := randomTable(r, 1+r.IntN(40), 30+10*len(texts))
		records, of = append(records, more...), append(of, moreOf...)
		count := make(map[string]int64)
		for _, id := range of {
			count[id]++
		}
		texts, counts = append(texts, header+strings.Join(records, "")), append(counts, count)
		v, _ := addTable(t, s, "d", "id", "t.csv", texts[len(texts)-1])
		if v.Records != int64(len(records)) || v.Subjects != int64(len(count)) || v.Bytes != int64(len(texts[len(texts)-1])) {
			t.Fatalf("version %+v, want %d records of %d subjects", v, len(records), len(count))
		}
	}
	for i, text := range texts {
		same(t, fmt.Sprint("version ", i+1), get(t, s, sallyport.Ref{Name: "d", Version: i + 1}), []byte(text))
	}
	for _, id := range []string{"s0", "s1", "s29", "s31", "s100", "nobody", ""} {
		hits, err := s.Holds(t.Context(), id)
		check(t, err)
		found := make(map[int]int64)
		for _, h := range hits {
			found[h.Version.Number] = h.Records
		}
		for i, count := range counts {
			if found[i+1] != count[id] {
				t.Errorf("version %d: %d records of %q, want %d", i+1, found[i+1], id, count[id])
			}
		}
	}
}

func TestFind(t *testing.T) {
	s := newStore(t, t.TempDir())
	ctx := t.Context()
	addTable(t, s, "d", "id", "a.csv", "id\n1\n")
	addTable(t, s, "d", "id", "a.csv", "id\n1\n2\n")
	addTable(t, s, "e", "id", "a.csv", "id\n1\n")
	sets, err := s.List(ctx)
	check(t, err)
	if len(sets) != 2 || sets[0].Name != "d" || sets[1].Name != "e" || sets[0].By != "sam" || sets[0].Format != CSV {
		t.Errorf("datasets %+v", sets)
	}
	v, err := s.Find(ctx, sallyport.Ref{Name: "d"})
	check(t, err)
	if v.Number != 2 || v.Ref().String() != "d@2" {
		t.Errorf("the newest is %s", v.Ref())
	}
	_, err = s.Find(ctx, sallyport.Ref{Name: "d", Version: 3})
	fails(t, err, sallyport.NotFound, "has no version 3")
	_, err = s.Find(ctx, sallyport.Ref{Name: "x"})
	fails(t, err, sallyport.NotFound, `no dataset is named "x"`)
	dst := filepath.Join(t.TempDir(), "there")
	check(t, os.WriteFile(dst, nil, 0o600))
	fails(t, s.Get(ctx, v.Ref(), dst, nil), sallyport.Usage, "something already")
	fails(t, s.Get(ctx, v.Ref(), filepath.Join(dst, "x", "y"), nil), sallyport.Usage, "cannot be put there")
	fails(t, s.Get(ctx, v.Ref(), filepath.Join(t.TempDir(), "x", "y"), nil), sallyport.NotFound, "no folder")
}

// Names of columns in another encoding than UTF-8 are no obstacle.
func TestOddColumnNames(t *testing.T) {
	s := newStore(t, t.TempDir())
	text := "pati\xebnt,\xe4ge\n1,a\n"
	addTable(t, s, "d", "pati\xebnt", "a.csv", text)
	v, r := addTable(t, s, "d", "pati\xebnt", "a.csv", text+"2,b\n")
	if !r.Appended || v.Subjects != 2 {
		t.Errorf("version %+v, report %+v", v, r)
	}
	same(t, "it", get(t, s, v.Ref()), []byte(text+"2,b\n"))
	hits, err := s.Holds(t.Context(), "2")
	if err != nil || len(hits) != 1 {
		t.Errorf("hits %v, %v", hits, err)
	}
	_, _, err = s.Add(t.Context(), "sam", "e", Source{Path: write(t, "a.csv", "id,\xe4,\xeb\n1,2,3\n"), Subject: "id"}, nil)
	fails(t, err, sallyport.Invalid, "is there twice")
}

func TestDisagreeingSources(t *testing.T) {
	s := newStore(t, t.TempDir())
	ctx := t.Context()
	addTable(t, s, "d", "id", "a.csv", "id,v\n1,a\n")
	for says, src := range map[string]Source{
		"subjects by id":      {Path: write(t, "a.csv", "id,v\n1,a\n"), Subject: "v"},
		"d is csv":            {Path: write(t, "a.tsv", "id\tv\n1\ta\n")},
		"no format is named":  {Path: write(t, "a.csv", "id\n1\n"), Format: "xls"},
		"a file is not a":     {Path: write(t, "a.csv", "id\n1\n"), Format: Tree},
		"a folder is not csv": {Path: t.TempDir(), Format: CSV},
	} {
		_, _, err := s.Add(ctx, "sam", "d", src, nil)
		fails(t, err, sallyport.Usage, says)
	}
	_, _, err := s.Add(ctx, "sam", "d", Source{Path: "/nowhere/at/all"}, nil)
	fails(t, err, sallyport.NotFound, "no such file")
	_, _, err = s.Add(ctx, "sam", "d", Source{Path: os.DevNull}, nil)
	fails(t, err, sallyport.Invalid, "neither a regular file")
	_, _, err = s.Add(ctx, "sam", "D", Source{Path: os.DevNull}, nil)
	fails(t, err, sallyport.Usage, "cannot name")
}

// Without the ring there are the public documents and nothing else.
func TestWithoutTheKey(t *testing.T) {
	s := newStore(t, t.TempDir())
	v, _ := addTable(t, s, "d", "id", "a.csv", "id,v\n1,a\n")
	ctx := t.Context()
	blind := &Store{Log: s.Log, Blobs: s.Blobs}
	got, err := blind.Find(ctx, v.Ref())
	check(t, err)
	if got.Records != 1 || got.Subjects != 1 {
		t.Errorf("the public half is %+v", got)
	}
	root, err := os.OpenRoot(t.TempDir())
	check(t, err)
	defer root.Close()
	dst := filepath.Join(t.TempDir(), "out")
	_, _, errAdd := blind.Add(ctx, "sam", "d", Source{Path: write(t, "a.csv", "id\n")}, nil)
	_, errExtract := blind.Extract(ctx, v, Selection{}, root, "x")
	_, errWrite := blind.WriteTo(ctx, v, Selection{}, new(strings.Builder))
	_, errSchema := blind.Schema(ctx, v)
	_, errHolds := blind.Holds(ctx, "1")
	for what, err := range map[string]error{"Add": errAdd, "Get": blind.Get(ctx, v.Ref(), dst, nil), "Extract": errExtract,
		"WriteTo": errWrite, "Schema": errSchema, "Holds": errHolds} {
		if !sallyport.Is(err, sallyport.Denied) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := os.Lstat(dst); err == nil {
		t.Error("Get has left something")
	}
}

// Of adds at once to one dataset each makes a version of its own or says that
// it came too late; no version is lost and none is there twice.
func TestAddsAtOnce(t *testing.T) {
	dir := t.TempDir()
	newStore(t, dir)
	content := "id,v\n" + strings.Repeat("1,a\n", 20000)
	paths := make([]string, 6)
	for i := range paths {
		paths[i] = write(t, "a.csv", content+fmt.Sprintf("2,%d\n", i))
	}
	var mu sync.Mutex
	made := make(map[int]int)
	var wg sync.WaitGroup
	stores := make([]*Store, len(paths))
	for i := range paths {
		stores[i] = openStore(t, dir) // as other processes do
	}
	for i, path := range paths {
		wg.Go(func() {
			v, _, err := stores[i].Add(context.Background(), "sam", "d", Source{Path: path, Subject: "id"}, nil)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				made[v.Number] = i
			} else if !sallyport.Is(err, sallyport.Busy) {
				t.Errorf("add %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	s := openStore(t, dir)
	versions, err := s.Versions(t.Context(), "d")
	check(t, err)
	if len(versions) != len(made) || len(made) == 0 {
		t.Fatalf("%d versions, %d acknowledged", len(versions), len(made))
	}
	for n, i := range made {
		same(t, fmt.Sprint("version ", n), get(t, s, sallyport.Ref{Name: "d", Version: n}), read(t, paths[i]))
	}
	_, err = s.Log.Verify(t.Context(), nil)
	check(t, err)
}

func TestInterrupted(t *testing.T) {
	dir := t.TempDir()
	s := newStore(t, dir)
	path := write(t, "a.csv", "id,v\n"+strings.Repeat("1,a\n", 1<<20))
	ctx, cancel := context.WithCancel(t.Context())
	_, _, err := s.Add(ctx, "sam", "d", Source{Path: path, Subject: "id"}, func(done, total int64) {
		if done > total/2 {
			cancel()
		}
	})
	fails(t, err, sallyport.Interrupted, "nothing was changed")
	unchanged(t, s, dir)
	v, _ := add(t, s, "d", Source{Path: path, Subject: "id"})
	dst := filepath.Join(t.TempDir(), "out")
	fails(t, s.Get(ctx, v.Ref(), dst, nil), sallyport.Interrupted, "")
	_, err = s.WriteTo(t.Context(), v, Selection{}, failing{})
	if !errors.Is(err, errFailing) {
		t.Errorf("a writer that fails: %v", err)
	}
}

type failing struct{}

var errFailing = errors.New("failing")

func (failing) Write([]byte) (int, error) { return 0, errFailing }
