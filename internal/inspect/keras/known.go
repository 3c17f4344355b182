package keras

import "strings"

// Known reports whether a name, "keras.layers.Dense" or "Lambda", stands on a list
// of this package, allowed or refused. Any other may be made up by the file.
func Known(name string) bool {
	l := known()
	if op, ok := strings.CutPrefix(name, "tensorflow."); ok && l.tfops[op] {
		return true
	}
	for entry := range strings.Lines(refusedText) {
		if strings.TrimSpace(entry) == name {
			return name != ""
		}
	}
	module, last := "", name
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		module, last = name[:i], name[i+1:]
		if module == "" {
			return false
		}
	}
	if l.class(module, last) || l.function(module, last) {
		return true
	}
	switch last {
	case "Lambda", "__lambda__", "TFOpLambda", "SlicingOpLambda", "TorchModuleWrapper", "JaxLayer", "FlaxLayer", "FlaxModuleWrapper", "TFSMLayer":
		return module == "" || module == "keras.layers"
	}
	return false
}
