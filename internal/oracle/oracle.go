// Package oracle asks other people's implementations of what we implement, for
// tests: programs in Python that are fetched from the package index in fixed
// versions and kept in the user's cache. Where they cannot be had, the test is
// skipped and says so.
package oracle

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
)

// A Job is a question, and what becomes of one: {"ok": true, …}, or
// {"ok": false, "error": why}.
type Job map[string]any

// OK reports whether the oracle has agreed.
func (j Job) OK() bool { return j["ok"] == true }

// Ask has a script answer jobs, each with an answer, in a Python that has the
// packages of a requirements file. The script reads jobs from its standard input
// as a JSON list and writes answers to its standard output as another.
func Ask(t testing.TB, requirements, script string, jobs ...Job) []Job {
	t.Helper()
	in, err := json.Marshal(jobs)
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd := exec.Command(Python(t, requirements), script)
	cmd.Stdin, cmd.Stderr = bytes.NewReader(in), &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, &stderr)
	}
	var answers []Job
	if err := json.Unmarshal(out, &answers); err != nil || len(answers) != len(jobs) {
		t.Fatalf("%d answers to %d jobs, %v: %.1000s", len(answers), len(jobs), err, out)
	}
	return answers
}

// Python returns a Python that has the packages of a requirements file.
func Python(t testing.TB, requirements string) string {
	t.Helper()
	python, skip := find(t, requirements)
	if skip != "" {
		t.Skipf("SKIPPED, so agreement with other people's implementations is NOT proven here: %s", skip)
	}
	return python
}

// find returns a Python, or why there can be none. It is made for the pins and
// the interpreter at hand, and made only once for both.
func find(t testing.TB, requirements string) (python, skip string) {
	t.Helper()
	pins, err := os.ReadFile(requirements)
	if err != nil {
		t.Fatal(err)
	}
	version, err := exec.Command("python3", "-c", "import sys; print(sys.version, sys.prefix)").Output()
	if err != nil {
		return "", "there is no python3: " + err.Error()
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err.Error()
	}
	cache = filepath.Join(cache, "sallyport-test")
	if err := os.MkdirAll(cache, 0o700); err != nil {
		return "", err.Error()
	}
	home := filepath.Join(cache, fmt.Sprintf("oracle-%.8x", sha256.Sum256(append(pins, version...))))
	python = filepath.Join(home, program())
	if _, err := os.Stat(python); err == nil {
		return python, ""
	}
	return python, build(t, requirements, cache, home)
}

// program is where a virtual environment has its interpreter.
func program() string {
	if runtime.GOOS == "windows" {
		return filepath.Join("Scripts", "python.exe")
	}
	return filepath.Join("bin", "python")
}

// build makes a virtual environment aside and renames it, so that whatever has
// the final name is whole.
func build(t testing.TB, requirements, cache, home string) (skip string) {
	t.Helper()
	building, err := os.MkdirTemp(cache, "building-")
	if err != nil {
		return err.Error()
	}
	defer os.RemoveAll(building)
	if out, err := exec.Command("python3", "-m", "venv", building).CombinedOutput(); err != nil {
		return "python3 makes no virtual environments: " + string(out)
	}
	pip := func(args ...string) error {
		return exec.Command(filepath.Join(building, program()), append([]string{"-m", "pip", "--quiet"}, args...)...).Run()
	}
	if pip("install", "--only-binary=:all:", "--no-deps", "-r", requirements) != nil {
		if pip("download", "--no-deps", "--dest", filepath.Join(building, "probe"), "certifi") == nil {
			t.Fatalf("the package index can be reached, but %s cannot be installed", requirements)
		}
		return "the Python package index cannot be reached"
	}
	if err := os.Rename(building, home); err != nil {
		if _, err := os.Stat(filepath.Join(home, program())); err != nil {
			return err.Error()
		}
	}
	return ""
}
