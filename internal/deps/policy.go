package deps

import (
	"errors"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/bom"
	"github.com/sallyport/sallyport/internal/format/yaml"
	"github.com/sallyport/sallyport/internal/lazyregexp"
	"github.com/sallyport/sallyport/internal/pep440"
	"github.com/sallyport/sallyport/internal/pep508"
	"github.com/sallyport/sallyport/internal/vex"
)

// PolicyFile is the name of the file in which a project's people decide about
// findings. It lies beside the code, so that a decision is reviewed like code.
const PolicyFile = "sallyport.deps.yaml"

// A Policy is what a project's people decided. Its zero value is not one: see
// Default.
type Policy struct {
	WarnAfter time.Duration // age of the advisories from which the report says so
	FailAfter time.Duration // and from which nothing passes
	Cooldown  time.Duration // age that a release has to have
	Demand    bool          // whether a younger one is blocked; otherwise it is only said
	Indexes   []string      // URLs of the indexes that packages may come from; none: any
	Ignore    []Decision
	VEX       []*vex.Document // what others say, in the order of the policy file
	project   string          // its package URL
}

// Default is the policy of a project that has no file.
func Default() *Policy {
	return &Policy{WarnAfter: 7 * day, FailAfter: 30 * day, Cooldown: 3 * day}
}

const day = 24 * time.Hour

// maxPolicy bounds the policy file and each VEX document that it names, in bytes.
const maxPolicy = 4 << 20

// ReadPolicy reads a project's policy file and the VEX documents that it
// accepts; without the file the policy is Default. Unknown keys and a decision
// without owner, reason or expiry are errors that show the line.
//
// read returns a file of the project by its slash path, as fs.ReadFile does.
// Statements of VEX documents may speak of the project by its package URL.
func ReadPolicy(read func(name string) ([]byte, error), project string) (*Policy, error) {
	d := policyDraft{read: read, p: Default()}
	d.p.project = bom.ProjectPURL(project, "")
	b, err := d.file(PolicyFile)
	if err != nil || b == nil {
		return d.p, err
	}
	doc, err := yaml.New(PolicyFile, b)
	if err != nil {
		return nil, err
	}
	d.Document = doc
	err = d.Fields(d.Root, "a policy", map[string]func(ast.Node) error{
		"warn-after": func(n ast.Node) error { return d.age(n, "warn-after", &d.p.WarnAfter) },
		"fail-after": func(n ast.Node) error { return d.age(n, "fail-after", &d.p.FailAfter) },
		"cooldown": func(n ast.Node) error {
			d.p.Demand = true
			return d.age(n, "cooldown", &d.p.Cooldown)
		},
		"indexes": d.readIndexes,
		"ignore":  d.readIgnore,
		"vex":     d.readVEX,
	})
	if err == nil && d.p.FailAfter < d.p.WarnAfter {
		err = d.Errorf(d.Root, "fail-after is shorter than warn-after").Try("warn first, then fail")
	}
	return d.p, err
}

// A policyDraft is a policy while its file is being read.
type policyDraft struct {
	*yaml.Document
	read func(name string) ([]byte, error)
	p    *Policy
}

// file returns a file's bytes, or nil if it is not there.
func (d *policyDraft) file(name string) ([]byte, error) {
	b, err := d.read(name)
	switch {
	case errors.Is(err, fs.ErrNotExist), sallyport.Is(err, sallyport.NotFound):
		return nil, nil
	case err != nil:
		return nil, sallyport.Errorf(sallyport.Invalid, "cannot be read: %w", err).At("%s", name)
	case len(b) > maxPolicy:
		return nil, sallyport.Errorf(sallyport.Limit, "larger than %d MiB", maxPolicy>>20).At("%s", name)
	}
	return b, nil
}

var ageForm = lazyregexp.New(`^([0-9]{1,4})d$`)

// maxAge is the longest that advisories may count as fresh, or a decision may
// hold: what nobody has looked at for a year is not known.
const maxAge = 366 * day

func (d *policyDraft) age(n ast.Node, what string, to *time.Duration) error {
	s, err := d.Text(n, what)
	if err != nil {
		return err
	}
	m := ageForm.FindStringSubmatch(s)
	if m == nil {
		return d.Errorf(n, "%s is a number of days", what).Try("write it like 7d")
	}
	days, _ := strconv.Atoi(m[1]) // the form allows four digits
	if *to = time.Duration(days) * day; *to > maxAge {
		return d.Errorf(n, "%s is more than a year", what).Try("bring newer advisories in instead")
	}
	return nil
}

