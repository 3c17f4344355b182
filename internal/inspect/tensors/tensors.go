// Package tensors judges files that are meant to hold numbers and nothing else:
// safetensors and the indexes of their parts, GGUF, NumPy's arrays and Flax's
// MessagePack. It holds every shape, type and offset against the bytes that are
// there, because readers in other languages that do not are where such files do
// harm. The one program that they carry, the chat template of a language model,
// it judges too, wherever it lies: in GGUF, in a tokenizer's JSON or alone.
package tensors

import "github.com/sallyport/sallyport/internal/inspect"

var (
	ruleLayout = &inspect.Rule{
		ID: "tensor-layout", Title: "Tensors do not lie in the file as its header says.", CWE: 130,
		Mend: "have it written again by the library that it belongs to; bytes that no tensor owns can hide anything",
	}
	ruleIndexPath = &inspect.Rule{
		ID: "index-path", Title: "An index of weights names a file outside its folder.", CWE: 22,
		Mend: "do not load it; get the model again from where it was made",
	}
	ruleIndexMissing = &inspect.Rule{
		ID: "index-missing", Title: "An index of weights names a file that is not beside it.",
		Mend: "scan the model together with all of its parts",
	}
	ruleExtension = &inspect.Rule{
		ID: "msgpack-extension", Title: "A MessagePack file holds a type that Flax does not write.", CWE: 502,
		Mend: "find out which program wrote it and what reading the type does there",
	}
	ruleTemplate = &inspect.Rule{
		ID: "chat-template", Title: "The model brings a chat template: a program that words what it is told.",
		Mend: "compare it with the template that the makers of the model publish: that it does not lead the model astray cannot be told by a scanner",
	}
	ruleTemplateCode = &inspect.Rule{
		ID: "chat-template-code", Title: "A chat template reaches for what templates do not need.", CWE: 1336,
		Mend: "do not load it; take the template that the makers of the model publish, or have a reviewer read it",
	}
	ruleTemplateSyntax = &inspect.Rule{
		ID: "chat-template-syntax", Title: "A chat template is not valid Jinja.", CWE: 1336,
		Mend: "take the template that the makers of the model publish; programs differ in what they make of this one",
	}
)

// Rules lists every rule that the package reports.
var Rules = []*inspect.Rule{ruleLayout, ruleIndexPath, ruleIndexMissing, ruleExtension, ruleTemplate, ruleTemplateCode, ruleTemplateSyntax}

// Readings are the formats that the package knows.
var Readings = []inspect.Reading{
	{Format: "safetensors", Extensions: []string{".safetensors"}, Match: matchSafetensors, Inspect: inspectSafetensors},
	{Format: "weights-index", Match: matchIndex, Inspect: inspectIndex},
	{Format: "gguf", Extensions: []string{".gguf"}, Match: matchGGUF, Inspect: inspectGGUF},
	{Format: "npy", Extensions: []string{".npy"}, Match: matchNpy, Inspect: inspectNpy},
	{Format: "flax-msgpack", Extensions: []string{".msgpack"}, Match: matchFlax, Inspect: inspectFlax},
	{Format: "chat-template", Extensions: []string{".jinja", ".jinja2", ".j2"}, Match: matchTemplate, Inspect: inspectTemplate},
	{Format: "tokenizer-config", Wraps: true, Match: matchTokenizer, Inspect: inspectTokenizer},
}
