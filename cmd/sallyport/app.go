package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/site"
)

// An app is one invocation of the command: its streams and global flags.
type app struct {
	in       io.Reader
	out, err io.Writer

	site string // --site
	as   string // --as
	json bool   // --json

	begun bool // the command line made sense, and its command runs
}

func newApp(in io.Reader, out, err io.Writer) *app { return &app{in: in, out: out, err: err} }

// main runs the command line and returns the exit code.
func (a *app) main(ctx context.Context, args []string) int {
	root := a.root()
	root.SetArgs(args)
	root.SetIn(a.in)
	root.SetOut(a.out)
	root.SetErr(a.err)
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		a.prepare(c)
	}
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return 0
	}
	if !a.begun {
		err = usageError(cmd, err)
		a.json = a.json || wantsJSON(args)
	}
	if ctx.Err() != nil && !sallyport.Is(err, sallyport.Interrupted) {
		err = sallyport.Errorf(sallyport.Interrupted, "stopped")
	}
	a.explain(cmd, err)
	return sallyport.KindOf(err).ExitCode()
}

// explain tells a person what went wrong and what to do next; with --json it
// tells a program.
func (a *app) explain(cmd *cobra.Command, err error) {
	e, ok := errors.AsType[*sallyport.Error](err)
	if !ok {
		e = &sallyport.Error{Msg: err.Error()}
	}
	if a.json {
		a.encode(a.err, map[string]any{"error": map[string]any{
			"kind": e.Kind.String(), "exit": e.Kind.ExitCode(), "place": e.Place, "message": e.Msg, "try": e.Mend}})
		return
	}
	name := strings.TrimPrefix(cmd.CommandPath(), "sallyport")
	fmt.Fprintf(a.err, "sallyport%s: %s\n", name, err)
	if e.Mend != "" {
		fmt.Fprintf(a.err, "  try: %s\n", e.Mend)
	}
}

// root is the command line as a whole.
func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "sallyport",
		Short: "Secure MLOps for models that learn from personal data",
		Long: `Sallyport trains models on personal data. Code goes in through one door, models
come out through the other, and between them code runs on real data in a sealed
sandbox that its authors never enter.

Begin with:
  sallyport demo                     see the whole of it on real data
  sallyport init                     make a site in this project
  sallyport data add NAME FILE --subject COLUMN
  sallyport run                      run the stages of sallyport.yaml, sealed
  sallyport runs show last           what ran, on what, and what came out

Exit codes:
` + sallyport.ExitCodes() + `
Environment:
  SALLYPORT_SITE        the site, as --site
  SALLYPORT_IDENTITY    the identity, as --as
  SALLYPORT_PASSPHRASE  the passphrase of the identity
  SALLYPORT_HOME        where identities are kept
  SALLYPORT_PYTHON      the Python that environments are built with`,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.CompletionOptions.HiddenDefaultCmd = false
	f := root.PersistentFlags()
	f.StringVar(&a.site, "site", os.Getenv("SALLYPORT_SITE"), "the site's `directory` (default: the nearest .sallyport)")
	f.StringVar(&a.as, "as", os.Getenv("SALLYPORT_IDENTITY"), "the `identity` to act as: a name, or the path of a file")
	f.BoolVar(&a.json, "json", false, "print JSON instead of text")
	root.AddCommand(
		a.demoCommand(), a.initCommand(), a.idCommand(), a.dataCommand(), a.runCommand(), a.runsCommand(),
		a.reproduceCommand(), a.scanCommand(), a.depsCommand(), a.incidentsCommand(), a.eraseCommand(), a.erasuresCommand(), a.verifyCommand(), a.logCommand(), a.versionCommand(),
	)
	return root
}

// prepare makes c say when it begins, so that whatever went wrong before is
// known to be the command line's fault. A command that only has subcommands
// shows its help, and takes no other word.
func (a *app) prepare(c *cobra.Command) {
	if c.HasSubCommands() && !c.Runnable() {
		c.Args = cobra.NoArgs
		c.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
	}
	if do := c.RunE; do != nil {
		c.RunE = func(c *cobra.Command, args []string) error {
			a.begun = true
			return do(c, args)
		}
	}
	for _, sub := range c.Commands() {
		a.prepare(sub)
	}
}

// usageError gives what cobra says about a command line kind and mend.
func usageError(c *cobra.Command, err error) error {
	if _, ok := errors.AsType[*sallyport.Error](err); ok {
		return err
	}
	return sallyport.Errorf(sallyport.Usage, "%w", err).Try("%s --help", c.CommandPath())
}

// wantsJSON finds --json in a command line that could not be read.
func wantsJSON(args []string) bool {
	for _, arg := range args {
		switch arg {
		case "--json", "--json=true":
			return true
		case "--":
			return false
		}
	}
	return false
}

// open opens the site as the identity that --as, the environment or the home
// folder names.
func (a *app) open(ctx context.Context) (*site.Site, error) {
	dir, err := site.Find(a.site)
	if err != nil {
		return nil, err
	}
	id, err := a.identity(ctx, dir)
	if err != nil {
		return nil, err
	}
	s, err := site.Open(ctx, dir, id)
	if err != nil {
		return nil, err
	}
	mended, err := s.Recover(ctx)
	if err != nil {
		s.Close()
		return nil, err
	}
	for _, run := range mended {
		a.say("run %s had been interrupted without a word; it is recorded now\n", run)
	}
	return s, nil
}

// with opens the site for the length of fn.
func (a *app) with(ctx context.Context, fn func(*site.Site) error) (err error) {
	s, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return fn(s)
}

// print writes to standard output: what was asked for.
func (a *app) print(format string, args ...any) { fmt.Fprintf(a.out, format, args...) }

// say writes to standard error: what is going on. A program that reads JSON
// does not want to hear it.
func (a *app) say(format string, args ...any) {
	if !a.json {
		fmt.Fprintf(a.err, format, args...)
	}
}

// show prints v as JSON, or calls text to print it for a person.
func (a *app) show(v any, text func()) error {
	if a.json {
		return a.encode(a.out, v)
	}
	text()
	return nil
}

func (a *app) encode(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
