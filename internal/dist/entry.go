package dist

import (
	"bufio"
	"io"
	"strings"
)

// An Entry is a line of an entry_points.txt.
type Entry struct {
	Group string // "console_scripts"
	Name  string
	Value string // "package.module:function"
}

// Script reports whether an installer makes a program of the entry.
func (e Entry) Script() bool { return e.Group == "console_scripts" || e.Group == "gui_scripts" }

// Entries reads an entry_points.txt and calls each with every entry. Lines that
// are none are left out: installers leave them out too.
func Entries(r io.Reader, each func(Entry) error) error {
	group := ""
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if strings.HasPrefix(line, "[") {
			group = strings.Trim(line, "[]")
			continue
		}
		name, value, found := strings.Cut(line, "=")
		if !found || strings.HasPrefix(line, "#") {
			continue
		}
		if err := each(Entry{group, strings.TrimSpace(name), strings.TrimSpace(value)}); err != nil {
			return err
		}
	}
	return lines.Err()
}

// Safe reports whether no name in an entry_points.txt is a path. It does not ask
// in which section a name stands or which sign ends it: installers differ in
// what they take for a name, and no honest one holds a slash.
func Safe(r io.Reader) bool {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		name, _, _ := strings.Cut(line, "=")
		if !strings.HasPrefix(line, "#") && strings.ContainsAny(name, `/\`) {
			return false
		}
	}
	return lines.Err() == nil
}
