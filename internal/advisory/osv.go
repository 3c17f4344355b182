package advisory

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/sallyport/sallyport/internal/format/json"
	"github.com/sallyport/sallyport/internal/pep440"
	"github.com/sallyport/sallyport/internal/pep508"
)

const (
	maxID      = 128     // bytes
	maxSummary = 200     // characters
	maxURL     = 2 << 10 // bytes
)

// A record is what one OSV record says about packages of PyPI.
//
// Source: Open Source Vulnerability schema 1.7 (ossf/osv-schema).
type record struct {
	id        string
	aliases   []string
	summary   string
	url       string
	rating    rating
	malicious bool
	published time.Time
	modified  time.Time
	withdrawn bool
	affects   []affect // by package, each once
	elsewhere bool     // packages of other ecosystems are affected
}

// An affect is what a record says about the versions of one package.
type affect struct {
	name     string // normalised
	ranges   [][]event
	versions []string // a list of them, as they are written
	rating   rating
	unread   string // why that is not all that the record says; or ""
}

// readRecord reads a record from its tree. The error says what of it cannot be
// read; the rest comes with it.
func readRecord(doc *json.Value) (record, error) {
	var r record
	var wrong error
	if r.id = doc.Get("id").Str(); !identifies(r.id) {
		r.id, wrong = "", fmt.Errorf("it has no id that could be one")
	}
	r.aliases = identifiers(doc.Get("aliases"))
	r.summary = summary(doc)
	r.url = reference(doc.Get("references"))
	r.rating = rate(doc)
	r.malicious = malicious(doc, r)
	r.published = date(doc.Get("published"))
	r.modified = date(doc.Get("modified"))
	// A date that cannot be read withdraws nothing.
	r.withdrawn = !date(doc.Get("withdrawn")).IsZero()
	affected := doc.Get("affected")
	if !affected.Is(json.Array) || len(affected.Items) == 0 {
		return r, fmt.Errorf("it does not say what it affects")
	}
	for _, entry := range affected.Items {
		if err := r.affect(entry); err != nil {
			wrong = err
		}
	}
	return r, wrong
}

// affect reads an entry of "affected". Several of one package become one.
func (r *record) affect(entry *json.Value) error {
	of := entry.Get("package")
	if ours, err := ofPyPI(of, entry); err != nil || !ours {
		r.elsewhere = true
		return err
	}
	name := of.Get("name").Str()
	if !pep508.ValidName(name) {
		return fmt.Errorf("it affects a package whose name could be none of PyPI's")
	}
	name = pep508.Normal(name)
	i := slices.IndexFunc(r.affects, func(a affect) bool { return a.name == name })
	if i < 0 {
		i = len(r.affects)
		r.affects = append(r.affects, affect{name: name})
	}
	a := &r.affects[i]
	a.rating = a.rating.or(rate(entry))
	if why := a.read(entry); why != "" && a.unread == "" {
		a.unread = why
	}
	return nil
}

// ofPyPI reports whether an entry is about a package of PyPI. One about a
// repository alone, without a package, is not; one that is about we do not know
// what is an error.
func ofPyPI(of, entry *json.Value) (bool, error) {
	ecosystem, _, _ := strings.Cut(of.Get("ecosystem").Str(), ":")
	switch {
	case strings.EqualFold(ecosystem, "PyPI"):
		return true, nil
	case ecosystem != "":
		return false, nil
	case strings.HasPrefix(strings.ToLower(of.Get("purl").Str()), "pkg:pypi/"):
		return true, nil
	case of == nil && onlyGit(entry.Get("ranges")):
		return false, nil
	}
	return false, fmt.Errorf("it affects a package of no ecosystem")
}

func onlyGit(ranges *json.Value) bool {
	return ranges.Is(json.Array) && len(ranges.Items) > 0 &&
		!slices.ContainsFunc(ranges.Items, func(r *json.Value) bool { return r.Get("type").Str() != "GIT" })
}

// read takes an entry's ranges and its list of versions. It returns why that is
// not all that the entry says, or "".
func (a *affect) read(entry *json.Value) (unread string) {
	said := len(a.ranges) + len(a.versions)
	listed := a.list(entry.Get("versions"), &unread)
	ranges := entry.Get("ranges")
	if ranges != nil && !ranges.Is(json.Array) && !ranges.Is(json.Null) {
		return "its ranges are no list"
	}
	if ranges != nil {
		for _, r := range ranges.Items {
			if why := a.span(r, listed); why != "" {
				unread = why
			}
		}
	}
	if unread == "" && !listed && len(a.ranges)+len(a.versions) == said {
		return "it names no versions"
	}
	return unread
}

