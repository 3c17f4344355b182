package installed

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/internal/dist"
	"github.com/sallyport/sallyport/internal/format/zip"
	"github.com/sallyport/sallyport/internal/pep508"
)

// maxMembers bounds the files of one wheel. The largest real ones have 20,000.
const maxMembers = 1 << 20

// A wheel is one that is being read.
type wheel struct {
	*archive
	zip  *zip.Archive
	info string               // its folder of metadata
	rows map[string]dist.Row  // its RECORD
	seen map[string]bool      // members
	meta map[string]zip.Entry // members of folders of metadata that say something
}

// wheel reads a wheel twice: for its metadata, and then every member to hold it
// against the RECORD.
func (a *archive) wheel(r io.ReaderAt, size int64) {
	z, err := zip.Open(r, size)
	if err != nil {
		a.say(Unreadable, "", 0, "not an archive that can be read")
		return
	}
	w := &wheel{archive: a, zip: z, rows: map[string]dist.Row{}, seen: map[string]bool{}, meta: map[string]zip.Entry{}}
	w.doubt(z.Doubts)
	if !w.each(w.find) {
		return
	}
	w.choose()
	w.describe()
	w.record()
	w.each(w.member)
	for _, name := range slices.Sorted(maps.Keys(w.rows)) {
		if !w.seen[name] {
			w.say(Missing, name, 0, "the wheel's RECORD names this file")
		}
	}
}

// each calls do for every member, and reports whether it came to the end.
func (w *wheel) each(do func(*zip.Entry)) bool {
	walk := w.zip.Walk()
	for range maxMembers {
		e, err := walk.Next()
		if err == io.EOF {
			return true
		}
		if err != nil {
			w.say(Unreadable, "", 0, "the archive's list of members cannot be read to its end")
			return false
		}
		do(e)
	}
	w.say(Unreadable, "", 0, "the archive has more members than are read")
	return false
}

// doubt notes that readers of archives may see different things in this one.
func (w *wheel) doubt(doubts []zip.Doubt) {
	if len(doubts) > 0 {
		w.say(Unreadable, "", 0, "readers of archives may see different files in it: "+doubts[0].Why)
	}
}

// find notes the metadata, and names that an installer must not follow.
func (w *wheel) find(e *zip.Entry) {
	w.doubt(e.Doubts)
	name := strings.TrimSuffix(e.Name, "/")
	switch {
	case !fs.ValidPath(name) || strings.ContainsAny(name, "\\:"):
		w.say(Outside, e.Name, 0, "the wheel holds a file whose path leaves the environment")
	case e.Link():
		w.say(Link, e.Name, 0, "the wheel holds what is neither a file nor a folder")
	case w.seen[name] && !e.Folder():
		w.say(Unreadable, e.Name, 0, "the wheel holds two files of this name")
	}
	if e.Folder() {
		return
	}
	w.seen[name] = true
	dir, base := path.Split(name)
	if strings.HasSuffix(dir, ".dist-info/") && strings.Count(dir, "/") == 1 && slices.Contains([]string{"METADATA", "WHEEL", "RECORD", "entry_points.txt"}, base) {
		w.meta[name] = *e
	}
}

// choose chooses the folder of metadata that is of the package which the file's
// name names. Any other is a package that nobody asked for.
func (w *wheel) choose() {
	others := map[string]bool{}
	for name := range w.meta {
		dir := path.Dir(name)
		if pkg, version := dist.Folder(dir); w.info == "" && pkg == w.pkg && sameVersion(version, w.version) {
			w.info = dir
		}
		others[dir] = true
	}
	delete(others, w.info)
	for _, dir := range slices.Sorted(maps.Keys(others)) {
		w.say(Misnamed, dir, 0, "the folder of metadata is not that of the package which the file's name names")
		if w.info == "" {
			w.info = dir
		}
	}
}

// describe holds the metadata against the name of the file.
func (w *wheel) describe() {
	if head, ok := w.head("METADATA"); ok && (pep508.Normal(head.Get("name")) != w.pkg || !sameVersion(head.Get("version"), w.version)) {
		w.say(Misnamed, w.info+"/METADATA", 0, "the metadata are not of the package and version which the file's name names")
	}
	if head, ok := w.head("WHEEL"); ok {
		var tags []string
		for _, set := range head["tag"] {
			tags = append(tags, dist.Tags(set)...)
		}
		slices.Sort(tags)
		if named := slices.Sorted(slices.Values(w.file.Tags)); !slices.Equal(slices.Compact(tags), slices.Compact(named)) {
			w.say(Mistagged, w.info+"/WHEEL", 0, "the wheel is for other platforms or versions of Python than its name says")
		}
	}
	if e, ok := w.meta[w.info+"/entry_points.txt"]; ok {
		if text, err := w.text(&e); err != nil || !dist.Safe(bytes.NewReader(text)) {
			w.say(Outside, e.Name, 0, "the wheel has an entry point whose name leaves the environment")
		}
	}
}

