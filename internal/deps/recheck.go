package deps

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/advisory"
	"github.com/sallyport/sallyport/internal/ledger"
)

// Ran is a run that the site has made, with what it was executed with, or an
// environment in which nothing ran.
type Ran struct {
	Run         string // "" for none
	By          string // who ran it, or built it
	Environment string
	Packages    []Pinned
	Models      []string      // artefact folders that it wrote
	Known       map[Told]bool // what its own check had found
}

// Told is an advisory, by one of its IDs, about a package.
type Told struct{ Package, ID string }

// Pinned is a package as it was installed.
type Pinned struct{ Name, Version string }

// An Outcome is what bringing advisories in has changed.
type Outcome struct {
	Advisories advisory.Name `json:"advisories"`
	Runs       int           `json:"runs"`             // that were checked again
	Packages   int           `json:"packages"`         // different ones, in all of them
	Affected   int           `json:"affected"`         // runs about which something is known now that was not when they ran
	Opened     []Incident    `json:"opened"`           // new incidents
	Extended   []Incident    `json:"extended"`         // open ones that more runs turned out to belong to
	Open       int           `json:"openIncidents"`    // in all
	Unread     int           `json:"unread,omitempty"` // packages whose version is none by PEP 440: nothing is known about them
}

// recheck compares every run that the site has ever made with the advisories.
// What they say that a run's own check did not becomes an incident, one for each
// advisory.
func (s *Service) recheck(tx *ledger.Tx, db *Advisories) (*Outcome, error) {
	news, out, err := s.compare(tx, db)
	if err != nil {
		return nil, err
	}
	all, err := incidents(tx)
	if err != nil {
		return nil, err
	}
	at := now()
	for _, n := range news {
		if i := slices.IndexFunc(all, func(in Incident) bool { return n.same(in.Advisory) }); i >= 0 {
			changed, err := extend(tx, all[i], n, at)
			if err != nil {
				return nil, err
			}
			if changed != nil {
				out.Extended = append(out.Extended, *changed)
			}
			continue
		}
		in := open("i"+strconv.Itoa(len(all)+1), n.hit, n.ran, n.versions, db.Name.Serial, at)
		if _, err := tx.Put("incident.opened", "incident", in.ID, in, nil); err != nil {
			return nil, err
		}
		all = append(all, in)
		out.Opened = append(out.Opened, in)
	}
	for _, in := range all {
		if in.Status == IncidentOpen {
			out.Open++
		}
	}
	return out, nil
}

// extend adds runs to an incident that it does not know yet, and takes over that
// its advisory has become graver, or is being exploited now; one that is closed
// is opened again by either.
func extend(tx *ledger.Tx, in Incident, n *news, at time.Time) (*Incident, error) {
	before := len(in.Runs)
	for _, r := range n.ran {
		if !slices.ContainsFunc(in.Runs, func(a Affected) bool { return a.Run == r.Run && a.Environment == r.Environment }) {
			in.Runs = append(in.Runs, r.affected())
		}
	}
	worse := in.Advisory.Exploited.IsZero() && !n.hit.Exploited.IsZero() || n.hit.Severity > in.Advisory.Severity
	if len(in.Runs) == before && !worse {
		return nil, nil
	}
	if until := deadline(n.hit, at); worse && until.Before(in.Deadline) {
		in.Deadline = until
	}
	in.Status, in.Advisory = IncidentOpen, n.hit
	for _, v := range n.versions {
		if !slices.Contains(in.Versions, v) {
			in.Versions = append(in.Versions, v)
		}
	}
	_, err := tx.Put("incident.opened", "incident", in.ID, in, nil)
	return &in, err
}

// news is an advisory together with the runs that did not know of it.
type news struct {
	hit      advisory.Hit
	ran      []Ran
	versions []string
}

