package pickles

import (
	"bufio"
	"path"
	"strings"

	"github.com/sallyport/sallyport/internal/format"
	"github.com/sallyport/sallyport/internal/format/pickle"
	"github.com/sallyport/sallyport/internal/inspect"
)

// Persistent judges an identity that the loader has to find something for.
// PyTorch's is ("storage", type, key, place, count), with a sixth of old.
func (j *judge) Persistent(m *pickle.Machine, at pickle.At, id, result pickle.Value) error {
	if j.quiet {
		return nil
	}
	if j.around.tar != nil {
		if why := j.around.tar.persistent(j, m, id, result); why != "" {
			j.report(m, at.Off, rulePersistent, inspect.Suspicious, "persistent object", why)
		}
		return nil
	}
	parts, count := m.Items(id)
	if count == 4 && len(parts) == 4 && text(m, parts[0]) == "module" && j.shaped(m, 'c', parts[1]) && j.allPure(m, parts[2:]) {
		m.SetTag(result, m.Tag(parts[1])) // a class with its source, which the loader compares
		return nil
	}
	if id.Kind() != pickle.Tuple || count != len(parts) || count < 5 || count > 6 || text(m, parts[0]) != "storage" {
		j.report(m, at.Off, rulePersistent, inspect.Suspicious, "persistent object", "its identity is not that of a tensor's storage")
		return nil
	}
	of := j.thing(m, parts[1])
	n, ok := m.Int(parts[4])
	key := text(m, parts[2])
	if of.kind != "storage" || !ok || n < 0 || key == "" || text(m, parts[3]) == "" || count == 6 && !m.Pure(parts[5]) {
		j.report(m, at.Off, rulePersistent, inspect.Suspicious, "persistent object", "its identity is not that of a tensor's storage")
		return nil
	}
	size := max(of.size, 1)
	m.SetTag(result, j.tag(thing{entry: of.entry, kind: "storage", life: fresh, size: size}))
	if why := j.around.storage(j.f, key, n, int64(size)); why != "" {
		j.report(m, at.Off, ruleStorage, inspect.Suspicious, key, why)
	}
	return nil
}

// fromType is torch._tensor._rebuild_from_type_v2(function, class, arguments,
// state): the call of the function, made an instance of the class.
func fromType(j *judge, m *pickle.Machine, e *entry, args []pickle.Value) (thing, string) {
	if len(args) != 4 && len(args) != 3 {
		return thing{}, "it takes another number of arguments"
	}
	inner, ok := m.Global(args[0])
	callee := j.thing(m, args[0])
	if !ok || callee.entry == nil || inner == nil || callee.entry.use.product != "tensor" {
		return thing{}, "the function that it calls does not make a tensor"
	}
	if of := j.thing(m, args[1]); args[1].Kind() != pickle.GlobalRef || of.entry == nil || !of.entry.use.class() {
		return thing{}, "what it makes is no instance of an allowed class"
	}
	parts, count := m.Items(args[2])
	if args[2].Kind() != pickle.Tuple || len(parts) < count {
		return thing{}, "its arguments are no tuple"
	}
	if why := j.fit(m, callee.entry.use.args, parts); why != "" {
		return thing{}, why
	}
	if len(args) == 4 && args[3].Kind() != pickle.Dict && args[3].Kind() != pickle.None && args[3].Kind() != pickle.Tuple && !m.Pure(args[3]) {
		return thing{}, "the state of the tensor is no dict"
	}
	return thing{entry: e, kind: "tensor", life: built}, ""
}

// fromBytes is torch.storage._load_from_bytes: another file of torch.save's, as
// bytes in this one. It is inspected as a file of its own.
func fromBytes(j *judge, m *pickle.Machine, e *entry, args []pickle.Value) (thing, string) {
	if len(args) != 1 {
		return thing{}, "it takes the bytes of a file"
	}
	if !j.quiet && !m.Repeats() {
		found, err := j.inner(m, args[0])
		if !found {
			return thing{}, "the bytes that it loads are not written in the stream"
		}
		if err != nil {
			return thing{}, j.end(err)
		}
	}
	return thing{entry: e, kind: "storage", life: fresh, size: 1}, ""
}

// end keeps an error that has to end the pass.
func (j *judge) end(err error) string {
	j.failed = err
	return "the bytes that it loads could not be read"
}

