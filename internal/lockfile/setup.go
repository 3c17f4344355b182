package lockfile

import (
	"strings"

	"github.com/sallyport/sallyport/internal/lazyregexp"
	"github.com/sallyport/sallyport/internal/pep508"
)

// readSetupCfg reads the declaration of setuptools, in the form of an INI file.
func (r *reader) readSetupCfg(name string, b []byte) error {
	text := decode(b)
	for _, v := range iniValues(text) {
		groups, ok := setupGroups(v.section, v.key)
		if !ok {
			continue
		}
		if err := r.setupList(name, v, groups); err != nil {
			return err
		}
	}
	return nil
}

// setupGroups says whether a key of setup.cfg lists packages, and for whom.
func setupGroups(section, key string) (groups []string, ok bool) {
	switch section + "." + strings.ReplaceAll(key, "-", "_") {
	case "options.install_requires", "metadata.requires_dist", "metadata.install_requires", "options.requires":
		return nil, true
	case "options.setup_requires", "metadata.setup_requires_dist", "metadata.setup_requires":
		return []string{buildGroup}, true
	case "options.tests_require", "metadata.tests_require":
		return []string{"tests"}, true
	}
	if section == "options.extras_require" || section == "extras" {
		extra, _, _ := strings.Cut(key, ":") // "dev:python_version<'3'", an older way to write a marker
		return []string{pep508.Normal(strings.TrimSpace(extra))}, true
	}
	return nil, false
}

// setupList reads a list of requirements, or of files of them.
func (r *reader) setupList(name string, v iniValue, groups []string) error {
	if files, ok := strings.CutPrefix(strings.TrimSpace(v.text()), "file:"); ok {
		for file := range strings.FieldsFuncSeq(files, func(c rune) bool { return c == ',' || c == '\n' }) {
			if err := r.include(Place{name, v.line}, strings.TrimSpace(file), include); err != nil {
				return err
			}
		}
		return nil
	}
	lines := v.lines
	if len(lines) == 1 { // what stands beside its key has semicolons between its items
		lines = strings.Split(lines[0], ";")
	}
	for i, line := range lines {
		q := request{place: Place{name, v.line}, text: strings.TrimFunc(line, space), groups: groups, direct: true}
		if len(v.lines) > 1 {
			q.place.Line += i
		}
		if q.text == "" || strings.HasPrefix(q.text, "#") {
			continue
		}
		if err := r.ask(q, nil); err != nil {
			return err
		}
	}
	return nil
}

// An iniValue is a value of an INI file, as Python reads it.
type iniValue struct {
	section, key string
	line         int
	lines        []string // from that of the key on
}

func (v iniValue) text() string { return strings.Join(v.lines, "\n") }

var iniSection = lazyregexp.New(`^\[([^\]]+)\]`)

// iniValues reads an INI file. A value goes on in the lines after it that are
// indented more than its key, and may have empty lines and comments within.
func iniValues(text string) []iniValue {
	var out []iniValue
	section, within, indent := "", false, 0
	for i, line := range splitLines(text) {
		trimmed := strings.TrimFunc(line, space)
		comment := strings.HasPrefix(trimmed, "#") || strings.HasPrefix(trimmed, ";")
		depth := len(line) - len(strings.TrimLeftFunc(line, space))
		switch {
		case trimmed == "" || comment:
			if within {
				last := &out[len(out)-1]
				last.lines = append(last.lines, "")
			}
		case within && depth > indent:
			last := &out[len(out)-1]
			last.lines = append(last.lines, trimmed)
		case iniSection.MatchString(trimmed):
			section, within = iniSection.FindStringSubmatch(trimmed)[1], false
		default:
			at := strings.IndexAny(trimmed, "=:")
			if within = at > 0; within {
				if section == "options.extras_require" && strings.Contains(trimmed, "=") {
					at = strings.IndexByte(trimmed, '=') // a colon may be in the key
				}
				out = append(out, iniValue{section, strings.ToLower(strings.TrimFunc(trimmed[:at], space)), i + 1, []string{trimmed[at+1:]}})
				indent = depth
			}
		}
	}
	return out
}

// bareSetup is a setup.py that leaves everything to files beside it.
var bareSetup = lazyregexp.New(`^(?:\s*(?:#[^\n]*|(?:import|from)[ \t][^\n;]*|if __name__ == ["']__main__["']:|(?:setuptools\.)?setup\([ \t]*\))[ \t]*\r?(?:\n|$))*\s*$`)

// readSetupPy notes that a project is described by code, which would have to be
// run to know what it asks for.
func (r *reader) readSetupPy(name string, b []byte) error {
	if !bareSetup.Get().Match(b) {
		r.unread(Unread{Place: Place{File: name}, Reason: Syntax, Wants: "what its code says", Direct: true})
	}
	return nil
}
