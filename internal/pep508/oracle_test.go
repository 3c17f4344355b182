package pep508_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// These tests ask the reference implementation, packaging, in a fixed version
// and kept in the user's cache. Where it cannot be had, they are skipped and say
// so. They cover pep440 too, which this package stands on.

var oracle = sync.OnceValues(makeOracle)

// makeOracle returns a Python with packaging, or why there is none. It builds
// aside and renames, so that whatever has the final name is whole.
func makeOracle() (python, skip string) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err.Error()
	}
	pins, err := os.ReadFile("testdata/requirements.txt")
	if err != nil {
		return "", err.Error()
	}
	home := filepath.Join(cache, "sallyport-test", "pep508-"+strings.TrimSpace(string(pins)))
	python = filepath.Join(home, "bin", "python")
	if exec.Command(python, "-c", "import packaging").Run() == nil {
		return python, ""
	}
	if err := os.MkdirAll(filepath.Dir(home), 0o700); err != nil {
		return "", err.Error()
	}
	building, err := os.MkdirTemp(filepath.Dir(home), "building-")
	if err != nil {
		return "", err.Error()
	}
	defer os.RemoveAll(building)
	if out, err := exec.Command("python3", "-m", "venv", building).CombinedOutput(); err != nil {
		return "", "python3 makes no virtual environments: " + string(out)
	}
	install := exec.Command(filepath.Join(building, "bin", "python"), "-m", "pip", "--quiet", "install", "--only-binary=:all:", "--no-deps", "-r", "testdata/requirements.txt")
	if out, err := install.CombinedOutput(); err != nil {
		return "", "packaging cannot be installed: " + string(out)
	}
	if os.Rename(building, home) != nil && exec.Command(python, "-c", "import packaging").Run() != nil {
		return "", "its folder cannot be made"
	}
	return python, ""
}

// ask has the oracle judge inputs of one kind.
func ask[Out, In any](t *testing.T, kind string, inputs []In) []Out {
	t.Helper()
	python, skip := oracle()
	if skip != "" {
		t.Skipf("SKIPPED, so agreement with the reference implementation is NOT proven here: %s", skip)
	}
	jobs, err := json.Marshal([]any{[]any{kind, inputs}})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(python, "testdata/oracle.py")
	cmd.Stdin = bytes.NewReader(jobs)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, stderr.String())
	}
	var answers [][]Out
	if err := json.Unmarshal(out, &answers); err != nil || len(answers) != 1 || len(answers[0]) != len(inputs) {
		t.Fatalf("%v: %d answers to %d questions", err, len(answers), len(inputs))
	}
	return answers[0]
}
