package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/dataset"
	"github.com/sallyport/sallyport/internal/erase"
	"github.com/sallyport/sallyport/internal/ledger"
	"github.com/sallyport/sallyport/internal/run"
	"github.com/sallyport/sallyport/internal/seal"
	"github.com/sallyport/sallyport/internal/site"
	"github.com/sallyport/sallyport/internal/state"
)

// leaving is who is taken out: a record of theirs is in every 25th addition.
const leaving = "leaving-0700001"

// runsOfErase is how many runs read the versions, spread evenly.
const runsOfErase = 50

// measureErase takes one of many subjects out of many versions of a table, each
// of which extends the one before, and then looks for them in every byte that
// the site's keys open. What is made again is not measured: that is the
// project's own time.
func (b *bench) measureErase(ctx context.Context) (err error) {
	dir := filepath.Join(b.dir, "erase")
	defer os.RemoveAll(dir)
	s, err := b.eraseSite(ctx, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := b.fillErase(ctx, s, filepath.Join(dir, "table.csv")); err != nil {
		return err
	}
	before, err := segmentsOf(ctx, s)
	if err != nil {
		return err
	}
	// Who may not run code stops when everything is destroyed.
	service := &erase.Service{Site: renewable{s}, Log: s.Log, Me: s.Me, Name: s.Name, Ring: s.Data().Ring,
		Who: sallyport.Principal{Name: s.Who.Name, Roles: []sallyport.Role{sallyport.Steward}}}
	request := erase.Request{Subjects: []string{leaving}, Identity: "passport"}

	what := fmt.Sprintf("find 1 of %s subjects", count(b.scale.Subjects))
	plan := measure{work: what, unit: seconds, bar: bar{ofAmount, 1}}
	for range 2*b.scale.Rounds - 1 {
		b.say("erase: planning")
		begun := time.Now()
		p, err := service.Plan(ctx, request)
		if err != nil {
			return err
		}
		plan.ours = append(plan.ours, time.Since(begun).Seconds())
		if len(p.Versions) != b.scale.Versions || len(p.Runs) != runsOfErase {
			return sallyport.Errorf(sallyport.Corrupt, "it found %d versions and %d runs", len(p.Versions), len(p.Runs))
		}
	}
	b.report.add(plan)

	b.say("erase: destroying")
	begun := time.Now()
	e, err := service.Erase(ctx, request, erase.Watch{})
	took := time.Since(begun).Seconds()
	if e == nil || e.Status != erase.Destroyed {
		return errors.Join(err, sallyport.Errorf(sallyport.Corrupt, "nothing was destroyed"))
	}
	b.report.add(measure{work: fmt.Sprintf("  destroy, %d versions", b.scale.Versions), unit: seconds, bar: bar{ofAmount, 5}, ours: sample{took}})
	after, err := segmentsOf(ctx, s)
	if err != nil {
		return err
	}
	all, fresh := 0.0, 0.0
	for id, size := range after {
		all += size
		if _, ok := before[id]; !ok {
			fresh += size
		}
	}
	b.report.add(measure{work: "  written anew", unit: bytes, bar: bar{ofAmount, all / 50}, ours: sample{fresh}})
	return b.findNothing(ctx, s)
}

// renewable is a site as package erase wants it.
type renewable struct{ *site.Site }

func (r renewable) Renew() (erase.Renewal, error) {
	renewal, err := r.Site.Renew()
	if err != nil {
		return nil, err
	}
	return renewal, nil
}

func (b *bench) eraseSite(ctx context.Context, dir string) (*site.Site, error) {
	id, err := seal.NewIdentity("bench")
	if err != nil {
		return nil, err
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	at := filepath.Join(dir, "site")
	if err := site.Init(ctx, at, "bench", id, sallyport.Roles); err != nil {
		return nil, err
	}
	return site.Open(ctx, at, id)
}

// fillErase adds the versions: half of the subjects first, and then as many of
// the others each time. Then it records runs that read some of them.
func (b *bench) fillErase(ctx context.Context, s *site.Site, path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	out := bufio.NewWriterSize(f, 1<<20)
	fmt.Fprintln(out, "patient,visit,pulse,systolic,diastolic,glucose,note")
	r := rand.New(rand.NewPCG(seed, 2))
	done := 0
	for v := range b.scale.Versions {
		upTo := b.scale.Subjects/2 + b.scale.Subjects/2*v/max(1, b.scale.Versions-1)
		for ; done < upTo; done++ {
			for range 3 {
				row(out, r, fmt.Sprintf("patient-%07d", done))
			}
		}
		if v%25 == 0 {
			row(out, r, leaving)
		}
		if err := out.Flush(); err != nil {
			return err
		}
		if v%10 == 0 {
			b.say("erase: adding version %d of %d", v+1, b.scale.Versions)
		}
		if _, _, err := s.Data().Add(ctx, "bench", "records", dataset.Source{Path: path, Subject: "patient"}, nil); err != nil {
			return err
		}
	}
	return s.Log.Update(ctx, "bench", func(tx *ledger.Tx) error {
		for i := range runsOfErase {
			id := fmt.Sprintf("run%03d", i)
			file := run.Artefact{Path: "model/weights", Stored: run.Stored{Digest: sallyport.Sum([]byte(id))}}
			doc := run.Record{ID: id, Project: "bench", By: "bench", Status: run.Finished, Started: time.Unix(int64(i), 0).UTC(),
				Set:    []string{fmt.Sprint("n=", i)},
				Data:   []run.Data{{Path: "data.csv", Version: fmt.Sprintf("records@%d", 1+i*b.scale.Versions/runsOfErase)}},
				Stages: []run.Stage{{Name: "train", Status: run.Finished, Outputs: []run.Artefact{file}, Folders: []string{"model"}}}}
			if _, err := tx.Put("run.finished", "run", id, doc, nil); err != nil {
				return err
			}
		}
		return nil
	})
}

// row writes a record of some 100 bytes.
func row(out *bufio.Writer, r *rand.Rand, subject string) {
	fmt.Fprintf(out, "%s,2024-%02d-%02d,%d,%d,%d,%.1f,", subject, 1+r.IntN(12), 1+r.IntN(28), 45+r.IntN(100), 90+r.IntN(100),
		50+r.IntN(60), 3.5+20*r.Float64())
	for range 7 {
		out.WriteString(words[r.IntN(len(words))] + " ")
	}
	out.WriteByte('\n')
}

// segmentsOf returns the size of every segment.
func segmentsOf(ctx context.Context, s *site.Site) (map[int64]float64, error) {
	all := map[int64]float64{}
	err := s.State.View(ctx, func(tx *state.Tx) error {
		return tx.EachSegment(func(seg state.Segment) error {
			all[seg.ID] = float64(seg.Len)
			return nil
		})
	})
	return all, err
}

// findNothing opens every segment with the keys of today, reads every document,
// and finds the subject nowhere.
func (b *bench) findNothing(ctx context.Context, s *site.Site) error {
	b.say("erase: looking for the subject everywhere")
	found, opened := 0, 0.0
	err := s.State.View(ctx, func(tx *state.Tx) error {
		for o, err := range tx.Objects("") {
			if err != nil {
				return err
			}
			found += strings.Count(string(o.Doc), leaving)
		}
		return tx.EachSegment(func(seg state.Segment) error {
			plain, err := s.Blobs.Read(seg, s.Data().Ring, nil)
			found += strings.Count(string(plain), leaving)
			opened += float64(len(plain))
			return err
		})
	})
	if err == nil && (found > 0 || opened < 50*float64(b.scale.Subjects)) {
		err = sallyport.Errorf(sallyport.Corrupt, "after the erasure the subject stands in %d places of %s", found, text(bytes, opened))
	}
	b.report.add(measure{work: "  opened: they are nowhere", unit: bytes, ours: sample{opened}})
	return err
}
