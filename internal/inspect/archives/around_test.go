package archives

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/internal/inspect"
)

// TestAround wants a member to find the others, whatever holds them and however
// deep, and to read them as they were packed.
func TestAround(t *testing.T) {
	zipped := zipOf(part{name: "m/asks", data: "ASK"}, part{name: "m/stored", data: "one"}, part{name: "m/packed", data: "two", method: 8},
		part{name: "m/link", data: "stored", mode: 0o120777}, part{name: "m/empty/"})
	tarred := tarOf(file{name: "./m/asks", kind: '0', data: "ASK"}, file{name: "./m/stored", kind: '0', data: "one"},
		file{name: "./m/packed", kind: '0', data: "two"}, file{name: "./m/link", kind: '2', link: "stored"}, file{name: "./m/empty", kind: '5'})
	var gz bytes.Buffer
	w := gzip.NewWriter(&gz)
	w.Write(tarred)
	w.Close()
	for name, data := range map[string][]byte{
		"a.zip": zipped, "a.tar": tarred, "a.tar.gz": gz.Bytes(),
		"zip in zip": zipOf(part{name: "inner.zip", data: string(zipped), method: 8}),
	} {
		asked := 0
		asks := inspect.Reading{
			Format: "asks", Match: begins("ASK"),
			Inspect: func(_ *inspect.Pass, f *inspect.File) error {
				asked++
				if f.Name != "m/asks" {
					t.Errorf("%s: it is called %s", name, f.Name)
				}
				if got := fmt.Sprint(f.Around.Names()); got != "[m/asks m/packed m/stored]" {
					t.Errorf("%s: around are %s", name, got)
				}
				for beside, want := range map[string]string{"stored": "one", "packed": "two", "link": "", "none": "", "../m/stored": "", "empty": "", "stored/x": ""} {
					e, _ := f.Around.Lookup(f.Beside(beside))
					if e.Regular != (want != "") {
						t.Errorf("%s: %s is a file: %v", name, beside, e.Regular)
					}
					other, err := f.Around.Open(f.Beside(beside))
					if (err == nil) != (want != "") {
						t.Errorf("%s: %s opens: %v", name, beside, err)
					}
					if err != nil {
						continue
					}
					if got, err := io.ReadAll(other.Reader()); err != nil || string(got) != want {
						t.Errorf("%s: %s is %q, %v", name, beside, got, err)
					}
					other.Close()
				}
				if _, ok := f.Around.Lookup("m/empty"); !ok {
					t.Errorf("%s: the folder is not found", name)
				}
				return nil
			},
		}
		s := inspect.Scanner{Readings: append(slices.Clone(Readings), asks), Temp: t.TempDir()}
		if _, err := s.Scan(t.Context(), name, bytes.NewReader(data), int64(len(data)), nil, nil); err != nil || asked != 1 {
			t.Errorf("%s: asked %d times, %v", name, asked, err)
		}
	}
}

// TestAroundSeven is TestAround for an archive whose members can only be read
// one behind another.
func TestAroundSeven(t *testing.T) {
	data, err := os.ReadFile("testdata/honest/own.7z")
	if err != nil {
		t.Fatal(err)
	}
	asked := false
	asks := inspect.Reading{
		Format: "asks", Match: begins("0,"),
		Inspect: func(_ *inspect.Pass, f *inspect.File) error {
			asked = true
			other, err := f.Around.Open("größe.txt")
			if err != nil {
				t.Fatal(err)
			}
			defer other.Close()
			if got, err := io.ReadAll(other.Reader()); err != nil || string(got) != "hello" {
				t.Errorf("%q, %v", got, err)
			}
			return nil
		},
	}
	s := inspect.Scanner{Readings: append(slices.Clone(Readings), asks), Temp: t.TempDir()}
	if _, err := s.Scan(t.Context(), "a.7z", bytes.NewReader(data), int64(len(data)), nil, nil); err != nil || !asked {
		t.Errorf("asked: %v, %v", asked, err)
	}
}

// TestManyMembers wants more members than are remembered to be inspected all
// the same and held against each other, and the limit to be told where a member
// looks for another.
func TestManyMembers(t *testing.T) {
	files := make([]file, maxKept+10)
	for i := range files {
		files[i] = file{name: fmt.Sprintf("m/%d.txt", i), kind: '0'}
	}
	if r := scan(t, "a.tar", tarOf(files...)); r.Verdict != inspect.Inert {
		t.Error(tell(r))
	}
	last := &files[len(files)-1]
	last.name, last.data = "m/7.TXT", "#!/bin/sh\n"
	r := scan(t, "a.tar", tarOf(files...))
	if told := tell(r); r.Verdict != inspect.Suspicious || !strings.Contains(told, "executable") || !strings.Contains(told, "archive-duplicate") || strings.Contains(told, "archive-large") {
		t.Error(told)
	}
	last.name, last.data = "m/x.data-00000-of-00001", "\x00"
	r = scan(t, "a.tar", tarOf(files...))
	if told := tell(r); r.Verdict != inspect.Inconclusive || !strings.Contains(told, "archive-large") || !strings.Contains(told, "65536") {
		t.Error(told)
	}
}

// TestNested wants archives within archives to share what they may remember.
func TestNested(t *testing.T) {
	outer := &members{f: inspect.NewFile("", nil, 0), kept: make([]member, maxKept-1)}
	inner := &members{f: inspect.NewFile("", nil, 0)}
	inner.f.Around = outer
	for i, cut := range []bool{false, true} {
		inner.keep(member{name: fmt.Sprint(i)})
		if inner.cut != cut || len(inner.kept) != 1 {
			t.Errorf("%d kept, and cut: %v", len(inner.kept), inner.cut)
		}
	}
}
