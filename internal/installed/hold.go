package installed

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"hash"
	"io"
	"io/fs"
	"path"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/dist"
	"github.com/sallyport/sallyport/internal/lazyregexp"
)

// A claim is a row of a RECORD: a package's word about a file.
type claim struct {
	pkg, version string
	row          dist.Row
}

// A job is a file to be read, and what packages say about it.
type job struct {
	path   string
	claims []claim
}

// hold reads every file, in parallel, and holds it against what RECORDs say.
func (r *reader) hold() error {
	jobs := make(chan job)
	var mu sync.Mutex
	var wg sync.WaitGroup
	var failed error
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			buf := make([]byte, 1<<20)
			for j := range jobs {
				if r.ctx.Err() != nil {
					continue
				}
				f, err := r.read(j, buf)
				mu.Lock()
				failed = first(failed, err)
				r.take(f)
				mu.Unlock()
			}
		})
	}
	said, err := r.walk(jobs)
	close(jobs)
	wg.Wait()
	r.out.Problems = append(r.out.Problems, said...)
	if r.ctx.Err() != nil {
		return interrupted()
	}
	return first(err, failed)
}

// first returns the first error of two.
func first(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

// A found file is what reading one came to.
type found struct {
	size     int64
	compiled bool // byte code that no RECORD vouches for
	native   *Native
	problems []Problem
}

func (r *reader) take(f found) {
	r.out.Files++
	r.out.Bytes += f.size
	if f.compiled {
		r.out.Compiled++
	}
	if f.native != nil {
		r.out.Natives = append(r.out.Natives, *f.native)
	}
	r.out.Problems = append(r.out.Problems, f.problems...)
}

// walk sends every file to jobs, and returns what is wrong without reading: what
// is there and should not, and what is not there and should.
func (r *reader) walk(jobs chan<- job) (said []Problem, err error) {
	seen := map[string]bool{}
	loose := map[string]bool{}
	for _, name := range r.loose {
		loose[name] = true
	}
	roots := r.sites
	if r.whole {
		roots = []string{"."}
	}
	for _, root := range roots {
		err := fs.WalkDir(r.fsys, root, func(name string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return fault(err)
			case r.ctx.Err() != nil:
				return interrupted()
			case d.IsDir() && name != root && loose[name] && len(r.claims[name]) == 0:
				return fs.SkipDir
			case d.IsDir():
				return nil
			}
			seen[name] = true
			claims := r.claims[name]
			switch {
			case !d.Type().IsRegular():
				if !r.whole || !seat(name) {
					said = append(said, Problem{Rule: Link, Path: name, Package: owner(claims), What: "a link or a device in the place of a file; it was not followed"})
				}
				return nil
			case len(claims) == 0 && !loose[name] && !r.compiled(name) && !(r.whole && seat(name)):
				said = append(said, Problem{Rule: Stray, Path: name, What: "no package names this file as its own"})
			}
			jobs <- job{name, claims}
			return nil
		})
		if err != nil {
			return said, err
		}
	}
	for name, claims := range r.claims {
		if seen[name] {
			continue
		}
		info, err := fs.Lstat(r.fsys, name)
		switch {
		case err == nil && info.Mode().IsRegular():
			jobs <- job{name, claims}
		case err == nil:
			said = append(said, Problem{Rule: Link, Path: name, Package: owner(claims), What: "neither a file nor a link that may be followed"})
		case !errors.Is(err, fs.ErrNotExist):
			return said, fault(err)
		case !strings.HasSuffix(name, ".pyc"): // Python makes those anew
			said = append(said, Problem{Rule: Missing, Path: name, Package: claims[0].pkg, Version: claims[0].version, What: "the package's RECORD names this file"})
		}
	}
	return said, nil
}

func owner(claims []claim) string {
	if len(claims) == 0 {
		return ""
	}
	return claims[0].pkg
}

// compiled reports whether a file is byte code in the place where Python puts
// that of a source which a RECORD vouches for. That its code is the source's,
// nobody can tell without compiling it.
func (r *reader) compiled(name string) bool {
	dir, base := path.Split(name)
	folder := path.Clean(dir)
	if path.Base(folder) != "__pycache__" || !strings.HasSuffix(base, ".pyc") {
		return false
	}
	module, _, _ := strings.Cut(base, ".")
	return len(r.claims[path.Join(path.Dir(folder), module+".py")]) > 0
}

