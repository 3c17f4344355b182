package main

import (
	"encoding/csv"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestTable: the input is as large as asked for, the same every time, and what
// the bars are about: distinct records of some 190 bytes in 20 columns.
func TestTable(t *testing.T) {
	var a, b strings.Builder
	const size = 1 << 20
	for _, w := range []*strings.Builder{&a, &b} {
		if err := writeTable(w, size); err != nil {
			t.Fatal(err)
		}
	}
	if a.String() != b.String() {
		t.Error("it differs from time to time")
	}
	if a.Len() < size || a.Len() > size+512 {
		t.Errorf("%d bytes, want %d", a.Len(), size)
	}
	rows, err := csv.NewReader(strings.NewReader(a.String())).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	subject := slices.Index(rows[0], subjectColumn)
	if len(rows[0]) != 20 || subject < 0 {
		t.Fatalf("columns %q", rows[0])
	}
	seen, subjects := map[string]bool{}, map[string]bool{}
	for _, r := range rows[1:] {
		seen[strings.Join(r, ",")], subjects[r[subject]] = true, true
	}
	if n := len(rows) - 1; len(seen) != n || len(subjects) < n/4 || len(subjects) > n/2 || a.Len()/n < 180 || a.Len()/n > 200 {
		t.Errorf("%d rows, %d distinct, of %d subjects, of %d bytes", n, len(seen), len(subjects), a.Len()/n)
	}
}

func TestTree(t *testing.T) {
	dir := t.TempDir()
	const files = 3*filesOfOne + 1
	if err := writeTree(dir, files); err != nil {
		t.Fatal(err)
	}
	pattern := regexp.MustCompile(subjectPattern)
	seen, subjects := map[string]bool{}, map[string]int{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		m := pattern.FindStringSubmatch(filepath.ToSlash(rel))
		if len(content) != fileSize || m == nil {
			t.Errorf("%s has %d bytes and is of %q", rel, len(content), m)
			return nil
		}
		seen[string(content)] = true
		subjects[m[1]]++
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(seen) != files || len(subjects) != 4 || subjects["00000"] != filesOfOne {
		t.Errorf("%d distinct files of %v", len(seen), subjects)
	}
}
