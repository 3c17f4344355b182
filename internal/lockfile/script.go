package lockfile

import (
	"strings"

	"github.com/sallyport/sallyport/internal/lazyregexp"
)

// scriptSign is what a Python file has that says what it needs: a block of
// metadata (PEP 723), or a notebook's commands.
var scriptSign = lazyregexp.New(`(?m)^# /// script\s*$|^\s*(?:#\s*)?[%!]{1,2}[ \t]*(?:pip|conda|mamba|micromamba|uv|python|bash|sh|\{)`)

var commented = lazyregexp.New(`^(\s*)#\s*([%!])`)

// readScript reads what a Python file asks for by itself.
func (r *reader) readScript(name string, b []byte) error {
	text := decode(b)
	if err := r.metadata(name, text); err != nil {
		return err
	}
	var lines []shellLine
	for i, line := range splitLines(text) {
		// A script made from a notebook has its commands in comments.
		lines = append(lines, shellLine{i + 1, commented.ReplaceAllString(line, "$1$2")})
	}
	return r.cell(name, lines)
}

// metadata reads the block of PEP 723, a text in TOML within comments.
func (r *reader) metadata(name, text string) error {
	var block strings.Builder
	within := false
	for _, line := range splitLines(text) {
		inside := ""
		switch {
		case line == "# /// script":
			within = true
		case within && line == "# ///":
			within = false
		case within && (line == "#" || strings.HasPrefix(line, "# ")):
			inside = strings.TrimPrefix(line[1:], " ")
		default:
			within = false
		}
		block.WriteString(inside + "\n") // so that lines stay where they are
	}
	if strings.TrimSpace(block.String()) == "" {
		return nil
	}
	root, d, err := r.declaration(name, []byte(block.String()))
	if err != nil {
		return err
	}
	d.list(root["dependencies"], "dependencies", nil, true)
	d.tools(root)
	return d.err
}
