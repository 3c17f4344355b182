package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/project"
	"github.com/sallyport/sallyport/internal/run"
	"github.com/sallyport/sallyport/internal/sandbox"
	"github.com/sallyport/sallyport/internal/site"
	"github.com/sallyport/sallyport/scan"
)

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
		ValidArgsFunction: a.completeRuns(1),
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
			return a.showDiff(ctx, runs, r)
		}
		forecast, err := runs.Forecast(ctx, r)
		if err != nil {
			return err
		}
		tries, err := a.attemptsOf(ctx, runs, r)
		if err != nil {
			return err
		}
		found, err := runs.Findings(ctx, r)
		if err != nil {
			return err
		}
		full := struct {
			*run.Record
			Forecast []run.Forecast               `json:"forecast,omitempty"`
			Network  map[string][]sandbox.Attempt `json:"network,omitempty"`
			Findings map[string]run.Found         `json:"findings,omitempty"` // in full, by artefact
		}{r, forecast, tries, found}
		return a.show(full, func() { a.printRun(r, forecast, tries, found, show.metrics) })
	})
}

// showOutput prints what the stages printed: quoted on a terminal, into a file
// or a pipe the bytes as they were.
func (a *app) showOutput(ctx context.Context, runs *run.Service, r *run.Record) error {
	texts := map[string]string{} // by stage, for JSON
	for _, st := range r.Stages {
		a.say("stage %s:\n", st.Name)
		var err error
		switch {
		case a.json:
			var text strings.Builder
			err = runs.ReadOutput(ctx, st, &text)
			texts[st.Name] = text.String()
		case isTerminal(a.out):
			q := &quoted{w: a.out}
			err = runs.ReadOutput(ctx, st, q)
			q.flush()
		default:
			err = runs.ReadOutput(ctx, st, a.out)
		}
		if err != nil {
			return err
		}
	}
	return a.show(texts, func() {})
}

// showDiff prints how the code differed from its commit: plain on a terminal,
// since whoever wrote the code wrote this too; into a file or a pipe the bytes
// as they were, which git can apply.
func (a *app) showDiff(ctx context.Context, runs *run.Service, r *run.Record) error {
	switch {
	case a.json:
		var text strings.Builder
		if err := runs.ReadDiff(ctx, r, &text); err != nil {
			return err
		}
		return a.encode(a.out, map[string]string{"diff": text.String()})
	case isTerminal(a.out):
		p := &plainly{w: a.out}
		return errors.Join(runs.ReadDiff(ctx, r, p), p.flush())
	}
	return runs.ReadDiff(ctx, r, a.out)
}

// attemptsOf returns what each stage tried to reach, to those who may know; to
// all others nil. What was destroyed is left out.
func (a *app) attemptsOf(ctx context.Context, runs *run.Service, r *run.Record) (map[string][]sandbox.Attempt, error) {
	if runs.Output == nil {
		return nil, nil
	}
	all := map[string][]sandbox.Attempt{}
	for _, st := range r.Stages {
		if st.Attempts == nil || len(st.Attempts.Segments) == 0 {
			continue
		}
		text, err := runs.Attempts(ctx, st)
		if err != nil {
			return nil, err
		}
		if all[st.Name], err = readAttempts(text); err != nil {
			return nil, sallyport.Errorf(sallyport.Corrupt, "the network record cannot be read").
				At("run %s, stage %s", r.ID, st.Name)
		}
	}
	return all, nil
}

// readAttempts reads JSON values until their end.
func readAttempts(text []byte) ([]sandbox.Attempt, error) {
	var all []sandbox.Attempt
	for d := json.NewDecoder(bytes.NewReader(text)); ; {
		var t sandbox.Attempt
		if err := d.Decode(&t); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, err
		}
		all = append(all, t)
	}
}

