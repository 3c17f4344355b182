package main

import (
	"archive/tar"
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/deps"
	"github.com/sallyport/sallyport/internal/env"
	"github.com/sallyport/sallyport/internal/ledger"
	"github.com/sallyport/sallyport/internal/pep440"
	"github.com/sallyport/sallyport/internal/run"
	"github.com/sallyport/sallyport/internal/seal"
	"github.com/sallyport/sallyport/internal/site"
)

// packagesOfLock is how many packages the lock of the check has.
const packagesOfLock = 1000

// packagesOfBill is how many packages each stored environment has.
const packagesOfBill = 200

// measureDeps checks locks against a real database of advisories, and everything
// that a site has ever run when advisories are brought in.
func (b *bench) measureDeps(ctx context.Context) (err error) {
	if b.given.advisories == "" {
		b.warn("no advisories were given: the check of dependencies is not measured (-advisories)")
		return nil
	}
	dir := filepath.Join(b.dir, "deps")
	defer os.RemoveAll(dir)
	known, err := affected(b.given.advisories)
	if err != nil {
		return err
	}
	s, err := b.depsSite(ctx, dir, len(known))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	// What this process takes would be counted as that of programs started later.
	if err := b.checkLock(ctx, dir, known); err != nil {
		return err
	}
	if err := b.spell(ctx, s, known); err != nil {
		return err
	}
	return b.recheck(ctx, s, dir, known)
}

// depsSite makes a site with advisories.
func (b *bench) depsSite(ctx context.Context, dir string, packages int) (*site.Site, error) {
	id, err := seal.NewIdentity("bench")
	if err != nil {
		return nil, err
	}
	secret, err := id.Marshal("")
	if err != nil {
		return nil, err
	}
	at := filepath.Join(dir, "site")
	if err := errors.Join(os.Mkdir(dir, 0o700), os.WriteFile(filepath.Join(dir, "bench.id"), secret, 0o600)); err != nil {
		return nil, err
	}
	if err := site.Init(ctx, at, "bench", id, sallyport.Roles); err != nil {
		return nil, err
	}
	b.say("deps: bringing advisories in")
	used, err := b.bringIn(ctx, dir)
	if err != nil {
		return nil, err
	}
	b.report.add(measure{work: fmt.Sprintf("bring in advisories about %s packages", count(packages)), unit: seconds, ours: sample{used.seconds}})
	b.report.add(measure{work: "  memory", unit: bytes, ours: sample{used.memory}})
	return site.Open(ctx, at, id)
}

// bringIn has the command import a bundle of the advisories, which is made anew
// and is not a part of what is measured.
func (b *bench) bringIn(ctx context.Context, dir string) (cost, error) {
	bundle := filepath.Join(dir, "bundle")
	as := []string{"--json", "--site", filepath.Join(dir, "site"), "--as", filepath.Join(dir, "bench.id")}
	_ = os.Remove(bundle) // the one before
	made := program(ctx, b.binary, append([]string{"deps", "bundle", "--from", b.given.advisories, "--as-of", "today", "-o", bundle}, as...)...)
	if _, err := spend(made); err != nil {
		return cost{}, err
	}
	return spend(program(ctx, b.binary, append([]string{"deps", "update", "--from", bundle}, as...)...))
}

// affected reads which versions records of the PyPA name as affected, by package.
// It reads lines and not YAML, so that it is nobody's own reader that is asked.
func affected(path string) (map[string][]string, error) {
	all := map[string][]string{}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return all, filepath.WalkDir(path, func(name string, d fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(name, ".yaml") {
				return err
			}
			f, err := os.Open(name)
			if err != nil {
				return err
			}
			defer f.Close()
			return affectedBy(f, all)
		})
	}
	z, err := zstd.NewReader(f)
	if err != nil {
		return nil, err
	}
	defer z.Close()
	for t := tar.NewReader(z); ; {
		h, err := t.Next()
		if err == io.EOF {
			return all, nil
		} else if err != nil {
			return nil, err
		}
		if strings.HasSuffix(h.Name, ".yaml") {
			if err := affectedBy(t, all); err != nil {
				return nil, err
			}
		}
	}
}

