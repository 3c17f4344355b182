package advisory

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/format/squash"
	"github.com/sallyport/sallyport/internal/format/zip"
)

const (
	maxFile  = 32 << 20 // bytes of a file, unpacked
	maxKept  = 1 << 20  // bytes of memory that stay from one file to the next
	maxTree  = 64 << 20 // bytes of memory of a document's tree
	maxZip   = 2 << 30  // bytes of an archive within an archive
	maxDepth = 6        // archives and compressed streams in each other
	headSize = 512      // bytes that tell what a file is
)

// walk reads all files of a file system. Hidden files and folders belong to the
// tools of whoever keeps the records, and are left out.
func (c *compiler) walk(fsys fs.FS) error {
	return fs.WalkDir(fsys, ".", func(file string, d fs.DirEntry, err error) error {
		switch {
		case c.ctx.Err() != nil:
			return interrupted(c.ctx.Err())
		case err != nil:
			c.unreadable(file, "it cannot be opened")
			return nil
		case hidden(file) && d.IsDir():
			return fs.SkipDir
		case hidden(file) || d.IsDir():
			return nil
		}
		f, err := regular(fsys, file, d)
		if err != nil {
			c.unreadable(file, "it cannot be opened")
			return nil
		}
		defer f.Close()
		return c.source(file, f, 0)
	})
}

// regular opens a file that is one: another could have no end, or none to write to
// it.
func regular(fsys fs.FS, file string, d fs.DirEntry) (fs.File, error) {
	if !d.Type().IsRegular() {
		return nil, fs.ErrInvalid
	}
	return fsys.Open(file)
}

func hidden(file string) bool {
	return slices.ContainsFunc(strings.Split(path.Clean(file), "/"), func(part string) bool {
		return len(part) > 1 && part[0] == '.' && part != ".."
	})
}

func interrupted(err error) error {
	return sallyport.Errorf(sallyport.Interrupted, "interrupted: %w", err)
}

func (c *compiler) unreadable(file, why string) {
	c.unread(Unread{File: line(file, maxSummary), Why: why})
}

// source reads a file of any kind.
func (c *compiler) source(file string, src io.Reader, depth int) error {
	if depth > maxDepth {
		c.unreadable(file, "it lies in too many archives")
		return nil
	}
	head := make([]byte, headSize)
	n, err := io.ReadFull(src, head)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		c.unreadable(file, "it cannot be read")
		return nil
	}
	head = head[:n]
	whole := io.MultiReader(bytes.NewReader(head), src)
	switch {
	case bytes.HasPrefix(head, []byte("PK\x03\x04")), bytes.HasPrefix(head, []byte("PK\x05\x06")):
		return c.archive(file, src, whole, depth)
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		return c.source(strings.TrimSuffix(file, ".gz"), squash.Open(squash.Gzip, whole), depth+1)
	case bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		return c.source(strings.TrimSuffix(file, ".zst"), squash.Open(squash.Zstd, whole), depth+1)
	case bytes.HasPrefix(head, []byte("#model_version:")), bytes.HasPrefix(head, []byte("cve,epss")):
		c.readEPSS(file, whole)
		return nil
	case n == headSize && string(head[257:262]) == "ustar":
		return c.tape(file, tar.NewReader(whole), depth)
	}
	return c.plain(file, whole)
}

// tape reads the members of a tar archive.
func (c *compiler) tape(file string, t *tar.Reader, depth int) error {
	for {
		m, err := t.Next()
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			c.unreadable(file, "it is an archive and cannot be read to its end")
			return nil
		case m.Typeflag != tar.TypeReg || hidden(m.Name):
			continue
		}
		if err := c.member(path.Join(file, m.Name), t, depth+1); err != nil {
			return err
		}
	}
}

// member reads a file within an archive.
func (c *compiler) member(file string, src io.Reader, depth int) error {
	if err := c.ctx.Err(); err != nil {
		return interrupted(err)
	}
	return c.source(file, src, depth)
}

