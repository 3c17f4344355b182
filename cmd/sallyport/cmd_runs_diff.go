package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/run"
	"github.com/sallyport/sallyport/internal/site"
)

func (a *app) runsDiffCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "diff A B",
		Short:   "Compare two runs: inputs, resources, metrics side by side",
		Example: "  sallyport runs diff k3f9 last",
		Args:    cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			return a.diffRuns(c.Context(), args[0], args[1])
		},
		ValidArgsFunction: a.completeRuns(2),
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

// absent stands for what one of the two does not have.
const absent = "–"

// inputs compares what went in; what is the same is left out.
func inputs(a, b *run.Record) []side {
	var out []side
	add := func(what, x, y string) {
		if x != y {
			out = append(out, side{What: what, A: cmp.Or(x, absent), B: cmp.Or(y, absent), Change: "≠"})
		}
	}
	add("commit", head(a.Code.Commit), head(b.Code.Commit))
	add("code", a.Code.Tree.Short(), b.Code.Tree.Short())
	x, y := environment(a), environment(b)
	add("environment", x.tree, y.tree)
	add("python", x.python, y.python)
	add("sample", sampleText(a), sampleText(b))
	add("set", strings.Join(a.Set, " "), strings.Join(b.Set, " "))
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
	for _, p := range stagePairs(a, b) {
		add(p.name+" command", commandOf(p.a), commandOf(p.b))
	}
	return out
}

// head is the beginning of a commit or an id that tells it from others.
func head(id string) string { return id[:min(len(id), 12)] }

// environment returns what tells the environment of a run; nothing if the run
// had none.
func environment(r *run.Record) (e struct{ tree, python string }) {
	if r.Environment != nil {
		e.tree, e.python = r.Environment.Tree.Short(), r.Environment.Python
	}
	return e
}

func sampleText(r *run.Record) string { return cmp.Or(r.Sample.String(), "everybody") }

func paramText(params map[string]any, k string) string {
	switch v, ok := params[k]; {
	case !ok:
		return absent
	case v == "":
		return `""`
	default:
		return fmt.Sprint(v)
	}
}

// A stagePair is a stage in either run; nil where a run does not have it.
type stagePair struct {
	name string
	a, b *run.Stage
}

// commandOf returns the command of a stage, if there is one.
func commandOf(st *run.Stage) string {
	if st == nil {
		return ""
	}
	return st.Command
}

// stagePairs matches stages by name: those of a in its order, then what only b
// has.
func stagePairs(a, b *run.Record) []stagePair {
	var pairs []stagePair
	at := map[string]int{}
	as, bs := a.Merged(), b.Merged()
	for i := range as {
		st := &as[i]
		at[st.Name] = len(pairs)
		pairs = append(pairs, stagePair{name: st.Name, a: st})
	}
	for i := range bs {
		st := &bs[i]
		if n, ok := at[st.Name]; ok {
			pairs[n].b = st
		} else {
			pairs = append(pairs, stagePair{name: st.Name, b: st})
		}
	}
	return pairs
}

// resources compares what the stages used.
func resources(a, b *run.Record) []side {
	var out []side
	for _, p := range stagePairs(a, b) {
		time := side{What: p.name + " time", A: absent, B: absent}
		memory := side{What: p.name + " memory", A: absent, B: absent}
		if p.a != nil {
			time.A, memory.A = timeText(p.a.Usage.Wall), sallyport.Size(p.a.Usage.Memory)
		}
		if p.b != nil {
			time.B, memory.B = timeText(p.b.Usage.Wall), sallyport.Size(p.b.Usage.Memory)
		}
		if p.a != nil && p.b != nil {
			time.Change = ratio(float64(p.a.Usage.Wall), float64(p.b.Usage.Wall))
			memory.Change = ratio(float64(p.a.Usage.Memory), float64(p.b.Usage.Memory))
		}
		out = append(out, time, memory)
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
			out = append(out, side{k, number(x), absent, ""})
		default:
			out = append(out, side{k, absent, number(y), ""})
		}
	}
	return out
}
