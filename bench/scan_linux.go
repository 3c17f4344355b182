package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"

	"github.com/sallyport/sallyport"
)

// mostOfScan is what a scan of files of any size may have in memory at one time.
const mostOfScan = 64 << 20

// leastSpeed is how many bytes a second large files are to be scanned at.
const leastSpeed = 1.5e9

// measureDense scans a pickle that is nothing but opcodes.
func (b *bench) measureDense(ctx context.Context) error {
	b.say("scan-dense: %s opcodes", count(b.scale.Dense))
	file := filepath.Join(b.dir, "dense.pkl")
	defer os.Remove(file) // the work folder goes anyway
	if err := writeDense(file, b.scale.Dense); err != nil {
		return err
	}
	info, err := os.Stat(file)
	if err != nil {
		return err
	}
	m := measure{work: "scan a " + text(bytes, float64(info.Size())) + " pickle", unit: seconds, bar: bar{ofSpeed, 200}}
	speed := measure{work: "  opcodes a second", unit: opRate, bar: bar{ofLeast, 50e6}}
	memory := measure{work: "  memory", unit: bytes, bar: bar{ofAmount, mostOfScan}}
	rival := slices.Contains(b.rivals(ctx), "picklescan")
	if rival {
		m.peer = b.peer("picklescan")
		memory.peer = m.peer
	}
	for range b.scale.Rounds {
		ours, err := b.scan(ctx, file)
		if err != nil {
			return err
		}
		m.ours, memory.ours = append(m.ours, ours.seconds), append(memory.ours, ours.memory)
		speed.ours = append(speed.ours, float64(b.scale.Dense)/ours.seconds)
		if !rival {
			continue
		}
		b.say("scan-dense: picklescan")
		theirs, err := spend(b.rival(ctx, "picklescan", "-p", file))
		if err != nil {
			return err
		}
		m.theirs, memory.theirs = append(m.theirs, theirs.seconds), append(memory.theirs, theirs.memory)
	}
	b.report.add(m)
	b.report.add(speed)
	b.report.add(memory)
	return nil
}

// scan scans files that must pass, with the command.
func (b *bench) scan(ctx context.Context, paths ...string) (cost, error) {
	for _, p := range paths {
		if err := warm(p); err != nil {
			return cost{}, err
		}
	}
	return spend(program(ctx, b.binary, append([]string{"scan"}, paths...)...))
}

// measureLarge scans large models, hashing included.
func (b *bench) measureLarge(ctx context.Context) error {
	for _, kind := range []struct {
		name, file string
		write      func(path string, size int64) error
		rival      bool // picklescan reads it
	}{
		{"a torch file", "pytorch_model.bin", writeTorch, true},
		{"safetensors", "model.safetensors", writeSafetensors, false},
		{"GGUF", "model.gguf", writeGGUF, false},
	} {
		b.say("scan-large: %s of %s", kind.name, text(bytes, float64(b.scale.Large)))
		file := filepath.Join(b.dir, kind.file)
		if err := kind.write(file, b.scale.Large); err != nil {
			return err
		}
		err := b.measureOne(ctx, kind.name, file, kind.rival)
		os.Remove(file) // the work folder goes anyway
		if err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) measureOne(ctx context.Context, name, file string, rival bool) error {
	m := measure{work: "scan " + name, unit: seconds}
	speed := measure{work: "  bytes a second", unit: rate, bar: bar{ofLeast, leastSpeed}}
	memory := measure{work: "  memory", unit: bytes, bar: bar{ofAmount, mostOfScan}}
	if rival = rival && slices.Contains(b.rivals(ctx), "picklescan"); rival {
		m.peer = b.peer("picklescan")
		memory.peer = m.peer
	}
	for round := range b.scale.Rounds {
		for _, take := range inTurn(round, []func() error{
			func() error {
				c, err := b.scan(ctx, file)
				m.ours, memory.ours = append(m.ours, c.seconds), append(memory.ours, c.memory)
				speed.ours = append(speed.ours, float64(b.scale.Large)/c.seconds)
				return err
			},
			func() error {
				if !rival {
					return nil
				}
				if err := warm(file); err != nil {
					return err
				}
				c, err := spend(b.rival(ctx, "picklescan", "-p", file))
				m.theirs, memory.theirs = append(m.theirs, c.seconds), append(memory.theirs, c.memory)
				return err
			},
		}) {
			if err := take(); err != nil {
				return err
			}
		}
	}
	b.report.add(m)
	b.report.add(speed)
	b.report.add(memory)
	return nil
}

// measureMemory scans a folder of everything that is large in its own way, as
// many at one time as the command does, and then archives of many members.
func (b *bench) measureMemory(ctx context.Context) error {
	b.say("scan-memory")
	if err := b.measureKinds(ctx); err != nil {
		return err
	}
	return b.measureMembers(ctx)
}

func (b *bench) measureKinds(ctx context.Context) error {
	dir := filepath.Join(b.dir, "models")
	defer os.RemoveAll(dir) // the work folder goes anyway
	if err := writeModels(dir, b.scale); err != nil {
		return err
	}
	m := measure{work: "memory, all kinds", unit: bytes, bar: bar{ofAmount, mostOfScan}}
	for range b.scale.Rounds {
		c, err := b.scan(ctx, dir)
		if err != nil {
			return err
		}
		m.ours = append(m.ours, c.memory)
	}
	b.report.add(m)
	return nil
}

// A verdict is what the command says of a file.
type verdict struct {
	Path     string `json:"path"`
	Verdict  string `json:"verdict"`
	Findings []struct {
		Rule, What string
	} `json:"findings"`
}

func (v verdict) blocked() bool { return v.Verdict != "inert" && v.Verdict != "allowed" }

// verdicts scans a folder with a command of ours and returns what it says of
// each file, by name.
func verdicts(ctx context.Context, binary, dir string) (map[string]verdict, error) {
	out, _ := program(ctx, binary, "scan", "--format", "json", dir).Output() // it ends with 1 when it blocks
	var said struct {
		Files  []verdict
		Errors []string
	}
	if err := json.Unmarshal(out, &said); err != nil || len(said.Errors) > 0 {
		return nil, sallyport.Errorf(sallyport.Internal, "sallyport scan did not say what it found: %w %v", err, said.Errors).At("%s", dir)
	}
	all := map[string]verdict{}
	for _, v := range said.Files {
		rel, err := filepath.Rel(dir, v.Path)
		if err != nil || !filepath.IsLocal(rel) {
			rel = v.Path
		}
		all[rel] = v
	}
	return all, nil
}
