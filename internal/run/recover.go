package run

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/flock"
	"github.com/sallyport/sallyport/internal/ledger"
)

// hold takes the lock that says that a run is under way. A process that ends,
// however it ends, lets go of it.
func (s *Service) hold(id string) (release func(), err error) {
	l, err := flock.Open(s.lockPath(id))
	if err != nil {
		return nil, err
	}
	ok, err := l.TryAlone()
	if err != nil {
		l.Close()
		return nil, err
	}
	if !ok {
		l.Close()
		return nil, sallyport.Errorf(sallyport.Busy, "another process is at work on run %s", id)
	}
	return func() {
		os.Remove(s.lockPath(id))
		l.Close()
	}, nil
}

func (s *Service) lockPath(id string) string { return filepath.Join(s.Locks, id+".lock") }

// Recover records every run as interrupted whose process ended before it could
// say so, and returns their names. Anybody's next command does it.
func (s *Service) Recover(ctx context.Context) ([]string, error) {
	var left []Record
	if err := s.each(ctx, func(r Record) {
		if r.Status == Running {
			left = append(left, r)
		}
	}); err != nil {
		return nil, err
	}
	var mended []string
	for _, r := range left {
		release, err := s.hold(r.ID)
		if sallyport.Is(err, sallyport.Busy) {
			continue // it is under way
		} else if err != nil {
			return mended, err
		}
		err = s.Log.Update(ctx, s.Who.Name, func(tx *ledger.Tx) error {
			var newest Record
			if err := tx.Get("run", r.ID, &newest); err != nil || newest.Status != Running {
				return err
			}
			newest.Status, newest.Why = Interrupted, "its end could not be recorded: it was killed, the disk was full, or the machine stopped"
			newest.Ended = now()
			for i := range newest.Stages {
				newest.Stages[i].Status = Interrupted // nobody knows how far it came
			}
			mended = append(mended, r.ID)
			_, err := tx.Put("run.interrupted", "run", r.ID, newest, nil)
			return err
		})
		release()
		if err != nil {
			return mended, err
		}
	}
	return mended, nil
}

// each calls fn with every record, in the order of their newest entries.
func (s *Service) each(ctx context.Context, fn func(Record)) error {
	return s.Log.View(ctx, func(tx *ledger.Tx) error {
		return tx.Each("run", func(_ string, raw []byte, _ ledger.Entry) error {
			var r Record
			if err := json.Unmarshal(raw, &r); err != nil {
				return err
			}
			fn(r)
			return nil
		})
	})
}
