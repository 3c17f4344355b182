package pickles

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/internal/inspect"
)

// members are what lies in an archive of these tests.
type members map[string][]byte

func (m members) Lookup(name string) (inspect.Entry, bool) {
	data, ok := m[name]
	return inspect.Entry{Size: int64(len(data)), Regular: ok, Links: 1}, ok
}

func (m members) Names() (names []string) {
	for name := range m {
		names = append(names, name)
	}
	return names
}

func (m members) Open(string) (*inspect.File, error) { return nil, errors.New("not here") }

// archive is a reading of zip archives, enough to have members around a file.
var archive = inspect.Reading{
	Format: "zip",
	Match: func(_ *inspect.File, head []byte) inspect.Fit {
		if bytes.HasPrefix(head, []byte("PK\x03\x04")) {
			return inspect.Yes
		}
		return inspect.No
	},
	Inspect: func(p *inspect.Pass, f *inspect.File) error {
		z, err := zip.NewReader(f, f.Size)
		if err != nil {
			return err
		}
		all := members{}
		for _, e := range z.File {
			r, err := e.Open()
			if err != nil {
				return err
			}
			if all[e.Name], err = io.ReadAll(r); err != nil {
				return err
			}
		}
		for name, data := range all {
			switch base := filepath.Base(name); {
			case strings.HasSuffix(base, ".pkl"), base == "storages", base == "tensors", base == "pickle":
				if err := p.Expand(f, name, bytes.NewReader(data), all); err != nil {
					return err
				}
			}
		}
		return nil
	},
}

