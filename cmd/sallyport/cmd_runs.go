package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/run"
	"github.com/sallyport/sallyport/internal/sandbox"
	"github.com/sallyport/sallyport/internal/site"
)

func (a *app) runsCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "runs",
		Short: "What ran, on what, and what came out",
		Args:  cobra.NoArgs,
		RunE:  func(c *cobra.Command, _ []string) error { return a.listRuns(c.Context()) },
	}
	list := &cobra.Command{Use: "ls", Aliases: []string{"list"}, Short: "List runs, the newest last", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return a.listRuns(c.Context()) }}
	c.AddCommand(list, a.runsShowCommand(), a.runsDiffCommand(), a.runsGetCommand())
	return c
}

func (a *app) listRuns(ctx context.Context) error {
	return a.with(ctx, func(s *site.Site) error {
		all, err := s.Runs().List(ctx)
		if err != nil {
			return err
		}
		return a.show(all, func() {
			if len(all) == 0 {
				a.print("nothing has run yet; begin with: sallyport run\n")
				return
			}
			t := table{head: []string{"RUN", "WHEN", "STATUS", "STAGES", "RECORDS", "TIME", "MEMORY", "NETWORK"},
				right: map[int]bool{4: true, 5: true, 6: true, 7: true}}
			for _, r := range all {
				var wall time.Duration
				var peak, tries int64
				var stages []string
				for _, st := range r.Stages {
					wall += st.Usage.Wall
					peak = max(peak, st.Usage.Memory)
					tries += st.Network.Attempts
					stages = append(stages, st.Name)
				}
				records, _ := r.Size()
				t.add(r.ID, r.Started.Format("01-02 15:04"), string(r.Status), strings.Join(stages, ","), count(records),
					timeText(wall), bytesText(peak), count(tries))
			}
			t.print(a.out)
		})
	})
}

func (a *app) runsShowCommand() *cobra.Command {
	var show showing
	c := &cobra.Command{
		Use:   "show RUN",
		Short: "Show a run's record",
		Example: `  sallyport runs show last
  sallyport runs show k3f9 --output      # what its stages printed
  sallyport runs show k3f9 --diff        # uncommitted changes that it ran with`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.showRun(c.Context(), args[0], show)
		},
		ValidArgsFunction: a.completeRuns,
	}
	c.Flags().BoolVar(&show.metrics, "metrics", false, "all metrics")
	c.Flags().BoolVar(&show.output, "output", false, "what the stages printed; needs a key that may open it")
	c.Flags().BoolVar(&show.diff, "diff", false, "how the code differed from its commit")
	return c
}

// showing says which part of a run to show.
type showing struct{ metrics, output, diff bool }

func (a *app) showRun(ctx context.Context, name string, show showing) error {
	return a.with(ctx, func(s *site.Site) error {
		runs := s.Runs()
		r, err := runs.Find(ctx, name)
		if err != nil {
			return err
		}
		switch {
		case show.output:
			return a.showOutput(ctx, runs, r)
		case show.diff:
			return runs.ReadDiff(ctx, r, a.out)
		}
		forecast, err := runs.Forecast(ctx, r)
		if err != nil {
			return err
		}
		tries, err := a.attemptsOf(ctx, runs, r)
		if err != nil {
			return err
		}
		full := struct {
			*run.Record
			Forecast []run.Forecast               `json:"forecast,omitempty"`
			Network  map[string][]sandbox.Attempt `json:"network,omitempty"`
		}{r, forecast, tries}
		return a.show(full, func() { a.printRun(r, forecast, tries, show.metrics) })
	})
}

// showOutput prints what the stages printed. It is shown plain on a terminal;
// into a file or a pipe go the bytes as they were.
func (a *app) showOutput(ctx context.Context, runs *run.Service, r *run.Record) error {
	for _, st := range r.Stages {
		a.say("stage %s:\n", st.Name)
		q := &quoted{w: a.out}
		if err := runs.ReadOutput(ctx, st, q); err != nil {
			return err
		}
		q.flush()
	}
	return nil
}

