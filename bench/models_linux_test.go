package main

import (
	"archive/zip"
	"encoding/binary"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestDense wants a pickle that Python loads, of as many opcodes as it is said
// to have.
func TestDense(t *testing.T) {
	file := filepath.Join(t.TempDir(), "dense.pkl")
	const opcodes = 90_000
	if err := writeDense(file, opcodes); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(file); err != nil || info.Size() < opcodes*3 || info.Size() > opcodes*3+1000 {
		t.Errorf("%v, %v", info, err)
	}
	if _, err := exec.LookPath("python3"); err != nil {
		t.Skip("SKIPPED, not proven that Python loads it: there is none")
	}
	const count = "import pickle, pickletools, sys; b = open(sys.argv[1], 'rb').read(); print(len(pickle.loads(b)), sum(1 for _ in pickletools.genops(b)))"
	out, err := program(t.Context(), "python3", "-c", count, file).CombinedOutput()
	if err != nil || strings.TrimSpace(string(out)) != "30000 90024" {
		t.Errorf("%s, %v", out, err)
	}
}

// TestModels wants the large models to be whole: their parts fill them to the
// last byte.
func TestModels(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "models")
	if err := writeModels(dir, scale{Dense: 9000, Large: 1 << 20}); err != nil {
		t.Fatal(err)
	}
	z, err := zip.OpenReader(filepath.Join(dir, "pytorch_model.bin"))
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	if len(z.File) != tensors+3 {
		t.Errorf("%d members", len(z.File))
	}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Read(make([]byte, 1<<20)); err != nil && err.Error() != "EOF" {
			t.Errorf("%s: %v", f.Name, err)
		}
		r.Close()
	}
	b, err := os.ReadFile(filepath.Join(dir, "model.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	n := binary.LittleEndian.Uint64(b)
	var header map[string]any
	if err := json.Unmarshal(b[8:8+n], &header); err != nil || uint64(len(b)) != 8+n+1<<18 {
		t.Errorf("%d bytes, %v", len(b), err)
	}
}
