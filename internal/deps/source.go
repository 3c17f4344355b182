package deps

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/sallyport/sallyport"
)

// Bounds of a source. All of OSV's PyPI records are 24,000 files of 150 MB.
const (
	maxSourceFiles = 500_000
	maxSourceBytes = 2 << 30
	fetchTime      = 10 * time.Minute
)

// A Source is a place that advisories come from: a file, a folder or an https
// URL. What its files may be, package advisory says.
type Source struct {
	Place string    `json:"place"`           // a URL without user and password, or a name
	AsOf  time.Time `json:"asOf"`            // what was published later is not in it
	Files int       `json:"files"`           // that were taken from it
	Bytes int64     `json:"bytes,omitempty"` // of them
}

// A collector copies sources into one archive, each below a folder of its own,
// byte for byte: who has the same source can compare.
type collector struct {
	ctx     context.Context
	out     *zip.Writer
	fetched map[string]*os.File // by URL
	files   int
	bytes   int64
}

// collect copies the place into the archive below the folder prefix.
func (c *collector) collect(prefix, place string) (Source, error) {
	src := Source{Place: filepath.Base(place)} // where it lay on this machine is nobody's business
	files, bytes := c.files, c.bytes
	err := c.open(prefix, place, &src)
	if err == nil && c.files == files {
		err = sallyport.Errorf(sallyport.Invalid, "it holds no file that could be read").Try("give an archive or a folder of OSV records")
	}
	src.Files, src.Bytes = c.files-files, c.bytes-bytes
	return src, at(place, err)
}

// at says which source an error is about, if it does not say so itself.
func at(place string, err error) error {
	if e, ok := errors.AsType[*sallyport.Error](err); ok && e.Place == "" {
		return e.At("%s", place)
	}
	return err
}

func (c *collector) open(prefix, place string, src *Source) error {
	if strings.Contains(place, "://") {
		return c.fetch(prefix, place, src)
	}
	info, err := os.Stat(place)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return sallyport.Errorf(sallyport.NotFound, "there is no such file or folder")
	case err != nil:
		return sallyport.Errorf(sallyport.Invalid, "cannot be read: %w", err)
	case info.IsDir():
		return c.folder(prefix, place)
	}
	f, err := os.Open(place)
	if err != nil {
		return sallyport.Errorf(sallyport.Invalid, "cannot be read: %w", err)
	}
	defer f.Close()
	return c.add(path.Join(prefix, filepath.Base(place)), f)
}

// folder copies every file below a folder whose name says that a reader may know
// it.
func (c *collector) folder(prefix, dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	return fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && strings.HasPrefix(d.Name(), ".") && name != "." {
			return fs.SkipDir
		}
		if !d.Type().IsRegular() || !slices.Contains(endings, strings.ToLower(path.Ext(name))) {
			return nil
		}
		f, err := root.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		return c.add(path.Join(prefix, name), f)
	})
}

// endings are those of the files that are taken from a folder: beside records a
// checkout holds its licence, its scripts and its history.
var endings = []string{".json", ".yaml", ".yml", ".csv", ".gz", ".zip", ".tar", ".zst"}

// add copies a file into the archive. Neither times nor rights are kept, so
// that the same sources give the same bytes.
func (c *collector) add(name string, r io.Reader) error {
	if err := c.ctx.Err(); err != nil {
		return err
	}
	w, err := c.out.Create(name)
	if err != nil {
		return err
	}
	n, err := io.Copy(w, io.LimitReader(r, maxSourceBytes+1))
	if err != nil {
		return sallyport.Errorf(sallyport.Invalid, "a file in it cannot be read: %w", err)
	}
	c.files, c.bytes = c.files+1, c.bytes+n
	switch {
	case c.files > maxSourceFiles:
		return sallyport.Errorf(sallyport.Limit, "it has more than %d files", maxSourceFiles)
	case c.bytes > maxSourceBytes:
		return sallyport.Errorf(sallyport.Limit, "it has more than %d GiB", maxSourceBytes>>30)
	}
	return nil
}

// fetch copies what a URL gives, unless the caller has it already.
func (c *collector) fetch(prefix, place string, src *Source) error {
	f := c.fetched[place]
	src.AsOf = now()
	if f == nil {
		var err error
		if f, err = Fetch(c.ctx, place); err != nil {
			return err
		}
		defer f.Close()
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	u, err := url.Parse(place)
	if err != nil {
		return err
	}
	src.Place = u.Redacted()
	return c.add(path.Join(prefix, path.Base(u.Path)), f)
}

// Fetch downloads what an https URL gives to a file that is gone when it is
// closed.
func Fetch(ctx context.Context, place string) (*os.File, error) {
	u, err := url.Parse(place)
	if err != nil || u.Scheme != "https" || u.Host == "" {
		return nil, at(place, sallyport.Errorf(sallyport.Usage, "not an https URL").Try("give an https URL, a file or a folder"))
	}
	f, err := os.CreateTemp("", "sallyport-advisories-")
	if err != nil {
		return nil, err
	}
	os.Remove(f.Name()) // some systems remove it only once it is closed: what it holds is public
	if err := download(ctx, u, f); err != nil {
		f.Close()
		return nil, at(u.Redacted(), err)
	}
	return f, nil
}

// download writes what a URL gives to f, and rewinds it. It has curl do it, which
// knows this machine's proxies and certificates: this program has no client of
// its own for the network. The URL goes by standard input, since it may hold a
// password and other users see what a program was called with.
func download(ctx context.Context, u *url.URL, f *os.File) error {
	failed := func(why string) error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return sallyport.Errorf(sallyport.Unknown, "cannot be fetched: %s", why).Try("fetch it another way and give the file")
	}
	curl, err := exec.LookPath("curl")
	if err != nil {
		return failed("curl is not installed")
	}
	cmd := exec.CommandContext(ctx, curl, "--config", "-")
	cmd.Stdin = strings.NewReader(fmt.Sprintf("silent\nshow-error\nfail\nlocation\nproto = \"=https\"\nproto-redir = \"=https\"\nmax-redirs = 5\nmax-time = %d\nurl = %q\n",
		int(fetchTime.Seconds()), u.String()))
	var complaint strings.Builder
	out := &bounded{w: f, left: maxSourceBytes}
	cmd.Stdout, cmd.Stderr = out, &complaint
	err = cmd.Run()
	switch {
	case out.full:
		return sallyport.Errorf(sallyport.Limit, "larger than %d GiB", maxSourceBytes>>30)
	case err != nil:
		why, _, _ := strings.Cut(strings.TrimSpace(complaint.String()), "\n")
		return failed(strings.TrimPrefix(why, "curl: "))
	}
	_, err = f.Seek(0, io.SeekStart)
	return err
}

// A bounded writer ends whoever writes more.
type bounded struct {
	w    io.Writer
	left int64
	full bool
}

func (b *bounded) Write(p []byte) (int, error) {
	if b.full = int64(len(p)) > b.left; b.full {
		return 0, io.ErrShortWrite
	}
	b.left -= int64(len(p))
	return b.w.Write(p)
}

// now is the time as documents hold it.
func now() time.Time { return time.Now().UTC().Truncate(time.Second) }
