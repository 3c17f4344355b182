package jinja

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/internal/format"
)

// honest are templates in the ways that models bring them.
var honest = []string{
	`{{ bos_token }}{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Roles must alternate') }}{% endif %}{{ '<|' ~ message.role ~ '|>' + message['content'] | trim + eos_token }}{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}`,
	`{%- set ns = namespace(found=false, last=messages|length - 1) -%}{%- for m in messages[::-1] %}{%- set index = (messages|length - 1) - loop.index0 %}{%- if m.role == "user" and not ns.found -%}{%- set ns.found = true %}{%- set ns.last = index %}{%- endif %}{%- endfor %}`,
	`{%- macro render(x, depth=0, *) %}{% endmacro %}`,
	`{%- macro render(x, depth=0) -%}{%- if x is mapping -%}{%- for k, v in x.items() recursive -%}{{ k }}: {{ render(v, depth=depth + 1) }}{%- else -%}none{%- endfor -%}{%- elif x is string -%}"{{ x }}"{%- else -%}{{- x|tojson(indent=4) -}}{%- endif -%}{%- endmacro -%}{{ render(tools[0].function) }}`,
	`{% set loop_messages = messages[1:] if messages[0]['role'] == 'system' else messages %}{% for m in loop_messages if m.role != 'tool' %}{% if loop.first %}{% continue %}{% endif %}{% if loop.last or loop.index > 9 %}{% break %}{% endif %}{% generation %}{{ m['content'].split('</think>')[-1].lstrip('\n') }}{% endgeneration %}{% endfor %}`,
	`{# a comment #}{% raw %}{{ not a tag }}{% endraw %}{% filter upper|trim %}x{% endfilter %}{% with a = 1, b = [1, 2,] %}{{ a ** b[0] // 2 - -1 }}{% endwith %}`,
	`{% call(item) wrap(tools, key='a') %}{{ caller(item) }}{% endcall %}{% set text %}a{{ 1 }}b{% endset %}{% set t | upper %}x{% endset %}`,
	`{{ {'a': 1, "b": {'c': [1, (2, 3), ()]}}['b'].c.0 if x is defined and x is not none else 'n' 'o' }}{{ x is divisibleby 3 }}{{ x not in [1] }}{{ f(*a, **b) }}{{ 1_000.5e-3 }}{{ 0x1f }}{{ "\u00e9\x41\n\'" }}`,
	`{%- if not date_string is defined %}{%- set date_string = strftime_now("%d %b %Y") %}{%- endif %}{% print 1, 2 %}{% autoescape false %}{% endautoescape %}`,
	"{% if a %}b{% elif c %}d{% else %}e{% endif %}\n{%+ if a +%}{% endif %}{{- x -}}",
}

func TestHonest(t *testing.T) {
	for i, src := range honest {
		if _, err := Parse(src); (err == nil) == (i == 2) {
			t.Errorf("template %d: %v", i, err)
		}
	}
}

// written is an expression with its operators in front.
func written(n *Node) string {
	if n == nil {
		return "nil"
	}
	s := n.Text
	if label := map[Kind]string{Tuple: "tuple", Item: "item", Slice: "slice", Call: "call", Attr: "." + s, Filter: "|" + s, Test: "is " + s, Keyword: s + "="}[n.Kind]; label != "" {
		s = label
	}
	if len(n.Kids) == 0 {
		return s
	}
	for _, k := range n.Kids {
		s += " " + written(k)
	}
	return "(" + s + ")"
}

// TestTree wants precedence and places as Jinja2 has them.
func TestTree(t *testing.T) {
	for src, want := range map[string]string{
		`{{ a + b * c }}`:        `(+ a (* b c))`,
		`{{ a + b + c - d }}`:    `(- (+ a b c) d)`,
		`{{ (a + b) + c }}`:      `(+ (+ a b) c)`,
		`{{ -x.y|f }}`:           `(|f (- (.y x)))`,
		`{{ not a in b }}`:       `(not (in a b))`,
		`{{ a not in b or c }}`:  `(or (not in a b) c)`,
		`{{ a is not b }}`:       `(not (is b a))`,
		`{{ a[1:].b('c' 'd') }}`: `(call (.b (item a (slice 1 nil nil))) cd)`,
		`{{ '\x5f\137\u005f' }}`: `___`,
		`{{ a ~ b|c(d=1) }}`:     `(~ a (|c b (d= 1)))`,
		`{{ a if b else c, d }}`: `(tuple (if a b c) d)`,
	} {
		root, err := Parse(src)
		if err != nil {
			t.Errorf("%s: %v", src, err)
			continue
		}
		if got := written(root.Kids[0].Kids[0]); got != want {
			t.Errorf("%s: %s, want %s", src, got, want)
		}
	}
}

