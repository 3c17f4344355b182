package project

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/internal/format/yaml"
)

// checkShards refuses a stage that cannot be sharded: there is nobody to deal,
// or what the shards write could not be told apart.
func (d *draft) checkShards() error {
	for i := range d.stages {
		s := &d.stages[i]
		if s.Shards == 0 {
			continue
		}
		deals := func(r yaml.Entry) bool {
			return slices.ContainsFunc(d.data, func(in yaml.Entry) bool { return overlap(r.Text, in.Text) })
		}
		if !slices.ContainsFunc(s.reads, deals) {
			return d.Errorf(s.shards, "the stage reads no dataset whose subjects could be dealt to shards").
				Try("add one to reads:, or remove shards:")
		}
		for _, w := range s.writes {
			if !strings.HasSuffix(w.Text, "/") {
				return d.Errorf(w.At, "each shard writes this file, and only folders keep them apart").
					Try("write a folder, with a slash at its end")
			}
		}
	}
	return nil
}

// deal returns the stage as it runs: once, or once for each shard.
func (s Stage) deal() []Stage {
	if s.Shards == 0 {
		return []Stage{s}
	}
	out := make([]Stage, s.Shards)
	for i := range out {
		out[i] = s
		out[i].Shard = i + 1
	}
	return out
}

// Title tells the stage from all others of a run: its name, or "train#3".
// No name has a # in it.
func (s Stage) Title() string {
	if s.Shard == 0 {
		return s.Name
	}
	return fmt.Sprintf("%s#%d", s.Name, s.Shard)
}

// Named returns the name of the stage that has a title.
func Named(title string) string {
	name, _, _ := strings.Cut(title, "#")
	return name
}

// Kept returns the path under which a file is kept that the command wrote to p.
// What the shards write to model/ and metrics/train.json is kept in
// model/shard-003/ and metrics/train/shard-003.json, so that a later stage sees
// all of it.
func (s Stage) Kept(p string) string {
	if s.Shard == 0 {
		return p
	}
	shard := fmt.Sprintf("shard-%03d", s.Shard)
	for _, w := range s.Writes {
		if name, ok := strings.CutPrefix(p, w); ok {
			return w + shard + "/" + name
		}
	}
	if folder := stem(p); folder != p {
		return folder + "/" + shard + path.Ext(p)
	}
	return p + "/" + shard
}

// stem returns a file's path without its extension.
func stem(p string) string {
	if ext := path.Ext(p); ext != path.Base(p) {
		return strings.TrimSuffix(p, ext)
	}
	return p
}