// attemptsOf returns what each stage tried to reach, to those who may know.
func (a *app) attemptsOf(ctx context.Context, runs *run.Service, r *run.Record) (map[string][]sandbox.Attempt, error) {
	all := map[string][]sandbox.Attempt{}
	for _, st := range r.Stages {
		if st.Network.Attempts == 0 || runs.Output == nil {
			continue
		}
		lines, err := runs.Attempts(ctx, st)
		if err != nil {
			return nil, err
		}
		for sc := bufio.NewScanner(bytes.NewReader(lines)); sc.Scan(); {
			var t sandbox.Attempt
			if err := json.Unmarshal(sc.Bytes(), &t); err != nil {
				return nil, sallyport.Errorf(sallyport.Corrupt, "the network record cannot be read").At("run %s, stage %s", r.ID, st.Name)
			}
			all[st.Name] = append(all[st.Name], t)
		}
	}
	return all, nil
}

func (a *app) printRun(r *run.Record, forecast []run.Forecast, tries map[string][]sandbox.Attempt, allMetrics bool) {
	field := func(name, format string, args ...any) {
		a.print("%-12s %s\n", name, cut(plain(fmt.Sprintf(format, args...)), width-13))
	}
	field("run", "%s of %s, %s", r.ID, r.Project, r.Status)
	if r.Why != "" {
		field("why", "%s", r.Why)
	}
	field("by", "%s, %s", r.By, r.Started.Format("2006-01-02 15:04:05 MST"))
	code := "no commit yet"
	if r.Code.Commit != "" {
		code = "commit " + r.Code.Commit[:12]
	}
	if r.Code.Dirty {
		code += ", with uncommitted changes (--diff shows them)"
	}
	field("code", "%s, %s", code, many(int64(r.Code.Files), "file"))
	if e := r.Environment; e != nil {
		field("environment", "%s, Python %s, lock %s, by %s", e.ID[:12], e.Python, e.Lock.Short(), e.Tool)
	}
	for _, d := range r.Data {
		of := ""
		if d.Records != d.Whole {
			of = " of " + count(d.Whole)
		}
		field("data", "%s at %s: %s%s records of %s", d.Version, d.Path, count(d.Records), of, many(d.Subjects, "subject"))
	}
	if len(r.Set) > 0 {
		field("set", "%s", strings.Join(r.Set, " "))
	}
	field("host", "%s, %d cores, %s, Linux %s", r.Host.CPU, r.Host.Cores, bytesText(r.Host.Memory), r.Host.Kernel)
	a.print("\n")
	t := table{head: []string{"STAGE", "STATUS", "TIME", "CPU", "MEMORY", "READ", "WRITTEN", "NETWORK"},
		right: map[int]bool{2: true, 3: true, 4: true, 5: true, 6: true, 7: true}}
	for _, st := range r.Stages {
		var written int64
		for _, o := range st.Outputs {
			written += o.Size
		}
		t.add(st.Name, string(st.Status), timeText(st.Usage.Wall), timeText(st.Usage.User+st.Usage.System), bytesText(st.Usage.Memory),
			bytesText(st.Usage.Read), bytesText(written), count(st.Network.Attempts))
	}
	t.print(a.out)
	a.printWalls(r)
	a.printAttempts(r, tries)
	a.printMetrics(r, allMetrics)
	a.printOutputs(r)
	if c := r.Reproduces; c != nil {
		a.print("\n")
		a.printComparison(c.Run, r.ID, c)
	}
	if len(forecast) > 0 {
		a.print("\n")
		a.printForecast(forecast)
	}
}

func (a *app) printWalls(r *run.Record) {
	if len(r.Stages) > 0 && r.Stages[0].Walls.Seccomp {
		a.print("confined by %s\n", wallsText(r.Stages[0].Walls))
	}
}