func TestRefused(t *testing.T) {
	for src, off := range map[string]int64{
		`{{ a`: 4, `{% if a %}`: 10, `{% endif %}`: 3, `{{ a b }}`: 5, `{{ }}`: 3, `{% for a %}{% endfor %}`: 9, `{# a`: 0, `{% raw %}a`: 0,
		`{{ 'a }}`: 3, `{{ a['b'] ]}}`: 10, `{{ (a] }}`: 5, `{% set true = 1 %}`: 7, `{% set a.b.c = 1 %}`: 10, `{% do x %}`: 3, `{{ '\x4' }}`: 3, `{{ "\ud800" }}`: 3,
		`{{ a $ b }}`: 5, `{{ f(a=1, b) }}`: 10, `{% macro m(a=1, b) %}{% endmacro %}`: 17, `{{ a is b is c }}`: 10, `{% call a %}{% endcall %}`: 8, `{{ a. }}`: 6, `{{ 'a'.'b' }}`: 7,
		"\xff": 0,
	} {
		_, err := Parse(src)
		var e *format.Error
		if !errors.As(err, &e) || e.Kind != format.Broken {
			t.Errorf("%s: %v", src, err)
		} else if e.Off != off {
			t.Errorf("%s: at %d, want %d (%s)", src, e.Off, off, e.Text)
		}
	}
}

