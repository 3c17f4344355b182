package ledger

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport"
)

var (
	someDigest = sallyport.Sum([]byte("x"))
	someTime   = time.Date(2026, 1, 2, 3, 4, 5, 6e6, time.UTC)
)

// golden is the form of a leaf; it changes only with the format.
const golden = `{"n":7,"kind":"run.finished","time":"2026-01-02T03:04:05.006Z","by":"alice","object":"run/a \"b\" \\ é",` +
	`"digest":"sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881",` +
	`"holds":{"A":"sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881",` +
	`"a/b":"sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"}}`

func goldenEntry() Entry {
	return Entry{N: 7, Kind: "run.finished", Time: someTime, By: "alice", Object: `run/a "b" \ é`, Digest: someDigest,
		Holds: map[string]sallyport.Digest{"a/b": someDigest, "A": someDigest}}
}

func TestLeafForm(t *testing.T) {
	leaf, err := goldenEntry().Leaf()
	if err != nil || string(leaf) != golden {
		t.Fatalf("leaf is\n%s, %v; want\n%s", leaf, err, golden)
	}
	e, err := ParseEntry(leaf)
	if err != nil || e.N != 7 || !e.Time.Equal(someTime) || e.Object != `run/a "b" \ é` || len(e.Holds) != 2 {
		t.Fatalf("entry is %+v, %v", e, err)
	}
}

func TestOnlyTheOneFormIsALeaf(t *testing.T) {
	replace := func(old, new string) string {
		if !strings.Contains(golden, old) {
			t.Fatalf("the leaf does not hold %q", old)
		}
		return strings.Replace(golden, old, new, 1)
	}
	for name, leaf := range map[string]string{
		"nothing":             "",
		"no JSON":             "run finished",
		"no object":           `[]`,
		"null":                `null`,
		"cut":                 golden[:len(golden)-1],
		"something after":     golden + " ",
		"a second one":        golden + golden,
		"a space":             replace(`"n":7`, `"n": 7`),
		"a line break":        golden + "\n",
		"unknown key":         replace(`{"n"`, `{"x":1,"n"`),
		"key twice":           replace(`{"n":7`, `{"n":7,"n":7`),
		"key in capitals":     replace(`"kind"`, `"Kind"`),
		"another order":       replace(`"n":7,"kind":"run.finished"`, `"kind":"run.finished","n":7`),
		"an escape":           replace(`alice`, `\u0061lice`),
		"a leading zero":      replace(`"n":7`, `"n":07`),
		"a fraction":          replace(`"n":7`, `"n":7.0`),
		"a negative number":   replace(`"n":7`, `"n":-7`),
		"a huge number":       replace(`"n":7`, `"n":9223372036854775808`),
		"no principal":        replace(`"alice"`, `""`),
		"object without kind": replace(`run/`, ``),
		"microseconds":        replace(`.006Z`, `.006001Z`),
		"no milliseconds":     replace(`.006Z`, `Z`),
		"another zone":        replace(`.006Z`, `.006+01:00`),
		"no such day":         replace(`2026-01-02`, `2026-02-30`),
		"a comma":             replace(`05.006Z`, `05,006Z`),
		"capitals in digest":  replace(`2d711642`, `2D711642`),
		"digest too short":    replace(`sha256:2d`, `sha256:`),
		"digest of no kind":   replace(`sha256:`, ``),
		"empty digest":        replace(`"sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"`, `""`),
		"holds not sorted":    replace(`{"A"`, `{"z"`),
		"held twice":          replace(`"a/b"`, `"A"`),
		"empty holds":         golden[:strings.Index(golden, `,"holds"`)] + `,"holds":{}}`,
		"no UTF-8":            replace(`é`, "\xff"),
		"control character":   replace(`alice`, "al\x7fice"),
		"escaped line break":  replace(`alice`, `al\nice`),
		"hidden character":    replace(`alice`, "al\u200bice"),
		"turned text":         replace(`alice`, "al\u202eice"),
		"too long":            replace(`alice`, strings.Repeat("a", 70000)),
	} {
		if e, err := ParseEntry([]byte(leaf)); !sallyport.Is(err, sallyport.Invalid) {
			t.Errorf("%s: got %+v, %v; want an error of kind invalid", name, e, err)
		} else if strings.Contains(err.Error(), "alice") {
			t.Errorf("%s: the error quotes the input", name)
		}
	}
}

func TestWhatHasNoLeaf(t *testing.T) {
	for name, change := range map[string]func(*Entry){
		"number":    func(e *Entry) { e.N = -1 },
		"kind":      func(e *Entry) { e.Kind = "" },
		"year":      func(e *Entry) { e.Time = e.Time.AddDate(9000, 0, 0) },
		"nanos":     func(e *Entry) { e.Time = e.Time.Add(1) },
		"by":        func(e *Entry) { e.By = "a\nb" },
		"object":    func(e *Entry) { e.Object = "run" },
		"no id":     func(e *Entry) { e.Object = "run/" },
		"long name": func(e *Entry) { e.By = strings.Repeat("a", maxName+1) },
		"digest":    func(e *Entry) { e.Digest = "sha256:" },
		"held":      func(e *Entry) { e.Holds["b"] = "" },
		"held name": func(e *Entry) { e.Holds[""] = someDigest },
	} {
		e := goldenEntry()
		change(&e)
		if leaf, err := e.Leaf(); !sallyport.Is(err, sallyport.Invalid) {
			t.Errorf("%s: got %s, %v", name, leaf, err)
		}
	}
}

func FuzzParseEntry(f *testing.F) {
	f.Add([]byte(golden))
	f.Add([]byte(`{"n":0,"kind":"k","time":"2026-01-02T03:04:05.006Z","by":"a","object":"k/a"}`))
	f.Add([]byte(`{"n":0,"kind":"k","time":"2026-01-02T03:04:05.006Z","by":"a","object":"k/a","holds":{}}`))
	f.Add([]byte(`{"n":1e1}`))
	f.Fuzz(func(t *testing.T, leaf []byte) {
		e, err := ParseEntry(leaf)
		if err != nil {
			wantKind(t, err, sallyport.Invalid)
			return
		}
		again, err := e.Leaf()
		if err != nil || !bytes.Equal(again, leaf) {
			t.Fatalf("two forms of one entry: %q and %q, %v", leaf, again, err)
		}
	})
}
