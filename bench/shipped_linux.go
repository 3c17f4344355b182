package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"

	"github.com/sallyport/sallyport"
)

// asShipped makes this process one that is built as the command is shipped:
// without cgo. Its executable is what sandboxes are started with, and one that
// is linked to C takes half a millisecond more to start. It returns nil where
// it is so already, and does not return where it can be made so.
func asShipped(ctx context.Context) error {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return sallyport.Errorf(sallyport.Internal, "this executable does not say how it was built").Try("go run ./bench")
	}
	cgo := false
	for _, s := range info.Settings {
		cgo = cgo || s.Key == "CGO_ENABLED" && s.Value == "1"
	}
	if !cgo {
		return nil
	}
	dir, err := os.MkdirTemp("", "sallyport-bench-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir) // unless removed below
	path := filepath.Join(dir, "bench")
	if err := build(ctx, path, "bench"); err != nil {
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := os.RemoveAll(dir); err != nil { // an open file can be executed without a name
		return err
	}
	err = syscall.Exec(fmt.Sprintf("/proc/self/fd/%d", f.Fd()), os.Args, os.Environ())
	return sallyport.Errorf(sallyport.Internal, "cannot start again without cgo: %w", err).Try("CGO_ENABLED=0 go run ./bench")
}

// buildUndenied builds the command with an empty list of what is known to be
// harmful: what it blocks, it blocks for not being known to be harmless.
func buildUndenied(ctx context.Context, path string) error {
	dir, err := program(ctx, "go", "list", "-f", "{{.Dir}}", module+"internal/inspect/pickles").Output()
	if err != nil {
		return err
	}
	list := filepath.Join(strings.TrimSpace(string(dir)), "denied.txt")
	if _, err := os.Stat(list); err != nil {
		return sallyport.Errorf(sallyport.Internal, "there is no list of harmful names to empty: %w", err)
	}
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{list: path + ".txt"}})
	if err != nil {
		return err
	}
	err = errors.Join(os.WriteFile(path+".txt", nil, 0o600), os.WriteFile(path+".json", overlay, 0o600))
	if err != nil {
		return err
	}
	return build(ctx, path, "cmd/sallyport", "-overlay", path+".json")
}

const module = "github.com/sallyport/sallyport/"

// build builds a command of ours as it is shipped.
func build(ctx context.Context, path, folder string, flags ...string) error {
	c := program(ctx, "go", slices.Concat([]string{"build", "-o", path}, flags, []string{module + folder})...)
	c.Env = append(os.Environ(), "CGO_ENABLED=0")
	_, err := spend(c)
	return err
}
