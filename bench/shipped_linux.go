package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
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

// build builds a command of ours as it is shipped.
func build(ctx context.Context, path, folder string) error {
	c := program(ctx, "go", "build", "-o", path, "github.com/sallyport/sallyport/"+folder)
	c.Env = append(os.Environ(), "CGO_ENABLED=0")
	_, err := spend(c)
	return err
}
