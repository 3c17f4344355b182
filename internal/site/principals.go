package site

import (
	"context"
	"encoding/json"
	"time"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/evidence"
	"github.com/sallyport/sallyport/internal/ledger"
	"github.com/sallyport/sallyport/internal/seal"
)

func principal(id *seal.Identity, roles []sallyport.Role, by string) sallyport.Principal {
	return sallyport.Principal{
		Name: id.Name, Roles: roles, Signing: id.SigningPEM(), Recipient: id.Recipient(),
		Enrolled: time.Now().UTC().Truncate(time.Second), By: by,
	}
}

// Enrol makes the owner of id a principal with the given roles, and wraps the
// rings for them that the roles entitle to open, all in one transaction.
func (s *Site) Enrol(ctx context.Context, id *seal.Identity, roles []sallyport.Role) (sallyport.Principal, error) {
	if err := s.Who.May(sallyport.Enrol); err != nil {
		return sallyport.Principal{}, err
	}
	p := principal(id, roles, s.Who.Name)
	err := s.Log.Update(ctx, s.Who.Name, func(tx *ledger.Tx) error {
		all, err := principals(tx)
		if err != nil {
			return err
		}
		for _, o := range all {
			if o.Name == p.Name {
				return sallyport.Errorf(sallyport.Usage, "%s is enrolled already", p.Name).Try("choose another name")
			}
			if o.Signing == p.Signing || o.Recipient == p.Recipient {
				return sallyport.Errorf(sallyport.Usage, "this key is enrolled already, as %s", o.Name).Try("make %s a key of their own", p.Name)
			}
		}
		if _, err := tx.Put("principal.enrolled", "principal", p.Name, p, nil); err != nil {
			return err
		}
		all = append(all, p)
		for i, ring := range []*seal.Ring{s.data, s.output} {
			if p.May(rings[i].action) != nil {
				continue
			}
			if ring == nil {
				return sallyport.Errorf(sallyport.Denied, "your key does not open what %s is entitled to", p.Name).Try("let a steward enrol %s", p.Name)
			}
			doc, err := wrap(s.Dir, ring, all, rings[i].action)
			if err != nil {
				return err
			}
			if _, err := tx.Put("ring.wrapped", "ring", doc.Name, doc, nil); err != nil {
				return err
			}
		}
		return nil
	})
	return p, err
}

// Principals lists everybody enrolled, in the order of enrolment.
func (s *Site) Principals(ctx context.Context) ([]sallyport.Principal, error) {
	var out []sallyport.Principal
	err := s.Log.View(ctx, func(tx *ledger.Tx) (err error) {
		out, err = principals(tx)
		return err
	})
	return out, err
}

func principals(tx *ledger.Tx) (out []sallyport.Principal, err error) {
	err = tx.Each("principal", func(_ string, raw []byte, _ ledger.Entry) error {
		var p sallyport.Principal
		if err := json.Unmarshal(raw, &p); err != nil {
			return err
		}
		out = append(out, p)
		return nil
	})
	return out, err
}

func (s *Site) principalOf(ctx context.Context, me *seal.Identity) (sallyport.Principal, error) {
	all, err := s.Principals(ctx)
	if err != nil {
		return sallyport.Principal{}, err
	}
	for _, p := range all {
		if p.Signing == me.SigningPEM() && p.Recipient == me.Recipient() {
			return p, nil
		}
	}
	return sallyport.Principal{}, sallyport.Errorf(sallyport.Denied, "the identity %s is not enrolled at this site", me.Name).
		Try("ask a steward of the site to enrol it, or use another identity with --as")
}

// Trust returns the public keys that vouch for this site's evidence.
func (s *Site) Trust(ctx context.Context) (evidence.Trust, error) {
	vkey, err := s.VerifierKey()
	if err != nil {
		return evidence.Trust{}, err
	}
	all, err := s.Principals(ctx)
	if err != nil {
		return evidence.Trust{}, err
	}
	t := evidence.Trust{Site: s.Name, Ledger: vkey}
	for _, p := range all {
		t.Principals = append(t.Principals, evidence.Trusted{Name: p.Name, Roles: p.Roles, Signing: p.Signing})
	}
	return t, nil
}
