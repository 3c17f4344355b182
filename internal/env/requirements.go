package env

import (
	"strings"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/lazyregexp"
	"github.com/sallyport/sallyport/internal/pep508"
)

// howToPin is what to do about a lock that does not hold everything fast.
const howToPin = "make the lock with pip-compile --generate-hashes or uv pip compile --generate-hashes"

// harmless are options of a requirements file that ask for what is done anyway.
var harmless = map[string]bool{"--require-hashes": true, "--only-binary :all:": true, "--only-binary=:all:": true, "--prefer-binary": true}

// readRequirements reads the requirements file format of pip, as strictly as
// --require-hashes takes it and stricter: nothing is included from elsewhere,
// and nothing is installed that is not held by a hash.
func (l *Lock) readRequirements(text string) error {
	l.Format, l.choose = "requirements.txt", l.selected
	var logical strings.Builder
	first := 0
	for i, line := range strings.Split(text, "\n") {
		if first == 0 {
			first = i + 1
		}
		line = strings.TrimSuffix(line, "\r")
		// A comment runs to the end of its line, also within a continued one.
		if at := commentForm.FindStringIndex(line); at != nil {
			line = line[:at[0]]
		}
		if more, continued := strings.CutSuffix(line, `\`); continued {
			logical.WriteString(more + " ")
			continue
		}
		logical.WriteString(line)
		if s := strings.TrimSpace(logical.String()); s != "" {
			if err := l.readRequirement(first, s); err != nil {
				return err
			}
		}
		logical.Reset()
		first = 0
	}
	if strings.TrimSpace(logical.String()) != "" {
		return l.errorf(first, "the last entry is not finished: its line ends in a backslash").Try("make the lock again")
	}
	return nil
}

var (
	firstName   = lazyregexp.New(`^[A-Za-z0-9][A-Za-z0-9._-]*`)
	commentForm = lazyregexp.New(`(^|\s)#.*$`)
	optionForm  = lazyregexp.New(`\s--hash[= ]\s*(\S+)`)
	pinForm     = lazyregexp.New(`^([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[A-Za-z0-9._, -]*\])?\s*(==|@)\s*(\S+)$`)
)

func (l *Lock) readRequirement(line int, s string) error {
	if strings.HasPrefix(s, "-") {
		return l.readOption(line, s)
	}
	if strings.Contains(s, "${") {
		return l.errorf(line, "a variable; what it means would differ from machine to machine").Try("write the value itself")
	}
	p := Pin{line: line}
	for _, m := range optionForm.FindAllStringSubmatch(s, -1) {
		if !hashForm.MatchString(m[1]) {
			return l.errorf(line, "not a SHA-256, SHA-384 or SHA-512 hash").Try(howToPin)
		}
		p.Wheels = append(p.Wheels, m[1])
	}
	s = strings.TrimSpace(optionForm.ReplaceAllString(s, ""))
	if strings.Contains(s, " --") {
		return l.errorf(line, "an option other than --hash").Try("remove it: packages are installed from hashed wheels alone")
	}
	spec, condition := cutMarker(s)
	if condition != "" {
		var err error
		if p.marker, err = pep508.ParseMarker(condition); err != nil {
			return l.errorf(line, "a marker that cannot be read: %w", err).Try("make the lock again")
		}
	}
	m := pinForm.FindStringSubmatch(spec)
	if m == nil || !nameForm.MatchString(m[1]) {
		return l.notPinned(line, spec)
	}
	p.Name = pep508.Normal(m[1])
	if m[2] == "@" {
		if err := l.readURL(&p, m[3]); err != nil {
			return err
		}
	} else if p.Version = m[3]; !versionForm.MatchString(p.Version) {
		return l.notPinned(line, spec)
	}
	if len(p.Wheels) == 0 {
		return l.errorf(line, "%s has no hash", p.Name).Try(howToPin)
	}
	if err := l.oneFile(p); err != nil {
		return err
	}
	l.Packages = append(l.Packages, p)
	return nil
}

// oneFile checks that the hashes of a URL are those of one file: what is looked
// at before it is installed has to be what is installed.
func (l *Lock) oneFile(p Pin) error {
	seen := map[string]string{}
	for _, h := range p.Wheels {
		algorithm, _, _ := strings.Cut(h, ":")
		if first, ok := seen[algorithm]; p.URL != "" && ok && first != h {
			return l.errorf(p.line, "%s comes from one URL and has hashes of several files", p.Name).Try(howToPin)
		}
		seen[algorithm] = h
	}
	return nil
}

// cutMarker splits a requirement at the semicolon before its marker. After a
// URL, which may hold semicolons itself, it takes a space before (PEP 508).
func cutMarker(s string) (spec, condition string) {
	separator := ";"
	if strings.Contains(s, "@") {
		separator = " ;"
	}
	spec, condition, _ = strings.Cut(s, separator)
	return strings.TrimSpace(spec), strings.TrimSpace(condition)
}

func (l *Lock) readURL(p *Pin, url string) error {
	url, fragment, _ := strings.Cut(url, "#")
	if fragment != "" {
		hash := strings.Replace(fragment, "=", ":", 1)
		if !hashForm.MatchString(hash) {
			return l.errorf(p.line, "a URL with a fragment that is no hash").Try(howToPin)
		}
		p.Wheels = append(p.Wheels, hash)
	}
	if !urlForm.MatchString(url) {
		return l.errorf(p.line, "not the https URL of an archive").Try("name the package and its version, with hashes; a checkout cannot be held by one")
	}
	p.URL = url
	return nil
}

// notPinned says what is wrong with an entry that is no NAME==VERSION.
func (l *Lock) notPinned(line int, spec string) error {
	switch {
	case strings.Contains(spec, "git+"), strings.Contains(spec, "hg+"), strings.Contains(spec, "svn+"), strings.Contains(spec, "bzr+"):
		return l.errorf(line, "a checkout, which cannot be held by a hash").Try("build a wheel of it and pin that")
	case strings.HasPrefix(spec, "."), strings.HasPrefix(spec, "/"), strings.Contains(spec, "://"):
		return l.errorf(line, "a path or URL without a name").Try("write NAME @ URL --hash=sha256:…")
	}
	if name := firstName.FindString(spec); name != "" && len(name) < 128 {
		return l.errorf(line, "%s is not pinned to one version", pep508.Normal(name)).Try(howToPin)
	}
	return l.errorf(line, "not a requirement").Try("write NAME==VERSION --hash=sha256:…")
}

func (l *Lock) readOption(line int, s string) error {
	if harmless[strings.Join(strings.Fields(s), " ")] {
		return nil
	}
	name, value, _ := strings.Cut(strings.Replace(s, "=", " ", 1), " ")
	switch name {
	case "-i", "--index-url", "--extra-index-url":
		value = strings.TrimSpace(value)
		if !urlForm.MatchString(strings.TrimSuffix(value, "/")+"/") || strings.Contains(value, "@") {
			return l.errorf(line, "not the https URL of an index, without user and password").Try("set the index of this machine with pip config instead")
		}
		// The hashes decide what is installed; an index only delivers it.
		if name == "-i" {
			name = "--index-url"
		}
		l.indexes = append(l.indexes, name+"="+value)
		return nil
	case "-r", "--requirement", "-c", "--constraint":
		return l.errorf(line, "another file is included, so that this lock's digest would not cover everything").Try("make one lock of all: %s", howToPin)
	case "-e", "--editable":
		return l.errorf(line, "an editable install, which cannot be held by a hash").Try("put the code into the project itself")
	}
	return sallyport.Errorf(sallyport.Invalid, "an option that a lock may not have").At("%s:%d", l.file, line).
		Try("remove the option; the machine's own settings choose the index")
}
