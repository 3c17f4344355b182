//go:build !linux

package main

import (
	"fmt"
	"os"

	"github.com/sallyport/sallyport"
)

func main() {
	err := sallyport.Errorf(sallyport.Unconfined, "measuring needs Linux: there are no sandboxes elsewhere, and other figures would mean little alone")
	fmt.Fprintln(os.Stderr, "bench:", err)
	os.Exit(err.Kind.ExitCode())
}