// list takes a list of versions, and reports whether there is one.
func (a *affect) list(versions *json.Value, unread *string) bool {
	if versions == nil || versions.Is(json.Null) {
		return false
	}
	if !versions.Is(json.Array) {
		*unread = "its list of versions is none"
		return false
	}
	for _, v := range versions.Items {
		if !v.Is(json.String) {
			*unread = "its list of versions holds something else"
			continue
		}
		a.versions = append(a.versions, v.Text)
	}
	return len(versions.Items) > 0
}

// span takes a range. One of commits says nothing about versions, and one of a
// type that is not known nothing that we understand: the list of versions has
// to be there instead.
func (a *affect) span(r *json.Value, listed bool) (unread string) {
	switch kind := r.Get("type").Str(); {
	case kind == "GIT":
		return ""
	case kind != "ECOSYSTEM" && kind != "SEMVER" && listed:
		return ""
	case kind != "ECOSYSTEM" && kind != "SEMVER":
		return "it has a range of a kind that is not known"
	}
	list := r.Get("events")
	if !list.Is(json.Array) || len(list.Items) == 0 {
		return "it has a range without events"
	}
	var events []event
	for _, item := range list.Items {
		if !item.Is(json.Object) || len(item.Members) == 0 {
			return "it has a range with an event that is none"
		}
		for _, m := range item.Members {
			e, why := readEvent(m)
			if why != "" {
				return why
			}
			events = append(events, e)
		}
	}
	if !slices.ContainsFunc(events, func(e event) bool { return e.change != limit }) {
		return "it has a range of limits alone"
	}
	a.ranges = append(a.ranges, events)
	return ""
}

func readEvent(m json.Member) (e event, unread string) {
	i := slices.Index(changes[:], m.Key)
	if i < 0 {
		return e, "it has a range with an event that is not known"
	}
	e.change = change(i)
	at := m.Value.Str()
	if e.change == introduced && at == "0" || e.change == limit && at == "*" {
		return e, ""
	}
	var err error
	if e.version, err = pep440.Parse(at); err != nil {
		return e, "it has a range that ends or begins with no version as PEP 440 has it"
	}
	return e, ""
}

// identifiers are the texts of a list that can be those of records.
func identifiers(list *json.Value) []string {
	if !list.Is(json.Array) {
		return nil
	}
	var out []string
	for _, v := range list.Items {
		if s := v.Str(); identifies(s) {
			out = append(out, s)
		}
	}
	return out
}

func identifies(id string) bool { return id != "" && len(id) <= maxID && visible(id) }

// visible reports whether a text is of ASCII that can be seen.
func visible(s string) bool {
	return !strings.ContainsFunc(s, func(c rune) bool { return c <= ' ' || c > '~' })
}

// embeddedMalice is the weakness (CWE) by which GitHub's reviewed advisories
// mark packages that are themselves an attack.
const embeddedMalice = "CWE-506"

func malicious(doc *json.Value, r record) bool {
	isMal := func(id string) bool { return strings.HasPrefix(id, "MAL-") }
	own := doc.Get("database_specific")
	return isMal(r.id) || slices.ContainsFunc(r.aliases, isMal) ||
		slices.Contains(identifiers(own.Get("cwe_ids")), embeddedMalice) ||
		own.Get("malicious-packages-origins") != nil
}

// summary is a line on what a record is about, safe for a terminal.
func summary(doc *json.Value) string {
	s := doc.Get("summary").Str()
	if s == "" {
		s = doc.Get("details").Str()
		s = s[:min(len(s), 8*maxSummary)]
	}
	return line(s, maxSummary)
}

// line is a text from outside as one line that is safe for a terminal, of at
// most so many characters.
func line(s string, most int) string {
	s = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, ""), func(c rune) bool { return !unicode.IsGraphic(c) || unicode.IsSpace(c) }), " ")
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	s = string([]rune(s)[:most-1])
	if i := strings.LastIndexByte(s, ' '); i > most/2 {
		s = s[:i]
	}
	return s + "…"
}

// reference is where to read about a record: an advisory before anything else.
func reference(list *json.Value) string {
	first := ""
	if !list.Is(json.Array) {
		return first
	}
	for _, r := range list.Items {
		s := r.Get("url").Str()
		u, err := url.Parse(s)
		if err != nil || u.Scheme != "https" && u.Scheme != "http" || len(s) > maxURL || !visible(s) {
			continue
		}
		if r.Get("type").Str() == "ADVISORY" {
			return s
		}
		if first == "" {
			first = s
		}
	}
	return first
}

func date(v *json.Value) time.Time {
	t, err := time.Parse(time.RFC3339, v.Str())
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}
