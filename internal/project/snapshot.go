package project

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/format/yaml"
)

// A Snapshot is the code of a project as it lies in its work tree: the files
// that git knows, committed or added, as they are now, and the files that
// describe the project. What git was never told of is not code: it may as well
// be the data that somebody is about to hand over. Declared data, outputs of
// stages and the site are never part of it.
//
// Commit and Diff together give the files again: check Commit out and run git
// apply on Diff, and they lie in the folder Prefix.
type Snapshot struct {
	Commit    string           // id of HEAD; empty when nothing has been committed yet
	Prefix    string           // the project's folder in the repository, ending in a slash; empty for its root
	Dirty     bool             // whether the files differ from Commit
	Diff      []byte           // a git patch from Commit to the files, new files included
	Untracked []string         // files of the patch that Commit does not have
	LeftOut   []string         // files that git neither knows nor ignores
	Remote    string           // URL of the remote, without credentials; may be empty
	Tree      sallyport.Digest // of Manifest
	Files     []File           // sorted by Path, bytewise
	root      *os.Root
}

// A File is one file of a snapshot.
type File struct {
	Path   string
	Mode   fs.FileMode // 0644, 0755 or fs.ModeSymlink
	Size   int64       // bytes; of the target's text for a link
	Digest sallyport.Digest
	link   string
}

// Bounds of a snapshot: code, not data.
const (
	maxTreeBytes = 1 << 30
	maxTreeFiles = 100_000
)

// Snapshot reads the state of the project's work tree. Files that change while
// it is read are found out when they are written with WriteTar.
func (p *Project) Snapshot(ctx context.Context) (*Snapshot, error) {
	repo, err := openRepository(ctx, p.Dir)
	if err != nil {
		return nil, err
	}
	s := &Snapshot{Prefix: repo.prefix}
	// An unborn HEAD is no error: then everything is difference.
	s.Commit, err = repo.line(ctx, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")
	if err != nil {
		if ctx.Err() != nil {
			return nil, err
		}
		s.Commit = ""
	}
	if remote, err := repo.line(ctx, "config", "--get", "remote.origin.url"); err == nil {
		s.Remote = publicURL(remote)
	}
	if s.root, err = os.OpenRoot(p.Dir); err != nil {
		return nil, sallyport.Errorf(sallyport.NotFound, "the project's folder cannot be opened: %w", err)
	}
	if err := s.read(ctx, p, repo); err != nil {
		s.root.Close()
		return nil, err
	}
	return s, nil
}

// Close releases the work tree.
func (s *Snapshot) Close() error { return s.root.Close() }

func (s *Snapshot) read(ctx context.Context, p *Project, repo *repository) error {
	committed, all, others, err := repo.files(ctx, s.Commit)
	if err != nil {
		return err
	}
	skip := p.notCode()
	for _, name := range others {
		switch {
		case name == FileName || name == p.Python || name == p.Params:
			all = append(all, name)
		case !slices.ContainsFunc(skip, func(place string) bool { return within(name, place) }):
			s.LeftOut = append(s.LeftOut, name)
		}
	}
	slices.Sort(all)
	var total int64
	for _, name := range all {
		if slices.ContainsFunc(skip, func(place string) bool { return within(name, place) }) {
			continue
		}
		f, err := s.readFile(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue // deleted in the work tree; the patch says so
		}
		if err != nil {
			return err
		}
		if total += f.Size; total > maxTreeBytes || len(s.Files) == maxTreeFiles {
			return sallyport.Errorf(sallyport.Limit, "the code is larger than %d MiB or %d files", maxTreeBytes>>20, maxTreeFiles).
				At("%s", name).Try("list what is no code in .gitignore; data belong in a dataset")
		}
		if ctx.Err() != nil {
			return sallyport.Errorf(sallyport.Interrupted, "interrupted while reading the code")
		}
		s.Files = append(s.Files, f)
		if _, found := slices.BinarySearch(committed, name); !found {
			s.Untracked = append(s.Untracked, name)
		}
	}
	s.Tree = sallyport.Sum(s.Manifest())
	s.Diff, err = repo.diff(ctx, s.Commit, s.Untracked, skip)
	s.Dirty = len(s.Diff) > 0
	return err
}

// notCode are the places in the project's folder that a run fills or hides: a
// snapshot that took them in could carry records into the record of a run.
func (p *Project) notCode() []string {
	out := []string{".sallyport"}
	for _, in := range p.Data {
		out = append(out, in.Path)
	}
	for _, s := range p.Stages {
		for _, w := range s.Writes {
			out = append(out, strings.TrimSuffix(w, "/"))
		}
		if s.Metrics != "" {
			out = append(out, s.Metrics)
		}
	}
	return out
}

func (s *Snapshot) readFile(name string) (File, error) {
	if strings.HasSuffix(name, "/") {
		return File{}, nested(strings.TrimSuffix(name, "/"))
	}
	if !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl) {
		return File{}, sallyport.Errorf(sallyport.Invalid, "a file name with control characters or bad UTF-8").At("%s", yaml.Clean(name)).Try("rename the file")
	}
	info, err := s.root.Lstat(filepath.FromSlash(name))
	if err != nil {
		return File{}, err
	}
	f := File{Path: name, Mode: 0o644, Size: info.Size()}
	switch {
	case info.Mode().IsRegular():
		if info.Mode()&0o111 != 0 {
			f.Mode = 0o755
		}
		f.Digest, err = s.hash(f, io.Discard)
		return f, err
	case info.Mode()&fs.ModeSymlink != 0:
		if f.link, err = s.root.Readlink(filepath.FromSlash(name)); err != nil {
			return File{}, err
		}
		f.link = filepath.ToSlash(f.link)
		f.Mode, f.Size, f.Digest = fs.ModeSymlink, int64(len(f.link)), sallyport.Sum([]byte(f.link))
		return f, staysInside(name, f.link)
	case info.IsDir():
		return File{}, nested(name)
	}
	return File{}, sallyport.Errorf(sallyport.Invalid, "neither a file nor a link").At("%s", name).Try("remove it, or list it in .gitignore")
}

