package run

import (
	"context"
	"slices"
	"strings"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/ledger"
)

// List returns every run in the order in which they began.
func (s *Service) List(ctx context.Context) ([]Record, error) {
	all := []Record{}
	err := s.each(ctx, func(r Record) { all = append(all, r) })
	slices.SortStableFunc(all, func(a, b Record) int { return a.Started.Compare(b.Started) })
	return all, err
}

// Find returns the run whose name begins with prefix; "last" is the newest.
func (s *Service) Find(ctx context.Context, prefix string) (*Record, error) {
	all, err := s.List(ctx)
	if err != nil {
		return nil, err
	}
	var found []Record
	for _, r := range all {
		if prefix == "last" {
			found = []Record{r}
		} else if prefix != "" && strings.HasPrefix(r.ID, prefix) {
			found = append(found, r)
		}
	}
	switch len(found) {
	case 0:
		return nil, sallyport.Errorf(sallyport.NotFound, "no run is called %q", prefix).Try("list them with: sallyport runs")
	case 1:
		return &found[0], nil
	}
	return nil, sallyport.Errorf(sallyport.Usage, "%d runs begin with %q", len(found), prefix).Try("write more of the name")
}

// Entry returns the newest ledger entry of a run, the one that vouches for its
// record.
func (s *Service) Entry(ctx context.Context, id string) (ledger.Entry, error) {
	var at ledger.Entry
	err := s.Log.View(ctx, func(tx *ledger.Tx) error {
		return tx.Each("run", func(name string, _ []byte, e ledger.Entry) error {
			if name == id {
				at = e
			}
			return nil
		})
	})
	return at, err
}
