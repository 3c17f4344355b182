package env

import (
	"errors"
	"io/fs"
	"strings"
	"unicode"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/lazyregexp"
	"github.com/sallyport/sallyport/internal/pep508"
)

// credentials are what stands between the scheme and the host of a URL.
var credentials = lazyregexp.New(`://[^/@\s]*@`)

// printable makes one line of an installer's output fit to be shown: without
// credentials, without control characters, of bounded length.
func printable(s string) string {
	s = credentials.ReplaceAllString(s, "://")
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, s)
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > 240 {
		return string(r[:240]) + "…"
	}
	return s
}

var (
	pinnedForm = lazyregexp.New("([A-Za-z0-9][A-Za-z0-9._-]*)==([A-Za-z0-9][A-Za-z0-9.+!_-]*[A-Za-z0-9])")
	archive    = lazyregexp.New(`([A-Za-z0-9][A-Za-z0-9._]*)-([0-9][A-Za-z0-9.+!_]*?)(?:-(?:[^-\s]+-)?[^-\s]+-[^-\s]+-[^-\s]+\.whl|\.tar\.gz)`)
)

// signs are what pip and uv say, by the cause that it points to. The first that
// applies is the cause: a full disk or a dead network makes other errors follow.
var signs = []struct {
	cause cause
	words []string
}{
	{noSpaceLeft, []string{"no space left on device", "disk quota exceeded"}},
	{hashDiffers, []string{"do not match the hashes", "hash mismatch"}},
	{notBuilt, []string{"failed to build", "failed building wheel", "metadata-generation-failed", "subprocess-exited-with-error", "build backend"}},
	{unreachable, []string{"failed to establish a new connection", "name resolution", "max retries exceeded", "read timed out", "connection refused",
		"connection reset", "connection broken", "certificate verify failed", "certificate_verify_failed", "proxyerror", "could not fetch url", "error sending request",
		"dns error", "failed to fetch", "request failed", "tcp connect error", "operation timed out", "incompleteread", "http error 4", "http error 5"}},
	{notOffered, []string{"no matching distribution found", "no solution found", "no version of", "has no wheels", "no usable wheels", "not a supported wheel",
		"requires a different python", "has no usable", "has no wheel", "were not found in the package registry", "was not found in the package registry"}},
}

type cause int

const (
	other cause = iota
	noSpaceLeft
	hashDiffers
	notBuilt
	unreachable
	notOffered
)

// diagnose finds the cause in an installer's output, and the line that shows it.
func diagnose(output string) (c cause, line string) {
	lines := strings.Split(output, "\n")
	for _, sign := range signs {
		for _, l := range lines {
			low := strings.ToLower(l)
			for _, w := range sign.words {
				if strings.Contains(low, w) {
					return sign.cause, l
				}
			}
		}
	}
	for i := len(lines) - 1; i >= 0; i-- {
		if strings.HasPrefix(strings.ToLower(strings.TrimSpace(lines[i])), "error") {
			return other, lines[i]
		}
	}
	for i := len(lines) - 1; i >= 0; i-- {
		if strings.TrimSpace(lines[i]) != "" {
			return other, lines[i]
		}
	}
	return other, "it said nothing"
}

// failure turns the end of a tool's output into an error that says what
// happened to which package and what to do.
func (b *build) failure(doing, output string, err error) error {
	c, line := diagnose(output)
	name, version := b.blamed(c, line, output)
	switch {
	case c == noSpaceLeft || noSpace(err):
		return sallyport.Errorf(sallyport.NoSpace, "the disk is full; nothing of the environment was kept").Try("make room, and run again")
	case c == hashDiffers:
		return sallyport.Errorf(sallyport.Refused, "the bytes that the index gives for %s are not the ones that the lock pins", subject(name, version)).At("%s", b.lock.file).
			Try("find out whether the lock is stale or the index is not to be trusted; make the lock again only if you know why")
	case c == notBuilt:
		return sallyport.Errorf(sallyport.Invalid, "the source distribution of %s cannot be built on this machine", subject(name, version)).At("%s", b.lock.file).
			Try("pin a version that has a wheel, or build it by hand to see why")
	case c == unreachable:
		return sallyport.Errorf(sallyport.Unknown, "the package index cannot be reached: %s", printable(line)).
			Try("check the network and the index of this machine (pip config list, UV_DEFAULT_INDEX), and run again")
	case c == notOffered:
		return b.noWheel(name, version)
	case errors.Is(err, fs.ErrNotExist):
		return sallyport.Errorf(sallyport.NotFound, "%s: the program is not there any more: %w", doing, err)
	}
	return sallyport.Errorf(sallyport.Unknown, "%s failed: %s", doing, printable(line)).At("%s", b.lock.file).Try("run again; if it stays, install the lock by hand to see all of the output")
}

// blamed finds the package that an error is about: in its line, or in one close
// to it that names an archive or a pin.
func (b *build) blamed(c cause, line, output string) (name, version string) {
	after := output
	if i := strings.Index(output, line); i >= 0 && line != "" {
		after = output[i:]
	}
	texts := []string{line}
	if c == hashDiffers || c == notBuilt {
		texts = append(texts, after)
	}
	for _, text := range append(texts, output) {
		for _, form := range []*lazyregexp.Regexp{pinnedForm, archive} {
			for _, m := range form.FindAllStringSubmatch(text, -1) {
				// Only what is pinned can be to blame; anything else is a word that
				// looks like a version.
				for _, p := range b.pins {
					if p.Name == pep508.Normal(m[1]) {
						return p.Name, p.Version
					}
				}
			}
		}
	}
	for _, p := range b.pins {
		if strings.Contains(line, p.Name) {
			return p.Name, p.Version
		}
	}
	return "", ""
}

func subject(name, version string) string {
	if name == "" {
		return "a package"
	}
	return strings.TrimSpace(name + " " + version)
}

func (b *build) noWheel(name, version string) error {
	what := "no wheel of"
	mend := "pin a version that has one, use another Python (SALLYPORT_PYTHON), or set allow-builds: true, which runs the package's code on this machine"
	if b.opt.Builds {
		what, mend = "neither a wheel nor a source distribution of", "pin a version that the index has, or use another Python (SALLYPORT_PYTHON)"
	}
	return sallyport.Errorf(sallyport.NotFound, "the index has %s %s with the hashes of the lock for Python %s on %s",
		what, subject(name, version), b.env.Python.Version, b.env.Platform).At("%s", b.lock.file).Try("%s", mend)
}
