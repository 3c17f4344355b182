//go:build linux

package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/internal/sandbox"
)

// gone is whom the kill tests take out.
const gone = "77777"

// TestKillErase kills an erasure, and the resuming of one, before each of its
// writes. Either nothing has happened, or the erasure is recorded and everything
// of the person is gone; a certificate is never there before that, and resuming
// always comes to the same end.
func TestKillErase(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED: -short; killing an erasure at every write was not tried")
	}
	if sandbox.Preflight() != nil {
		t.Skip("SKIPPED: this host cannot confine a run; killing an erasure was not tried")
	}
	k := newKiller(t)
	k.must(t, k.made, "run", "-q")
	erase := []string{"erase", "--subject", gone, "--identity-checked", "passport", "-q"}
	t.Run("erase", func(t *testing.T) {
		t.Parallel()
		k.every(t, erase, k.made, func(dir string, _ bool) { k.erased(t, dir, erase, 1) })
	})
	t.Run("resume", func(t *testing.T) {
		// Who may not run code stops when the records are gone.
		begun := t.TempDir()
		copyTree(t, begun, k.made)
		k.must(t, begun, "id", "new", "sue", "--role", "steward")
		if out := k.ask(begun, append([]string{"--as", "sue"}, erase...)...); !strings.Contains(out, "may not run code") {
			t.Fatalf("a steward alone: %s", out)
		}
		t.Parallel()
		k.every(t, []string{"--as", "anna", "erase", "resume", "last", "-q"}, begun, func(dir string, _ bool) { k.erased(t, dir, nil, 1) })
	})
}

const killShards = `project: small
data:
  data/people.csv: people
stages:
  train:
    run: tail -n +2 data/people.csv | cut -d, -f1 | sort -u > model/people
    reads: [data/people.csv]
    writes: [model/]
    shards: 2
  combine:
    run: cat model/shard-*/people | sort > whole/people
    after: [train]
    reads: [model/]
    writes: [whole/]
limits: {cpu: 1, memory: 128MiB, time: 60s}
`

// TestKillEraseShards kills an erasure that makes one of two shards again,
// wherever it turns to something else. It always comes to the same end: what it
// keeps of the other shard is the new run's and not the old one's any more, and
// whoever was taken out is in none of it.
func TestKillEraseShards(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED: -short; killing the erasure of a shard was not tried")
	}
	if sandbox.Preflight() != nil {
		t.Skip("SKIPPED: this host cannot confine a run; killing the erasure of a shard was not tried")
	}
	k := newKiller(t)
	if err := os.WriteFile(filepath.Join(k.made, "sallyport.yaml"), []byte(killShards), 0o600); err != nil {
		t.Fatal(err)
	}
	k.must(t, k.made, "run", "-q")
	erase := []string{"erase", "--subject", gone, "--identity-checked", "passport", "-q"}
	k.turns(t, erase, k.made, func(dir string, _ bool) {
		k.erased(t, dir, erase, 3)
		k.keptShard(t, dir)
	})
}

// keptShard looks at what the run has that was made again: all people but one,
// in the shards and in what was made of them.
func (k *killer) keptShard(t *testing.T, dir string) {
	t.Helper()
	var last struct {
		Stages []struct{ Name, Kept string }
	}
	if err := json.Unmarshal([]byte(k.must(t, dir, "--as", "anna", "runs", "show", "last", "--json")), &last); err != nil {
		t.Fatal(err)
	}
	kept := 0
	for _, st := range last.Stages {
		if st.Kept != "" {
			kept++
		}
	}
	if len(last.Stages) != 3 || kept != 1 {
		t.Errorf("it ended with other stages: %+v", last.Stages)
	}
	if out := k.must(t, dir, "--as", "anna", "runs", "--json"); strings.Count(out, `"erased"`) != 1 || regexp.MustCompile(`"erased": \{[^}]*"stages"`).MatchString(out) {
		t.Errorf("the old run still has what was spared of it:\n%s", out)
	}
	var left []string
	for n := range 7 {
		if id := strings.Repeat("7", n+1); id != gone {
			left = append(left, id)
		}
	}
	get := func(what string) string {
		to := filepath.Join(dir, "ended-"+what)
		k.must(t, dir, "--as", "anna", "runs", "get", "last", what, "-o", to)
		return to
	}
	shards := get("model")
	both := append(read(t, filepath.Join(shards, "shard-001", "people")), read(t, filepath.Join(shards, "shard-002", "people"))...)
	for what, text := range map[string][]byte{"shards": both, "whole": read(t, filepath.Join(get("whole"), "people"))} {
		if got := slices.Sorted(slices.Values(strings.Fields(string(text)))); !slices.Equal(got, left) {
			t.Errorf("it ended with other people in the %s: %v", what, got)
		}
	}
}

// An erasure as the command line shows it.
type killedErasure struct {
	Status string
	Runs   []struct{ Action, Replaced string }
}

func (k *killer) erasures(t *testing.T, dir string) (all []killedErasure) {
	t.Helper()
	if err := json.Unmarshal([]byte(k.must(t, dir, "--as", "anna", "erasures", "--json")), &all); err != nil {
		t.Fatal(err)
	}
	return all
}

// erased looks at what a killed erasure has left, and brings it to its end. The
// run that it makes again has a number of stages.
func (k *killer) erased(t *testing.T, dir string, erase []string, stages int) {
	t.Helper()
	k.must(t, dir, "--as", "anna", "log", "verify")
	all := k.erasures(t, dir)
	before := read(t, filepath.Join(dir, "people.csv"))
	var after []byte
	for line := range bytes.Lines(before) {
		if !bytes.HasPrefix(line, []byte(gone+",")) {
			after = append(after, line...)
		}
	}
	want := after
	if len(all) == 0 {
		want = before
	}
	have := func(name string) []byte {
		k.must(t, dir, "--as", "anna", "data", "get", "people@1", "-o", filepath.Join(dir, name))
		return read(t, filepath.Join(dir, name))
	}
	if !bytes.Equal(have("killed.csv"), want) {
		t.Errorf("with %d erasures recorded, the data is another", len(all))
	}
	if len(all) == 0 {
		k.must(t, dir, append([]string{"--as", "anna"}, erase...)...)
	} else {
		k.must(t, dir, "--as", "anna", "erase", "resume", "last", "-q")
	}
	all = k.erasures(t, dir)
	if len(all) != 1 || all[0].Status != "certified" || len(all[0].Runs) != 1 || all[0].Runs[0].Action != "retrained" || all[0].Runs[0].Replaced == "" {
		t.Errorf("it ended otherwise: %+v", all)
	}
	if !bytes.Equal(have("ended.csv"), after) {
		t.Error("it ended with other data")
	}
	if out := k.must(t, dir, "--as", "anna", "runs", "--json"); strings.Count(out, `"status": "finished"`) != 2*(1+stages) { // the old run and the new
		t.Errorf("it ended with other runs:\n%s", out)
	}
	k.must(t, dir, "--as", "anna", "erasures", "show", "last", "-o", filepath.Join(dir, "certificate"))
	k.must(t, dir, "--as", "anna", "verify", filepath.Join(dir, "certificate", "certificate.json"))
	k.must(t, dir, "--as", "anna", "log", "verify")
	noLeftovers(t, dir)
}
