// Package launch decides where a stage executes and what it sees there. Today
// that is this machine: Local lays a Task out in a sandbox. A task says all
// that there is to say, so that a cluster can be handed the same.
package launch

import (
	"context"
	"io"
	"os"

	"github.com/sallyport/sallyport/internal/sandbox"
)

// The places of a stage inside its sandbox, the same on every machine, so that
// no path of the host reaches what a stage writes.
const (
	WorkDir = "/work" // the project: code, data and the places to write
	EnvDir  = "/env"  // the environment
)

// A Task is one stage: a command, everything that it may read, and the places
// that it may write.
type Task struct {
	Command string   // run by /bin/sh -c in WorkDir
	Env     []string // the whole environment, KEY=value

	Code   Filler  // lays the project's files out below the root of WorkDir
	Inputs []Input // datasets and the outputs of earlier stages, over the code

	Environment string   // host path of the environment's tree; empty for none
	Visible     []string // further host directories that the interpreter needs

	Writes  []string                              // what Collect gets: "model/" a folder, "metrics/train.json" a file
	Collect func(place string, at *os.Root) error // called for each place after the command ended; at is its folder

	Limits  sandbox.Limits
	Scratch int64    // bytes that each of the written places may hold; 0 means half of the machine's memory
	Network []string // hosts that may be reached

	Stdout, Stderr io.Writer
	Attempt        func(sandbox.Attempt)
}

// A Filler writes files below a folder of a sandbox that is being laid out.
type Filler func(*os.Root) error

// An Input is laid out at a slash path below WorkDir by Fill, which gets the
// root of WorkDir and the path.
type Input struct {
	Path string
	Fill func(root *os.Root, path string) error
}

// Local runs tasks on this machine.
type Local struct{}

// Run executes t and returns what became of it. A command that fails is a
// result; an error means that it could not be confined, laid out or collected.
func (Local) Run(ctx context.Context, t Task) (*sandbox.Result, error) {
	return sandbox.Run(ctx, t.sandbox())
}
