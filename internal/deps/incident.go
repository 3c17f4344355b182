package deps

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/advisory"
	"github.com/sallyport/sallyport/internal/ledger"
)

// An Incident is the document of an object "incident": something that was
// published about what the site has run, after it ran. Somebody owns it, until
// a day, and its next step is said.
type Incident struct {
	ID       string       `json:"id"` // "i7", counted from 1
	Advisory advisory.Hit `json:"advisory"`
	Versions []string     `json:"versions"` // of the package, that were used
	Runs     []Affected   `json:"runs"`     // in the order in which they began
	Opened   time.Time    `json:"opened"`
	Serial   int64        `json:"serial"` // of the bundle that told
	Owner    string       `json:"owner"`
	Deadline time.Time    `json:"deadline"`
	Next     string       `json:"next"`
	Status   string       `json:"status"` // IncidentOpen or IncidentClosed
	Notes    []Note       `json:"notes,omitempty"`
}

// The statuses of an incident.
const (
	IncidentOpen   = "open"
	IncidentClosed = "closed"
)

// Affected is a run that an incident is about, or an environment in which
// nothing ran.
type Affected struct {
	Run         string   `json:"run,omitempty"`
	Environment string   `json:"environment"`
	Models      []string `json:"models,omitempty"` // artefact folders
}

// A Note is what somebody did or found out.
type Note struct {
	At   time.Time `json:"at"`
	By   string    `json:"by"`
	Text string    `json:"text"`
}

// deadlines are how long there is to answer an incident.
var deadlines = map[advisory.Severity]time.Duration{
	advisory.Critical: 7 * day,
	advisory.High:     14 * day,
	advisory.Medium:   30 * day,
	advisory.Low:      90 * day,
	advisory.Unrated:  14 * day, // nobody has said that it is not high
}

// open makes an incident of what became known about a package, owned by who ran
// it last.
func open(id string, h advisory.Hit, ran []Ran, versions []string, serial int64, at time.Time) Incident {
	in := Incident{ID: id, Advisory: h, Versions: versions, Opened: at, Serial: serial, Status: IncidentOpen}
	for _, r := range ran {
		in.Runs = append(in.Runs, r.affected())
	}
	last := ran[len(ran)-1]
	in.Owner = last.By
	in.Deadline = deadline(h, at)
	switch {
	case h.Malicious:
		in.Next = "treat what the run could reach as known to others: it saw real records; see what it tried to reach with: sallyport runs show " + last.Run
		if last.Run == "" {
			in.Next = "nothing ran with it: remove it from the lock"
		}
	case len(h.Fixed) > 0:
		in.Next = fmt.Sprintf("move %s to %s in the lock, and run again", h.Package, strings.Join(h.Fixed, " or "))
	default:
		in.Next = fmt.Sprintf("find out whether the weakness of %s can be reached, and decide about it in %s", h.Package, PolicyFile)
	}
	return in
}

// deadline is until when there is to be an answer to an advisory that came in.
func deadline(h advisory.Hit, at time.Time) time.Time {
	left := deadlines[h.Severity]
	if h.Malicious || !h.Exploited.IsZero() {
		left = 2 * day
	}
	return at.Add(left).Truncate(day)
}

func (r Ran) affected() Affected {
	return Affected{Run: r.Run, Environment: r.Environment, Models: r.Models}
}

// Incidents returns every incident, open ones first, each group by deadline.
func (s *Service) Incidents(ctx context.Context) ([]Incident, error) {
	var all []Incident
	err := s.Log.View(ctx, func(tx *ledger.Tx) (err error) {
		all, err = incidents(tx)
		return err
	})
	slices.SortStableFunc(all, func(a, b Incident) int {
		if a.Status != b.Status {
			return strings.Compare(b.Status, a.Status) // "open" before "closed"
		}
		return a.Deadline.Compare(b.Deadline)
	})
	return all, err
}

func incidents(tx *ledger.Tx) ([]Incident, error) {
	all := []Incident{}
	err := tx.Each("incident", func(_ string, raw []byte, _ ledger.Entry) error {
		var in Incident
		if err := json.Unmarshal(raw, &in); err != nil {
			return err
		}
		all = append(all, in)
		return nil
	})
	return all, err
}

// Incident returns one by its ID.
func (s *Service) Incident(ctx context.Context, id string) (*Incident, error) {
	var in Incident
	err := s.Log.View(ctx, func(tx *ledger.Tx) error { return tx.Get("incident", id, &in) })
	if sallyport.Is(err, sallyport.NotFound) {
		return nil, sallyport.Errorf(sallyport.NotFound, "no incident is called %q", id).Try("list them with: sallyport incidents")
	}
	return &in, err
}

// A Change is what somebody wants to change about an incident; zero fields stay
// as they are.
type Change struct {
	Owner    string
	Deadline time.Time
	Next     string
	Note     string
	Status   string
}

// Change changes an incident. Closing one, and opening it again, takes a note
// that says why.
func (s *Service) Change(ctx context.Context, id string, c Change) (*Incident, error) {
	if err := s.Who.May(sallyport.Advise); err != nil {
		return nil, err
	}
	if c.Status != "" && strings.TrimSpace(c.Note) == "" {
		return nil, sallyport.Errorf(sallyport.Usage, "it gives no reason").Try("say why with --note: it stays with the incident")
	}
	if _, err := s.Incident(ctx, id); err != nil {
		return nil, err
	}
	var in Incident
	err := s.Log.Update(ctx, s.Who.Name, func(tx *ledger.Tx) error {
		if err := tx.Get("incident", id, &in); err != nil {
			return err
		}
		action, err := in.apply(c, s.Who.Name, now())
		if err != nil {
			return err
		}
		_, err = tx.Put(action, "incident", in.ID, in, nil)
		return err
	})
	return &in, err
}

// apply changes the document and returns what the ledger says about it.
func (in *Incident) apply(c Change, by string, at time.Time) (action string, err error) {
	action = "incident.changed"
	if c.Owner != "" {
		in.Owner = c.Owner
	}
	if c.Next != "" {
		in.Next = c.Next
	}
	if !c.Deadline.IsZero() {
		in.Deadline = c.Deadline
	}
	if c.Note != "" {
		in.Notes = append(in.Notes, Note{at, by, c.Note})
	}
	if c.Status == in.Status {
		return "", sallyport.Errorf(sallyport.Refused, "the incident is %s already", in.Status)
	}
	switch c.Status {
	case IncidentClosed:
		in.Status, action = c.Status, "incident.closed"
	case IncidentOpen:
		in.Status, action = c.Status, "incident.opened"
	}
	return action, nil
}
