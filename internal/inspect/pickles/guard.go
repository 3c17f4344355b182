package pickles

import (
	"slices"
	"strings"

	"github.com/sallyport/sallyport/internal/format/pickle"
)

// A guard judges the state of a class whose __setstate__ does more with it than
// to keep it.
type guard func(j *judge, m *pickle.Machine, state pickle.Value) string

// guards returns the guard of a mode, nil for modes that have none.
func guards(mode string) guard {
	switch mode {
	case "flair":
		return flairState
	case "scipy":
		return scipyState
	case "noformula":
		return formulaState
	}
	return nil
}

// flairAttributes are the attributes that flair 0.4 to 0.15 writes for an
// embedding of a transformer. All go to its constructor, and what that does not
// know goes to those of transformers, where "trust_remote_code" would have the
// loader run what lies in somebody's repository.
var flairAttributes = []string{
	"allow_long_sentences", "base_model_name", "batch_size", "cls_pooling", "config_state_dict", "context_dropout", "context_length",
	"embedding_length", "embedding_length_internal", "fine_tune", "force_max_length", "instance_parameters", "is_document_embedding",
	"is_token_embedding", "layer_indexes", "layer_mean", "layers", "max_subtokens_sequence_length", "memory_effective_training", "model",
	"model_state_dict", "name", "needs_manual_ocr", "pooling", "pooling_operation", "respect_document_boundaries", "static_embeddings",
	"stride", "subtoken_pooling", "training", "truncate", "use_context", "use_context_separator", "use_lang_emb", "use_scalar_mix",
}

// flair judges the state of an embedding: without its configuration the weights
// would come from whatever repository it names.
func flairState(_ *judge, m *pickle.Machine, state pickle.Value) string {
	values := attributes(m, state)
	for name := range values {
		if !slices.Contains(flairAttributes, name) {
			return "the state has an attribute that its library does not write, and hands on to what loads models"
		}
	}
	config, count := m.Items(values["config_state_dict"])
	if values["config_state_dict"].Kind() != pickle.Dict || count == 0 {
		return "the state has no configuration: the model would come from elsewhere"
	}
	for i := 0; i+1 < len(config); i += 2 {
		if key := text(m, config[i]); key == "auto_map" || key == "trust_remote_code" {
			return "the configuration names code of its own"
		}
	}
	return ""
}

// formulaState judges the tables of a model of statsmodels. With the key it has
// patsy evaluate a formula, which is Python.
func formulaState(_ *judge, m *pickle.Machine, state pickle.Value) string {
	values := attributes(m, state)
	if values == nil {
		return "the state is no dict, or too large to judge"
	}
	if _, asks := values["restore_design_info"]; asks {
		return "the state has a formula evaluated"
	}
	return ""
}

// scipyState judges the state of a distribution of scipy.stats. Since 1.6 it
// executes the source of three functions that stands in it; before it only has
// the arguments of its constructor.
func scipyState(_ *judge, m *pickle.Machine, state pickle.Value) string {
	if state.Kind() == pickle.Tuple {
		return ""
	}
	values := attributes(m, state)
	if values == nil {
		return "the state is no dict, or too large to judge"
	}
	source, ok := m.Text(values["_parse_arg_template"], 4096)
	if !ok || !parsesArguments(source) {
		return "the source in the state is not what its library writes"
	}
	return ""
}

// parsesArguments reports whether a source defines functions that hand on
// their arguments, and does nothing else: it names nothing but those and
// parameters, and calls one method.
func parsesArguments(source string) bool {
	if strings.Trim(source, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_ ,=().:'\n") != "" {
		return false
	}
	const method = "return self._argcheck_rvs("
	source = strings.ReplaceAll(source, method, "return (")
	for line := range strings.Lines(source) {
		line = strings.TrimSpace(line)
		if rest, ok := strings.CutPrefix(line, "def _parse_args"); ok {
			rest = strings.TrimPrefix(strings.TrimPrefix(rest, "_rvs"), "_stats")
			if !strings.HasPrefix(rest, "(self, ") || !strings.HasSuffix(rest, "):") || strings.ContainsAny(rest[1:len(rest)-2], "().") {
				return false
			}
		} else if rest, ok := strings.CutPrefix(line, "return ("); ok {
			inner, behind, closed := strings.Cut(rest, ")")
			if !closed || strings.ContainsAny(inner+behind, "().:'") {
				return false
			}
		} else if line != "" {
			return false
		}
	}
	return !strings.Contains(source, "__")
}
