package pickles

import "github.com/sallyport/sallyport/internal/inspect"

// What a pickle can be blocked for.
var (
	ruleGlobal = &inspect.Rule{ID: "pickle-global", Title: "The pickle names code that is not known to be harmless.",
		Mend: "save the weights as safetensors, or have a reviewer waive this very file and name", CWE: 502, Code: true}
	ruleCall = &inspect.Rule{ID: "pickle-call", Title: "The pickle calls something that it may not call, or not so.",
		Mend: "have the file written again by the library that it belongs to; do not load this one", CWE: 502, Code: true}
	ruleState = &inspect.Rule{ID: "pickle-state", Title: "The pickle sets the state of something that it did not just make.",
		Mend: "have the file written again by the library that it belongs to; do not load this one", CWE: 915, Code: true}
	ruleItems = &inspect.Rule{ID: "pickle-items", Title: "The pickle adds items to something that is no plain container.",
		Mend: "have the file written again by the library that it belongs to; do not load this one", CWE: 915, Code: true}
	ruleExtension = &inspect.Rule{ID: "pickle-extension", Title: "The pickle asks for an object by a number that only the loading program can explain.",
		Mend: "have it written without the extension registry", CWE: 502}
	rulePersistent = &inspect.Rule{ID: "pickle-persistent", Title: "The pickle asks the loading program for an object by an identity that is no tensor's storage.",
		Mend: "have it written by torch.save, or as safetensors", CWE: 502}
	ruleStorage = &inspect.Rule{ID: "pickle-storage", Title: "The data of a tensor is missing, or less than its type and size need.",
		Mend: "get the file again from where it was made", CWE: 125}
	ruleDivergence = &inspect.Rule{ID: "pickle-divergence", Title: "Unpicklers read the stream differently.",
		Mend: "have the file written again; no library writes such a stream", CWE: 436}
	ruleTrailing = &inspect.Rule{ID: "pickle-trailing", Title: "Something that is no pickle follows the pickle.",
		Mend: "have the file written again; what follows a pickle may be made for another reader", CWE: 351}
	ruleEmbedded = &inspect.Rule{ID: "pickle-embedded", Title: "Bytes in the pickle are themselves a pickle that names code which is not known to be harmless.",
		Mend: "find out what they are for; whoever loads them runs that code", CWE: 502, Code: true}
	ruleNames = &inspect.Rule{ID: "pickle-beside", Title: "The pickle has the loader open a file by a path.",
		Mend: "have it written again by joblib, beside its arrays", CWE: 22}
)

// Rules lists what this package may find.
var Rules = []*inspect.Rule{ruleGlobal, ruleCall, ruleState, ruleItems, ruleExtension, rulePersistent, ruleStorage, ruleDivergence, ruleTrailing, ruleEmbedded, ruleNames}
