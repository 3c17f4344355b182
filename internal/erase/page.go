package erase

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/sallyport/sallyport/internal/evidence"
)

//go:embed page.html
var pageText string

// A Change is a metric before and after.
type Change struct {
	Name          string
	Before, After string
	Difference    string
}

// Page writes a certificate for people: one HTML file without anything from
// elsewhere, which prints on a few pages. The signed JSON is what counts; the
// page says so, and its digest.
func Page(w io.Writer, e evidence.Erasure, key evidence.Key, digest string) error {
	t, err := template.New("page").Funcs(template.FuncMap{
		"day":     func(t time.Time) string { return t.Format("2 January 2006") },
		"when":    func(t time.Time) string { return t.Format("2 January 2006, 15:04 MST") },
		"metrics": Metrics,
		"ground":  func(g string) string { return groundTexts[g] },
		"article": article,
		"many":    many,
		"days":    func(from, to time.Time) string { return fmt.Sprintf("%.0f", to.Sub(from).Hours()/24) },
	}).Parse(pageText)
	if err != nil {
		return err
	}
	return t.Execute(w, map[string]any{"E": e, "Key": key, "Digest": digest,
		"InTime": !e.Finished.After(e.Due), "Records": records(e)})
}

// records is how many records were destroyed, each counted in every version that
// it was in.
func records(e evidence.Erasure) (n int) {
	for _, v := range e.Versions {
		n += int(v.Records)
	}
	return n
}

// many writes "1 person" or "2 persons".
func many(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// article writes art17.1.b as lawyers do: art. 17(1)(b).
func article(ground string) string {
	p := strings.Split(strings.TrimPrefix(ground, "art"), ".")
	if len(p) != 3 {
		return ground
	}
	return fmt.Sprintf("art. %s(%s)(%s)", p[0], p[1], p[2])
}

// fewMetrics is how many metrics of a run the page shows: the JSON has all.
const fewMetrics = 8

// Metrics puts a few of a run's metrics side by side, those that changed most first.
func Metrics(r evidence.ErasedRun) []Change {
	names := slices.Sorted(maps.Keys(r.Before))
	slices.SortStableFunc(names, func(a, b string) int {
		da, db := relative(r, a), relative(r, b)
		switch {
		case da > db:
			return -1
		case da < db:
			return 1
		}
		return 0
	})
	var out []Change
	for _, n := range names[:min(len(names), fewMetrics)] {
		c := Change{Name: n, Before: fmt.Sprintf("%.6g", r.Before[n]), After: "–"}
		if after, ok := r.After[n]; ok {
			c.After, c.Difference = fmt.Sprintf("%.6g", after), fmt.Sprintf("%+.3g", after-r.Before[n])
		}
		out = append(out, c)
	}
	return out
}

func relative(r evidence.ErasedRun, name string) float64 {
	d := r.After[name] - r.Before[name]
	if b := r.Before[name]; b != 0 {
		d /= b
	}
	return max(d, -d)
}

// groundTexts are GDPR art. 17(1) and (3) in short.
var groundTexts = map[string]string{
	"art17.1.a": "the data are no longer necessary for what they were collected for",
	"art17.1.b": "consent was withdrawn",
	"art17.1.c": "the person objected to the processing",
	"art17.1.d": "the data were processed unlawfully",
	"art17.1.e": "the law demands the erasure",
	"art17.1.f": "the data were collected from a child for an online service",
	"art17.3.a": "freedom of expression and information",
	"art17.3.b": "a legal obligation, or a task in the public interest",
	"art17.3.c": "public interest in public health",
	"art17.3.d": "archiving, research or statistics in the public interest",
	"art17.3.e": "legal claims",
}
