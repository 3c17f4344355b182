package dataset

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"testing"

	"github.com/sallyport/sallyport"
)

// The test binary started with childEnv set does one command on a store and
// ends: something to kill, and to measure by itself.
const childEnv = "SALLYPORT_TEST_DATASET"

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) == "" {
		os.Exit(m.Run())
	}
	if err := runChild(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// child returns the command "add" DIR NAME PATH SUBJECT-OR-PATTERN or "get" DIR
// NAME PATH.
func child(args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), childEnv+"=1")
	cmd.Stderr = os.Stderr
	return cmd
}

// statusEnv makes a child end with its /proc/self/status, whose peak memory is
// the child's alone; that of getrusage(2) counts what it was forked from.
const statusEnv = "SALLYPORT_TEST_STATUS"

func runChild(args []string) error {
	if os.Getenv(statusEnv) != "" {
		defer func() {
			status, _ := os.ReadFile("/proc/self/status")
			os.Stdout.Write(status)
		}()
	}
	s, db, err := openSite(args[1])
	if err != nil {
		return err
	}
	defer db.Close()
	ctx := context.Background()
	switch args[0] {
	case "add":
		src := Source{Path: args[3], Subject: args[4]}
		if info, err := os.Stat(src.Path); err == nil && info.IsDir() {
			src.Subject, src.Pattern = "", regexp.MustCompile(args[4])
		}
		v, _, err := s.Add(ctx, "sam", args[2], src, nil)
		if err == nil {
			fmt.Println(v.Ref(), v.NewRecords, v.Subjects)
		}
		return err
	case "get":
		ref, err := sallyport.ParseRef(args[2])
		if err != nil {
			return err
		}
		return s.Get(ctx, ref, args[3], nil)
	}
	return fmt.Errorf("no command %q", args[0])
}
