package graphs

import "strings"

// Known reports whether the name of an operator, "ReadFile" or "com.microsoft::Gelu",
// stands on a list of this package, allowed or refused. Any other may be made up
// by the file.
func Known(name string) bool {
	domain, op, foreign := strings.Cut(name, "::")
	if !foreign {
		domain, op = "", name
	}
	if _, ok := onnxOps()[onnxListed(domain, op)]; ok || foreign && strings.Contains(onnxHost, " "+name+" ") {
		return true
	}
	for _, list := range [...]func() map[string]string{tfOps, tfRefused, tfliteOps, milOps} {
		if _, ok := list()[name]; ok {
			return true
		}
	}
	return name == "DELEGATE" || name == "STABLEHLO_CUSTOM_CALL"
}
