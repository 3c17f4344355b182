package env

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/dist"
)

// distInfos returns the metadata folders of the installed packages, in the order
// of the packages' names.
func (b *build) distInfos() ([]string, error) {
	site := filepath.Join(b.tree(), "lib", baseName(b.env.Python.Version), "site-packages")
	entries, err := os.ReadDir(site)
	var out []string
	for _, e := range entries {
		if e.IsDir() && strings.HasSuffix(e.Name(), ".dist-info") {
			out = append(out, filepath.Join(site, e.Name()))
		}
	}
	slices.SortFunc(out, func(a, b string) int {
		nameA, _ := nameOf(a)
		nameB, _ := nameOf(b)
		return cmp.Compare(nameA, nameB)
	})
	return out, err
}

// bound limits the metadata files that are read whole, in bytes.
const bound = 32 << 20

func readFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, bound+1))
	if err == nil && len(b) > bound {
		err = sallyport.Errorf(sallyport.Limit, "longer than %d MiB", bound>>20).At("%s", filepath.Base(name))
	}
	return b, err
}

// record reads the RECORD of a package: the files that it installed, relative
// to the tree, each with the digest that it gives for it. Paths that leave the
// tree are refused.
func (b *build) record(dir string) (map[string]string, error) {
	text, err := readFile(filepath.Join(dir, "RECORD"))
	if err != nil {
		return nil, err
	}
	site, err := filepath.Rel(b.tree(), filepath.Dir(dir))
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	err = dist.Record(bytes.NewReader(text), func(row dist.Row) error {
		name := path.Join(filepath.ToSlash(site), filepath.ToSlash(row.Path))
		if path.IsAbs(row.Path) || !filepath.IsLocal(filepath.FromSlash(name)) {
			return sallyport.Errorf(sallyport.Refused, "the package installs a file outside the environment").At("%s", filepath.Base(dir)).
				Try("do not use this package")
		}
		out[name] = row.Hash
		return nil
	})
	if e, ok := errors.AsType[*sallyport.Error](err); ok && e.Place == "" {
		return nil, e.At("%s", filepath.Base(dir))
	}
	return out, err
}

// nameOf returns the package and version that a metadata folder's name holds.
func nameOf(dir string) (name, version string) { return dist.Folder(filepath.Base(dir)) }

// clashes returns the files that several packages brought with different bytes,
// by the package whose name sorts last.
func (b *build) clashes() (map[string][]string, error) {
	dirs, err := b.distInfos()
	if err != nil {
		return nil, err
	}
	type claim struct {
		pkg, digest string
		differs     bool
	}
	claims := map[string]claim{}
	for _, dir := range dirs {
		pkg, _ := nameOf(dir)
		record, err := b.record(dir)
		if err != nil {
			return nil, err
		}
		for name, digest := range record {
			c, taken := claims[name]
			c.differs = c.differs || taken && c.digest != digest
			c.pkg, c.digest = max(c.pkg, pkg), digest
			claims[name] = c
		}
	}
	out := map[string][]string{}
	for name, c := range claims {
		if c.differs {
			out[c.pkg] = append(out[c.pkg], name)
		}
	}
	return out, nil
}

// settleClashes gives each file that several packages brought to the one whose
// name sorts last. Otherwise it would be chance, or the installer's habit, whose
// file is there. The file is taken from a tree of that package alone.
func (b *build) settleClashes(ctx context.Context, t *tool) error {
	clashes, err := b.clashes()
	if err != nil {
		return fault("cannot read what was installed", err)
	}
	for _, p := range b.pins {
		if len(clashes[p.Name]) == 0 {
			continue
		}
		alone := filepath.Join(b.dir, "alone")
		if err := b.seat(alone); err != nil {
			return fault("cannot prepare the environment", err)
		}
		if err := b.installPins(ctx, t, []Pin{p}, alone); err != nil {
			return err
		}
		for _, name := range clashes[p.Name] {
			if err := os.Rename(filepath.Join(alone, filepath.FromSlash(name)), filepath.Join(b.tree(), filepath.FromSlash(name))); err != nil {
				return fault("cannot settle which package has a file", err)
			}
		}
		if err := os.RemoveAll(alone); err != nil {
			return fault("cannot prepare the environment", err)
		}
	}
	return nil
}

// rewriteRecords gives each RECORD one order, and the digests of the files as
// they are now. Files that are gone leave it.
func (b *build) rewriteRecords() error {
	dirs, err := b.distInfos()
	if err != nil {
		return err
	}
	for _, dir := range dirs {
		if err := b.rewriteRecord(dir); err != nil {
			return err
		}
	}
	return nil
}

func (b *build) rewriteRecord(dir string) error {
	record, err := b.record(dir)
	if err != nil {
		return err
	}
	site := filepath.Dir(dir)
	var rows [][]string
	for name := range record {
		full := filepath.Join(b.tree(), filepath.FromSlash(name))
		rel, err := filepath.Rel(site, full)
		if err != nil {
			return err
		}
		row := []string{filepath.ToSlash(rel), "", ""}
		if full != filepath.Join(dir, "RECORD") {
			info, err := os.Lstat(full)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return err
			}
			digest, err := fileDigest(full)
			if err != nil {
				return err
			}
			sum, err := hex.DecodeString(digest.Hex())
			if err != nil {
				return err
			}
			row[1], row[2] = "sha256="+base64.RawURLEncoding.EncodeToString(sum), strconv.FormatInt(info.Size(), 10)
		}
		rows = append(rows, row)
	}
	slices.SortFunc(rows, func(a, b []string) int { return cmp.Compare(a[0], b[0]) })
	var text bytes.Buffer
	w := csv.NewWriter(&text)
	if err := w.WriteAll(rows); err != nil {
		return err
	}
	return replace(filepath.Join(dir, "RECORD"), text.Bytes(), 0o644)
}

// replace gives a file new bytes, and the mode that goes with them: wheels carry
// odd ones, which installers treat each in its own way.
func replace(name string, content []byte, mode fs.FileMode) error {
	if err := os.WriteFile(name, content, mode); err != nil {
		return err
	}
	return os.Chmod(name, mode)
}
