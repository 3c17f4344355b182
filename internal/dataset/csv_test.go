package dataset

import (
	"bytes"
	stdcsv "encoding/csv"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/sallyport/sallyport"
)

// cutAll cuts a table with windows of so many bytes, and returns its lead, its
// records, and their subjects.
func cutAll(l layout, in io.Reader, size, records, longest int) (lead []byte, all [][]byte, subjects []string, err error) {
	c := newCutter(l, in, "t")
	c.size, c.records, c.longest = size, records, longest
	if lead, err = c.lead(l.lead); err != nil {
		return nil, nil, nil, err
	}
	for {
		w, err := c.next()
		if err == io.EOF {
			return lead, all, subjects, nil
		} else if err != nil {
			return nil, nil, nil, err
		}
		for i := range w.ends {
			b := bytes.Clone(w.record(i))
			subject, f := l.subject(b, nil)
			if f != nil {
				return nil, nil, nil, f.at("t", w.lineOf(i))
			}
			all, subjects = append(all, b), append(subjects, string(subject))
		}
		c.free <- w
	}
}

// oracle reads a table with the standard library, and returns the subjects and
// where the records end. It refuses what Add refuses on purpose.
func oracle(text string, delim rune, subject string) (subjects []string, ends []int64, err error) {
	if strings.IndexByte(text, 0) >= 0 {
		return nil, nil, errors.New("NUL")
	}
	mark := len(text) - len(strings.TrimPrefix(text, string(bom)))
	r := stdcsv.NewReader(strings.NewReader(text[mark:]))
	r.Comma = delim
	header, err := r.Read()
	if err != nil {
		return nil, nil, err
	}
	column, seen := -1, map[string]bool{}
	for i, name := range header {
		if seen[name] {
			return nil, nil, errors.New("twice")
		}
		seen[name] = true
		if name == subject {
			column = i
		}
	}
	if column < 0 {
		return nil, nil, errors.New("no subject")
	}
	for {
		fields, err := r.Read()
		if err == io.EOF {
			return subjects, ends, nil
		} else if err != nil {
			return nil, nil, err
		}
		if strings.TrimSpace(fields[column]) == "" {
			return nil, nil, errors.New("empty subject")
		}
		subjects, ends = append(subjects, fields[column]), append(ends, r.InputOffset()+int64(mark))
	}
}

// agrees checks a table against the oracle, cut small and cut large.
func agrees(t *testing.T, text, subject string) {
	t.Helper()
	want, ends, wantErr := oracle(text, ',', subject)
	for _, size := range []int{7, 64, 1 << 20} {
		lead, records, subjects, err := cutAll(newLayout(CSV, subject), strings.NewReader(text), size, 3, len(text)+16)
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("size %d, %q: error %v, the oracle's %v", size, text, err, wantErr)
		}
		if err != nil {
			if !sallyport.Is(err, sallyport.Invalid) {
				t.Fatalf("%q: kind of %v", text, err)
			}
			continue
		}
		if got := string(lead) + string(bytes.Join(records, nil)); got != text {
			t.Fatalf("%q is put together as %q", text, got)
		}
		if len(subjects) != len(want) {
			t.Fatalf("%q: %d records, want %d", text, len(subjects), len(want))
		}
		at := int64(len(lead))
		for i := range want {
			if strings.ReplaceAll(subjects[i], "\r\n", "\n") != want[i] {
				t.Fatalf("%q: subject %d is %q, want %q", text, i, subjects[i], want[i])
			}
			at += int64(len(records[i]))
			if at < ends[i] || strings.Trim(text[ends[i]:at], "\r\n") != "" {
				t.Fatalf("%q: record %d ends at %d, want %d", text, i, at, ends[i])
			}
		}
	}
}

func FuzzCSV(f *testing.F) {
	for _, s := range []string{"1,a\n2,b\n", "\"1\"\"\",\"a\n\"\r\n\n\n2,\n", "1,a\n2", "1,\"", "1,a\"b\n", "\"1\" ,a\n", ",a\n", "1,a,b\n",
		"\"a\"\r", "1,\r", "\r", "\r\r\n", "\"1\"\r\"\",", "1,\"\r\n\"\n", "\xff,\x00\n", "\n\r\n1,a\n\r", "1,a\n \n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		agrees(t, "id,v\n"+s, "id")
		agrees(t, s, "id")
	})
}

func TestCSVAgainstTheStandardLibrary(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 2))
		header, records, _ := randomTable(r, r.IntN(30), 5)
		text := header + strings.Join(records, "")
		if r.IntN(4) == 0 { // damaged
			i := r.IntN(len(text))
			text = text[:i] + string(`",` + "\n\r"[r.IntN(2):])[:1+r.IntN(2)] + text[i:]
		}
		if r.IntN(4) == 0 {
			text = text[:r.IntN(len(text)+1)]
		}
		agrees(t, text, "id")
	}
}

