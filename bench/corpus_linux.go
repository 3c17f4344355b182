package main

import (
	"bufio"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/adversary"
)

// makeHonest writes files with the libraries that the interpreter has.
//
//go:embed honest.py
var makeHonest []byte

// measureHostile scans pickles of which CPython itself says that they reach for
// code, and those of a folder that holds nothing else.
func (b *bench) measureHostile(ctx context.Context) error {
	made := filepath.Join(b.dir, "hostile")
	if err := b.makeHostile(ctx, made); err != nil {
		return err
	}
	undenied := filepath.Join(b.dir, "undenied")
	if err := buildUndenied(ctx, undenied); err != nil {
		return err
	}
	for _, corpus := range []struct{ name, dir string }{{"hostile blocked, of ", made}, {"  given, of ", b.given.hostile}} {
		if corpus.dir == "" {
			continue
		}
		if err := b.judge(ctx, corpus.name, corpus.dir, true); err != nil {
			return err
		}
		files, err := filesBelow(corpus.dir)
		if err != nil || len(files) == 0 {
			return err
		}
		right, err := b.right(ctx, undenied, corpus.dir, files, true)
		if err != nil {
			return err
		}
		b.report.add(measure{work: "  deny list empty", unit: share, bar: bar{ofLeast, 1}, ours: sample{right}})
	}
	return nil
}

// makeHostile writes hostile pickles that lie in no container, so that all
// scanners can read them.
func (b *bench) makeHostile(ctx context.Context, dir string) error {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	oracle := &adversary.Oracle{}
	if err := oracle.Preflight(); err != nil {
		b.warn("no hostile pickles could be made: %v", err)
		return nil
	}
	pickles, err := adversary.Generator{Seed: seed}.Hostile(ctx, oracle, b.scale.Hostile)
	if err != nil {
		return err
	}
	for i, p := range pickles {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%04d.pkl", i)), p, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// measureBenign scans files as libraries write them, and those of a folder that
// holds nothing harmful.
func (b *bench) measureBenign(ctx context.Context) error {
	made := filepath.Join(b.dir, "benign")
	python := b.given.python
	if python == "" {
		python = "python3"
	}
	b.say("scan-benign: having %s write models", python)
	c := program(ctx, python, "-c", string(makeHonest), made)
	var complaint strings.Builder
	c.Stderr = &complaint
	err := c.Run()
	for line := range strings.Lines(complaint.String()) {
		if missing, ok := strings.CutPrefix(line, "MISSING "); ok {
			b.warn("no files of %s were made: pip install %[1]s, and name the interpreter with -python", strings.TrimSpace(missing))
		}
	}
	if err != nil {
		b.warn("no honest files could be made: %v %s", err, lastLine(complaint.String()))
		made = ""
	}
	for _, corpus := range []struct{ name, dir string }{{"benign passed, of ", made}, {"  given, of ", b.given.benign}} {
		if corpus.dir == "" {
			continue
		}
		if err := b.judge(ctx, corpus.name, corpus.dir, false); err != nil {
			return err
		}
	}
	return nil
}

func lastLine(s string) string {
	s = strings.TrimSpace(s)
	return s[strings.LastIndexByte(s, '\n')+1:]
}

// judge has all scanners judge a folder's files and reports how many they
// judged as they should.
func (b *bench) judge(ctx context.Context, work, dir string, blocked bool) error {
	files, err := filesBelow(dir)
	if err != nil || len(files) == 0 {
		return err
	}
	work += count(len(files))
	b.say("%s", work)
	right, err := b.right(ctx, b.binary, dir, files, blocked)
	if err != nil {
		return err
	}
	m := measure{work: work, unit: share, bar: bar{ofLeast, 1}, ours: sample{right}}
	paths := slices.Clone(files)
	for i, f := range files {
		paths[i] = filepath.Join(dir, f)
	}
	for _, name := range b.rivals(ctx) {
		theirs, err := b.theirVerdicts(ctx, name, paths)
		if err != nil {
			b.warn("%s ended with an error: %v", name, err)
			continue
		}
		right := 0
		for _, is := range theirs {
			if is == blocked {
				right++
			}
		}
		m.peer, m.theirs = strings.TrimPrefix(name, "picklescan --"), sample{float64(right) / float64(len(files))}
		b.report.add(m)
		m.work, m.bar = "", bar{} // what is ours has been said
	}
	if m.work != "" {
		b.report.add(m)
	}
	return nil
}

// right is the share of a folder's files that a command of ours judges as it
// should.
func (b *bench) right(ctx context.Context, binary, dir string, files []string, blocked bool) (float64, error) {
	ours, err := verdicts(ctx, binary, dir)
	if err != nil {
		return 0, err
	}
	right := 0
	for _, f := range files {
		v, ok := ours[f]
		if ok && v.blocked() == blocked {
			right++
		} else {
			b.say("  wrong: %s %s %v", f, v.Verdict, v.Findings)
		}
	}
	return float64(right) / float64(len(files)), nil
}

// filesBelow lists the files of a folder, by names from there on.
func filesBelow(dir string) (files []string, err error) {
	err = fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			files = append(files, name)
		}
		return err
	})
	return files, err
}

// measureHub scans, for each real model whose names are listed, a pickle that
// names them all and does nothing with them.
func (b *bench) measureHub(ctx context.Context) error {
	if b.given.hub == "" {
		b.warn("no list of what real models name: give one with -hub (JSON lines: {\"model\": …, \"files\": {FILE: [\"MODULE NAME\", …]}})")
		return nil
	}
	dir := filepath.Join(b.dir, "hub")
	models, err := writeHub(b.given.hub, dir)
	if err != nil {
		return err
	}
	b.say("scan-hub: %s models", count(len(models)))
	said, err := verdicts(ctx, b.binary, dir)
	if err != nil {
		return err
	}
	passed := 0
	for file, name := range models {
		if v, ok := said[file]; ok && !v.blocked() {
			passed++
		} else {
			b.say("  blocked: %s %v", name, v.Findings)
		}
	}
	b.report.add(measure{work: "Hub models allowed", unit: share, bar: bar{ofLeast, 0.995}, ours: sample{float64(passed) / float64(len(models))}})
	return nil
}

// writeHub writes the pickles, and returns the model of each file.
func writeHub(list, dir string) (map[string]string, error) {
	f, err := os.Open(list)
	if err != nil {
		return nil, sallyport.Errorf(sallyport.NotFound, "cannot read the list of models: %w", err).At("%s", list)
	}
	defer f.Close()
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	models := map[string]string{}
	d := json.NewDecoder(bufio.NewReader(f))
	for {
		var m struct {
			Model string
			Files map[string][]string
		}
		if err := d.Decode(&m); errors.Is(err, io.EOF) {
			return models, nil
		} else if err != nil {
			return nil, err
		}
		p := []byte("\x80\x02")
		for _, names := range m.Files {
			for _, name := range names {
				module, name, _ := strings.Cut(name, " ")
				p = fmt.Appendf(p, "c%s\n%s\n0", module, name)
			}
		}
		file := fmt.Sprintf("%04d.pkl", len(models))
		if err := os.WriteFile(filepath.Join(dir, file), append(p, "N."...), 0o600); err != nil {
			return nil, err
		}
		models[file] = m.Model
	}
}