func scanArchive(t *testing.T, data []byte) *inspect.Report {
	t.Helper()
	s := inspect.Scanner{Readings: append([]inspect.Reading{archive}, Readings...), Temp: t.TempDir()}
	r, err := s.Scan(t.Context(), "model.pt", bytes.NewReader(data), int64(len(data)), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func pack(t *testing.T, all members) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for name, data := range all {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		w.Write(data)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestTorchArchives wants archives that torch wrote to pass.
func TestTorchArchives(t *testing.T) {
	folders := []string{"testdata/benign"}
	if more := os.Getenv("SALLYPORT_SCAN_BENIGN"); more != "" {
		folders = append(folders, more)
	}
	passed, total := 0, 0
	for _, folder := range folders {
		filepath.WalkDir(folder, func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			data, err := os.ReadFile(path)
			if err != nil || !bytes.HasPrefix(data, []byte("PK\x03\x04")) {
				return err
			}
			total++
			if r := scanArchive(t, data); r.Verdict.Passes() {
				passed++
			} else {
				t.Errorf("%s: %v %v", path, r.Verdict, r.Findings)
			}
			return nil
		})
	}
	t.Logf("%d of %d archives pass", passed, total)
	if total == 0 {
		t.Error("there is none")
	}
}

// TestTorchStorages wants the data of every tensor to be there.
func TestTorchStorages(t *testing.T) {
	tensor := func(count string) []byte {
		return []byte(p4(name("torch._utils", "_rebuild_tensor_v2") + "((" + str("storage") + name("torch", "FloatStorage") + str("0") + str("cpu") + count + "tQK\x00K\x03\x85K\x01\x85\x89" +
			name("collections", "OrderedDict") + ")RtR"))
	}
	for what, c := range map[string]struct {
		all  members
		rule string
	}{
		"whole":    {members{"a/data.pkl": tensor("K\x03"), "a/data/0": make([]byte, 12), "a/version": nil}, ""},
		"missing":  {members{"a/data.pkl": tensor("K\x03"), "a/version": nil}, "pickle-storage"},
		"short":    {members{"a/data.pkl": tensor("K\x03"), "a/data/0": make([]byte, 11), "a/version": nil}, "pickle-storage"},
		"negative": {members{"a/data.pkl": tensor("J\xff\xff\xff\xff"), "a/data/0": make([]byte, 12), "a/version": nil}, "pickle-persistent"},
		"huge":     {members{"a/data.pkl": tensor("\x8a\x07\xff\xff\xff\xff\xff\xff\x7f"), "a/data/0": make([]byte, 12), "a/version": nil}, "pickle-storage"},
		"other":    {members{"a/data.pkl": tensor("K\x03"), "b/data/0": make([]byte, 12), "a/version": nil}, "pickle-storage"},
	} {
		r := scanArchive(t, pack(t, c.all))
		found := ""
		for _, f := range r.Findings {
			found = f.Rule.ID
			if f.Rule.ID == c.rule {
				break
			}
		}
		if found != c.rule || r.Verdict.Passes() != (c.rule == "") {
			t.Errorf("%s: %v %v", what, r.Verdict, r.Findings)
		}
	}
}

// TestTorchScript wants the classes of TorchScript to pass in its archives only.
func TestTorchScript(t *testing.T) {
	net := []byte(p4(name("__torch__.model", "Net") + ")\x81}b"))
	for what, c := range map[string]struct {
		all    members
		passes bool
	}{
		"script":       {members{"a/data.pkl": net, "a/constants.pkl": []byte(p4(")")), "a/code/__torch__/model.py": []byte("x"), "a/version": nil}, true},
		"no code":      {members{"a/data.pkl": net, "a/constants.pkl": []byte(p4(")")), "a/version": nil}, false},
		"no constants": {members{"a/data.pkl": net, "a/code/__torch__/model.py": []byte("x"), "a/version": nil}, false},
	} {
		if r := scanArchive(t, pack(t, c.all)); r.Verdict.Passes() != c.passes {
			t.Errorf("%s: %v %v", what, r.Verdict, r.Findings)
		}
	}
}

// legacyTarMembers are an archive of two tensors as torch wrote it until 0.1.9.
func legacyTarMembers() members {
	le := binary.LittleEndian
	storages := "\x80\x02K\x01." + "\x80\x02X\x01\x00\x00\x000X\x03\x00\x00\x00cpuctorch\nFloatStorage\n\x87."
	storages += string(le.AppendUint64(nil, 2)) + "01234567"
	tensors := "\x80\x02K\x01." + "\x80\x02X\x01\x00\x00\x001X\x01\x00\x00\x000ctorch\nFloatTensor\n\x87."
	tensors += string(le.AppendUint32(nil, 1)) + "\x00\x00\x00\x00" + string(le.AppendUint64(nil, 2)) + string(le.AppendUint64(nil, 1)) + string(le.AppendUint64(nil, 0))
	return members{
		"sys_info": []byte("\x80\x02}."), "storages": []byte(storages), "tensors": []byte(tensors),
		"pickle": []byte("\x80\x02ccollections\nOrderedDict\n)RX\x01\x00\x00\x00wX\x01\x00\x00\x001Qs."),
	}
}

// TestLegacyTar wants the oldest archives of torch to pass, and nothing else.
func TestLegacyTar(t *testing.T) {
	if r := scanArchive(t, pack(t, legacyTarMembers())); !r.Verdict.Passes() {
		t.Errorf("honest: %v %v", r.Verdict, r.Findings)
	}
	for what, change := range map[string]func(members){
		"hostile pickle":   func(m members) { m["pickle"] = []byte("\x80\x02cos\nsystem\nX\x02\x00\x00\x00id\x85R.") },
		"hostile storages": func(m members) { m["storages"] = append([]byte("\x80\x02cos\nsystem\n0K\x01."), m["storages"][5:]...) },
		"short storage":    func(m members) { m["storages"] = m["storages"][:len(m["storages"])-1] },
		"long storage":     func(m members) { m["storages"] = append(m["storages"], "more"...) },
		"other identity":   func(m members) { m["pickle"] = []byte("\x80\x02X\x01\x00\x00\x00xQ.") },
		"no sys_info":      func(m members) { delete(m, "sys_info") },
	} {
		all := legacyTarMembers()
		change(all)
		if r := scanArchive(t, pack(t, all)); r.Verdict.Passes() {
			t.Errorf("%s: %v", what, r.Verdict)
		}
	}
}

// TestLegacyTorch wants files of torch.save's before 1.6 to end where their
// tensors do.
func TestLegacyTorch(t *testing.T) {
	data, err := os.ReadFile("testdata/benign/torch-tensor-legacy.pt")
	if err != nil {
		t.Fatal(err)
	}
	if r := scan(t, "a.pt", data); !r.Verdict.Passes() {
		t.Errorf("whole: %v %v", r.Verdict, r.Findings)
	}
	for what, changed := range map[string][]byte{
		"shorter":         data[:len(data)-1],
		"longer":          append(bytes.Clone(data), 0),
		"no data":         data[:len(data)-32],
		"a pickle behind": append(bytes.Clone(data), p4(name("os", "system"))...),
	} {
		if r := scan(t, "a.pt", changed); r.Verdict.Passes() {
			t.Errorf("%s: %v", what, r.Verdict)
		}
	}
}

// TestExplain wants findings to show the opcodes around them if asked to.
func TestExplain(t *testing.T) {
	data := []byte(p4(name("os", "system") + str("id") + "\x85R"))
	s := inspect.Scanner{Readings: Readings, Explain: true}
	r, err := s.Scan(t.Context(), "x", bytes.NewReader(data), int64(len(data)), nil, nil)
	if err != nil || len(r.Findings) == 0 {
		t.Fatal(err, r)
	}
	if trace := strings.Join(r.Findings[0].Trace, "\n"); !strings.Contains(trace, "STACK_GLOBAL") {
		t.Errorf("the trace is %q", trace)
	}
	if r := scan(t, "x", data); len(r.Findings[0].Trace) > 0 {
		t.Error("a trace that nobody asked for")
	}
}

// TestManyNames wants a stream of many names to cost little memory.
func TestManyNames(t *testing.T) {
	var b strings.Builder
	b.WriteString("\x80\x02")
	for i := range 50000 {
		b.WriteString("cmod\nname" + strings.Repeat("x", i%7) + string(rune('a'+i%26)) + strings.Repeat("y", i%11) + "\n0")
	}
	b.WriteString("N.")
	if r := scan(t, "x", []byte(b.String())); r.Verdict != inspect.Suspicious {
		t.Errorf("%v", r.Verdict)
	}
}
