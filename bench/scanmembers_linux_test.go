package main

import (
	"archive/tar"
	"archive/zip"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// TestMembers wants archives that other readers read, of all their members.
func TestMembers(t *testing.T) {
	const n = 70_000 // more than a zip has without its large records
	file := filepath.Join(t.TempDir(), "empty.zip")
	if err := writeZip(file, n); err != nil {
		t.Fatal(err)
	}
	z, err := zip.OpenReader(file)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	if len(z.File) != n {
		t.Errorf("the zip has %d members", len(z.File))
	}
	for i, f := range z.File {
		r, err := f.Open()
		if err != nil || f.Name != memberName(i) || f.UncompressedSize64 != 0 {
			t.Fatalf("%d is %s of %d bytes, %v", i, f.Name, f.UncompressedSize64, err)
		}
		r.Close()
	}
	if err := writeTar(file, n); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r := tar.NewReader(f)
	for i := range n {
		if h, err := r.Next(); err != nil || h.Name != memberName(i) || h.Size != 0 {
			t.Fatalf("%d is %v, %v", i, h, err)
		}
	}
	if _, err := r.Next(); err != io.EOF {
		t.Error(err)
	}
}
