package graphs

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestONNXChecker wants no model to pass that the checker of ONNX itself refuses
// for its names, shapes or data. SALLYPORT_PYTHON is a Python that has onnx.
func TestONNXChecker(t *testing.T) {
	python := os.Getenv("SALLYPORT_PYTHON")
	if python == "" {
		t.Skip("SALLYPORT_PYTHON names no Python with onnx")
	}
	dir := t.TempDir()
	if out, err := exec.Command(python, "testdata/mutate.py", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	models, _ := filepath.Glob(filepath.Join(dir, "*.onnx"))
	if len(models) < 100 {
		t.Fatalf("only %d models", len(models))
	}
	for _, name := range models {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if r := scan(t, "m.onnx", b); r.Verdict.Passes() {
			why, _ := os.ReadFile(name + ".why")
			t.Errorf("%s: the checker says %s", filepath.Base(name), bytes.TrimSpace(why[:min(len(why), 200)]))
		}
	}
	t.Logf("%d models", len(models))
}
