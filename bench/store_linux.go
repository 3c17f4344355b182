package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
)

// A keeper is a program that data is put into and got back from.
type keeper struct {
	name string
	dir  string // everything that it keeps, its caches too
	make *exec.Cmd
	add  *exec.Cmd
	get  *exec.Cmd
	got  string // where get puts what add was given
}

// ours keeps the data at path in a new site.
func (b *bench) ours(ctx context.Context, dir, path string, subject ...string) keeper {
	k := keeper{name: "sallyport", dir: dir, got: filepath.Join(dir, "got")}
	command := func(args ...string) *exec.Cmd {
		c := program(ctx, b.binary, append([]string{"--site", filepath.Join(dir, "site"), "--as", "bench"}, args...)...)
		c.Env = append(os.Environ(), "SALLYPORT_HOME="+filepath.Join(dir, "home"))
		return c
	}
	k.make = command("init", "--name", "bench")
	k.add = command(append([]string{"data", "add", "records", path}, subject...)...)
	k.get = command("data", "get", "records", "-o", k.got)
	return k
}

// restic keeps the data at path in a new repository, as it does when nobody
// gives it any option.
func (b *bench) restic(ctx context.Context, dir, path string) keeper {
	command := func(args ...string) *exec.Cmd {
		c := program(ctx, "restic", args...)
		c.Env = append(os.Environ(), "RESTIC_REPOSITORY="+filepath.Join(dir, "repository"), "RESTIC_PASSWORD=bench",
			"RESTIC_CACHE_DIR="+filepath.Join(dir, "cache"))
		return c
	}
	target := filepath.Join(dir, "got")
	return keeper{name: "restic", dir: dir, make: command("init"), add: command("backup", path),
		get: command("restore", "latest", "--target", target), got: filepath.Join(target, path)}
}

// use puts data in and gets it back. The data is in memory before, as is what
// is got it from, and what comes back is compared with it.
func (k keeper) use(source string) (add, get cost, err error) {
	if err := os.Mkdir(k.dir, 0o700); err != nil {
		return add, get, err
	}
	defer os.RemoveAll(k.dir) // otherwise removed with the work folder
	if _, err := spend(k.make); err != nil {
		return add, get, err
	}
	if err := warm(source); err != nil {
		return add, get, err
	}
	if add, err = spend(k.add); err != nil {
		return add, get, err
	}
	if err := warm(k.dir); err != nil {
		return add, get, err
	}
	if get, err = spend(k.get); err != nil {
		return add, get, err
	}
	return add, get, same(source, k.got)
}

// measureTable puts one large CSV file in and gets it back.
func (b *bench) measureTable(ctx context.Context) error {
	size := text(bytes, float64(b.scale.Table))
	source := filepath.Join(b.dir, "table.csv")
	b.say("csv: writing %s", size)
	f, err := os.Create(source)
	if err != nil {
		return err
	}
	defer os.Remove(source)
	if err := writeTable(f, b.scale.Table); err != nil {
		f.Close()
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return b.measureStore(ctx, "csv", source, []string{"--subject", subjectColumn},
		measure{work: "add a " + size + " CSV", bar: bar{ofSpeed, 1.5}},
		measure{work: "get it back", bar: bar{ofSpeed, 2}})
}

// measureTree puts a folder of many small files in and gets it back.
func (b *bench) measureTree(ctx context.Context) error {
	source := filepath.Join(b.dir, "tree")
	b.say("tree: writing %s files", count(b.scale.Files))
	defer os.RemoveAll(source)
	if err := writeTree(source, b.scale.Files); err != nil {
		return err
	}
	return b.measureStore(ctx, "tree", source, []string{"--subject-pattern", subjectPattern},
		measure{work: "add " + count(b.scale.Files) + " 8 KiB files", bar: bar{ofTime, 0.4}},
		measure{work: "get them back"})
}

// mostMemory is how much any of the programs may take, in bytes.
const mostMemory = 256e6

// measureStore uses both keepers in turn, and reports times and memory.
func (b *bench) measureStore(ctx context.Context, part, source string, subject []string, add, get measure) error {
	addMemory := measure{work: "  memory, add " + part, unit: bytes, bar: bar{ofAmount, mostMemory}}
	getMemory := measure{work: "  memory, get " + part, unit: bytes, bar: bar{ofAmount, mostMemory}}
	all := []*measure{&add, &addMemory, &get, &getMemory}
	add.unit, get.unit = seconds, seconds
	for _, m := range all {
		m.peer = b.peer("restic")
	}
	for round := range b.scale.Rounds {
		keepers := []keeper{b.ours(ctx, filepath.Join(b.dir, "ours"), source, subject...)}
		if b.has("restic") {
			keepers = append(keepers, b.restic(ctx, filepath.Join(b.dir, "theirs"), source))
		}
		for _, k := range inTurn(round, keepers) {
			b.say("%s: round %d of %d, %s", part, round+1, b.scale.Rounds, k.name)
			in, out, err := k.use(source)
			if err != nil {
				return err
			}
			for i, v := range []float64{in.seconds, in.memory, out.seconds, out.memory} {
				if k.name == "restic" {
					all[i].theirs = append(all[i].theirs, v)
				} else {
					all[i].ours = append(all[i].ours, v)
				}
			}
		}
	}
	for _, m := range all {
		b.report.add(*m)
	}
	return nil
}
