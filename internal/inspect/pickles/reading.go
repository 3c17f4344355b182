package pickles

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/sallyport/sallyport/internal/format"
	"github.com/sallyport/sallyport/internal/format/pickle"
	"github.com/sallyport/sallyport/internal/inspect"
)

// Readings are the formats that this package judges. No extension promises a
// pickle: files called .pkl are as often compressed, or archives.
var Readings = []inspect.Reading{{Format: "pickle", Match: match, Inspect: read}}

func match(f *inspect.File, head []byte) inspect.Fit {
	begins := len(head) >= 2 && head[0] == 0x80 && head[1] <= 5
	if tensorData(f) {
		if begins && pickle.Sniff(f, 2, f.Size, importable) == pickle.Yes {
			return inspect.Yes
		}
		return inspect.No
	}
	if begins {
		return inspect.Yes
	}
	if certain(f) {
		return inspect.Yes
	}
	if bytes.HasPrefix(head, []byte("PK")) && len(head) > 2 && head[2] < ' ' {
		return inspect.No // a zip archive: as a pickle it would ask for an identity, which only loaders have that take zip archives as such
	}
	readable := bytes.IndexFunc(head, control) < 0
	asText := readable && slices.Contains(written, f.Ext())
	switch pickle.Sniff(f, 0, f.Size, importable) {
	case pickle.Yes:
		return inspect.Yes
	case pickle.Likely:
		// "cos", "sin", "tan": whoever loads it as a pickle imports a module of Python's.
		// Under the name of text nobody does.
		if !asText {
			return inspect.Yes
		}
	case pickle.Perhaps:
		// A line "count", or a list of packages that begins with a c: as a pickle it
		// would name something and break. Nobody loads it as one but by its name.
		if !readable || slices.Contains(loaded, f.Ext()) || !asText && !unicode(f) {
			return inspect.Yes
		}
	}
	return inspect.No
}

// tensorData reports whether a file is the numbers of a tensor, by its place in an
// archive of torch.save. Nobody unpickles it, and of thousands of tensors some
// begin as a pickle does.
func tensorData(f *inspect.File) bool {
	folder, key := path.Split(f.Name)
	folder = strings.TrimSuffix(folder, "/")
	if f.OnDisk() || key == "" || strings.Trim(key, "0123456789") != "" || path.Base(folder) != "data" && path.Base(folder) != "constants" {
		return false
	}
	_, ok := f.Around.Lookup(folder + ".pkl")
	return ok
}

// certain reports whether a file is unpickled for where it lies, whatever its
// bytes are: the streams of torch.save's archives, and what the inspectors of
// other formats hand on under the name that says so.
func certain(f *inspect.File) bool {
	if f.OnDisk() {
		return false
	}
	switch f.Base() {
	case "objects.pickle":
		return true
	case "data.pkl", "constants.pkl":
		_, ok := f.Around.Lookup(path.Join(path.Dir(f.Name), "version"))
		return ok
	}
	return tarMember(f) != nil
}

// loaded are extensions of files that people load with pickle.
var loaded = []string{".pkl", ".pickle", ".p", ".joblib", ".pt", ".pth", ".bin", ".ckpt", ".sav", ".dat", ".model"}

// written are extensions of files that people write and read.
var written = []string{
	".txt", ".text", ".md", ".rst", ".tex", ".bib", ".log", ".csv", ".tsv", ".json", ".jsonl", ".yaml", ".yml", ".toml", ".ini", ".cfg",
	".xml", ".html", ".htm", ".svg", ".css", ".py", ".pyi", ".sh", ".sql", ".r", ".c", ".h", ".cc", ".cpp", ".hpp", ".java", ".js", ".ts", ".go", ".rs",
	".gitignore", ".dockerignore",
}

func control(r rune) bool { return r < ' ' && !strings.ContainsRune("\n\r\t\f", r) }

