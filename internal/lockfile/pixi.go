package lockfile

import (
	"strings"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/format/outline"
	"github.com/sallyport/sallyport/internal/pep508"
)

// readPixi reads pixi.lock, version 4 to 6.
func (r *reader) readPixi(name string, b []byte) error {
	root, err := outline.Parse(b)
	if err != nil {
		return broken(name, b, err)
	}
	if v := text(root.Get("version")); v != "4" && v != "5" && v != "6" {
		return sallyport.Errorf(sallyport.Invalid, "a pixi.lock of another version than 4, 5 and 6").At("%s", name).Try("make the lock again with a release of pixi that writes one of them")
	}
	packages := root.Get("packages")
	if packages == nil || packages.Kind != outline.List && !packages.Null() {
		return broken(name, b, errNoPackages)
	}
	x := pixiReader{condaReader: condaReader{r: r, name: name, seen: map[string]bool{}}, environments: map[string][]string{}}
	if err := x.users(root.Get("environments")); err != nil {
		return broken(name, b, err)
	}
	begin := len(r.list.Packages)
	for i := range packages.Nodes {
		x.package_(&packages.Nodes[i])
	}
	unneeded(r.list.Packages[begin:])
	return nil
}

// A pixiReader reads the packages of a lock for several environments.
type pixiReader struct {
	condaReader
	environments map[string][]string // who needs what lies at a URL or path
}

// users reads which environment needs which package.
func (x *pixiReader) users(environments *outline.Node) error {
	if environments == nil || environments.Kind != outline.Map {
		return errNoPackages
	}
	for i := range environments.Nodes {
		e := &environments.Nodes[i]
		x.r.channels(x.name, e.Get("channels"))
		if indexes := e.Get("indexes"); indexes != nil {
			for _, n := range indexes.Nodes {
				x.r.named(fromIndex(n.Text), Place{x.name, n.Line})
			}
		}
		platforms := e.Get("packages")
		if platforms == nil {
			continue
		}
		for j := range platforms.Nodes {
			for k := range platforms.Nodes[j].Nodes {
				// "conda: URL" or "pypi: URL", and extras perhaps.
				at := location(&platforms.Nodes[j].Nodes[k])
				if users := x.environments[at]; len(users) == 0 || users[len(users)-1] != e.Key {
					x.environments[at] = append(users, e.Key)
				}
			}
		}
	}
	return nil
}

// location returns the URL or path of a package, by which a lock knows it.
func location(n *outline.Node) string {
	for _, key := range []string{"conda", "pypi", "url", "path"} {
		if s := text(n.Get(key)); s != "" {
			return s
		}
	}
	return ""
}

func (x *pixiReader) package_(n *outline.Node) {
	at := location(n)
	p := Package{Name: text(n.Get("name")), Version: text(n.Get("version")), Place: Place{x.name, n.Line}}
	for _, user := range x.environments[at] {
		if user == "default" {
			p.Groups = nil
			break
		}
		p.Groups = append(p.Groups, pep508.Normal(user))
	}
	if sum := text(n.Get("sha256")); sum != "" {
		p.Hashes = []string{"sha256:" + sum}
	} else if sum := text(n.Get("md5")); sum != "" {
		p.Hashes = []string{"md5:" + sum}
	}
	switch kind := text(n.Get("kind")); {
	case kind == "conda" || n.Get("conda") != nil:
		x.channel(n, p, at)
	case kind == "pypi" || n.Get("pypi") != nil:
		x.index(n, p, at)
	default:
		x.r.refuse(p, Syntax, at)
	}
}

// channel takes a package of conda. Where the lock says what it is on the Python
// package index, that holds.
func (x *pixiReader) channel(n *outline.Node, p Package, at string) {
	if m := archiveForm.FindStringSubmatch(at[strings.LastIndexByte(at, '/')+1:]); m != nil && p.Name == "" {
		p.Name, p.Version = m[1], m[2]
	}
	for _, d := range nodes(n.Get("depends")) {
		name, _, _ := strings.Cut(d.Text, " ")
		if name = onIndex(name); name != "" {
			p.Needs = append(p.Needs, Need{Name: name})
		}
	}
	p.Source = Source{Index: channelOf(at)}
	purls := n.Get("purls")
	switch {
	case p.Source.Index == "":
		p.Source = Source{}
		x.local(p, at)
	case purls == nil || purls.Null():
		x.conda(p)
	default:
		x.known(p, purls)
	}
}

// known takes a package of which the lock says which ones it is on the index.
func (x *pixiReader) known(p Package, purls *outline.Node) {
	p.Conda = true
	own, none := p.Name, true
	for _, purl := range purls.Nodes {
		name, ok := strings.CutPrefix(purl.Text, "pkg:pypi/")
		if !ok {
			continue
		}
		none = false
		name, _, _ = strings.Cut(name, "?")
		p.Name, _, _ = strings.Cut(name, "@")
		p.Name = pep508.Normal(p.Name)
		x.r.locked(p)
	}
	if key := own + " " + p.Version; none && !x.seen[key] {
		x.seen[key] = true
		x.r.refuse(p, Native, strings.TrimSpace(key))
	}
}

// index takes a package of the Python package index.
func (x *pixiReader) index(n *outline.Node, p Package, at string) {
	p.Name = pep508.Normal(p.Name)
	for _, d := range nodes(n.Get("requires_dist")) {
		// Those of extras are wishes that nobody may have.
		if need, _ := pep508.Parse(d.Text); need.Name != "" && need.Name != p.Name && !strings.Contains(need.When, "extra") {
			p.Needs = append(p.Needs, Need{Name: need.Name, Marker: need.When})
		}
	}
	name, version, source := archiveName(at)
	p.Sdist = source
	switch {
	case checkoutForm.MatchString(at):
		x.r.refuse(p, VCS, at)
	case !strings.Contains(at, "://"), strings.HasPrefix(at, "file:"):
		x.local(p, at)
	case p.Version == "":
		x.r.refuse(p, URL, at)
	case name != p.Name || version != p.Version:
		p.Source = Source{URL: at} // not what an index would serve under this name
		x.r.locked(p)
	default:
		x.r.locked(p)
	}
}

// local takes a package that lies beside the lock: a folder is the project's own
// code, and an archive is somebody's whom nobody has asked.
func (x *pixiReader) local(p Package, at string) {
	if archiveEnd.MatchString(at) || archiveForm.MatchString(at[strings.LastIndexByte(at, '/')+1:]) {
		x.r.refuse(p, Path, at)
		return
	}
	x.r.local(p, at)
}

// nodes returns the items of a list that may be missing.
func nodes(n *outline.Node) []outline.Node {
	if n == nil {
		return nil
	}
	return n.Nodes
}
