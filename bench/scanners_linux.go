package main

import (
	"context"
	_ "embed"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sallyport/sallyport"
)

// scanners are the programs that scan models too, by their names in PyPI.
const scanners = "picklescan modelscan fickling modelaudit"

// hasThemJudge runs other scanners in one process each.
//
//go:embed peers.py
var hasThemJudge []byte

// rivals finds the other scanners, once, and warns if there is none.
func (b *bench) rivals(ctx context.Context) []string {
	if b.asked {
		return b.scanners
	}
	b.asked = true
	script := filepath.Join(b.dir, "peers.py")
	if err := os.WriteFile(script, hasThemJudge, 0o600); err != nil {
		b.warn("%v", err)
		return nil
	}
	for _, python := range b.pythons() {
		out, err := program(ctx, python, script, "VERSIONS").Output()
		if err != nil || len(out) == 0 {
			continue
		}
		b.python = python
		for line := range strings.Lines(string(out)) {
			i := strings.LastIndexByte(line, ' ')
			b.scanners = append(b.scanners, line[:i])
			if !strings.Contains(line[:i], " ") {
				b.report.Machine.Programs[line[:i]] = strings.TrimSpace(line)
			}
		}
		break
	}
	missing := slices.DeleteFunc(strings.Fields(scanners), func(name string) bool { return slices.Contains(b.scanners, name) })
	if len(missing) > 0 {
		b.warn("not installed, and so not compared with: pip install %s; name the folder of the commands with -peers", strings.Join(missing, " "))
	}
	return b.scanners
}

// pythons are where the other scanners may be importable: the interpreter of
// the folder that was named, or the one beside their command.
func (b *bench) pythons() []string {
	if b.given.peers != "" {
		return []string{filepath.Join(b.given.peers, "python3"), filepath.Join(b.given.peers, "bin", "python3")}
	}
	var all []string
	for _, name := range strings.Fields(scanners) {
		if path, err := exec.LookPath(name); err == nil {
			all = append(all, filepath.Join(filepath.Dir(path), "python3"))
		}
	}
	return append(all, "python3")
}

// rival prepares the command of another scanner.
func (b *bench) rival(ctx context.Context, name string, args ...string) *exec.Cmd {
	return program(ctx, filepath.Join(filepath.Dir(b.python), name), args...)
}

// theirVerdicts has another scanner say of each file whether it blocks it.
func (b *bench) theirVerdicts(ctx context.Context, name string, files []string) ([]bool, error) {
	list := filepath.Join(b.dir, "files")
	if err := os.WriteFile(list, []byte(strings.Join(files, "\n")), 0o600); err != nil {
		return nil, err
	}
	b.say("%s: %s files", name, count(len(files)))
	out, err := program(ctx, b.python, filepath.Join(b.dir, "peers.py"), name, list).Output()
	if err != nil {
		return nil, err
	}
	var blocked []bool
	for line := range strings.Lines(string(out)) {
		blocked = append(blocked, line == "1\n")
	}
	if len(blocked) != len(files) {
		return nil, sallyport.Errorf(sallyport.Internal, "%s judged %d of %d files", name, len(blocked), len(files))
	}
	return blocked, nil
}
