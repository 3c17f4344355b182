//go:build !unix

package env

import (
	"context"
	"os"
	"os/exec"
	"runtime"

	"github.com/sallyport/sallyport"
)

func command(ctx context.Context, name string, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, name, args...)
}

func noSpace(error) bool { return false }

// tryLock refuses: without the lock, two builders could not be told apart.
func tryLock(*os.File) (bool, error) {
	return false, sallyport.Errorf(sallyport.Unconfined, "environments cannot be built on %s", runtime.GOOS).
		Try("build and run on Linux")
}
