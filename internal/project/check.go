package project

import (
	"slices"
	"strings"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/format/yaml"
)

// within reports whether path a is b or lies below it.
func within(a, b string) bool {
	a, b = strings.TrimSuffix(a, "/"), strings.TrimSuffix(b, "/")
	return a == b || strings.HasPrefix(a, b+"/")
}

// overlap reports whether one of a and b lies within the other.
func overlap(a, b string) bool { return within(a, b) || within(b, a) }

// check proves what a run relies on: no two places that are written or handed
// in share a path, stages form no circle, and every read has a source that is
// there by the time the stage runs.
func (d *draft) check() error {
	for _, check := range []func() error{d.checkInputs, d.checkAfter, d.checkShards, d.checkWrites, d.checkReads} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

// checkInputs refuses data that lie on top of each other or of the files that
// describe the project.
func (d *draft) checkInputs() error {
	for i, a := range d.data {
		for _, b := range d.data[:i] {
			if overlap(a.Text, b.Text) {
				return d.Errorf(a.At, "two datasets share this path").Try("give each its own path")
			}
		}
		if what := d.own(a.Text); what != "" {
			return d.Errorf(a.At, "the data would hide %s", what).Try("put the data at another path")
		}
	}
	return nil
}

// own names the file of the project's own description that path overlaps.
func (d *draft) own(path string) string {
	for _, f := range []string{FileName, d.python.Text, d.params.Text} {
		if f != "" && overlap(path, f) {
			return f
		}
	}
	return ""
}

// checkAfter refuses unknown names and circles.
func (d *draft) checkAfter() error {
	var names []string
	for _, s := range d.stages {
		names = append(names, s.Name)
	}
	for _, s := range d.stages {
		for _, a := range s.after {
			if !slices.Contains(names, a.Text) {
				return d.Errorf(a.At, "there is no stage of this name").Try("%s", yaml.Suggest(a.Text, names))
			}
		}
	}
	for _, s := range d.stages {
		for _, a := range s.after {
			if d.before(a.Text)[s.Name] {
				return d.Errorf(a.At, "the stages form a circle: %s comes after itself", s.Name).Try("remove one after: of the circle")
			}
		}
	}
	return nil
}

// before returns the named stage and every stage that has to run before it.
func (d *draft) before(name string) map[string]bool {
	seen := map[string]bool{}
	var visit func(string)
	visit = func(name string) {
		if seen[name] {
			return
		}
		seen[name] = true
		for _, s := range d.stages {
			if s.Name == name {
				for _, a := range s.after {
					visit(a.Text)
				}
			}
		}
	}
	visit(name)
	return seen
}

// outputs are the places that stage s writes to: its writes, and its metrics
// file where that does not already lie in one of them. The metrics of shards are
// kept in a folder beside it.
func (s *stageDraft) outputs() []yaml.Entry {
	out := slices.Clone(s.writes)
	if s.metrics.Text != "" && !slices.ContainsFunc(s.writes, func(w yaml.Entry) bool { return within(s.metrics.Text, w.Text) }) {
		out = append(out, s.metrics)
		if folder := stem(s.metrics.Text); s.Shards > 0 && folder != s.metrics.Text {
			out = append(out, yaml.Entry{Text: folder + "/", At: s.metrics.At})
		}
	}
	return out
}

// checkWrites refuses places that two writers, or a writer and an input, share.
func (d *draft) checkWrites() error {
	type owned struct {
		path, stage string
	}
	var taken []owned
	for i := range d.stages {
		s := &d.stages[i]
		for _, w := range s.outputs() {
			for _, t := range taken {
				if overlap(w.Text, t.path) {
					return d.Errorf(w.At, "stage %s writes here already", t.stage).Try("give each stage a place of its own, and each place one entry")
				}
			}
			for _, in := range d.data {
				if overlap(w.Text, in.Text) {
					return d.Errorf(w.At, "a dataset is put here, and data are read-only").Try("write somewhere else")
				}
			}
			if what := d.own(w.Text); what != "" {
				return d.Errorf(w.At, "the stage would write over %s", what).Try("write somewhere else")
			}
			taken = append(taken, owned{w.Text, s.Name})
		}
	}
	return nil
}

// checkReads refuses a read that nothing provides: not data, not the output of
// a stage that has run before, not a file of the code.
func (d *draft) checkReads() error {
	for i := range d.stages {
		s := &d.stages[i]
		earlier := d.before(s.Name)
		for _, r := range s.reads {
			if err := d.checkRead(s, r, earlier); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d *draft) checkRead(s *stageDraft, r yaml.Entry, earlier map[string]bool) error {
	var known []string
	for _, in := range d.data {
		if overlap(r.Text, in.Text) {
			return nil
		}
		known = append(known, in.Text)
	}
	for i := range d.stages {
		other := &d.stages[i]
		for _, w := range other.outputs() {
			switch {
			case !overlap(r.Text, w.Text):
				known = append(known, w.Text)
			case other.Name == s.Name:
				return d.Errorf(r.At, "the stage reads what it writes itself").Try("remove it from reads: a stage may read its own output anyway")
			case !earlier[other.Name]:
				return d.Errorf(r.At, "stage %s writes this, and need not have run before", other.Name).Try("add %s to after:", other.Name)
			case other.Shards > 0 && r.Text == other.metrics.Text:
				return d.Errorf(r.At, "stage %s is sharded, and each shard has metrics of its own", other.Name).Try("read %s/", stem(r.Text))
			default:
				return nil
			}
		}
	}
	if d.exists(strings.TrimSuffix(r.Text, "/")) {
		return nil
	}
	mend := "declare it below data:, or check the spelling"
	if near := yaml.Nearest(r.Text, known); near != "" {
		mend = "did you mean " + near + "?"
	}
	return d.Errorf(r.At, "nothing provides this path: not data, not an earlier stage, not the code").Try("%s", mend)
}

// Order returns the named stages and all that they come after, each after the
// stages that it depends on; no names mean every stage. Stages that may run in
// either order keep the order of the file, so the answer is always the same. A
// sharded stage is in it once for each shard.
func (p *Project) Order(names ...string) ([]Stage, error) {
	byName := map[string]Stage{}
	var all []string
	for _, s := range p.Stages {
		byName[s.Name] = s
		all = append(all, s.Name)
	}
	if len(names) == 0 {
		names = all
	}
	wanted := map[string]bool{}
	var want func(string)
	want = func(name string) {
		if !wanted[name] {
			wanted[name] = true
			for _, a := range byName[name].After {
				want(a)
			}
		}
	}
	for _, name := range names {
		if _, ok := byName[name]; !ok {
			return nil, sallyport.Errorf(sallyport.NotFound, "no stage is named %q", name).At("%s", FileName).Try("%s", yaml.Suggest(name, all))
		}
		want(name)
	}
	var out []Stage
	done := map[string]bool{}
	ready := func(s Stage) bool {
		return wanted[s.Name] && !done[s.Name] && !slices.ContainsFunc(s.After, func(a string) bool { return !done[a] })
	}
	for {
		// The first ready stage of the file, again and again, is the order.
		i := slices.IndexFunc(p.Stages, ready)
		if i < 0 {
			return out, nil // Load has proven that there is no circle, so all are done
		}
		done[p.Stages[i].Name] = true
		out = append(out, p.Stages[i].deal()...)
	}
}
