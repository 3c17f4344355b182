package run

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/evidence"
	"github.com/sallyport/sallyport/internal/ledger"
)

// notRevoked returns an error if the code brings a model that the site has
// revoked: what begins from it would learn again from whoever was taken out.
// That holds to the run's end, since an erasure waits until nobody is at work.
func (s *Service) notRevoked(ctx context.Context, c Code) error {
	if len(c.Models) == 0 {
		return nil
	}
	var all []evidence.Revocation
	if err := s.Log.View(ctx, func(tx *ledger.Tx) error {
		return tx.Each("revocation", func(_ string, raw []byte, _ ledger.Entry) error {
			var rev evidence.Revocation
			err := json.Unmarshal(raw, &rev)
			all = append(all, rev)
			return err
		})
	}); err != nil {
		return err
	}
	return c.without(all)
}

// without returns an error if the code brings a model that was revoked. Several
// runs may have made it: one that was made again says what to use instead.
func (c Code) without(revoked []evidence.Revocation) (err error) {
	for _, rev := range revoked {
		i := slices.IndexFunc(c.Models, func(a Artefact) bool { return slices.Contains(rev.Files, a.Digest) })
		if i < 0 {
			continue
		}
		found := sallyport.Errorf(sallyport.Refused, "the model was revoked on %s: %s", rev.At.Format(time.DateOnly), rev.Reason).At("%s", c.Models[i].Path)
		if rev.Replaced != "" {
			return found.Try("begin from what run %s made instead", rev.Replaced)
		}
		err = found.Try("take it out, and begin from another")
	}
	return err
}
