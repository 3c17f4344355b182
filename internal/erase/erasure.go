package erase

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/dataset"
	"github.com/sallyport/sallyport/internal/evidence"
	"github.com/sallyport/sallyport/internal/ledger"
	"github.com/sallyport/sallyport/internal/run"
	"github.com/sallyport/sallyport/internal/seal"
	"github.com/sallyport/sallyport/internal/state"
)

// A Site is what an erasure needs of a site. After a renewal Data and Runs are
// to be asked for again: they hold keys.
type Site interface {
	Data() *dataset.Store
	Runs() *run.Service
	Renew() (Renewal, error)
}

// A Renewal replaces a site's keys while nobody else is at work on it.
type Renewal interface {
	Data() *dataset.Store // that seals under the new keys
	Commit(ctx context.Context, act func(tx *ledger.Tx) error) error
	Open(seg state.Segment) ([]byte, error) // under the old keys or the new
	Scrub(ctx context.Context) error        // what has no key any more is overwritten; safe to repeat
	Close() error
}

// A Service erases at one site as one principal.
type Service struct {
	Site Site
	Log  *ledger.Log
	Me   *seal.Identity
	Who  sallyport.Principal
	Name string     // of the site
	Ring *seal.Ring // the data ring; its lasting key makes receipts
}

// Status says how far an erasure has come.
type Status string

// The states of an erasure that is recorded.
const (
	Destroyed Status = "destroyed"
	Retrained Status = "retrained"
	Certified Status = "certified"
)

// An Erasure is the document of an object "erasure": what the certificate will
// say, as far as it has come.
type Erasure struct {
	Status      Status           `json:"status"`
	Certificate sallyport.Digest `json:"certificate,omitempty"` // object "evidence"
	evidence.Erasure
}

// A Revocation is the document of an object "revocation", whose id is the run.
type Revocation = evidence.Revocation

// month is the time that a request may take: GDPR art. 12(3).
func month(from time.Time) time.Time { return from.AddDate(0, 1, 0) }

func now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }

// Secret returns the receipt's secret of an erasure: with it the person can
// recompute their token, and nobody else can guess it.
func (s *Service) Secret(id string) []byte {
	sum := s.Ring.Lasting("receipts").MAC([]byte(id))
	return sum[:16]
}

// Token returns what stands for a subject in a certificate: hex HMAC-SHA256 of
// the identifier under the receipt's secret.
func Token(secret []byte, subject string) string {
	var k seal.Key
	copy(k[:], secret) // HMAC pads a shorter key with zeros: the same
	sum := k.MAC([]byte(subject))
	return hex.EncodeToString(sum[:])
}

// List returns every erasure, the oldest first.
func List(ctx context.Context, log *ledger.Log) ([]Erasure, error) {
	all := []Erasure{}
	err := log.View(ctx, func(tx *ledger.Tx) error {
		return tx.Each("erasure", func(_ string, raw []byte, _ ledger.Entry) error {
			var e Erasure
			err := json.Unmarshal(raw, &e)
			all = append(all, e)
			return err
		})
	})
	slices.SortStableFunc(all, func(a, b Erasure) int { return a.Received.Compare(b.Received) })
	return all, err
}

// Find returns the erasure whose name begins with prefix; "last" is the newest.
func Find(ctx context.Context, log *ledger.Log, prefix string) (*Erasure, error) {
	all, err := List(ctx, log)
	if err != nil {
		return nil, err
	}
	var found []Erasure
	for _, e := range all {
		if prefix == "last" {
			found = []Erasure{e}
		} else if prefix != "" && strings.HasPrefix(e.ID, prefix) {
			found = append(found, e)
		}
	}
	switch len(found) {
	case 0:
		return nil, sallyport.Errorf(sallyport.NotFound, "no erasure is called %q", prefix).Try("list them with: sallyport erasures")
	case 1:
		return &found[0], nil
	}
	return nil, sallyport.Errorf(sallyport.Usage, "%d erasures begin with %q", len(found), prefix).Try("write more of the name")
}
