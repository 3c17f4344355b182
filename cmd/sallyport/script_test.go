package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/sallyport/sallyport/internal/sandbox"
	"github.com/sallyport/sallyport/internal/seal"
	"github.com/sallyport/sallyport/internal/site"
	"github.com/sallyport/sallyport/internal/state"
)

// TestMain lets scripts, and the sandbox's own re-execution, run this test
// binary as sallyport.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"sallyport": main,
	})
}

// TestScript runs every script of testdata/script against the real command.
// Each begins in an empty folder with no identity and a git that knows nobody.
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       os.Getenv("UPDATE_SCRIPTS") != "",
		Setup:               setup,
		Condition: func(cond string) (bool, error) {
			if cond == "sandbox" {
				return sandbox.Preflight() == nil, nil
			}
			return false, nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"capture": capture,
			"code":    exitCode,
			"flip":    flipByte,
			"nowhere": nowhere,
			"opens":   opens,
			"waitfor": waitFor,
		},
	})
}

func setup(e *testscript.Env) error {
	e.Setenv("SALLYPORT_HOME", filepath.Join(e.WorkDir, ".identities"))
	e.Setenv("SALLYPORT_SITE", "")
	e.Setenv("SALLYPORT_IDENTITY", "")
	e.Setenv("HOME", e.WorkDir)
	e.Setenv("GIT_CONFIG_GLOBAL", filepath.Join(e.WorkDir, ".gitconfig"))
	e.Setenv("GIT_CONFIG_NOSYSTEM", "1")
	e.Setenv("TMPDIR", e.WorkDir)
	return os.WriteFile(filepath.Join(e.WorkDir, ".gitconfig"),
		[]byte("[user]\n\tname = T\n\temail = t@example.org\n[init]\n\tdefaultBranch = main\n"), 0o600)
}

// exitCode runs a command and demands an exit code: code 12 sallyport data get …
func exitCode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: code N COMMAND…")
	}
	err := ts.Exec(args[1], args[2:]...)
	got := "0"
	if err != nil {
		got = err.Error()
		if e, ok := err.(interface{ ExitCode() int }); ok {
			got = strconv.Itoa(e.ExitCode())
		}
	}
	if got != args[0] {
		ts.Fatalf("exit code %s, want %s", got, args[0])
	}
}

// waitFor runs a command line until it prints a text: waitfor COMMAND TEXT. The
// test's own time limit ends the wait.
func waitFor(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: waitfor COMMAND TEXT")
	}
	words := strings.Fields(args[0])
	for {
		_ = ts.Exec(words[0], words[1:]...)
		if strings.Contains(ts.ReadFile("stdout"), args[1]) {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// flipByte changes one byte in the middle of each of the given files.
func flipByte(ts *testscript.TestScript, neg bool, args []string) {
	for _, pattern := range args {
		files, err := filepath.Glob(ts.MkAbs(pattern))
		ts.Check(err)
		if len(files) == 0 {
			ts.Fatalf("no file matches %s", pattern)
		}
		for _, f := range files {
			b, err := os.ReadFile(f)
			ts.Check(err)
			b[len(b)/2] ^= 1
			ts.Check(os.WriteFile(f, b, 0o600))
		}
	}
}

// nowhere demands that a text is in no file below a folder, in base64 neither:
// nowhere DIR TEXT.
func nowhere(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: nowhere DIR TEXT")
	}
	ts.Check(filepath.WalkDir(ts.MkAbs(args[0]), func(path string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		if err == nil && holds(b, args[1]) {
			ts.Fatalf("%s holds the text that should be nowhere", path)
		}
		return err
	}))
}

// holds reports whether a text is in bytes, also in base64, or in base64 of that as
// the envelopes of evidence are in documents. It is rather too strict: the last
// letter of the text may be another there.
func holds(b []byte, text string) bool {
	if bytes.Contains(b, []byte(text)) {
		return true
	}
	for _, once := range inBase64(text) {
		if bytes.Contains(b, []byte(once)) {
			return true
		}
		for _, twice := range inBase64(once) {
			if bytes.Contains(b, []byte(twice)) {
				return true
			}
		}
	}
	return false
}

// inBase64 is what must stand in the base64 of anything that a text is a part of:
// the digits that no byte around it has a share in, for each place that it can have
// within three bytes.
func inBase64(text string) (all []string) {
	for before := range 3 {
		coded := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("x", before) + text))
		begin := (before*8 + 5) / 6
		end := (before + len(text)) * 8 / 6
		all = append(all, coded[begin:end])
	}
	return all
}

// capture puts what the last command printed and a pattern's group matches first
// into a variable: capture NAME PATTERN.
func capture(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: capture NAME PATTERN")
	}
	m := regexp.MustCompile(args[1]).FindStringSubmatch(ts.ReadFile("stdout"))
	if len(m) != 2 {
		ts.Fatalf("nothing matches %s", args[1])
	}
	ts.Setenv(args[0], m[1])
}

// opens demands that a text stands in what anna's keys open of the site, in any
// segment or document, or, negated, that it does not: [!] opens TEXT.
func opens(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: opens TEXT")
	}
	text, err := os.ReadFile(filepath.Join(ts.Getenv("SALLYPORT_HOME"), "anna.id"))
	ts.Check(err)
	me, err := seal.ParseIdentity(text, nil)
	ts.Check(err)
	s, err := site.Open(context.Background(), ts.MkAbs(".sallyport"), me)
	ts.Check(err)
	defer s.Close()
	segments, found := 0, 0
	ts.Check(s.State.View(context.Background(), func(tx *state.Tx) error {
		for o, err := range tx.Objects("") {
			if err != nil {
				return err
			}
			found += bytes.Count(o.Doc, []byte(args[0]))
		}
		rings := map[string]*seal.Ring{"data": s.Data().Ring, "output": s.Runs().Output}
		return tx.EachSegment(func(seg state.Segment) error {
			b, err := s.Blobs.Read(seg, rings[seg.Ring], nil)
			segments++
			found += bytes.Count(b, []byte(args[0]))
			return err
		})
	}))
	if segments == 0 || (found == 0) != neg {
		ts.Fatalf("%d segments and all documents have it %d times", segments, found)
	}
}
