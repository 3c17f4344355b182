// Package configs judges documents that say which code to call when a model is
// loaded: the schema of skops files, the YAML of NeMo, Hydra and MLflow, and any
// other YAML, which passes unless a loader of it would run something.
package configs

import "github.com/sallyport/sallyport/internal/inspect"

// Readings are the formats that the package knows.
var Readings = []inspect.Reading{
	{Format: "skops-schema", Match: matchSkops, Inspect: inspectSkops},
	{Format: "yaml", Extensions: []string{".yaml", ".yml"}, Match: matchYAML, Inspect: inspectYAML},
}

var (
	ruleSkops = &inspect.Rule{ID: "skops-type", Title: "The schema names a type or function that is not known to be harmless.",
		Mend: "review the code that it names, or have the model written with estimators of scikit-learn only", CWE: 502, Code: true}
	ruleDisguise = &inspect.Rule{ID: "skops-disguise", Title: "A node of the schema says that it is one thing and is loaded as another.",
		Mend: "do not load the file: skops does not write such nodes", CWE: 502}
	ruleMember = &inspect.Rule{ID: "skops-member", Title: "The schema names a member that is not there.",
		Mend: "get the file again from where it was made", CWE: 73}
	ruleTarget = &inspect.Rule{ID: "yaml-target", Title: "The configuration names code to call that is not known to be harmless.",
		Mend: "review the code that it names; only then load the model", CWE: 502, Code: true}
	ruleTag = &inspect.Rule{ID: "yaml-tag", Title: "A tag makes some YAML loaders build an object or run code.",
		Mend: "have it written as plain YAML, and load it with a safe loader", CWE: 502}
	ruleResolver = &inspect.Rule{ID: "yaml-resolver", Title: "A value is looked up outside of the file when it is read.",
		Mend: "have it written with the value itself", CWE: 526}
	ruleCode = &inspect.Rule{ID: "mlflow-code", Title: "The model runs Python code when it is loaded.",
		Mend: "review the code beside the model", CWE: 502}
	ruleTwice = &inspect.Rule{ID: "yaml-twice", Title: "A key stands twice in one mapping.",
		Mend: "have it written again: programs differ in which of the values they take", CWE: 436}
	ruleLines = &inspect.Rule{ID: "yaml-lines", Title: "A line ends with a character that loaders see differently.",
		Mend: "have it written again with ordinary line ends", CWE: 436}
)

// Rules are all that the package reports by.
var Rules = []*inspect.Rule{ruleSkops, ruleDisguise, ruleMember, ruleTarget, ruleTag, ruleResolver, ruleCode, ruleTwice, ruleLines}