// unicode reports whether a file is UTF-8 to its end. Other bytes may be letters
// of somebody's, and opcodes; where no name says which, they are no text.
func unicode(f *inspect.File) bool {
	for in := bufio.NewReader(io.NewSectionReader(f, 0, f.Size)); ; {
		c, n, err := in.ReadRune()
		if err != nil {
			return err == io.EOF
		}
		if c == utf8.RuneError && n == 1 {
			return false
		}
	}
}

// read judges the streams of a file, one behind the other as several libraries
// write them.
func read(p *inspect.Pass, f *inspect.File) error {
	s := newSurroundings(f)
	legacy := isLegacy(f)
	s.tar = tarMember(f)
	s.legacy = legacy
	at := int64(0)
	for n := 0; ; n++ {
		j := newJudge(p, f, s)
		result, err := j.run(at)
		if err != nil {
			return err
		}
		at = result.End
		switch left := f.Size - at; {
		case legacy && n == 4:
			return s.legacyStorages(p, f, at)
		case left == 0 && legacy:
			return format.Brokenf(at, "the file ends before the tensors")
		case left == 0:
			return nil
		case s.tar != nil && s.tar.raw:
			done, err := s.tar.skip(f, &at, n)
			if done || err != nil {
				return err
			}
		case !header(f, at) && !(legacy && n < 4):
			p.Find(f, inspect.Finding{Rule: ruleTrailing, Verdict: inspect.Suspicious, Offset: at, What: "trailing data",
				Why: "what a pickle ends with is its STOP; who reads on finds something else"})
			j.further(at)
			return nil
		}
	}
}

// header reports whether a stream with its protocol's header begins at a place,
// or one without that a pickle's end says is one.
func header(f *inspect.File, at int64) bool {
	var b [2]byte
	if n, _ := f.ReadAt(b[:], at); n == 2 && b[0] == 0x80 && b[1] <= 5 {
		return true
	}
	return pickle.Sniff(f, at, f.Size, importable) == pickle.Yes
}

// run judges one stream.
func (j *judge) run(at int64) (pickle.Result, error) {
	m := pickle.New(j.f, at, j.f.Size, j)
	result, err := m.Run()
	if j.failed != nil {
		return result, j.failed
	}
	if result.Stopped {
		j.look(m, result.End-1, result.Value, 4)
	}
	for e, off := range j.uncalled {
		j.report(m, off, ruleGlobal, inspect.Suspicious, e.module+"."+e.name, strayWhy)
	}
	if err != nil && isFormat(err) {
		j.further(result.End + 1)
	}
	return result, err
}

func isFormat(err error) bool {
	var e *format.Error
	return errors.As(err, &e)
}

// further looks for streams behind a place where the file is none any more, for
// information: what they name stands in the findings.
func (j *judge) further(at int64) {
	for range 8 {
		next, ok := pickle.Resync(j.f, at, j.f.Size)
		if !ok {
			return
		}
		other := newJudge(j.p, j.f, j.around)
		other.quiet = true
		result, _ := pickle.New(j.f, next, j.f.Size, other).Run()
		if other.foreign != "" {
			j.p.Find(j.f, inspect.Finding{Rule: ruleGlobal, Verdict: inspect.Suspicious, Offset: other.at, What: other.foreign,
				Why: "a stream that begins behind the end of the first names it"})
		}
		at = max(result.End, next+2)
	}
}

const strayWhy = "honest files call it and nothing else; as a value it waits for somebody to call it with other arguments"

// look finds in a value what may be anywhere: bytes that are a pickle, and names
// that may be called and not be kept.
func (j *judge) look(m *pickle.Machine, at int64, v pickle.Value, depth int) {
	if j.quiet || depth == 0 {
		return
	}
	switch v.Kind() {
	case pickle.Bytes, pickle.ByteArray, pickle.Str8, pickle.Str:
		if off, n, ok := m.Data(v); ok && n >= 4 && n <= maxText {
			j.written(m, v, off, n)
		}
	case pickle.GlobalRef:
		if e := j.thing(m, v).entry; e != nil && e.callOnly() {
			j.report(m, at, ruleGlobal, inspect.Suspicious, e.module+"."+e.name, strayWhy)
		}
	case pickle.Returned, pickle.Instance: // judged when they were made
	default:
		items, _ := m.Items(v)
		for _, item := range items {
			j.look(m, at, item, depth-1)
		}
	}
}

