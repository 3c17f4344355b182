package env

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"time"

	"github.com/sallyport/sallyport"
)

// A Python is an interpreter of this machine.
type Python struct {
	Version        string           `json:"version"`        // "3.11.7"
	Implementation string           `json:"implementation"` // "cpython"
	Executable     string           `json:"executable"`     // real path, through all shims, links and virtual environments
	Digest         sallyport.Digest `json:"digest"`         // of the executable's bytes
	Prefixes       []string         `json:"prefixes"`       // folders that have to be visible for it to run, with its shared libraries

	platform string            // "linux-x86_64-glibc"
	pip      string            // what to run pip from; empty if there is none
	markers  map[string]string // values of the variables of PEP 508
}

//go:embed probe.py
var probe string

// oldestPython is the oldest minor version that environments are built for: the
// oldest that carries a pip which knows today's wheel tags.
const oldestPython = "3.9"

// probeTime bounds how long an interpreter may take to speak about itself.
const probeTime = 30 * time.Second

// Discover finds the interpreter that environments are built for: what
// SALLYPORT_PYTHON names, or the python3 on PATH. A virtual environment or a
// shim leads to the interpreter behind it.
func Discover(ctx context.Context) (*Python, error) {
	name, mend := os.Getenv("SALLYPORT_PYTHON"), "set SALLYPORT_PYTHON to an interpreter that runs"
	if name == "" {
		name, mend = "python3", "install Python 3, or set SALLYPORT_PYTHON to where it is"
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return nil, sallyport.Errorf(sallyport.NotFound, "no Python: %s is not there or cannot be run", name).Try("%s", mend)
	}
	limited, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	// -I: neither variables nor files of the user change what is found.
	cmd := command(limited, path, "-I", "-c", probe)
	cmd.Env = os.Environ()
	out, err := cmd.Output()
	if ctx.Err() != nil {
		return nil, interrupted()
	}
	var report struct {
		Python
		Platform string            `json:"platform"`
		Pip      string            `json:"pip"`
		Markers  map[string]string `json:"markers"`
	}
	if err == nil {
		err = json.Unmarshal(bytes.TrimSpace(out), &report)
	}
	if err != nil {
		return nil, sallyport.Errorf(sallyport.Invalid, "this Python does not run: %w", err).At("%s", path).Try("%s", mend)
	}
	p := report.Python
	p.platform, p.pip, p.markers = report.Platform, report.Pip, report.Markers
	if !satisfies(p.Version, ">="+oldestPython) {
		return nil, sallyport.Errorf(sallyport.Invalid, "Python %s is too old: environments need %s", p.Version, oldestPython).At("%s", path).
			Try("set SALLYPORT_PYTHON to a newer one")
	}
	if p.Digest, err = fileDigest(p.Executable); err != nil {
		return nil, sallyport.Errorf(sallyport.Invalid, "the interpreter cannot be read: %w", err).At("%s", p.Executable)
	}
	return &p, nil
}

// fileDigest returns the digest of a file's bytes.
func fileDigest(path string) (sallyport.Digest, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return sallyport.DigestOf([sha256.Size]byte(h.Sum(nil))), nil
}

func interrupted() error {
	return sallyport.Errorf(sallyport.Interrupted, "interrupted; nothing of the environment was kept")
}

// fault makes an error of an operation on the store's own files.
func fault(what string, err error) error {
	if e, ok := errors.AsType[*sallyport.Error](err); ok {
		return e
	}
	if noSpace(err) {
		return sallyport.Errorf(sallyport.NoSpace, "the disk is full; nothing of the environment was kept: %w", err).Try("make room, and run again")
	}
	return sallyport.Errorf(sallyport.Internal, "%s: %w", what, err)
}
