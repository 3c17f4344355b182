package run

import (
	"bytes"
	"context"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/env"
	"github.com/sallyport/sallyport/internal/ledger"
)

// environment returns the environment of a lock, built if it is not there yet,
// with every installed file checked against the digest in the ledger.
func (s *Service) environment(ctx context.Context, lock *env.Lock, builds bool, watch Watch) (*env.Environment, error) {
	e, err := s.Envs.Ensure(ctx, lock, env.Options{Builds: builds, Progress: notes(watch.note)})
	if err != nil {
		return nil, err
	}
	var there env.Environment
	err = s.Log.View(ctx, func(tx *ledger.Tx) error { return tx.Get("environment", e.ID, &there) })
	switch {
	case sallyport.Is(err, sallyport.NotFound):
		err = s.Log.Update(ctx, s.Who.Name, func(tx *ledger.Tx) error {
			_, err := tx.Put("environment.built", "environment", e.ID, e, nil)
			return err
		})
		return e, err
	case err != nil:
		return nil, err
	}
	return &there, s.Envs.Verify(ctx, &there)
}

// notes turns a progress writer's lines into notes.
type notes func(string)

func (n notes) Write(b []byte) (int, error) {
	n(string(bytes.TrimRight(b, "\r\n")))
	return len(b), nil
}
