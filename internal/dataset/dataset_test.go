package dataset

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

func TestTableComesBackByteForByte(t *testing.T) {
	s := newStore(t, t.TempDir())
	tables := map[string]struct{ file, subject, content string }{
		"plain":         {"a.csv", "id", "id,v\n1,a\n2,b\n"},
		"crlf":          {"a.csv", "id", "id,v\r\n1,a\r\n2,b\r\n"},
		"no newline":    {"a.csv", "v", "id,v\n1,a\n2,b"},
		"cr at the end": {"a.csv", "v", "id,v\n1,a\n2,b\r"},
		"mark":          {"a.csv", "id", "\xef\xbb\xbfid,v\n1,a\n"},
		"quotes":        {"a.csv", "id", "\"id\",v\n\"1\",\"a,\n\n\"\"b\"\"\"\n\"2\",\"\"\n"},
		"blank lines":   {"a.csv", "id", "\n\r\nid,v\n\n\n1,a\n\r\n\n2,b\n\n"},
		"header only":   {"a.csv", "id", "id,v"},
		"one column":    {"a.csv", "id", "id\n1\n2\n\n3"},
		"tabs":          {"a.tsv", "id", "v\tid\n,\t1\n\t2\n"},
		"not UTF-8":     {"a.csv", "id", "id,v\n1,\xff\n\xfe,b\n"},
		"json":          {"a.jsonl", "id", "{\"id\":1,\"v\":[1,{\"id\":2}]}\n\n{\"v\":\"}\",\"id\":\"\\u0041\"}\n"},
		"json, no end":  {"a.ndjson", "id", "  {\"id\": 1.5 }\r\n \t\n{\"id\":\"x\"}"},
		"json, mark":    {"a.jsonl", "id", "\xef\xbb\xbf\n{\"id\":1}\n"},
	}
	for name, table := range tables {
		t.Run(name, func(t *testing.T) {
			name := strings.NewReplacer(" ", "-", ",", "").Replace(strings.ToLower(name))
			v, r := addTable(t, s, name, table.subject, table.file, table.content)
			same(t, name, get(t, s, v.Ref()), []byte(table.content))
			if r.NewRecords != v.Records || r.NewBytes != int64(len(table.content)) || v.Bytes != r.NewBytes || r.Appended || r.Unchanged {
				t.Errorf("report %+v for version %+v", r, v)
			}
		})
	}
}

// randomTable returns n records of a CSV table with all that CSV may have in
// it, their subjects among a few, and its records one by one.
func randomTable(r *rand.Rand, n, subjects int) (header string, records []string, of []string) {
	ends := []string{"\n", "\n", "\r\n", "\n\n", "\n\r\n"}
	values := []string{"", "x", "a b", `"a,b"`, `"a ""b"""`, "\"two\nlines\"", "\"\r\n\"", `""`, "1.5", "ü", "\xff", "?"}
	for range n {
		id := fmt.Sprintf("s%d", r.IntN(subjects))
		field := id
		if r.IntN(3) == 0 {
			field = `"` + id + `"`
		}
		records = append(records, values[r.IntN(len(values))]+","+field+","+values[r.IntN(len(values))]+ends[r.IntN(len(ends))])
		of = append(of, id)
	}
	return "a,id,b\n", records, of
}

func TestRandomTables(t *testing.T) {
	s := newStore(t, t.TempDir())
	for seed := range uint64(25) {
		r := rand.New(rand.NewPCG(seed, 1))
		name := fmt.Sprintf("t%d", seed)
		header, records, of := randomTable(r, r.IntN(3000), 1+r.IntN(200))
		content := header + strings.Join(records, "")
		distinct := make(map[string]int64)
		for _, id := range of {
			distinct[id]++
		}
		v, _ := addTable(t, s, name, "id", "t.csv", content)
		if v.Records != int64(len(records)) || v.Subjects != int64(len(distinct)) || v.Columns != 3 {
			t.Fatalf("seed %d: %d records of %d subjects, want %d of %d", seed, v.Records, v.Subjects, len(records), len(distinct))
		}
		same(t, name, get(t, s, v.Ref()), []byte(content))
		for id, n := range distinct {
			hits, err := s.Holds(context.Background(), id)
			check(t, err)
			found := int64(0)
			for _, h := range hits {
				if h.Version.Dataset == name {
					found = h.Records
				}
			}
			if found != n {
				t.Fatalf("seed %d: %d records of %s found, want %d", seed, found, id, n)
			}
			break
		}
	}
}
