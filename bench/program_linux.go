package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sallyport/sallyport"
)

// program prepares a program that ends with the measurement.
func program(ctx context.Context, name string, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, name, args...)
}

// A cost is what a program took.
type cost struct {
	seconds float64 // from before it was started until it had ended
	memory  float64 // most bytes resident at one time (getrusage(2), ru_maxrss)
}

// spend runs a program, and waits first until nothing is left to be written to
// disk by what went before.
func spend(c *exec.Cmd) (cost, error) { return spendEnding(c, 0) }

// spendEnding is spend of a program that is to end with a code.
func spendEnding(c *exec.Cmd, code int) (cost, error) {
	var complaint strings.Builder
	c.Stderr = &complaint
	unix.Sync()
	begun := time.Now()
	err := c.Run()
	took := time.Since(begun)
	if c.ProcessState == nil || c.ProcessState.ExitCode() != code {
		why := strings.TrimSpace(complaint.String())
		if why == "" {
			why = fmt.Sprint(err)
		}
		return cost{}, sallyport.Errorf(sallyport.StageFailed, "%s: %s", strings.Join(c.Args[:min(3, len(c.Args))], " "), why)
	}
	used := c.ProcessState.SysUsage().(*syscall.Rusage)
	return cost{took.Seconds(), float64(used.Maxrss << 10)}, nil
}

// inTurn returns all in another order every other round, so that nobody always
// comes after the same.
func inTurn[T any](round int, all []T) []T {
	all = slices.Clone(all)
	if round%2 == 1 {
		slices.Reverse(all)
	}
	return all
}

// warm reads a file, or all files below a folder, so that they are in memory.
func warm(path string) error {
	return filepath.WalkDir(path, func(file string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		f, err := os.Open(file)
		if err != nil {
			return err
		}
		defer f.Close()
		_, err = io.Copy(io.Discard, f)
		return err
	})
}

// same returns an error unless a file, or every file below a folder, is the
// same at the other place, and nothing else is there.
func same(want, got string) error {
	differ := sallyport.Errorf(sallyport.Corrupt, "what came back is not what was put in").At("%s", got)
	files := 0
	buffers := [2][]byte{make([]byte, 1<<20), make([]byte, 1<<20)}
	err := filepath.WalkDir(want, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files++
		rel, err := filepath.Rel(want, file)
		if err != nil {
			return err
		}
		if equal, err := equalFiles(file, filepath.Join(got, rel), buffers); err != nil {
			return err
		} else if !equal {
			return differ
		}
		return nil
	})
	if err != nil {
		return err
	}
	err = filepath.WalkDir(got, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files--
		}
		return err
	})
	if err == nil && files != 0 {
		return differ
	}
	return err
}

func equalFiles(a, b string, buffers [2][]byte) (bool, error) {
	var files [2]*os.File
	for i, name := range []string{a, b} {
		f, err := os.Open(name)
		if err != nil {
			return false, err
		}
		defer f.Close()
		files[i] = f
	}
	for {
		n, err := io.ReadFull(files[0], buffers[0])
		m, err2 := io.ReadFull(files[1], buffers[1])
		if string(buffers[0][:n]) != string(buffers[1][:m]) {
			return false, nil
		}
		for _, err := range []error{err, err2} {
			if err != nil && err != io.EOF && !errors.Is(err, io.ErrUnexpectedEOF) {
				return false, err
			}
		}
		if n < len(buffers[0]) {
			return true, nil
		}
	}
}