func affectedBy(r io.Reader, all map[string][]string) error {
	name, listing := "", false
	var versions []string
	withdrawn := false
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := lines.Text()
		if rest, ok := strings.CutPrefix(line, "    name: "); ok {
			name = strings.ToLower(strings.Trim(rest, `"'`))
		}
		withdrawn = withdrawn || strings.HasPrefix(line, "withdrawn:")
		version, item := strings.CutPrefix(line, "  - ")
		if listing && item {
			if version = strings.Trim(version, `"'`); valid(version) {
				versions = append(versions, version)
			}
		} else {
			listing = line == "  versions:"
		}
	}
	if !withdrawn && len(versions) > 0 {
		all[name] = append(all[name], versions...)
	}
	return lines.Err()
}

// valid reports whether a version is one that has other spellings.
func valid(version string) bool {
	v, err := pep440.Parse(version)
	return err == nil && v.Local() == ""
}

// spellings are ways to write a version that mean the same, or a local build of
// it.
var spellings = map[string]func(string) string{
	"+cu118":   func(v string) string { return v + "+cu118" },
	"v-prefix": func(v string) string { return "v" + v },
	"epoch 0!": func(v string) string { return "0!" + v },
	"CAPITALS": strings.ToUpper,
	"trailing .0": func(v string) string {
		if strings.Trim(v, "0123456789.") != "" {
			return v
		}
		return v + ".0"
	},
	"-rc.1, -post-1": func(v string) string {
		return strings.NewReplacer("rc", "-rc.", "a", "-alpha.", "b", "_beta_", ".post", "-post-", ".dev", "_dev").Replace(v)
	},
}

