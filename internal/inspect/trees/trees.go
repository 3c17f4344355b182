// Package trees judges models of decision trees: XGBoost (JSON, UBJSON and the
// old binary form), LightGBM's text, CatBoost (.cbm and JSON) and PMML.
//
// None of these formats names code, apart from PMML's extensions. Their danger is
// in the libraries, which follow the indices of a model without looking where
// they lead. So a model passes if its trees are trees: arrays as long as they
// claim, every child within them and reached once, features, classes and
// categories in range.
package trees

import (
	_ "embed"
	"strings"
	"sync"

	"github.com/sallyport/sallyport/internal/inspect"
)

// Readings are the formats that the package knows.
var Readings = []inspect.Reading{
	{Format: "xgboost", Match: matchXGBoostJSON, Inspect: inspectXGBoostJSON},
	{Format: "xgboost-ubjson", Extensions: []string{".ubj", ".ubjson"}, Match: matchXGBoostUBJSON, Inspect: inspectXGBoostUBJSON},
	{Format: "xgboost-binary", Match: matchXGBoostBinary, Inspect: inspectXGBoostBinary},
	{Format: "lightgbm", Match: matchLightGBM, Inspect: inspectLightGBM},
	{Format: "catboost", Extensions: []string{".cbm"}, Match: matchCatBoost, Inspect: inspectCatBoost},
	{Format: "catboost-json", Match: matchCatBoostJSON, Inspect: inspectCatBoostJSON},
	{Format: "pmml", Extensions: []string{".pmml"}, Match: matchPMML, Inspect: inspectPMML},
}

var (
	ruleIndex = &inspect.Rule{ID: "tree-index", Title: "An index in the model leads outside of what it points into.",
		Mend: "train or export the model again; the library would read or write memory that is not the model's", CWE: 125}
	ruleShape = &inspect.Rule{ID: "tree-shape", Title: "The trees of the model are not trees, or not as large as the model says.",
		Mend: "train or export the model again; libraries do not check this and may crash or never end", CWE: 1284}
	ruleName = &inspect.Rule{ID: "tree-name", Title: "The model names an objective or booster that is not known.",
		Mend: "find out which library writes it, and have a reviewer waive it if that is as it should be", CWE: 0}
	ruleDoctype = &inspect.Rule{ID: "xml-doctype", Title: "The document declares a type of its own, which may read files or exhaust the reader.",
		Mend: "have it written without a DOCTYPE; no library writes one", CWE: 611}
	rulePMML = &inspect.Rule{ID: "pmml-foreign", Title: "The PMML document holds what PMML does not have.",
		Mend: "have it written without extensions that carry code, or have a reviewer look at them", CWE: 94}
)

// Rules are all that the package can report.
var Rules = []*inspect.Rule{ruleIndex, ruleShape, ruleName, ruleDoctype, rulePMML}

// A subject is a file being inspected.
type subject struct {
	p *inspect.Pass
	f *inspect.File
}

// find reports something suspicious at off.
func (s subject) find(rule *inspect.Rule, off int64, what, why string) {
	s.p.Find(s.f, inspect.Finding{Rule: rule, Verdict: inspect.Suspicious, Offset: off, What: what, Why: why})
}

// name reports a name of a kind, unless it is known.
func (s subject) name(off int64, kind, name string) {
	if !known()[kind+" "+name] {
		s.find(ruleName, off, name, "no version of the library that is known has this "+kind[strings.IndexByte(kind, '-')+1:])
	}
}

//go:embed names.txt
var names string

// known are the lines of names.txt.
var known = sync.OnceValue(func() map[string]bool {
	out := map[string]bool{}
	for line := range strings.Lines(names) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			out[line] = true
		}
	}
	return out
})