// TestBounded wants templates that exhaust a reader to be given up.
func TestBounded(t *testing.T) {
	for name, src := range map[string]string{
		"brackets":  `{{ ` + strings.Repeat("(", 5000),
		"lists":     `{{ ` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + ` }}`,
		"signs":     `{{ ` + strings.Repeat("-", 5000) + `1 }}`,
		"nots":      `{{ ` + strings.Repeat("not ", 5000) + `1 }}`,
		"blocks":    strings.Repeat("{% if a %}", 5000),
		"filters":   `{{ a` + strings.Repeat("|f", 5000) + ` }}`,
		"chain":     `{{ a` + strings.Repeat(".b", 5000) + ` }}`,
		"operators": `{{ a` + strings.Repeat("+b-c", 5000) + ` }}`,
		"choices":   `{{ a` + strings.Repeat(" if b else c", 5000) + ` }}`,
		"size":      strings.Repeat("a", MaxSize+1),
		"parts":     `{{ a` + strings.Repeat(",b", 110_000) + ` }}`,
	} {
		if _, err := Parse(src); !format.Is(err, format.Exceeded) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Parse(`{{ a` + strings.Repeat("+b", 20000) + strings.Repeat("~b", 20000) + ` }}`); err != nil {
		t.Error(err)
	}
}

// pieces are what templates are made of, for making others.
var pieces = strings.Fields(`{{ }} {% %} {%- -%} {{- -}} {# #} ( ) [ ] { } , : . | ~ + - * ** / // % = == != < <= > >= a b ns.x x.y 'c' "d" 'a\x41' 1 0 007 1.5 1e3 0x1f 1_0 _1 .5 true none None True
	if else elif endif for in endfor recursive set endset macro endmacro call endcall filter endfilter with endwith is not and or defined divisibleby raw endraw block endblock print break continue generation endgeneration autoescape endautoescape include extends import from as é ; $ 'e \ `)

// mutate changes a template in one to four places.
func mutate(rnd *rand.Rand, src string) string {
	for range 1 + rnd.IntN(4) {
		at := rnd.IntN(len(src) + 1)
		switch rnd.IntN(5) {
		case 0, 1:
			src = src[:at] + " " + pieces[rnd.IntN(len(pieces))] + " " + src[at:]
		case 2:
			src = src[:at] + pieces[rnd.IntN(len(pieces))] + src[at:]
		case 3:
			src = src[:at] + src[min(len(src), at+1+rnd.IntN(6)):]
		case 4:
			other := honest[rnd.IntN(len(honest))]
			from := rnd.IntN(len(other))
			src = src[:at] + other[from:min(len(other), from+rnd.IntN(30))] + src[at:]
		}
	}
	return strings.ToValidUTF8(src, "?")
}

// short templates, so that a change has a chance to leave them whole.
var short = []string{
	`{{ a.b['c'](d, e=f)|g is h }}`, `{% if a %}{% elif b %}{% else %}{% endif %}`, `{% for a, b in c if d %}{% else %}{% endfor %}`, `{% set a = b, c %}`, `{% set ns.a = 1 %}`,
	`{% set a %}{% endset %}`, `{% macro a(b, c=1) %}{% endmacro %}`, `{% call a() %}{% endcall %}`, `{{ 'a' if b else [c, {d: e}] }}`, `{{ a[1:2, ::3] + -b ** 2 }}`, `{% with a = 1 %}{% endwith %}`,
	`{% filter a|b(1) %}{% endfilter %}`, `{% raw %}{{{% endraw %}`, `{{ not a and b not in c or d is not none }}`, `{{ 1.5 ~ 0x1f }}`, `{{ a, }}`, `{{ () }}`, `{% print a, b %}`, `{% generation %}{% endgeneration %}`,
	`{% for a in b %}{% break %}{% endfor %}`, `{# a #}`, `{{ a is divisibleby 3 }}`, `{{ a is in [1] }}`,
}

// TestOracle asks Jinja2 about templates that are nearly right: what it refuses
// to parse must be refused here, and what it parses be parsed. Run it with
// SALLYPORT_PYTHON naming an interpreter that has jinja2.
func TestOracle(t *testing.T) {
	python := os.Getenv("SALLYPORT_PYTHON")
	if python == "" {
		python = "python3"
	}
	if err := exec.Command(python, "-c", "import jinja2").Run(); err != nil {
		t.Skipf("NOT COMPARED: %s has no jinja2", python)
	}
	cmd := exec.Command(python, "testdata/oracle.py")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	rnd := rand.New(rand.NewPCG(8, 15))
	var srcs []string
	srcs = append(append(srcs, honest...), short...)
	for range 20_000 {
		seed := short[rnd.IntN(len(short))]
		if rnd.IntN(4) == 0 {
			seed = honest[rnd.IntN(len(honest))]
		}
		srcs = append(srcs, mutate(rnd, seed))
	}
	go func() {
		enc := json.NewEncoder(in)
		for _, s := range srcs {
			enc.Encode(s)
		}
		in.Close()
	}()
	answers := bufio.NewScanner(out)
	both, wrong := 0, 0
	for _, s := range srcs {
		if !answers.Scan() {
			t.Fatal(io.ErrUnexpectedEOF)
		}
		said := answers.Text()
		root, err := Parse(s)
		if err == nil {
			both++
		}
		reaches := false // for other templates, which is refused whatever follows
		root.Walk(func(n *Node) bool {
			reaches = reaches || n.Kind == Outside
			return true
		})
		cut := strings.HasSuffix(s, "{#") // Jinja2 takes this comment to end with the template
		if (err == nil) != (said == "yes") && !reaches && !cut {
			if wrong++; wrong < 20 {
				t.Errorf("%q: %v, and Jinja2: %s", s, err, said)
			}
		}
	}
	t.Logf("%d templates, %d of them accepted, %d disagreements", len(srcs), both, wrong)
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}

func FuzzJinja(f *testing.F) {
	for _, s := range honest {
		f.Add(s)
	}
	for _, s := range short {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, src string) {
		root, err := Parse(src)
		if err != nil {
			var e *format.Error
			if !errors.As(err, &e) {
				t.Fatalf("%T", err)
			}
			return
		}
		nodes := 0
		root.Walk(func(n *Node) bool {
			nodes++
			if n.Off < 0 || n.Off > len(src) {
				t.Fatalf("a node at %d of %d", n.Off, len(src))
			}
			return true
		})
		if nodes > maxNodes+1 {
			t.Fatalf("%d nodes", nodes)
		}
	})
}
