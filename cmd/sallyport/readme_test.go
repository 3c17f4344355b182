package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/sallyport/sallyport/internal/project"
	"github.com/sallyport/sallyport/internal/sandbox"
)

// TestReadme runs the transcript that the README opens with, command by command,
// and compares what is printed; names of runs, which are random, are compared by
// where they occur.
func TestReadme(t *testing.T) {
	if err := sandbox.Preflight(); err != nil {
		t.Skipf("SKIPPED: this host cannot confine a run: the transcript of the README was not run: %v", err)
	}
	if testing.Short() {
		t.Skip("SKIPPED: -short; the transcript of the README was not run")
	}
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "```\n")
	transcript, _, ok := strings.Cut(rest, "```\n")
	if !ok || !strings.HasPrefix(transcript, "$ sallyport init") {
		t.Fatal("the README does not open with a transcript")
	}
	bin := filepath.Join(t.TempDir(), "sallyport")
	if out, err := exec.Command("go", "build", "-o", bin, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	d := &demo{app: newApp(nil, &bytes.Buffer{}, &bytes.Buffer{}), ctx: context.Background(), self: bin, dir: t.TempDir()}
	d.work = filepath.Join(d.dir, "readmission")
	t.Cleanup(func() { removeAll(d.dir) }) // environments are read-only
	if err := d.project(); err != nil {
		t.Skipf("SKIPPED: the project could not be laid out: %v", err)
	}
	names := map[string]string{}
	for _, step := range strings.Split("\n"+transcript, "\n$ ")[1:] {
		line, want, _ := strings.Cut(step, "\n")
		for in, name := range names {
			line = strings.ReplaceAll(line, in, name)
		}
		got, err := d.command(line)
		if err != nil {
			t.Fatalf("%s: %v\n%s", line, err, d.err)
		}
		for w := range strings.Lines(want) {
			match := findLine(strings.TrimSpace(w), got, names)
			if !match {
				t.Errorf("$ %s\nthe README shows: %swhat was printed:\n%s", line, w, got)
			}
		}
	}
}

// aName is the name of a run.
var aName = regexp.MustCompile(`\b[a-z2-7]{10}\b`)

// findLine looks for the line in the output, taking each name of a run that the
// README shows for the name that stands in its place.
func findLine(want, output string, names map[string]string) bool {
	for got := range strings.Lines(output) {
		got = strings.TrimSpace(got)
		if aName.ReplaceAllString(want, "RUN") != aName.ReplaceAllString(got, "RUN") {
			continue
		}
		same := true
		inGot := aName.FindAllString(got, -1)
		for i, n := range aName.FindAllString(want, -1) {
			if there, ok := names[n]; ok && there != inGot[i] {
				same = false
			}
			names[n] = inGot[i]
		}
		return same
	}
	return false
}

// TestReadmeProject wants the sallyport.yaml that the README shows to be one.
func TestReadmeProject(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "```yaml\n")
	yaml, _, ok := strings.Cut(rest, "```\n")
	if !ok {
		t.Fatal("the README shows no sallyport.yaml")
	}
	dir := t.TempDir()
	for name, text := range map[string]string{"sallyport.yaml": yaml, "params.yaml": "a: 1\n", "requirements.lock": ""} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := project.Load(dir); err != nil {
		t.Error(err)
	}
}

// TestHelp wants every command to say what it does, every one that does
// something to show an example where it takes arguments, and no line of help to
// be wider than a screen.
func TestHelp(t *testing.T) {
	var visit func(c *cobra.Command)
	visit = func(c *cobra.Command) {
		if c.Short == "" {
			t.Errorf("%s does not say what it does", c.CommandPath())
		}
		if c.Runnable() && strings.ContainsAny(c.Use, " ") && c.Example == "" {
			t.Errorf("%s takes arguments and shows no example", c.CommandPath())
		}
		for line := range strings.Lines(c.Long + "\n" + c.Example) {
			if n := len([]rune(strings.TrimRight(line, "\n"))); n > width {
				t.Errorf("%s: %d columns: %s", c.CommandPath(), n, line)
			}
		}
		c.Flags().VisitAll(func(f *pflag.Flag) {
			if f.Usage == "" {
				t.Errorf("%s --%s says nothing", c.CommandPath(), f.Name)
			}
		})
		for _, sub := range c.Commands() {
			visit(sub)
		}
	}
	visit(newApp(nil, nil, nil).root())
}
