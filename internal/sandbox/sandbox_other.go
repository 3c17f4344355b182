//go:build !linux || (!amd64 && !arm64)

package sandbox

import (
	"context"
	"runtime"

	"github.com/sallyport/sallyport"
)

// Preflight reports that this system has no walls to build with.
func Preflight() error {
	return sallyport.Errorf(sallyport.Unconfined, "running needs Linux on amd64 or arm64; this is %s on %s",
		runtime.GOOS, runtime.GOARCH).Try("run this on a Linux machine; everything but running works here")
}

// Run refuses: a program that cannot be confined is not started.
func Run(context.Context, Config) (*Result, error) { return nil, Preflight() }

// System returns nothing: there is no program to show it to.
func System() []Bind { return nil }