func (a *app) printRun(r *run.Record, forecast []run.Forecast, tries map[string][]sandbox.Attempt, found map[string]run.Found, allMetrics bool) {
	field := func(name, format string, args ...any) {
		a.print("%-12s %s\n", name, cut(plain(fmt.Sprintf(format, args...)), width-13))
	}
	field("run", "%s of %s, %s", r.ID, r.Project, r.Status)
	// whole shows a field that says something wherever it ends.
	whole := func(name, text string) {
		lines := wrap(plain(text), width-13)
		a.print("%-12s %s\n", name, strings.Join(lines, "\n"+strings.Repeat(" ", 13)))
	}
	if r.Why != "" {
		whole("why", r.Why)
	}
	field("by", "%s, %s", r.By, r.Started.Format("2006-01-02 15:04:05 MST"))
	code := "no commit yet"
	if r.Code.Commit != "" {
		code = "commit " + head(r.Code.Commit)
	}
	if r.Code.Dirty {
		code += ", with uncommitted changes (--diff shows them)"
	}
	whole("code", code+", "+many(int64(r.Code.Files), "file"))
	if e := r.Environment; e != nil {
		field("environment", "%s, Python %s, lock %s, by %s", head(e.ID), e.Python, e.Lock.Short(), e.Tool)
		if r.Deps != nil {
			field("dependencies", "%s: %s", r.Deps.Verdict, headOf(r.Deps))
		}
	}
	for _, d := range r.Data {
		records := many(d.Whole, "record")
		if d.Records != d.Whole {
			records = count(d.Records) + " of " + records
		}
		field("data", "%s at %s: %s of %s", d.Version, d.Path, records, many(d.Subjects, "subject"))
	}
	if len(r.Set) > 0 {
		field("set", "%s", strings.Join(r.Set, " "))
	}
	field("host", "%s, %s, %s, Linux %s", r.Host.CPU, many(int64(r.Host.Cores), "core"), sallyport.Size(r.Host.Memory), r.Host.Kernel)
	a.print("\n")
	t := table{head: []string{"STAGE", "STATUS", "TIME", "CPU", "MEMORY", "READ", "WRITTEN", "NETWORK"},
		right: map[int]bool{2: true, 3: true, 4: true, 5: true, 6: true, 7: true}}
	for _, st := range r.Merged() {
		t.add(stageText(st), string(st.Status), timeText(st.Usage.Wall), timeText(st.Usage.User+st.Usage.System),
			sallyport.Size(st.Usage.Memory), sallyport.Size(st.Usage.Read), sallyport.Size(bytesOf(st.Outputs)), count(st.Network.Attempts))
	}
	t.print(a.out)
	a.printWalls(r)
	a.printAttempts(r, tries)
	a.printMetrics(r, allMetrics)
	a.printOutputs(r, found)
	if c := r.Reproduces; c != nil {
		a.print("\n")
		a.printComparison(c.Run, r.ID, c)
	}
	if len(forecast) > 0 {
		a.print("\n")
		a.printForecast(forecast)
	}
}

// stageText names a stage, or all the shards of one.
func stageText(st run.Stage) string {
	if st.Shard == 0 {
		return st.Name
	}
	return fmt.Sprintf("%s ×%d", st.Name, st.Shard)
}

func (a *app) printWalls(r *run.Record) {
	if len(r.Stages) > 0 && r.Stages[0].Walls.Seccomp {
		a.print("confined by %s\n", wallsText(r.Stages[0].Walls))
	}
}

// wallsText says in a line what held a stage.
func wallsText(w sandbox.Walls) string {
	walls := []string{many(int64(len(w.Namespaces)), "namespace")}
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
		listed, ok := tries[st.Name]
		switch {
		case tries == nil:
			a.print("  (who may open the output of a run sees the names)\n")
		case !ok && st.Attempts != nil:
			a.print("  (the names were destroyed with what it printed)\n")
		}
		for _, t := range listed[:min(len(listed), fewAttempts)] {
			a.print("  %s\n", cut(attemptText(t), width-2))
		}
		if more := len(listed) - fewAttempts; more > 0 {
			a.print("  … and %d more: --json shows all\n", more)
		}
		if st.Network.Unlisted > 0 {
			a.print("  … %s more were made than are listed\n", count(st.Network.Unlisted))
		}
	}
}