func nested(name string) error {
	return sallyport.Errorf(sallyport.Invalid, "a git repository inside the project").At("%s", name).
		Try("list it in .gitignore, or copy its files into the project")
}

// staysInside proves that a symbolic link ends below the project, whatever else
// lies there: ".." comes first only, and no more often than the link is deep.
// The folder of a file that git lists is never itself a link, and ".." after a
// name is refused because that name may be a link to somewhere less deep. So
// each link that a path passes through leads below the project again.
func staysInside(name, target string) error {
	depth, names := strings.Count(name, "/"), false
	inside := !path.IsAbs(target) && target != ""
	for part := range strings.SplitSeq(target, "/") {
		switch part {
		case "", ".":
		case "..":
			depth--
			inside = inside && !names && depth >= 0
		default:
			names = true
		}
	}
	if !inside {
		return sallyport.Errorf(sallyport.Refused, "a link that leads out of the project").At("%s", name).
			Try("replace it with a file, or declare what it leads to as data")
	}
	return nil
}

// hash copies a regular file to w and returns its digest. It never copies more
// than the size of f, and fails if the file no longer has that size.
func (s *Snapshot) hash(f File, w io.Writer) (sallyport.Digest, error) {
	in, err := s.root.Open(filepath.FromSlash(f.Path))
	if err != nil {
		return "", sallyport.Errorf(sallyport.Invalid, "cannot be opened: %w", err).At("%s", f.Path)
	}
	defer in.Close()
	h := sha256.New()
	n, err := io.Copy(io.MultiWriter(h, w), io.LimitReader(in, f.Size))
	if err != nil {
		return "", sallyport.Errorf(sallyport.Internal, "cannot be copied: %w", err).At("%s", f.Path)
	}
	if more, _ := in.Read(make([]byte, 1)); more > 0 || n != f.Size {
		return "", changed(f.Path)
	}
	return sallyport.DigestOf([sha256.Size]byte(h.Sum(nil))), nil
}

func changed(name string) error {
	return sallyport.Errorf(sallyport.Busy, "the file changed while it was read").At("%s", name).Try("run again when nothing writes to the project")
}