// wallsText says in a line what held a stage.
func wallsText(w sandbox.Walls) string {
	walls := []string{fmt.Sprintf("%d namespaces", len(w.Namespaces))}
	if w.Seccomp {
		walls = append(walls, "seccomp")
	}
	if w.Landlock > 0 {
		walls = append(walls, fmt.Sprintf("Landlock %d", w.Landlock))
	}
	if w.Memory != "none" {
		walls = append(walls, "memory by "+w.Memory)
	}
	return strings.Join(append(walls, "swap "+w.Swap), ", ")
}

func (a *app) printAttempts(r *run.Record, tries map[string][]sandbox.Attempt) {
	for _, st := range r.Stages {
		if st.Network.Attempts == 0 {
			continue
		}
		a.print("\nstage %s tried to reach:\n", st.Name)
		if len(tries[st.Name]) == 0 {
			a.print("  (who may open the output of a run sees the names)\n")
		}
		for _, t := range tries[st.Name] {
			a.print("  %s\n", cut(attemptText(t), width-2))
		}
	}
}

func (a *app) printMetrics(r *run.Record, all bool) {
	m := r.Metrics()
	if len(m) == 0 {
		return
	}
	a.print("\n")
	t := table{head: []string{"METRIC", "VALUE"}, right: map[int]bool{1: true}}
	names := slices.Sorted(maps.Keys(m))
	show := names
	if !all && len(names) > fewMetrics {
		show = names[:fewMetrics]
	}
	for _, k := range show {
		t.add(plain(k), number(m[k]))
	}
	t.print(a.out)
	if len(show) < len(names) {
		a.print("… and %d more: --metrics shows all\n", len(names)-len(show))
	}
}

// fewMetrics is how many metrics a run shows unless asked for all.
const fewMetrics = 16

func (a *app) printOutputs(r *run.Record) {
	all := r.Outputs()
	if len(all) == 0 {
		return
	}
	a.print("\n")
	t := table{head: []string{"ARTEFACT", "SIZE", "SHA-256"}, right: map[int]bool{1: true}}
	for _, o := range all {
		t.add(plain(o.Path), bytesText(o.Size), o.Digest.Short())
	}
	t.print(a.out)
}

func (a *app) runsDiffCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "diff A B",
		Short:   "Compare two runs: inputs, resources, metrics side by side",
		Example: "  sallyport runs diff k3f9 last",
		Args:    cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			return a.diffRuns(c.Context(), args[0], args[1])
		},
		ValidArgsFunction: a.completeRuns,
	}
}

// A side is one line of a comparison.
type side struct {
	What   string `json:"what"`
	A      string `json:"a"`
	B      string `json:"b"`
	Change string `json:"change,omitempty"`
}

func (a *app) diffRuns(ctx context.Context, x, y string) error {
	return a.with(ctx, func(s *site.Site) error {
		ra, err := s.Runs().Find(ctx, x)
		if err != nil {
			return err
		}
		rb, err := s.Runs().Find(ctx, y)
		if err != nil {
			return err
		}
		sides := slices.Concat(inputs(ra, rb), resources(ra, rb), metrics(ra, rb))
		return a.show(sides, func() {
			t := table{head: []string{"", ra.ID, rb.ID, "CHANGE"}, right: map[int]bool{1: true, 2: true, 3: true}}
			for _, l := range sides {
				t.add(plain(l.What), plain(l.A), plain(l.B), l.Change)
			}
			t.print(a.out)
		})
	})
}

