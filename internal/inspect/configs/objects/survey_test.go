package objects

import (
	"errors"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/internal/format"
	"github.com/sallyport/sallyport/internal/inspect"
)

// look is the survey of a document, asked for twice, and how many steps it took.
func look(t *testing.T, doc string, limit int64) (s *Survey, err error) {
	t.Helper()
	scanner := inspect.Scanner{Limits: inspect.Limits{Work: limit}, Readings: []inspect.Reading{{
		Format: "any",
		Match:  func(*inspect.File, []byte) inspect.Fit { return inspect.Yes },
		Inspect: func(p *inspect.Pass, f *inspect.File) error {
			s, err = Look(p, f)
			if again, err2 := Look(p, f); again != s || (err == nil) != (err2 == nil) {
				t.Errorf("%s is read again", doc)
			}
			return nil
		},
	}}}
	if _, err := scanner.Scan(t.Context(), "a", strings.NewReader(doc), int64(len(doc)), nil, nil); err != nil {
		t.Fatal(err)
	}
	return s, err
}

// TestLook wants every sign to be seen, however it is spelled and wherever it
// stands, but not where it is no key or behind a break.
func TestLook(t *testing.T) {
	for doc, want := range map[string]struct {
		keys string
		kind error
	}{
		`{"class_name": 1}`:                     {"class_name", nil},
		`[1, [{"a": {"\u005f_loader__": 1}}]]`:  {"__loader__", nil},
		`{"a": "class_name", "class_name ": 1}`: {"", nil},
		`{"a": NaN, "auto_map": {}}`:            {"auto_map", nil},
		`{"auto_map": {}, "class_name": }`:      {"auto_map class_name", errBroken},
		`{"a": , "auto_map": {}}`:               {"", errBroken},
		"\xff\xfe{\x00":                         {"", errBroken},
		strings.Repeat("[", 1000):               {"", errExceeded},
	} {
		s, err := look(t, doc, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range Signs {
			if got := s.Has(key); got != (strings.Contains(" "+want.keys+" ", " "+key+" ")) {
				t.Errorf("%.40s has %s: %v", doc, key, got)
			}
		}
		if (want.kind == nil) != (s.Err == nil) || want.kind == errBroken && !format.Is(s.Err, format.Broken) || want.kind == errExceeded && !format.Is(s.Err, format.Exceeded) {
			t.Errorf("%.40s: %v", doc, s.Err)
		}
	}
}

var errBroken, errExceeded = errors.New("broken"), errors.New("exceeded")

// TestLookLimit wants work that was given up not to pass for a survey.
func TestLookLimit(t *testing.T) {
	if s, err := look(t, "["+strings.Repeat("1,", 100)+"1]", 50); s != nil || !format.Is(err, format.Exceeded) {
		t.Errorf("%v, %v", s, err)
	}
}

// TestMentions wants keys to be found in every encoding of Python's reader.
func TestMentions(t *testing.T) {
	const doc = `{"auto_map": {}}`
	wide := func(n int) string {
		var b strings.Builder
		for _, c := range doc {
			b.WriteRune(c)
			b.WriteString(strings.Repeat("\x00", n-1))
		}
		return b.String()
	}
	for _, text := range []string{doc, "\xef\xbb\xbf" + doc, "\xff\xfe" + wide(2), wide(4), "\x00" + wide(2)} {
		f := inspect.NewFile("a", strings.NewReader(text), int64(len(text)))
		if !Mentions(f, "class_name", "auto_map") || Mentions(f, "class_name") {
			t.Errorf("%q", text)
		}
	}
}