// archive reads the members of a zip archive.
func (c *compiler) archive(file string, src, whole io.Reader, depth int) error {
	at, size, done, err := seekable(src, whole)
	if err != nil {
		return err
	}
	defer done()
	if at == nil {
		c.unreadable(file, "it is an archive and cannot be read to its end")
		return nil
	}
	z, err := zip.Open(at, size)
	if err != nil {
		c.unreadable(file, "it is an archive and has no directory")
		return nil
	}
	for members := z.Walk(); ; {
		m, err := members.Next()
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			c.unreadable(file, "it is an archive and its directory cannot be read")
			return nil
		case m.Folder() || hidden(m.Name):
			continue
		}
		if err := c.unpacked(path.Join(file, m.Name), z, m, depth); err != nil {
			return err
		}
	}
}

// unpacked reads a member of a zip archive.
func (c *compiler) unpacked(file string, z *zip.Archive, m *zip.Entry, depth int) error {
	local, err := z.Local(m)
	var data io.Reader
	if err == nil {
		data, err = z.Data(m, local)
	}
	if err != nil || m.Encrypted() || m.Link() {
		c.unreadable(file, "it is in an archive and cannot be unpacked")
		return nil
	}
	return c.member(file, data, depth+1)
}

// seekable makes a source of which any part can be read: the source itself, or
// what it yields in a file that has no name. The reader is nil if the source
// cannot be read to its end or is too large.
func seekable(src, whole io.Reader) (at io.ReaderAt, size int64, done func(), err error) {
	if f, ok := src.(fs.File); ok {
		if at, ok := src.(io.ReaderAt); ok {
			if info, err := f.Stat(); err == nil {
				return at, info.Size(), func() {}, nil
			}
		}
	}
	f, err := os.CreateTemp("", "sallyport-*.zip")
	if err != nil {
		return nil, 0, nil, err
	}
	os.Remove(f.Name()) // some systems remove it only once it is closed
	done = func() {
		f.Close()
		os.Remove(f.Name())
	}
	size, err = io.Copy(f, io.LimitReader(whole, maxZip+1))
	if err != nil || size > maxZip {
		return nil, 0, done, nil
	}
	return f, size, done, nil
}

// plain reads a file that is not packed, by what is in it.
func (c *compiler) plain(file string, src io.Reader) error {
	if c.buffer.Reset(); c.buffer.Cap() > maxKept {
		c.buffer = bytes.Buffer{}
	}
	if _, err := c.buffer.ReadFrom(io.LimitReader(src, maxFile+1)); err != nil {
		c.unreadable(file, "it cannot be read to its end")
		return nil
	}
	b := c.buffer.Bytes()
	if len(b) > maxFile {
		c.unreadable(file, fmt.Sprintf("it is larger than %d MiB", maxFile>>20))
		return nil
	}
	read := c.reader(file, b)
	if read == nil {
		return nil
	}
	c.stats.Files++
	wrong, err := read(file, b)
	if wrong != nil {
		c.unreadable(file, wrong.Error())
	}
	return err
}

// A reader reads a file. What is wrong with the file is its first result; the
// second ends everything.
type reader func(file string, b []byte) (wrong, err error)

// reader returns what reads the file, or nil if nothing has to: a licence, a
// page of prose. A file that has the name of data has to be read.
func (c *compiler) reader(file string, b []byte) reader {
	ext := strings.ToLower(path.Ext(file))
	switch {
	case bytes.HasPrefix(bytes.TrimLeft(b, " \t\r\n"), []byte("{")):
		return c.readJSON
	case ext == ".yaml", ext == ".yml", bytes.HasPrefix(b, []byte("id: ")), bytes.HasPrefix(b, []byte("schema_version: ")):
		return c.readYAML
	case ext == ".json", ext == ".csv", ext == ".zip", ext == ".gz":
		return func(string, []byte) (error, error) { return fmt.Errorf("it holds nothing that is known"), nil }
	}
	return nil
}