func TestBadTables(t *testing.T) {
	long := strings.Repeat("x", maxRecord)
	for name, c := range map[string]struct{ file, subject, content, says, mend string }{
		"empty":                  {"a.csv", "id", "", `a\.csv:1: there is no header`, ""},
		"truncated":              {"a.csv", "id", "id,v\n1,a\n2,\"b\n3,c\n", `a\.csv:3: a quote opens here and is never closed`, "twice"},
		"ragged":                 {"a.csv", "id", "id,v\n1,a\n2,b,SECRET\n", `a\.csv:3: the record has 3 fields and the header 2`, ""},
		"ragged, after lines":    {"a.csv", "id", "id,v\n\n1,\"a\n\nb\"\n2\n", `a\.csv:6: the record has 1 fields`, ""},
		"no such column":         {"a.csv", "patient", "v,patient_id,w\nSECRET,1,2\n", `no column "patient"`, "look like one: patient_id"},
		"no column looks so":     {"a.csv", "x", "v,w\n", `no column "x"`, "the columns are: v, w"},
		"no column given":        {"a.csv", "", "v,id\n", "does not say which column", "look like one: id"},
		"a column twice":         {"a.csv", "id", "id,v,v\n", `a\.csv:1: the column "v" is there twice`, ""},
		"NUL":                    {"a.csv", "id", "id,v\n1,SECRET\n2,\x00\n", `a\.csv:3: there is a NUL byte`, "UTF-16"},
		"no subject":             {"a.csv", "id", "id,v\n1,a\n,SECRET\n", `a\.csv:3: a record without a subject`, ""},
		"blank subject":          {"a.csv", "id", "id,v\n\" \",SECRET\n", `a\.csv:2: a record without a subject`, ""},
		"quote inside":           {"a.csv", "id", "id,v\n1,SECRET\"x\n", `a\.csv:2: a quote stands inside`, "twice"},
		"quote inside, far back": {"a.csv", "id", "id,v\n1,5\" pipe\n2,b\n3,c\n", `a\.csv:2: a quote stands inside`, ""},
		"after a quote":          {"a.csv", "id", "id,v\n1,\"a\nb\"SECRET\n", `a\.csv:3: text follows a quote`, ""},
		"quote in the header":    {"a.csv", "id", "id,\"v\n1,a\n", `a\.csv:1: a quote opens here`, ""},
		"too long":               {"a.csv", "id", "id,v\n1,a\n2,b" + long + "\n", `a\.csv:3: a record is longer than 16 MiB`, ""},
		"too long, no end":       {"a.csv", "id", "id,v\n1,a\n2,b" + long + long, `a\.csv:3: a record is longer than 16 MiB`, ""},
		"old line ends":          {"a.csv", "id", "id,v\r1,a\r2,b\r", "carriage return alone", "convert"},
		"not JSON":               {"a.jsonl", "id", "{\"id\":1}\n\n{\"id\":SECRET}\n", `a\.jsonl:3: the line is not a JSON object`, ""},
		"JSON, no object":        {"a.jsonl", "id", "[1]\n", `a\.jsonl:1: the line is not a JSON object`, ""},
		"JSON, truncated":        {"a.jsonl", "id", "{\"id\":1}\n{\"id\":", `a\.jsonl:2: the line is not`, ""},
		"JSON, no subject":       {"a.jsonl", "id", "{\"x\":1}\n", `a\.jsonl:1: a record without a subject`, ""},
		"JSON, null":             {"a.jsonl", "id", "{\"id\":null}\n", `a\.jsonl:1: a record without a subject`, ""},
		"JSON, twice":            {"a.jsonl", "id", "{\"id\":1,\"\\u0069d\":2}\n", `a\.jsonl:1: the field "id" is there twice`, ""},
		"JSON, nested":           {"a.jsonl", "id", "{\"id\":{\"SECRET\":1}}\n", `neither a string nor a number`, ""},
		"JSON, truth":            {"a.jsonl", "id", "{\"id\":true}\n", `neither a string nor a number`, ""},
		"JSON, no field given":   {"a.jsonl", "", "{\"mrn\":\"SECRET\",\"v\":1}\n", "does not say which field", "look like one: mrn"},
		"compressed":             {"a.csv", "id", "\x1f\x8b\x08", "it is compressed", "unpack"},
		"anything":               {"a.txt", "id", "hello\n", "neither name nor first line", "--format"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := newStore(t, dir)
			_, _, err := s.Add(t.Context(), "sam", "x", Source{Path: write(t, c.file, c.content), Subject: c.subject}, nil)
			kind := sallyport.Invalid
			fails(t, err, kind, c.says)
			var e *sallyport.Error
			if !errors.As(err, &e) || e.Mend == "" && c.mend != "" || !strings.Contains(e.Mend, c.mend) {
				t.Errorf("the mend is %q, want it to say %q", e.Mend, c.mend)
			}
			if strings.Contains(fmt.Sprint(err, e.Mend), "SECRET") {
				t.Errorf("a value is in the message: %v. %s", err, e.Mend)
			}
			unchanged(t, s, dir)
		})
	}
}