// spell counts the findings that another spelling of a vulnerable version loses,
// or wins.
func (b *bench) spell(ctx context.Context, s *site.Site, known map[string][]string) error {
	db, err := s.Deps().Current(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	found := func(name, version string) (string, int, error) {
		v, err := pep440.Parse(version)
		if err != nil {
			return "", 0, err
		}
		hits, err := db.Match(name, v)
		var ids []string
		for _, h := range hits {
			ids = append(ids, h.ID)
		}
		return strings.Join(ids, " "), len(ids), err
	}
	findings, lost, none := 0, 0, 0
	for _, p := range pairs(known, packagesOfLock) {
		want, n, err := found(p.Name, p.Version)
		if err != nil {
			return err
		}
		normal, err := pep440.Parse(p.Version)
		if err != nil {
			return err
		}
		findings += n
		if n == 0 {
			none++ // the record says that it is affected
		}
		for _, spelled := range spellings {
			got, _, err := found(p.Name, spelled(normal.String()))
			if err != nil {
				return err
			}
			if got != want {
				lost++
			}
		}
	}
	b.report.add(measure{work: "random vulnerable versions", unit: number, ours: sample{packagesOfLock}})
	b.report.add(measure{work: "  findings", unit: number, ours: sample{float64(findings)}})
	b.report.add(measure{work: "  versions without any", unit: number, bar: bar{ofAmount, 0}, ours: sample{float64(none)}})
	b.report.add(measure{work: fmt.Sprintf("  changed by %d spellings", len(spellings)), unit: number, bar: bar{ofAmount, 0}, ours: sample{float64(lost)}})
	return nil
}

// pairs draws vulnerable versions at random.
func pairs(known map[string][]string, n int) []deps.Pinned {
	r := rand.New(rand.NewPCG(seed, 5))
	names := slices.Sorted(maps.Keys(known))
	var out []deps.Pinned
	for range n {
		name := names[r.IntN(len(names))]
		out = append(out, deps.Pinned{Name: name, Version: known[name][r.IntN(len(known[name]))]})
	}
	return out
}

// checkLock checks a lock of many packages by the whole command, as a person
// waits for it.
func (b *bench) checkLock(ctx context.Context, dir string, known map[string][]string) error {
	var lock strings.Builder
	taken := map[string]bool{}
	for _, p := range pairs(known, 20*packagesOfLock) {
		if len(taken) < packagesOfLock/4 && !taken[p.Name] {
			taken[p.Name] = true
			fmt.Fprintf(&lock, "%s==%s --hash=sha256:%064d\n", p.Name, p.Version, len(taken))
		}
	}
	for i := len(taken); i < packagesOfLock; i++ {
		fmt.Fprintf(&lock, "package-%d==%d.%d.%d --hash=sha256:%064d\n", i, i%7, i%11, i%13, i)
	}
	at := filepath.Join(dir, "requirements.txt")
	if err := os.WriteFile(at, []byte(lock.String()), 0o600); err != nil {
		return err
	}
	m := measure{work: fmt.Sprintf("check %s packages, whole process", count(packagesOfLock)), unit: seconds, bar: bar{ofAmount, 0.15}}
	memory := measure{work: "  memory", unit: bytes, bar: bar{ofAmount, 64 << 20}}
	for round := range 2*b.scale.Rounds + 1 {
		c := program(ctx, b.binary, "deps", at, "--json", "--site", filepath.Join(dir, "site"))
		used, err := spendEnding(c, sallyport.Refused.ExitCode())
		if err != nil {
			return err
		}
		if round > 0 { // the first reads the program itself from disk
			m.ours, memory.ours = append(m.ours, used.seconds), append(memory.ours, used.memory)
		}
	}
	b.report.add(m)
	b.report.add(memory)
	return nil
}

// recheck fills the site with runs, each in an environment of its own, and
// brings newer advisories in.
func (b *bench) recheck(ctx context.Context, s *site.Site, dir string, known map[string][]string) error {
	bills := b.scale.Bills
	b.say("deps: recording %s environments", count(bills))
	r := rand.New(rand.NewPCG(seed, 6))
	vulnerable := pairs(known, packagesOfLock)
	for done := 0; done < bills; {
		err := s.Log.Update(ctx, "bench", func(tx *ledger.Tx) error {
			for end := min(done+500, bills); done < end; done++ {
				e := env.Environment{ID: fmt.Sprintf("%064x", done)}
				for i := range packagesOfBill {
					e.Packages = append(e.Packages, env.Package{Name: fmt.Sprintf("package-%d", i), Version: fmt.Sprintf("%d.%d", r.IntN(4), r.IntN(25))})
				}
				p := vulnerable[r.IntN(len(vulnerable))]
				e.Packages[0] = env.Package{Name: p.Name, Version: p.Version}
				if _, err := tx.Put("environment.built", "environment", e.ID, e, nil); err != nil {
					return err
				}
				id := fmt.Sprintf("run%07d", done)
				doc := run.Record{ID: id, Project: "bench", By: "bench", Status: run.Finished, Environment: &run.Environment{ID: e.ID}}
				if _, err := tx.Put("run.finished", "run", id, doc, nil); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	time.Sleep(time.Second) // a bundle is numbered by its second
	b.say("deps: bringing advisories in again")
	used, err := b.bringIn(ctx, dir)
	if err != nil {
		return err
	}
	out, err := s.Deps().Watch(ctx)
	if err != nil {
		return err
	}
	if out.Runs != bills || out.Affected != bills {
		return sallyport.Errorf(sallyport.Corrupt, "%d runs were checked and %d affected, of %d", out.Runs, out.Affected, bills)
	}
	b.report.add(measure{work: fmt.Sprintf("import, check %s × %d again", count(bills), packagesOfBill), unit: seconds, bar: bar{ofAmount, 10}, ours: sample{used.seconds}})
	b.report.add(measure{work: "  different packages", unit: number, ours: sample{float64(out.Packages)}})
	b.report.add(measure{work: "  incidents", unit: number, ours: sample{float64(len(out.News))}})
	return nil
}