// manifestHead names the form of a manifest.
const manifestHead = "sallyport code tree 1\n"

// Manifest lists the files: its head line, then for each file its git mode
// (100644, 100755 or 120000), SHA-256 in hex, size in bytes and path, separated
// by single spaces and ended by a newline.
func (s *Snapshot) Manifest() []byte {
	var b bytes.Buffer
	b.WriteString(manifestHead)
	for _, f := range s.Files {
		mode := "100644"
		switch f.Mode {
		case 0o755:
			mode = "100755"
		case fs.ModeSymlink:
			mode = "120000"
		}
		fmt.Fprintf(&b, "%s %s %d %s\n", mode, f.Digest.Hex(), f.Size, f.Path)
	}
	return b.Bytes()
}

// publicURL returns a remote's URL without user, password, query and fragment,
// which are where credentials stand. A path of this machine says nothing to
// anybody else and is left out.
func publicURL(s string) string {
	if host, rest, found := strings.Cut(s, ":"); found && !strings.Contains(s, "://") {
		// The form of scp: [user@]host:path.
		if strings.HasPrefix(rest, ":") || strings.Contains(host, "/") || len(host) < 2 {
			return ""
		}
		return host[strings.LastIndex(host, "@")+1:] + ":" + rest
	}
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.Scheme == "file" {
		return ""
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

// files returns the paths below the project's folder that the commit has, those
// that git knows, committed or added, and the others that it does not ignore.
// The first two are sorted bytewise.
func (r *repository) files(ctx context.Context, commit string) (committed, known, others []string, err error) {
	if commit != "" {
		if committed, err = r.list(ctx, "ls-tree", "-r", "-z", "--name-only", commit); err != nil {
			return nil, nil, nil, err
		}
	}
	added, err := r.list(ctx, "ls-files", "-z", "--cached")
	if err != nil {
		return nil, nil, nil, err
	}
	if others, err = r.list(ctx, "ls-files", "-z", "--others", "--exclude-standard"); err != nil {
		return nil, nil, nil, err
	}
	known = slices.Concat(committed, added)
	slices.Sort(committed)
	slices.Sort(known)
	return committed, slices.Compact(known), others, nil
}

// diff returns the patch from commit to the work tree, without the places skip.
//
// It goes through an index of its own, made from the commit: the repository's
// index can be told to overlook changes (assume-unchanged, skip-worktree), and
// must not be written to.
func (r *repository) diff(ctx context.Context, commit string, untracked, skip []string) ([]byte, error) {
	tmp, err := os.MkdirTemp("", "sallyport-index-")
	if err != nil {
		return nil, sallyport.Errorf(sallyport.Internal, "no temporary folder: %w", err)
	}
	defer os.RemoveAll(tmp)
	index := []string{"GIT_INDEX_FILE=" + filepath.Join(tmp, "index")}
	base, seed := commit, commit
	if commit == "" {
		// The id of the empty tree depends on the repository's hash function.
		empty, err := capture(ctx, r.command(ctx, nil, "hash-object", "-t", "tree", "--stdin"))
		if err != nil {
			return nil, err
		}
		base, seed = strings.TrimSpace(string(empty)), "--empty"
	}
	if _, err := r.output(ctx, index, "read-tree", seed); err != nil {
		return nil, err
	}
	if len(untracked) > 0 {
		add := r.command(ctx, append(index, "GIT_LITERAL_PATHSPECS=1"),
			"add", "--intent-to-add", "--force", "--pathspec-from-file=-", "--pathspec-file-nul")
		add.Stdin = strings.NewReader(strings.Join(untracked, "\x00") + "\x00")
		if _, err := capture(ctx, add); err != nil {
			return nil, err
		}
	}
	args := []string{"diff", "--binary", "--full-index", "--no-ext-diff", "--no-textconv", "--no-renames", "--no-color",
		"--no-relative", "--src-prefix=a/", "--dst-prefix=b/", "--unified=3", "--inter-hunk-context=0",
		"--diff-algorithm=myers", "--ignore-submodules=none", base, "--", "."}
	for _, place := range skip {
		args = append(args, ":(exclude,literal)"+place)
	}
	return r.output(ctx, index, args...)
}
