package advisory

import (
	"strings"

	cvss2 "github.com/pandatix/go-cvss/20"
	cvss30 "github.com/pandatix/go-cvss/30"
	cvss31 "github.com/pandatix/go-cvss/31"
	cvss4 "github.com/pandatix/go-cvss/40"

	"github.com/sallyport/sallyport/internal/format/json"
)

// A rating is how bad somebody says that something is.
type rating struct {
	severity Severity
	score    float64
	vector   string
}

// or is the worse of two ratings.
func (r rating) or(s rating) rating {
	if s.severity > r.severity || s.severity == r.severity && s.score > r.score {
		return s
	}
	return r
}

// rate reads what a record, or an entry of its "affected", says about its
// severity. A scale that is not CVSS rates nothing.
func rate(doc *json.Value) rating {
	var worst rating
	if list := doc.Get("severity"); list.Is(json.Array) {
		for _, s := range list.Items {
			worst = worst.or(scored(s.Get("score").Str()))
		}
	}
	word := strings.ToLower(doc.Get("database_specific").Get("severity").Str())
	if word == "moderate" {
		word = Medium.String()
	}
	for s := Low; s <= Critical; s++ {
		if s.String() == word {
			worst = worst.or(rating{severity: s})
		}
	}
	return worst
}

// scored rates a vector of any version of CVSS. Its prefix says which, and
// version 2 has none.
func scored(vector string) rating {
	var score float64
	switch {
	case strings.HasPrefix(vector, "CVSS:4.0/"):
		v, err := cvss4.ParseVector(vector)
		if err != nil {
			return rating{}
		}
		score = v.Score()
	case strings.HasPrefix(vector, "CVSS:3.1/"):
		v, err := cvss31.ParseVector(vector)
		if err != nil {
			return rating{}
		}
		score = v.BaseScore()
	case strings.HasPrefix(vector, "CVSS:3.0/"):
		v, err := cvss30.ParseVector(vector)
		if err != nil {
			return rating{}
		}
		score = v.BaseScore()
	default:
		v, err := cvss2.ParseVector(strings.Trim(vector, "()"))
		if err != nil {
			return rating{}
		}
		score = v.BaseScore()
	}
	return rating{graded(score), score, vector}
}

// graded is the qualitative scale of CVSS 3.1 and 4.0 (section 5 and 6). A score
// of nothing is low: somebody did rate it.
func graded(score float64) Severity {
	switch {
	case score >= 9:
		return Critical
	case score >= 7:
		return High
	case score >= 4:
		return Medium
	}
	return Low
}
