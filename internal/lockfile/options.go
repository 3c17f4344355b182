package lockfile

import "strings"

// An effect is what an option of pip does to what is installed.
type effect uint8

const (
	harmless effect = iota + 1 // neither adds a package nor a place that one may come from
	mainIndex
	extraIndex
	include
	includeConda
	constrain
	editable
	hashed
)

// An option is one of pip's, in a requirements file or on its command line.
type option struct {
	does  effect
	value bool // a value follows
}

// options are those that pip takes in a requirements file, now or formerly.
var options = map[string]option{
	"-i": {mainIndex, true}, "--index-url": {mainIndex, true}, "--pypi-url": {mainIndex, true},
	"--extra-index-url": {extraIndex, true}, "-f": {extraIndex, true}, "--find-links": {extraIndex, true},
	"-r": {include, true}, "--requirement": {include, true}, "-c": {constrain, true}, "--constraint": {constrain, true},
	"-e": {editable, true}, "--editable": {editable, true},
	"--hash": {hashed, true},

	"--no-index": {harmless, false}, "--trusted-host": {harmless, true},
	"--pre": {harmless, false}, "--all-releases": {harmless, true}, "--only-final": {harmless, true},
	"--no-binary": {harmless, true}, "--only-binary": {harmless, true}, "--prefer-binary": {harmless, false},
	"--require-hashes": {harmless, false}, "--use-feature": {harmless, true},
	"--config-settings": {harmless, true}, "--config-setting": {harmless, true}, "-C": {harmless, true},
	"--global-option": {harmless, true}, "--install-option": {harmless, true}, "--build-option": {harmless, true},
	"--use-pep517": {harmless, false}, "--no-use-pep517": {harmless, false},
	"--use-wheel": {harmless, false}, "--no-use-wheel": {harmless, false}, "-Z": {harmless, false}, "--always-unzip": {harmless, false},
	"--process-dependency-links": {harmless, false}, "--allow-external": {harmless, true}, "--allow-all-external": {harmless, false},
	"--allow-unverified": {harmless, true}, "--allow-insecure": {harmless, true}, "--no-allow-external": {harmless, false},
}

// A setting is an option as it was written.
type setting struct {
	name, value string
	does        effect // 0: not known
}

// settings reads options: "--name value", "--name=value", "-n value", "-nvalue".
// Words that belong to no option come back as rest.
func settings(args []string, known map[string]option) (out []setting, rest []string) {
	for i := 0; i < len(args); i++ {
		if !strings.HasPrefix(args[i], "-") || args[i] == "-" {
			rest = append(rest, args[i])
			continue
		}
		s := setting{name: args[i]}
		glued := false
		if strings.HasPrefix(s.name, "--") {
			s.name, s.value, glued = strings.Cut(s.name, "=")
		} else if len(s.name) > 2 && known[s.name[:2]].value {
			s.name, s.value, glued = s.name[:2], s.name[2:], true
		}
		o := known[s.name]
		s.does = o.does
		switch {
		case o.value && !glued && i+1 < len(args):
			i++
			s.value = args[i]
		case o.value && !glued, glued && !o.value:
			s.does = 0 // without the value that it needs, or with one that it does not take
		}
		out = append(out, s)
	}
	return out, rest
}