func (d *policyDraft) readIndexes(n ast.Node) error {
	list, err := d.Texts(n, "indexes")
	for _, e := range list {
		if !strings.HasPrefix(e.Text, "https://") {
			return d.Errorf(e.At, "not the https URL of an index").Try("write it like https://pypi.org/simple")
		}
		d.p.Indexes = append(d.p.Indexes, strings.TrimSuffix(e.Text, "/"))
	}
	return err
}

func (d *policyDraft) readIgnore(n ast.Node) error {
	list, ok := n.(*ast.SequenceNode)
	if !ok {
		return d.Errorf(n, "ignore is a list of decisions").Try("begin each with: - id: CVE-…")
	}
	for _, item := range list.Values {
		if err := d.readDecision(item); err != nil {
			return err
		}
	}
	return nil
}

// readDecision reads one entry of ignore.
func (d *policyDraft) readDecision(n ast.Node) error {
	line, _ := yaml.Place(n)
	e := Decision{Status: vex.NotAffected, Source: PolicyFile + ":" + strconv.Itoa(line)}
	text := func(what string, to *string) func(ast.Node) error {
		return func(n ast.Node) (err error) { *to, err = d.Text(n, what); return err }
	}
	err := d.Fields(n, "a decision", map[string]func(ast.Node) error{
		"id":      text("id", &e.ID),
		"package": text("package", &e.Package),
		"versions": func(n ast.Node) (err error) {
			if e.Versions, err = d.Text(n, "versions"); err == nil {
				if _, bad := pep440.ParseSpecifiers(e.Versions); bad != nil {
					err = d.Errorf(n, "not version specifiers").Try(`write them like ">=1.2,<2"`)
				}
			}
			return err
		},
		"status":        d.oneOf("status", &e.Status, vex.Statuses),
		"justification": d.oneOf("justification", &e.Justification, vex.Justifications),
		"owner":         text("owner", &e.Owner),
		"reason":        text("reason", &e.Reason),
		"expires": func(n ast.Node) error {
			s, err := d.Text(n, "expires")
			if err != nil {
				return err
			}
			if e.Expires, err = time.Parse(time.DateOnly, s); err != nil {
				return d.Errorf(n, "expires is a day").Try("write it like 2027-01-31")
			}
			return nil
		},
	})
	if err != nil {
		return err
	}
	if what := e.missing(); what != "" {
		return d.Errorf(n, "the decision has no %s", what).Try("a decision has an id, an owner, a reason and a day on which it expires")
	}
	e.Package = pep508.Normal(e.Package)
	d.p.Ignore = append(d.p.Ignore, e)
	return nil
}

// missing names the first thing that a decision cannot be without.
func (e Decision) missing() string {
	switch {
	case e.ID == "":
		return "id"
	case e.Owner == "":
		return "owner"
	case e.Reason == "":
		return "reason"
	case e.Expires.IsZero():
		return "expires"
	}
	return ""
}

func (d *policyDraft) oneOf(what string, to *string, known []string) func(ast.Node) error {
	return func(n ast.Node) (err error) {
		if *to, err = d.Text(n, what); err == nil && !slices.Contains(known, *to) {
			err = d.Errorf(n, "%s is none that OpenVEX has", what).Try("%s", yaml.Suggest(*to, known))
		}
		return err
	}
}

// readVEX reads the documents of others that the policy accepts.
func (d *policyDraft) readVEX(n ast.Node) error {
	list, err := d.Texts(n, "vex")
	for _, e := range list {
		if !fs.ValidPath(e.Text) {
			return d.Errorf(e.At, "not the path of a file of the project").Try("write it like vex/numpy.openvex.json")
		}
		b, err := d.file(e.Text)
		if err != nil {
			return err
		}
		if b == nil {
			return d.Errorf(e.At, "there is no such file")
		}
		doc, err := vex.Read(e.Text, b)
		if err != nil {
			return err
		}
		doc.ID = e.Text // whoever asks where a decision comes from looks for a file
		d.p.VEX = append(d.p.VEX, doc)
	}
	return err
}