// inner inspects a file that is written as a value: as bytes, or as the text
// that writers of the protocols 0 to 2 make of them.
func (j *judge) inner(m *pickle.Machine, v pickle.Value) (found bool, err error) {
	k := v.Kind()
	if off, n, ok := m.Data(v); ok && (k == pickle.Bytes || k == pickle.Str8 || k == pickle.ByteArray) {
		part, err := j.f.Section("bytes", off, n)
		if err != nil || j.inspected[off] {
			return true, err
		}
		j.inspected[off] = len(j.inspected) < maxThings
		return true, j.p.Inspect(part)
	}
	written, ok := encoded(m, j.thing(m, v), v)
	if !ok {
		return false, nil
	}
	if off, n, ok := m.Data(written); ok {
		part, err := j.f.Section("text", off, n)
		if err != nil {
			return true, err
		}
		return true, j.p.Expand(j.f, "bytes", &latin1{r: bufio.NewReader(part.Reader())}, nil)
	}
	if s, ok := m.Text(written, maxText); ok {
		return true, j.p.Expand(j.f, "bytes", &latin1{r: bufio.NewReader(strings.NewReader(s))}, nil)
	}
	return false, nil
}

// encoded is the text that _codecs.encode was given to make bytes of.
func encoded(m *pickle.Machine, t thing, v pickle.Value) (pickle.Value, bool) {
	if t.kind != "bytes" || t.entry.name != "encode" {
		return 0, false
	}
	if parts, _ := m.Items(v); len(parts) == 2 {
		if args, _ := m.Items(parts[1]); len(args) == 2 {
			return args[0], true
		}
	}
	return 0, false
}

// latin1 turns UTF-8 into bytes of Latin-1.
type latin1 struct{ r *bufio.Reader }

func (l *latin1) Read(b []byte) (int, error) {
	for i := range b {
		c, _, err := l.r.ReadRune()
		if err != nil {
			return i, err
		}
		if c > 0xff {
			return i, format.Brokenf(-1, "a text that stands for bytes has characters beyond them")
		}
		b[i] = byte(c)
	}
	return len(b), nil
}

// surroundings are what the streams of one file share.
type surroundings struct {
	f       *inspect.File
	scripts int // 0: not looked, 1: no, 2: yes
	dir     string
	inZip   bool
	legacy  bool            // torch.save wrote it before 1.6
	keys    map[string]need // storages that follow, in a file of torch.save's before 1.6
	tar     *legacyTar
}

// named notes the type of the storage that follows, in an archive of old.
func (s *surroundings) named(e *entry) {
	if s.tar != nil && e.use.kind == "storage" {
		s.tar.size = int64(e.size())
	}
}

// A need is how many bytes a storage has to have.
type need struct{ count, size int64 }

func newSurroundings(f *inspect.File) *surroundings {
	s := &surroundings{f: f, dir: path.Dir(f.Name)}
	base := f.Base()
	if base == "data.pkl" || base == "constants.pkl" {
		e, ok := f.Around.Lookup(path.Join(s.dir, "version"))
		_, hidden := f.Around.Lookup(path.Join(s.dir, ".data/version"))
		s.inZip = ok && e.Regular || hidden && !f.OnDisk()
		if !s.inZip && !f.OnDisk() {
			s.inZip = true
		}
	}
	return s
}

// script reports whether the file lies in an archive of TorchScript, whose own
// code says what its classes are.
func (s *surroundings) script() bool {
	if s.scripts == 0 {
		s.scripts = 1
		if _, ok := s.f.Around.Lookup(path.Join(s.dir, "constants.pkl")); ok && !s.f.OnDisk() {
			if e, ok := s.f.Around.Lookup(path.Join(s.dir, "code")); ok && !e.Regular || s.code() {
				s.scripts = 2
			}
		}
	}
	return s.scripts == 2
}

// code looks for the code of an archive whose folders have no entries.
func (s *surroundings) code() bool {
	prefix := path.Join(s.dir, "code") + "/"
	for _, name := range s.f.Around.Names() {
		if len(name) > len(prefix) && name[:len(prefix)] == prefix {
			return true
		}
	}
	return false
}

// storage says what is wrong with where the data of a tensor is to be.
func (s *surroundings) storage(f *inspect.File, key string, count, size int64) string {
	if count > (1<<62)/size {
		return "it has more elements than any file"
	}
	if !s.inZip && !s.legacy {
		return ""
	}
	if !s.inZip {
		if len(s.keys) >= maxThings {
			return "the file has more storages than are kept"
		}
		if s.keys == nil {
			s.keys = map[string]need{}
		}
		if n := s.keys[key]; n.count < count || n.size < size {
			s.keys[key] = need{max(n.count, count), max(n.size, size)}
		}
		return ""
	}
	folder := "data"
	if f.Base() == "constants.pkl" {
		folder = "constants"
	}
	for _, name := range [...]string{folder + "/" + key, "data/" + key, "tensors/" + key, ".data/" + key + ".storage"} {
		if e, ok := f.Around.Lookup(path.Join(s.dir, name)); ok && e.Regular {
			if e.Size < count*size {
				return "its data has fewer bytes than its type and count need"
			}
			return ""
		}
	}
	return "the archive holds no data under this key"
}
