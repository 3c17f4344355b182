package erase

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/ledger"
)

// A Hold is the document of an object "hold", whose id is the dataset: a
// steward's decision that its records must be kept, GDPR art. 17(3).
type Hold struct {
	Dataset string    `json:"dataset"`
	Ground  string    `json:"ground"`
	Reason  string    `json:"reason"`
	By      string    `json:"by"`
	At      time.Time `json:"at"`
	Until   time.Time `json:"until,omitzero"` // zero: until it is lifted
}

// Exceptions are those of GDPR art. 17(3).
var Exceptions = []string{"art17.3.a", "art17.3.b", "art17.3.c", "art17.3.d", "art17.3.e"}

// Hold records that a dataset must be kept.
func (s *Service) Hold(ctx context.Context, h Hold) error {
	if err := s.Who.May(sallyport.Erase); err != nil {
		return err
	}
	switch {
	case !slices.Contains(Exceptions, h.Ground):
		return sallyport.Errorf(sallyport.Usage, "%q is no exception from erasure", h.Ground).Try("choose from %s", strings.Join(Exceptions, ", "))
	case strings.TrimSpace(h.Reason) == "":
		return sallyport.Errorf(sallyport.Usage, "it gives no reason").Try("say why with --reason: it stands in every certificate")
	}
	if _, err := s.Site.Data().Dataset(ctx, h.Dataset); err != nil {
		return err
	}
	h.By, h.At = s.Who.Name, now()
	return s.Log.Update(ctx, s.Who.Name, func(tx *ledger.Tx) error {
		_, err := tx.Put("hold.placed", "hold", h.Dataset, h, nil)
		return err
	})
}

// Lift records that a dataset need not be kept any more.
func (s *Service) Lift(ctx context.Context, dataset string) error {
	if err := s.Who.May(sallyport.Erase); err != nil {
		return err
	}
	return s.Log.Update(ctx, s.Who.Name, func(tx *ledger.Tx) error {
		var h Hold
		if err := tx.Get("hold", dataset, &h); err != nil {
			return sallyport.Errorf(sallyport.NotFound, "dataset %q is not held", dataset).Try("see what is with: sallyport erasures holds")
		}
		_, err := tx.Delete("hold.lifted", "hold", dataset, nil)
		return err
	})
}

// Holds returns the holds that have not ended.
func (s *Service) Holds(ctx context.Context) ([]Hold, error) {
	all := []Hold{}
	err := s.Log.View(ctx, func(tx *ledger.Tx) error {
		return tx.Each("hold", func(_ string, raw []byte, _ ledger.Entry) error {
			var h Hold
			if err := json.Unmarshal(raw, &h); err != nil {
				return err
			}
			if h.Until.IsZero() || time.Now().Before(h.Until) {
				all = append(all, h)
			}
			return nil
		})
	})
	return all, err
}

func held(all []Hold, dataset string) bool {
	return slices.ContainsFunc(all, func(h Hold) bool { return h.Dataset == dataset })
}
