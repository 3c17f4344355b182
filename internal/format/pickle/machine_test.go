package pickle

import (
	"errors"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/internal/format"
)

// TestOpcodes executes every opcode: what the visitor is told, and the value
// that STOP returns.
func TestOpcodes(t *testing.T) {
	for _, c := range []struct {
		name, data, events, value string
	}{
		{"none and bools", "(N\x88\x89I01\nI00\nt.", "", "(None, 1, 0, 1, 0)"},
		{"integers", "(K\x05M\x01\x02J\xff\xff\xff\xffI-7\nL12L\n\x8a\x01\xfe\x8b\x01\x00\x00\x00\x7f\x8a\x00t.", "", "(5, 513, -1, -7, 12, -2, 127, 0)"},
		{"long integers", "(\x8a\x09123456789\x8a\x0812345678L99999999999999999999L\nt.", "", "(int, int, int)"},
		{"floats", "(F1.5\nG12345678t.", "", "(float, float)"},
		{"text", "(\x8c\x01aX\x01\x00\x00\x00b\x8d\x01\x00\x00\x00\x00\x00\x00\x00cV\\u0064\\x\\\\u0041\nt.", "", `("a", "b", "c", "d\\x\\\\u0041")`},
		{"text of Python 2", "(U\x01aT\x01\x00\x00\x00bS'\\x63\\144\\'\\n\\q'\nS\"\"\nt.", "", `("a", "b", "cd'\n\\q", "")`},
		{"surrogates", "(\x8c\x03\xed\xa0\x80V\\ud800\nV\xe9\nt.", "", `("\xed\xa0\x80", "\xed\xa0\x80", "é")`},
		{"bytes", "(C\x01aB\x01\x00\x00\x00b\x8e\x01\x00\x00\x00\x00\x00\x00\x00c\x96\x01\x00\x00\x00\x00\x00\x00\x00dt.", "", "(bytes, bytes, bytes, bytearray)"},
		{"tuples", "()K\x01\x85K\x01K\x02\x86K\x01K\x02K\x03\x87t.", "", "((), (1), (1, 2), (1, 2, 3))"},
		{"lists", "(](lK\x01a(K\x02K\x03e](K\x04lt.", "", "([], [1, 2, 3], [], [4])"},
		{"dicts", "(}(dNK\x01s(K\x02K\x03K\x04K\x05u(K\x06K\x07dt.", "", "({}, {None, 1, 2, 3, 4, 5}, {6, 7})"},
		{"sets", "(\x8f(K\x01K\x02\x90(K\x03\x91t.", "", "({1, 2}, {3})"},
		{"memo", "(K\x01q\x00p300\nK\x02r\x02\x00\x00\x00K\x03\x94g300\nh\x00j\x02\x00\x00\x00h\x03t.", "", "(1, 2, 3, 1, 1, 2, 3)"},
		{"memoize counts values", "(K\x01q\x00q\x00q\x05K\x02\x94h\x02t.", "", "(1, 2, 2)"},
		{"moves", "(K\x01K\x020K\x032((K\x04K\x0510t.", "", "(1, 3, 3)"},
		{"pop takes a mark", "K\x01(0K\x02\x86.", "", "(1, 2)"},
		{"global", "ca.b\nc d\n.", `GLOBAL "a.b" "c d"`, "a.b.c d"},
		{"stack global", "\x8c\x01a\x8c\x03b.c\x93.", `STACK_GLOBAL "a" "b.c"`, "a.b.c"},
		{"stack global of the memo", "\x8c\x02os\x94\x8c\x06system\x940h\x00h\x01\x93.", `STACK_GLOBAL "os" "system"`, "os.system"},
		{"stack global by line", "S'o\\x73'\nV\\u0061\n\x93.", `STACK_GLOBAL "os" "a"`, "os.a"},
		{"stack global of a result", "ca\nb\n)R\x8c\x01x\x93.", `GLOBAL "a" "b"|REDUCE a.b()|STACK_GLOBAL "" "x" unknown`, ".x"},
		{"reduce", "cos\nsystem\n(S'id'\ntR.", `GLOBAL "os" "system"|REDUCE os.system("id")`, `<os.system, ("id")>`},
		{"newobj", "ca\nb\nK\x01\x85\x81.", `GLOBAL "a" "b"|NEWOBJ a.b(1)`, "<a.b, (1)>"},
		{"newobj_ex", "ca\nb\n)}K\x01K\x02s\x92.", `GLOBAL "a" "b"|NEWOBJ_EX a.b()|  kwargs {1, 2}`, "<a.b, (), {1, 2}>"},
		{"obj", "(ca\nb\nK\x01K\x02o.", `GLOBAL "a" "b"|OBJ a.b(1, 2)`, "<a.b, (1, 2)>"},
		{"inst", "(K\x01K\x02ia\nb\n.", `INST "a" "b"|INST a.b(1, 2)`, "<a.b, (1, 2)>"},
		{"build", "ca\nb\n)\x81}K\x01K\x02sb.", `GLOBAL "a" "b"|NEWOBJ a.b()|BUILD <a.b, ()> with {1, 2}`, "<a.b, ()>"},
		{"build of a list", "]K\x01b.", "BUILD [] with 1", "[]"},
		{"append to an object", "ca\nb\n)RK\x01a(K\x02K\x03e(e.", `GLOBAL "a" "b"|REDUCE a.b()|APPEND <a.b, ()> with 1|APPENDS <a.b, ()> with 2|APPENDS <a.b, ()> with 0`, "<a.b, ()>"},
		{"set items of a name", "ca\nb\nNNs(NNu(N\x90.", `GLOBAL "a" "b"|SETITEM a.b with 2|SETITEMS a.b with 2|ADDITEMS a.b with 1`, "a.b"},
		{"set items of a list", "](K\x01K\x02eK\x00ca\nb\ns.", `GLOBAL "a" "b"|SETITEM [… of 2] with 2`, "[… of 2]"},
		{"append to bytes", "\x96\x00\x00\x00\x00\x00\x00\x00\x00K\x01a.", "APPEND bytearray with 1", "bytearray"},
		{"extensions", "(\x82\x01\x83\x02\x01\x84\x03\x00\x00\x00t.", "EXT1 1|EXT2 258|EXT4 3", "(extension, extension, extension)"},
		{"persistent", "(PX Y\n\x8c\x01iK\x01\x86Qt.", `PERSID "X Y"|BINPERSID ("i", 1)`, `(<"X Y">, <("i", 1)>)`},
		{"buffers", "(\x97C\x01a\x98t.", "", "(buffer, bytes)"},
		{"protocol and frame", "\x80\x04\x95\x02\x00\x00\x00\x00\x00\x00\x00N.", "", "None"},
		{"argument at a frame's end", "\x80\x04\x95\x01\x00\x00\x00\x00\x00\x00\x00K\x07.", "", "7"},
		{"something beneath", "NN(K\x01.", "", "1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := &log{}
			m := New(strings.NewReader("junk"+c.data+"junk"), 4, int64(4+len(c.data)), l)
			result, err := m.Run()
			if err != nil || !result.Stopped || result.End != int64(4+len(c.data)) || result.Start != 4 {
				t.Fatalf("%+v, %v", result, err)
			}
			if events := strings.Join(l.lines, "|"); events != c.events {
				t.Errorf("told\n%s\nwant\n%s", events, c.events)
			}
			if value := show(m, result.Value); value != c.value {
				t.Errorf("value %s, want %s", value, c.value)
			}
			if l.steps != int(result.Ops) {
				t.Errorf("%d steps for %d opcodes", l.steps, result.Ops)
			}
		})
	}
}

