package lockfile

import (
	"path"
	"strings"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/format"
	"github.com/sallyport/sallyport/internal/format/outline"
	"github.com/sallyport/sallyport/internal/lazyregexp"
	"github.com/sallyport/sallyport/internal/pep508"
)

var (
	errNoDependencies = format.Brokenf(0, "no list of dependencies")
	errNoPackages     = format.Brokenf(0, "no list of packages")
)

// readCondaLock reads the unified lock of conda-lock, version 1.
func (r *reader) readCondaLock(name string, b []byte) error {
	root, err := outline.Parse(b)
	if err != nil {
		return broken(name, b, err)
	}
	if v := root.Get("version"); v == nil || v.Text != "1" {
		return sallyport.Errorf(sallyport.Invalid, "a lock of conda-lock of another version than 1").At("%s", name).Try("make the lock again as one file for all platforms")
	}
	packages := root.Get("package")
	if packages == nil || packages.Kind != outline.List && !packages.Null() {
		return broken(name, b, errNoPackages)
	}
	r.channels(name, root.Get("metadata").Get("channels"))
	begin := len(r.list.Packages)
	c := condaReader{r: r, name: name, seen: map[string]bool{}}
	for i := range packages.Nodes {
		c.entry(&packages.Nodes[i])
	}
	unneeded(r.list.Packages[begin:])
	return nil
}

// channels takes the channels that a lock names.
func (r *reader) channels(name string, list *outline.Node) {
	if list == nil {
		return
	}
	for i := range list.Nodes {
		n := &list.Nodes[i]
		text := n.Text
		if url := n.Get("url"); url != nil {
			text = url.Text
		}
		if text != "" {
			r.index(Index{URL: channelName(text), Place: Place{name, n.Line}})
		}
	}
}

// A condaReader reads the entries of a lock that has each package once for every
// platform.
type condaReader struct {
	r    *reader
	name string
	seen map[string]bool // what has been said not to be a Python package
}

// text returns a value of an entry, or nothing if it is none or no text.
func text(n *outline.Node) string {
	if n.Null() || n.Kind != outline.Text {
		return ""
	}
	return n.Text
}

func (c *condaReader) entry(n *outline.Node) {
	p := Package{Name: text(n.Get("name")), Version: text(n.Get("version")), Place: Place{c.name, n.Line}}
	if category := text(n.Get("category")); category != "" && category != "main" {
		p.Groups = []string{pep508.Normal(category)}
	}
	hash := n.Get("hash")
	if sum := text(hash.Get("sha256")); sum != "" {
		p.Hashes = []string{"sha256:" + sum}
	} else if sum := text(hash.Get("md5")); sum != "" {
		p.Hashes = []string{"md5:" + sum}
	}
	manager, url := text(n.Get("manager")), text(n.Get("url"))
	if needs := n.Get("dependencies"); needs != nil {
		for i := range needs.Nodes {
			name := pep508.Normal(needs.Nodes[i].Key)
			if manager == "conda" {
				name = onIndex(needs.Nodes[i].Key)
			}
			if name != "" && name != pep508.Normal(p.Name) {
				p.Needs = append(p.Needs, Need{Name: name})
			}
		}
	}
	switch manager {
	case "conda":
		p.Source = Source{Index: channelOf(url)}
		c.conda(p)
	case "pip":
		c.pip(p, url)
	default:
		c.r.refuse(p, Syntax, p.Version)
	}
}

// conda takes a package of a channel. What is no Python package is said once for
// all platforms.
func (c *condaReader) conda(p Package) {
	if onIndex(p.Name) == "" {
		key := p.Name + " " + p.Version
		if c.seen[key] {
			return
		}
		c.seen[key] = true
	}
	c.r.conda(p)
}

func (c *condaReader) pip(p Package, url string) {
	p.Name = pep508.Normal(p.Name)
	named, version, source := archiveName(url)
	p.Sdist = source
	switch {
	case checkoutForm.MatchString(url):
		c.r.refuse(p, VCS, url)
	case url == "" || strings.HasPrefix(url, "file:") || !strings.Contains(url, "://"):
		c.r.refuse(p, Path, url)
	case named != p.Name || version != p.Version:
		// Not what an index would serve under this name.
		p.Source = Source{URL: url}
		c.r.locked(p)
	default:
		c.r.locked(p)
	}
}

// explicitSign is what conda writes at the beginning of a list of what is
// installed.
var explicitSign = lazyregexp.New(`(?m)^@EXPLICIT\s*$|^# This file may be used to create an environment using:`)

// readExplicit reads the lists that conda writes of an environment: of URLs
// below "@EXPLICIT", or of names, versions and builds with "=" between.
func (r *reader) readExplicit(name string, b []byte) error {
	explicit := false
	for i, s := range splitLines(decode(b)) {
		s = strings.TrimSpace(s)
		q := request{place: Place{name, i + 1}, text: s}
		pip, isPip := strings.CutPrefix(s, "# pip ")
		switch {
		case s == "@EXPLICIT":
			explicit = true
		case isPip:
			// What conda-lock has pip install afterwards.
			q.text = pip
			if err := r.requirement(q); err != nil {
				return err
			}
		case s == "" || s[0] == '#':
		case explicit:
			r.condaURL(q, s)
		default:
			r.matchSpec(q)
		}
	}
	return nil
}

// archiveForm is the name of an archive in a channel.
var archiveForm = lazyregexp.New(`^([A-Za-z0-9_.-]+)-([^-/]+)-([^-/]+?)(?:\.conda|\.tar\.bz2)$`)

// condaURL takes a package of a channel by the URL of its archive.
func (r *reader) condaURL(q request, url string) {
	u := q.unreadable(Syntax, "", url)
	file, sum, _ := strings.Cut(strings.TrimSpace(url), "#")
	m := archiveForm.FindStringSubmatch(path.Base(strings.TrimRight(file, "/")))
	switch {
	case strings.HasPrefix(file, "file:") || !strings.Contains(file, "://"):
		u.Reason, u.Wants = Path, file
	case m == nil:
		u.Reason, u.Wants = URL, file
	default:
		p := Package{Name: m[1], Version: m[2], Place: q.place, Groups: q.groups, Direct: q.direct, Source: Source{Index: channelOf(file)}}
		if sum = strings.TrimPrefix(sum, "sha256:"); len(sum) == 64 {
			p.Hashes = []string{"sha256:" + sum}
		} else if len(sum) == 32 {
			p.Hashes = []string{"md5:" + sum}
		}
		r.conda(p)
		return
	}
	r.unread(u)
}

// channelOf returns the channel of an archive's URL.
func channelOf(url string) string {
	if !strings.Contains(url, "://") {
		return ""
	}
	return channelName(path.Dir(path.Dir(strings.Replace(url, "://", ":/", 1))))
}

// channelName is a channel as people call it: a name if it is one of the large
// hosts', or else its URL, without the secret that may be in it.
func channelName(s string) string {
	if scheme, rest, ok := strings.Cut(s, ":/"); ok {
		s = scheme + "://" + strings.TrimLeft(rest, "/")
	}
	s = subdirForm.ReplaceAllString(strings.TrimRight(tokenForm.ReplaceAllString(s, "/"), "/"), "")
	for _, host := range []string{"https://conda.anaconda.org/", "http://conda.anaconda.org/", "https://repo.anaconda.com/", "https://repo.prefix.dev/", "https://prefix.dev/"} {
		if name, ok := strings.CutPrefix(s, host); ok {
			return name
		}
	}
	return s
}