// seatForm is what making a virtual environment puts beside the programs; 𝜋thon
// is a link of Python 3.14's.
var seatForm = lazyregexp.New(`^((python|pypy)w?[0-9.]*t?(\.exe)?|𝜋thon|[aA]ctivate(\.(csh|fish|nu|bat|ps1|xsh))?|activate_this\.py|deactivate\.(bat|nu)|pydoc\.bat)$`)

// seat reports whether a file belongs to a virtual environment itself.
func seat(name string) bool {
	dir, base := path.Split(name)
	switch dir {
	case "":
		return slices.Contains([]string{"pyvenv.cfg", "lib64", ".gitignore", ".lock", "CACHEDIR.TAG"}, base)
	case "bin/", "Scripts/":
		return seatForm.MatchString(base)
	}
	return false
}

// algorithms are those that a RECORD may use: SHA-256 or better.
var algorithms = map[string]func() hash.Hash{"sha256": sha256.New, "sha384": sha512.New384, "sha512": sha512.New}

// read reads one file and compares it with every claim about it.
func (r *reader) read(j job, buf []byte) (found, error) {
	f, err := r.fsys.Open(j.path)
	if err != nil {
		return found{}, fault(err)
	}
	defer f.Close()
	got := sums{"sha256": sha256.New()}
	for _, c := range j.claims {
		algorithm, _, _ := c.row.Sum()
		got.add(algorithm)
	}
	head := make([]byte, 16)
	n, err := io.ReadFull(f, head)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return found{}, fault(err)
	}
	// Without its own WriteTo the file is copied through the buffer.
	rest := io.MultiReader(bytes.NewReader(head[:n]), struct{ io.Reader }{f})
	size, err := io.CopyBuffer(struct{ io.Writer }{got.writer()}, rest, buf)
	if err != nil {
		return found{}, fault(err)
	}
	out := found{size: size}
	made := r.compiled(j.path)
	out.compiled = made && len(j.claims) == 0
	for _, c := range j.claims {
		p := c.hold(j.path, size, got, made)
		switch {
		case made && (p != nil || c.row.Hash == ""):
			out.compiled = true // pip compiles anew, over what a wheel brought
		case p != nil && slices.ContainsFunc(j.claims, func(o claim) bool { return o.pkg != c.pkg }):
			p.What += "; several packages claim this file"
			fallthrough
		case p != nil:
			out.problems = append(out.problems, *p)
		}
	}
	if machineCode(j.path, head[:n]) {
		out.native = describeNative(j.path, owner(j.claims), f)
		out.native.Digest = sallyport.DigestOf([sha256.Size]byte(got["sha256"].Sum(nil)))
	}
	return out, nil
}

// sums are the digests of a file as it is read, by algorithm.
type sums map[string]hash.Hash

func (s sums) add(algorithm string) {
	if algorithms[algorithm] != nil && s[algorithm] == nil {
		s[algorithm] = algorithms[algorithm]()
	}
}

func (s sums) writer() io.Writer {
	return io.MultiWriter(slices.Collect(func(yield func(io.Writer) bool) {
		for _, h := range s {
			if !yield(h) {
				return
			}
		}
	})...)
}

// hold compares a file with a claim. Byte code that Python made needs no hash:
// a RECORD names it before it is there.
func (c claim) hold(name string, size int64, got sums, made bool) *Problem {
	p := &Problem{Package: c.pkg, Version: c.version, Path: name}
	algorithm, sum, ok := c.row.Sum()
	switch {
	case !ok && c.row.Hash == "" && (made || bare(name)):
		return nil
	case !ok:
		p.Rule, p.What = Unrecorded, "the package's RECORD names this file without a hash"
	case algorithms[algorithm] == nil:
		p.Rule, p.What = Unrecorded, "the hash in the package's RECORD is of a kind that proves nothing"
	case c.row.Size >= 0 && c.row.Size != size:
		p.Rule, p.What = Altered, "the file does not have the size that the package's RECORD names"
	case !bytes.Equal(sum, got[algorithm].Sum(nil)):
		p.Rule, p.What = Altered, "the file does not have the hash that the package's RECORD names"
	default:
		return nil
	}
	return p
}

// bare reports whether a RECORD may name a file without its hash: itself, and
// its signatures.
func bare(name string) bool {
	dir, base := path.Split(name)
	return strings.HasSuffix(path.Clean(dir), ".dist-info") && (base == "RECORD" || base == "RECORD.jws" || base == "RECORD.p7s")
}