// TestBroken wants streams that no unpickler loads to end at the opcode that
// breaks them, after all before it was told.
func TestBroken(t *testing.T) {
	for _, c := range []struct {
		name, data string
		off        int64
		events     string
	}{
		{"empty", "", 0, ""},
		{"no stop", "cos\nsystem\n)R", 13, `GLOBAL "os" "system"|REDUCE os.system()`},
		{"no opcode", "ca\nb\nx.", 5, `GLOBAL "a" "b"`},
		{"stop of nothing", ".", 0, ""},
		{"stop after a mark", "N(.", 2, ""},
		{"no mark", "Nt.", 1, ""},
		{"inst without a mark tells its name", "ia\nb\n.", 0, `INST "a" "b"`},
		{"obj without a class", "(o.", 1, ""},
		{"tuple across a mark", "N(N\x86.", 3, ""},
		{"dup of a mark", "N(2.", 2, ""},
		{"pop of nothing", "0.", 0, ""},
		{"odd dict", "(Nd.", 2, ""},
		{"odd items tell first", "ca\nb\n(NNNu.", 9, `GLOBAL "a" "b"|SETITEMS a.b with 3`},
		{"append to a dict", "}Na.", 2, ""},
		{"no such memo", "h\x00.", 0, ""},
		{"no such memo by line", "g7\n.", 0, ""},
		{"negative put", "Np-1\n.", 1, ""},
		{"short argument", "NK", 1, ""},
		{"short bytes", "NC\x05abc", 1, ""},
		{"short long bytes", "\x8e\xff\xff\xff\xff\xff\xff\xff\xffa.", 0, ""},
		{"short line", "NIabc", 1, ""},
		{"bad utf-8", "N\x8c\x02\xc3.N.", 1, ""},
		{"bad long utf-8", "NX\x09\x00\x00\x00aaaaaaaa\xff.", 1, ""},
		{"bad integer", "NIx\n.", 1, ""},
		{"bad float", "NF0x1p4\n.", 1, ""},
		{"bad long", "NL010L\n.", 1, ""},
		{"bad quotes", "NS'a\"\n.", 1, ""},
		{"bad escape", "NS'\\x1'\n.", 1, ""},
		{"bad escape at the end", "NS'\\'\n.", 1, ""},
		{"bad unicode escape", "NV\\u12\n.", 1, ""},
		{"beyond unicode", "NV\\U00110000\n.", 1, ""},
		{"negative long", "N\x8b\xff\xff\xff\xff.", 1, ""},
		{"negative frame", "N\x95\xff\xff\xff\xff\xff\xff\xff\xffN.", 1, ""},
		{"stack global of an integer", "K\x01\x8c\x01a\x93.", 5, ""},
		{"reduce of a list", "])R.", 2, ""},
		{"reduce with an integer", "ca\nb\nK\x01R.", 7, `GLOBAL "a" "b"`},
		{"extension 0", "\x82\x00.", 0, "EXT1 0"},
		{"negative extension", "\x84\xff\xff\xff\xff.", 0, "EXT4 -1"},
		{"readonly integer", "K\x01\x98.", 2, ""},
		{"name that is no text", "c\xff\na\n.", 0, ""},
		{"identity that is no text", "P\xff\n.", 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, result, err := run(t, c.data)
			var e *format.Error
			if !errors.As(err, &e) || e.Kind != format.Broken || e.Off != c.off || result.End != c.off || result.Stopped {
				t.Errorf("%+v, %v", result, err)
			}
			if events := strings.Join(l.lines, "|"); events != c.events {
				t.Errorf("told\n%s\nwant\n%s", events, c.events)
			}
		})
	}
}