// inputs compares what went in; what is the same is left out.
func inputs(a, b *run.Record) []side {
	var out []side
	add := func(what, x, y string) {
		if x != y {
			out = append(out, side{What: what, A: x, B: y, Change: "≠"})
		}
	}
	add("commit", cut(a.Code.Commit, 12), cut(b.Code.Commit, 12))
	add("code", a.Code.Tree.Short(), b.Code.Tree.Short())
	if a.Environment != nil && b.Environment != nil {
		add("environment", a.Environment.Tree.Short(), b.Environment.Tree.Short())
		add("python", a.Environment.Python, b.Environment.Python)
	}
	for i := range max(len(a.Data), len(b.Data)) {
		var x, y run.Data
		if i < len(a.Data) {
			x = a.Data[i]
		}
		if i < len(b.Data) {
			y = b.Data[i]
		}
		add("data", x.Version, y.Version)
		add("records", count(x.Records), count(y.Records))
		add("subjects", count(x.Subjects), count(y.Subjects))
	}
	keys := maps.Clone(a.Params)
	if keys == nil {
		keys = map[string]any{}
	}
	maps.Copy(keys, b.Params)
	for _, k := range slices.Sorted(maps.Keys(keys)) {
		add(k, paramText(a.Params, k), paramText(b.Params, k))
	}
	return out
}

func paramText(params map[string]any, k string) string {
	if v, ok := params[k]; ok {
		return fmt.Sprint(v)
	}
	return "–"
}

func resources(a, b *run.Record) []side {
	var out []side
	for i := range min(len(a.Stages), len(b.Stages)) {
		x, y := a.Stages[i], b.Stages[i]
		if x.Name != y.Name {
			break
		}
		out = append(out,
			side{x.Name + " time", timeText(x.Usage.Wall), timeText(y.Usage.Wall), ratio(float64(x.Usage.Wall), float64(y.Usage.Wall))},
			side{x.Name + " memory", bytesText(x.Usage.Memory), bytesText(y.Usage.Memory), ratio(float64(x.Usage.Memory), float64(y.Usage.Memory))})
	}
	return out
}

func ratio(x, y float64) string {
	if x == 0 {
		return ""
	}
	return fmt.Sprintf("× %.2f", y/x)
}

func metrics(a, b *run.Record) []side {
	var out []side
	ma, mb := a.Metrics(), b.Metrics()
	keys := maps.Clone(ma)
	maps.Copy(keys, mb)
	for _, k := range slices.Sorted(maps.Keys(keys)) {
		x, okx := ma[k]
		y, oky := mb[k]
		switch {
		case okx && oky:
			out = append(out, side{k, number(x), number(y), fmt.Sprintf("%+.3g", y-x)})
		case okx:
			out = append(out, side{k, number(x), "–", ""})
		default:
			out = append(out, side{k, "–", number(y), ""})
		}
	}
	return out
}

func (a *app) runsGetCommand() *cobra.Command {
	var dst string
	c := &cobra.Command{
		Use:   "get RUN FOLDER -o PATH",
		Short: "Take an artefact folder out of the site, with its evidence",
		Long: `Write an artefact folder of a finished run to PATH: its files, their OpenSSF
Model Signing bundle (model.sig), and in model.evidence its SLSA provenance, the
ledger entry that holds the digests of both, and the proof that the entry is in
the ledger. "sallyport verify PATH" checks all of it, offline.

It takes the role operator or reviewer, and the ledger says who took it. Until
the exit door is built into this version, nobody has to agree: if who takes it
also ran it, the ledger and this command say so.`,
		Example: "  sallyport runs get last model -o model",
		Args:    cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			return a.getArtefacts(c.Context(), args[0], args[1], dst)
		},
	}
	c.Flags().StringVarP(&dst, "output", "o", "", "the folder to write, which must not exist")
	_ = c.MarkFlagRequired("output")
	return c
}

func (a *app) getArtefacts(ctx context.Context, name, folder, dst string) error {
	return a.with(ctx, func(s *site.Site) error {
		r, err := s.Runs().Find(ctx, name)
		if err != nil {
			return err
		}
		folder = path.Clean(folder)
		taking, err := s.Runs().Take(ctx, r, folder, dst)
		if err != nil {
			return err
		}
		return a.show(taking, func() {
			a.print("Wrote %s of run %s to %s\n", folder, r.ID, dst)
			if taking.Alone {
				a.print("%s ran it and took it: nobody else has agreed, and the ledger says so\n", taking.By)
			}
			a.print("Check it anywhere: sallyport verify %s --trust trust.json\n", dst)
		})
	})
}