// written looks at n bytes of a value from off on that are a pickle, or one as
// base64 or hexadecimal digits. Their beginning tells in nearly all cases that
// they are neither.
func (j *judge) written(m *pickle.Machine, v pickle.Value, off, n int64) {
	var head [3]byte
	j.f.ReadAt(head[:], off)
	if j.looked[off%int64(len(j.looked))] == off+1 {
		return // the same bytes again, out of the memo
	}
	j.looked[off%int64(len(j.looked))] = off + 1
	if err := j.p.Step(16 + int(n>>8)); err != nil {
		j.failed = err
		return
	}
	switch head[0] {
	case 0x80, 'c', '(', ']', '}':
		j.embedded(j.f, off, off, n)
		return
	}
	var decode func(string) ([]byte, error)
	switch string(head[:2]) {
	case "gA", "Y2", "KF", "KG": // a header, or GLOBAL, or a mark
		decode = func(s string) ([]byte, error) {
			if strings.ContainsAny(s, "-_") {
				return base64.RawURLEncoding.DecodeString(strings.TrimRight(s, "="))
			}
			return base64.RawStdEncoding.DecodeString(strings.TrimRight(s, "="))
		}
	case "80", "63", "28":
		decode = hex.DecodeString
	default:
		return
	}
	s, ok := m.Text(v, maxText)
	if !ok {
		b := make([]byte, n)
		if _, err := j.f.ReadAt(b, off); err != nil {
			return
		}
		s = string(b)
	}
	data, err := decode(strings.TrimSpace(s))
	if err == nil && len(data) > 4 {
		f := inspect.NewFile("text", bytes.NewReader(data), int64(len(data)))
		j.embedded(f, off, 0, f.Size)
	}
}

// embedded judges n bytes of f from off on as a pickle, if they are one, as if
// they stood at a place in the judge's file.
func (j *judge) embedded(f *inspect.File, at, off, n int64) {
	part, err := f.Section("bytes", off, n)
	if err != nil || pickle.Sniff(part, 0, n, importable) != pickle.Yes {
		return
	}
	other := newJudge(j.p, part, newSurroundings(part))
	other.quiet = true
	pickle.New(part, 0, n, other).Run()
	if other.foreign != "" && !j.quiet {
		j.found++
		j.p.Find(j.f, inspect.Finding{Rule: ruleEmbedded, Verdict: inspect.Suspicious, Offset: at, What: other.foreign,
			Why: "the bytes run no code by themselves, but whoever unpickles them does"})
	}
}

// The first two streams of a file of torch.save's before version 1.6: a magic
// number and the version of the format.
var legacyMagic = "\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."

func isLegacy(f *inspect.File) bool {
	head := make([]byte, min(f.Size, 16))
	f.ReadAt(head, 0)
	return len(head) > 2 && head[0] == 0x80 && bytes.HasPrefix(head[2:], []byte(legacyMagic))
}

// legacyStorages checks what follows the five streams: for each storage its
// count and its bytes.
func (s *surroundings) legacyStorages(p *inspect.Pass, f *inspect.File, at int64) error {
	want := int64(0)
	for _, n := range s.keys {
		want += 8 + n.count*n.size
	}
	if left := f.Size - at; left != want {
		text := "the tensors' data is shorter than their types and counts need"
		if left > want {
			text = "more follows the tensors' data than the pickle speaks of"
		}
		p.Find(f, inspect.Finding{Rule: ruleStorage, Verdict: inspect.Suspicious, Offset: at, What: "storages", Why: text})
	}
	return nil
}
