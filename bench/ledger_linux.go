package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/ledger"
	"github.com/sallyport/sallyport/internal/seal"
	"github.com/sallyport/sallyport/internal/site"
)

// measureLedger appends entries one by one, each durable when its append is
// done, fills the ledger up in large transactions, and has the command verify
// all of it.
func (b *bench) measureLedger(ctx context.Context) error {
	b.say("ledger: appending %s entries", count(b.scale.Appends))
	dir := filepath.Join(b.dir, "ledger")
	defer os.RemoveAll(dir)
	identity := filepath.Join(dir, "bench.id")
	if err := b.fillLedger(ctx, dir, identity); err != nil {
		return err
	}
	verify := measure{work: "verify " + count(b.scale.Entries) + " entries", unit: seconds, bar: bar{ofAmount, 2}}
	memory := measure{work: "  memory, verify", unit: bytes, bar: bar{ofAmount, mostMemory}}
	for range 2*b.scale.Rounds - 1 {
		b.say("ledger: verifying")
		c, err := spend(program(ctx, b.binary, "--site", filepath.Join(dir, "site"), "--as", identity, "log", "verify"))
		if err != nil {
			return err
		}
		verify.ours, memory.ours = append(verify.ours, c.seconds), append(memory.ours, c.memory)
	}
	b.report.add(verify)
	b.report.add(memory)
	return nil
}

func (b *bench) fillLedger(ctx context.Context, dir, identity string) (err error) {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	id, err := seal.NewIdentity("bench")
	if err != nil {
		return err
	}
	secret, err := id.Marshal("")
	if err != nil {
		return err
	}
	if err := os.WriteFile(identity, secret, 0o600); err != nil {
		return err
	}
	at := filepath.Join(dir, "site")
	if err := site.Init(ctx, at, "bench", id, sallyport.Roles); err != nil {
		return err
	}
	s, err := site.Open(ctx, at, id)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()

	one := measure{work: "append a ledger entry", unit: seconds, bar: bar{ofAmount, 1e-3}}
	for n := range b.scale.Appends {
		begun := time.Now()
		if err := s.Log.Update(ctx, "bench", func(tx *ledger.Tx) error { return put(tx, n) }); err != nil {
			return err
		}
		one.ours = append(one.ours, time.Since(begun).Seconds())
	}
	b.report.add(one)

	const batch = 1000
	for n := b.scale.Appends + 1; n < b.scale.Entries; n += batch { // the first entry made the site
		err := s.Log.Update(ctx, "bench", func(tx *ledger.Tx) error {
			for i := n; i < min(n+batch, b.scale.Entries); i++ {
				if err := put(tx, i); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// A happening is a document as large as those that a site keeps.
type happening struct {
	Number  int               `json:"number"`
	State   string            `json:"state"`
	Started time.Time         `json:"started"`
	Inputs  map[string]string `json:"inputs"`
	Words   []string          `json:"words"`
}

// put stores a document and appends its entry. Like those of runs, every object
// is put twice: when it begins and when it has ended.
func put(tx *ledger.Tx, n int) error {
	state := []string{"started", "finished"}[n%2]
	sum := sallyport.Sum([]byte(state))
	doc := happening{n, state, time.Unix(int64(n), 0).UTC(), map[string]string{"records": string(sum), "code": string(sum)}, words}
	_, err := tx.Put("bench."+state, "bench", fmt.Sprint(n/2), doc, map[string]sallyport.Digest{"record": sum})
	return err
}