// same reports whether an advisory is this one, by any of the names of either:
// the record that leads a group may be another one tomorrow.
func (n *news) same(h advisory.Hit) bool {
	return n.hit.Package == h.Package && slices.ContainsFunc(ids(&h), func(id string) bool { return names(&n.hit, id) })
}

// compare asks the database about every package of every run, each different one
// once.
func (s *Service) compare(tx *ledger.Tx, db *Advisories) ([]*news, *Outcome, error) {
	out := &Outcome{Advisories: db.Name, Opened: []Incident{}, Extended: []Incident{}}
	memo := db.Memo()
	byID := map[string]*news{}
	err := s.History(tx, func(r Ran) error {
		if r.Run != "" {
			out.Runs++
		}
		affected := false
		for _, p := range r.Packages {
			hits, err := memo.Match(p.Name, p.Version)
			if sallyport.Is(err, sallyport.Invalid) {
				out.Unread++ // one strange version must not keep advisories out for ever
				continue
			} else if err != nil {
				return err
			}
			for i := range hits {
				h := &hits[i]
				if slices.ContainsFunc(ids(h), func(id string) bool { return r.Known[Told{h.Package, id}] }) {
					continue
				}
				affected = true
				n := byID[h.Package+" "+h.ID]
				if n == nil {
					n = &news{hit: *h}
					byID[h.Package+" "+h.ID] = n
				}
				n.ran = append(n.ran, Ran{Run: r.Run, By: r.By, Environment: r.Environment, Models: r.Models})
				if !slices.Contains(n.versions, p.Version) {
					n.versions = append(n.versions, p.Version)
				}
			}
		}
		if affected && r.Run != "" {
			out.Affected++
		}
		return nil
	})
	out.Packages = memo.Asked()
	all := make([]*news, 0, len(byID))
	for _, n := range byID {
		all = append(all, n)
	}
	slices.SortFunc(all, func(a, b *news) int {
		return cmp.Or(cmp.Compare(urgency(Finding{Hit: &b.hit}), urgency(Finding{Hit: &a.hit})),
			cmp.Compare(a.hit.Package, b.hit.Package), cmp.Compare(a.hit.ID, b.hit.ID))
	})
	return all, out, err
}

// Watch tells what has been published about runs since they were made, without
// changing anything.
func (s *Service) Watch(ctx context.Context) (*Watched, error) {
	db, err := s.Current(ctx)
	if err != nil || db == nil {
		return &Watched{News: []News{}}, err
	}
	defer db.Close()
	w := &Watched{News: []News{}}
	err = s.Log.View(ctx, func(tx *ledger.Tx) error {
		all, out, err := s.compare(tx, db)
		if err != nil {
			return err
		}
		open, err := incidents(tx)
		if err != nil {
			return err
		}
		w.Advisories, w.Runs, w.Packages, w.Affected = &out.Advisories, out.Runs, out.Packages, out.Affected
		for _, n := range all {
			item := News{Advisory: n.hit, Versions: n.versions}
			for _, r := range n.ran {
				item.Runs = append(item.Runs, r.affected())
			}
			if i := slices.IndexFunc(open, func(in Incident) bool { return n.same(in.Advisory) }); i >= 0 {
				item.Incident, item.Status = open[i].ID, open[i].Status
			}
			w.News = append(w.News, item)
		}
		return nil
	})
	return w, err
}

// Watched is what Watch tells.
type Watched struct {
	Advisories *advisory.Name `json:"advisories,omitempty"` // nil: there are none
	Runs       int            `json:"runs"`
	Packages   int            `json:"packages"`
	Affected   int            `json:"affected"`
	News       []News         `json:"news"`
}

// News is an advisory about runs that did not know of it.
type News struct {
	Advisory advisory.Hit `json:"advisory"`
	Versions []string     `json:"versions"`
	Runs     []Affected   `json:"runs"`
	Incident string       `json:"incident,omitempty"`
	Status   string       `json:"status,omitempty"` // of the incident
}