func (w *wheel) head(base string) (dist.Head, bool) {
	e, ok := w.meta[w.info+"/"+base]
	if !ok {
		w.say(Unreadable, w.info+"/"+base, 0, "the wheel has no such file, which every wheel has")
		return nil, false
	}
	text, err := w.text(&e)
	if err == nil {
		var head dist.Head
		if head, err = dist.ReadHead(bytes.NewReader(text)); err == nil {
			return head, true
		}
	}
	w.say(Unreadable, e.Name, 0, "the wheel's metadata cannot be read")
	return nil, false
}

// record reads the wheel's own RECORD.
func (w *wheel) record() {
	e, ok := w.meta[w.info+"/RECORD"]
	if !ok {
		w.say(Unrecorded, w.info, 0, "the wheel has no RECORD, so nothing says what its files have to be")
		return
	}
	text, err := w.text(&e)
	if err == nil {
		err = dist.Record(bytes.NewReader(text), func(row dist.Row) error {
			w.rows[row.Path] = row
			return nil
		})
	}
	if err != nil {
		w.say(Unreadable, e.Name, 0, "the wheel's RECORD cannot be read")
	}
}

// data opens a member.
func (w *wheel) data(e *zip.Entry) (io.Reader, error) {
	local, err := w.zip.Local(e)
	if err != nil {
		return nil, err
	}
	w.doubt(local.Doubts)
	return w.zip.Data(e, local)
}

// text reads a member that has to be short.
func (w *wheel) text(e *zip.Entry) ([]byte, error) {
	r, err := w.data(e)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(io.LimitReader(r, maxMeta+1))
	if err == nil && len(b) > maxMeta {
		err = errors.New("it is too long")
	}
	return b, err
}

// member holds a member against the RECORD, and shows what would run.
func (w *wheel) member(e *zip.Entry) {
	if e.Folder() || e.Link() {
		return
	}
	w.runs(e)
	row, ok := w.rows[e.Name]
	switch {
	case w.meta[w.info+"/RECORD"].Name == "", !ok && bare(e.Name):
		return
	case !ok:
		w.say(Stray, e.Name, 0, "the wheel's RECORD does not name this file")
		return
	}
	r, err := w.data(e)
	if err != nil {
		w.say(Unreadable, e.Name, 0, "the file cannot be unpacked")
		return
	}
	algorithm, _, _ := row.Sum()
	made := algorithms[algorithm]
	if made == nil {
		made = algorithms["sha256"]
	}
	h := made()
	size, err := io.Copy(h, r)
	if err != nil {
		w.say(Unreadable, e.Name, 0, "the file cannot be unpacked")
		return
	}
	if p := (claim{row: row}).hold(e.Name, size, sums{algorithm: h}, false); p != nil {
		w.say(p.Rule, e.Name, 0, p.What)
	}
}

// runs shows a member that will run without being called, or be a program.
func (w *wheel) runs(e *zip.Entry) {
	dir, base := path.Split(e.Name)
	data := strings.TrimSuffix(w.info, ".dist-info") + ".data/"
	lower := strings.ToLower(base)
	module, _, _ := strings.Cut(lower, ".")
	switch top := dir == "" || dir == data+"purelib/" || dir == data+"platlib/"; {
	case dir == data+"scripts/":
		w.say(Script, e.Name, 0, "a program that is no entry point")
	case top && (module == "sitecustomize" || module == "usercustomize"):
		w.say(StartCode, e.Name, 0, "a module that is imported whenever Python starts")
	case top && (strings.HasSuffix(lower, ".pth") || strings.HasSuffix(lower, ".start")):
		text, err := w.text(e)
		if err != nil || len(text) > maxStart {
			w.say(StartCode, e.Name, 0, "a file that Python runs when it starts, and that cannot be read")
			return
		}
		for _, p := range startLines(e.Name, string(text)) {
			w.say(p.Rule, e.Name, p.Line, p.What)
		}
	}
}