// TestVisitorEnds wants the visitor's error to end the run and come back.
func TestVisitorEnds(t *testing.T) {
	stop := errors.New("enough")
	_, err := New(strings.NewReader("ca\nb\n."), 0, 6, refusing{err: stop}).Run()
	if err != stop {
		t.Errorf("%v", err)
	}
}

type refusing struct {
	nothing
	err error
}

func (r refusing) Global(*Machine, At, *Global) error { return r.err }

// tagging tags names, results and identities, and checks that tags come back.
type tagging struct {
	nothing
	t     *testing.T
	built []Tag
}

func (v *tagging) Global(m *Machine, at At, g *Global) error {
	if g.Tag == 0 {
		g.Tag = Tag(len(g.Name))
	}
	return nil
}

func (v *tagging) Call(m *Machine, at At, c *Call) error {
	m.SetTag(c.Result, m.Tag(c.Callee)+100)
	return nil
}

func (v *tagging) Build(m *Machine, at At, obj, state Value) (Inline, error) {
	v.built = append(v.built, m.Tag(obj))
	return Inline{}, nil
}

// TestTags wants tags to last: through the memo, through tuples, and when the
// heap is collected over and over.
func TestTags(t *testing.T) {
	churn := "(" + strings.Repeat("K\x01\x85", 3*heapObjects) + "1"
	data := "ca\nfour\n)Rq\x010" + "ca\nseven77\n)\x81q\x02" + churn + "Nb0h\x01Nb0h\x02" + churn + "Nb."
	v := &tagging{t: t}
	result, err := New(strings.NewReader(data), 0, int64(len(data)), v).Run()
	if err != nil || !result.Stopped {
		t.Fatal(result, err)
	}
	if len(v.built) != 3 || v.built[0] != 107 || v.built[1] != 104 || v.built[2] != 107 {
		t.Errorf("tags %v", v.built)
	}
}

// TestPure wants a container to know that something impure is in it, in
// whatever order they were filled.
func TestPure(t *testing.T) {
	for data, want := range map[string]bool{
		"](K\x01}]\x85e.":                      true,
		"ca\nb\n.":                             false,
		"](ca\nb\ne.":                          false,
		"]ca\nb\na\x85\x85}K\x01K\x02s\x86.":   false,
		"}K\x01(ca\nb\nts.":                    false,
		"\x8f(Pid\n\x90\x85.":                  false,
		"(K\x01\x82\x01d.":                     false,
		"]q\x00\x85q\x010h\x00ca\nb\na0h\x01.": false, // filled after it was put into the tuple
		"]q\x00\x850h\x00K\x01a.":              true,
		"](Ne(K\x00ca\nb\nu.":                  false,
		"]2ca\nb\na0.":                         false,
	} {
		l := &log{}
		m := New(strings.NewReader(data), 0, int64(len(data)), l)
		result, err := m.Run()
		if err != nil {
			t.Fatalf("%q: %v", data, err)
		}
		if got := m.Pure(result.Value); got != want {
			t.Errorf("%q: pure %v", data, got)
		}
	}
}
