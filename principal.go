package sallyport

import (
	"slices"
	"strings"
	"time"
)

// A Role is what a principal is trusted with.
type Role string

// The roles of the five people that Sallyport serves.
const (
	Developer Role = "developer" // writes training code, never near a real record
	Steward   Role = "steward"   // hands over data and takes people out of it
	Operator  Role = "operator"  // runs code on real data
	Reviewer  Role = "reviewer"  // lets models out
	Auditor   Role = "auditor"   // checks later how a model came to be
)

// Roles lists every role.
var Roles = []Role{Developer, Steward, Operator, Reviewer, Auditor}

// ParseRoles reads a comma-separated list of roles.
func ParseRoles(s string) ([]Role, error) {
	var out []Role
	for f := range strings.SplitSeq(s, ",") {
		r := Role(strings.TrimSpace(f))
		if !slices.Contains(Roles, r) {
			return nil, Errorf(Usage, "no role is named %q", r).
				Try("choose from developer, steward, operator, reviewer, auditor")
		}
		if !slices.Contains(out, r) {
			out = append(out, r)
		}
	}
	return out, nil
}

// A Principal is a named identity as the site knows it: public keys and roles.
type Principal struct {
	Name      string    `json:"name"`
	Roles     []Role    `json:"roles"`
	Signing   string    `json:"signing"`   // ECDSA P-256 public key, PEM SubjectPublicKeyInfo
	Recipient string    `json:"recipient"` // age X25519 recipient, age1…
	Enrolled  time.Time `json:"enrolled"`
	By        string    `json:"by"` // who enrolled it
}

// An Action is something that only some roles may do.
type Action string

// Actions, named as a sentence continues after "may".
const (
	Enrol     Action = "enrol principals"
	AddData   Action = "add data"
	OpenData  Action = "open real records"
	RunReal   Action = "run code on real data"
	OpenRun   Action = "open the output of a run"
	TakeModel Action = "take a model out"
	Waive     Action = "waive findings"
	Erase     Action = "take a person out"
	Advise    Action = "bring advisories in"
	ReadLog   Action = "read the ledger"
)

// allowed is the whole of who may do what.
var allowed = map[Action][]Role{
	Enrol:     {Steward},
	AddData:   {Steward},
	OpenData:  {Steward, Operator},
	RunReal:   {Operator},
	OpenRun:   {Steward, Operator, Reviewer},
	TakeModel: {Operator, Reviewer},
	Waive:     {Reviewer},
	Erase:     {Steward},
	Advise:    {Steward, Operator, Reviewer, Auditor}, // not who would have to mend what they say
	ReadLog:   {Developer, Steward, Operator, Reviewer, Auditor},
}

// Who returns the roles that may do a.
func Who(a Action) []Role { return allowed[a] }

// Has reports whether p holds role r.
func (p Principal) Has(r Role) bool { return slices.Contains(p.Roles, r) }

// May returns nil if one of p's roles allows a, and an error of kind Denied
// that names the roles that would do. An action without roles is nobody's.
func (p Principal) May(a Action) error {
	names := make([]string, 0, 2)
	for _, r := range allowed[a] {
		if p.Has(r) {
			return nil
		}
		names = append(names, string(r))
	}
	return Errorf(Denied, "%s may not %s", p.Name, a).
		Try("ask a principal with the role %s, or use another identity with --as", strings.Join(names, " or "))
}