func (a *app) printMetrics(r *run.Record, all bool) {
	m := r.Metrics()
	if len(m) == 0 {
		return
	}
	a.print("\n")
	texts := map[string]string{}
	if all {
		for k, v := range m {
			texts[k] = number(v)
		}
	} else {
		texts = overShards(m)
	}
	t := table{head: []string{"METRIC", "VALUE"}, right: map[int]bool{1: true}}
	show := slices.Sorted(maps.Keys(texts))
	if !all && len(show) > fewMetrics {
		show = show[:fewMetrics]
	}
	for _, k := range show {
		t.add(plain(k), texts[k])
	}
	t.print(a.out)
	if more := len(texts) - len(show); more > 0 {
		a.print("… and %d more: --metrics shows all\n", more)
	}
}

// overShards writes metrics with those of a stage's shards as one: from the least
// to the most.
func overShards(m map[string]float64) map[string]string {
	least, most := map[string]float64{}, map[string]float64{}
	for k, v := range m {
		stage, metric, _ := strings.Cut(k, ".")
		if name := project.Named(stage); name != stage {
			k = name + "#…." + metric
		}
		if x, ok := least[k]; !ok {
			least[k], most[k] = v, v
		} else {
			least[k], most[k] = min(x, v), max(most[k], v)
		}
	}
	texts := map[string]string{}
	for k, v := range least {
		texts[k] = number(v)
		if most[k] != v {
			texts[k] += " to " + number(most[k])
		}
	}
	return texts
}

// fewMetrics is how many metrics a run shows unless asked for all.
const fewMetrics = 16

func (a *app) printOutputs(r *run.Record, found map[string]run.Found) {
	all := r.Outputs()
	if len(all) == 0 {
		return
	}
	a.print("\n")
	t := table{head: []string{"ARTEFACT", "SIZE", "SHA-256", "SCAN"}, right: map[int]bool{1: true}}
	for _, st := range r.Merged() {
		if st.Shard > 0 {
			t.add(fmt.Sprintf("%s of %s", many(int64(len(st.Outputs)), "file"), stageText(st)), sallyport.Size(bytesOf(st.Outputs)), "", worst(st.Outputs))
			continue
		}
		for _, o := range st.Outputs {
			t.add(plain(o.Path), sallyport.Size(o.Size), o.Digest.Short(), o.Scan.Verdict.String())
		}
	}
	t.print(a.out)
	a.printFound(r, all, found)
}

// printFound tells what the scan found: in full where we know it, otherwise what
// everybody may know, and who knows more.
func (a *app) printFound(r *run.Record, outputs []run.Artefact, found map[string]run.Found) {
	for _, m := range r.Code.Models {
		if len(m.Scan.Findings) > 0 {
			a.print("\n%s\n", plain(m.Path))
			a.printFindings(m.Scan.Findings, m.Scan.Dropped)
			a.print("  (with the project at hand, sallyport scan shows what is withheld)\n")
		}
	}
	for _, o := range outputs {
		if len(o.Scan.Findings) == 0 {
			continue
		}
		a.print("\n%s\n", plain(o.Path))
		f, ok := found[o.Path]
		if len(f.Findings) > 0 {
			a.printFindings(f.Findings, f.Dropped)
			continue
		}
		a.printFindings(o.Scan.Findings, o.Scan.Dropped)
		switch {
		case found == nil:
			a.print("  (it quotes the file: %s see what is withheld)\n", who(sallyport.TakeModel))
		case ok:
			a.print("  (what is withheld was more than is kept)\n")
		default:
			a.print("  (what is withheld was destroyed with the file)\n")
		}
	}
}

// who names the roles that may do something, in the plural.
func who(action sallyport.Action) string {
	var names []string
	for _, r := range sallyport.Who(action) {
		names = append(names, string(r)+"s")
	}
	return strings.Join(names, " and ")
}

func bytesOf(list []run.Artefact) (n int64) {
	for _, o := range list {
		n += o.Size
	}
	return n
}

// worst is the verdict on the worst of the artefacts.
func worst(list []run.Artefact) string {
	v := scan.Inert
	for _, o := range list {
		v = max(v, o.Scan.Verdict)
	}
	return v.String()
}
