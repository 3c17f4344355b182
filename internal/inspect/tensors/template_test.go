package tensors

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/internal/format/jinja"
	"github.com/sallyport/sallyport/internal/inspect"
)

// TestTemplates judges templates alone.
func TestTemplates(t *testing.T) {
	for verdict, templates := range map[inspect.Verdict][]string{
		inspect.Allowed: {
			`{{ messages[0]['content'] }}`, `{{ m.role | default('user') | upper }}`, `{{ messages[loop.index0 - 1].role }}`, `{% set i = messages|length - 1 %}{{ messages[i] }}`,
			`{% set ns = namespace(n=0, text='') %}{% set ns.n = ns.n + 1 %}{% set ns.text = ns.text + '\n' ~ x %}{{ messages[ns.n] }}`,
			`{% macro image(state) %}{{ prompts[state.index] }}{% set state.index = state.index + 1 %}{% endmacro %}{% macro show(text, state) %}{{ text }}{{ image(state) }}{% endmacro %}{% set s = namespace(index=0) %}{{ show('a' ~ b, s) }}{{ show(show(x, s), s) }}`,
			`{% macro keys(dict, done) %}{% for k in dict if k not in done %}{{ '<' ~ k ~ '>' ~ dict[k] }}{% endfor %}{% endmacro %}{{ keys(tool, ['a', 'b']) }}`,
			`{% for k, v in tool.parameters.properties|items %}{{ tool.parameters.properties[k] }}{% endfor %}`,
			`{% set key = 'content' %}{{ m[key] }}{{ m.get('_private') }}`, `{{ '{} of {}'.format(a, b) }}{{ '%s' | format(a) }}`,
			`{{ x.split('</think>')[-1].lstrip('\n') }}`, `{{ messages | selectattr('type', 'equalto', 'text') | map(attribute='text') | join('') }}`,
			`{{ tools | map(attribute='function.name') | join(', ') }}{{ a | map('upper') | list }}`, `{% for _ in range(3) %}{% endfor %}{% for i in range(0, 100000) %}{% endfor %}`,
			`{{ raise_exception('no') }}{{ strftime_now('%d') }}`, `{% call(x) wrap() %}{{ x }}{% endcall %}{% macro wrap() %}{{ caller('a') }}{% endmacro %}`,
			`{{ {'system': 'a', 'user': 'b'}[m['role']] }}`, `{{ loop.cycle('a', 'b') }}{{ bos_token }}{{ '__media__' }}`, `{% set _x = 1 %}{{ _x }}`,
			`plain text with ${dollars} and { braces }`, `{{ m['items'] }}{{ m.items() }}{% set comma = joiner(', ') %}{{ comma() }}`,
		},
		inspect.Suspicious: {
			`{{ x['__cla' ~ 'ss__'] }}`, `{{ x['a' + b] }}`, `{% set a = 'x' ~ y %}{{ m[a] }}`, `{% set a = 'cla' %}{% set b = 'ss' %}{% set c = a + b %}{{ m[c] }}`,
			`{% set n = ['a', 'b']|join %}{{ m[n] }}`, `{% for n in ['x' ~ 'y'] %}{{ m[n] }}{% endfor %}`, `{% for n in 'a b'.split() %}{{ m[n] }}{% endfor %}`,
			`{% set ns = namespace(k='a' ~ 'b') %}{{ m[ns.k] }}`, `{% set ns = namespace() %}{% set ns.k = 'a' ~ 'b' %}{% set o = ns %}{{ m[o.k] }}`, `{% set d = {'k': 'a' ~ 'b'} %}{{ m[d.k] }}{{ m[d['k']] }}`,
			`{% set d = {'k': 'a' ~ 'b'} %}{% for v in d.values() %}{{ m[v] }}{% endfor %}`, `{% set d = {'k': 'a' ~ 'b'} %}{{ m[d[k]] }}`, `{% set l = [['a' ~ 'b']] %}{{ m[l[0][0]] }}`,
			`{% macro at(k) %}{{ m[k] }}{% endmacro %}{{ at('a' ~ 'b') }}`, `{% macro at(k) %}{{ m[k] }}{% endmacro %}{{ at(k='a' ~ 'b') }}`, `{% macro at(k) %}{{ m[k] }}{% endmacro %}{{ at(*['a' ~ 'b']) }}`,
			`{% macro name() %}__class__{% endmacro %}{{ m[name()] }}`, `{% set n %}__class__{% endset %}{{ m[n] }}`, `{% set n = 'ssalc'|reverse %}{{ m[n] }}`, `{% set a = 'xclass'[1:] %}{{ m[a] }}`,
			`{% set a = '%s%s' % ('a', 'b') %}{{ m[a] }}`, `{% set a = 'a' * 2 %}{{ m[a] }}`, `{{ m['a'.replace('a', 'b')] }}`, `{{ m[x|replace('a', 'b')] }}`, `{{ m['{}'.format('a')] }}`,
			`{% with a = 'a' ~ 'b' %}{{ m[a] }}{% endwith %}`, `{{ m[('a' ~ 'b') if c else 'd'] }}`, `{{ m[x or 'a' ~ 'b'] }}`, `{{ m[('a' ~ 'b',)[0]] }}`,
			`{{ '__class__' }}`, `{% set k = '__globals__' %}{{ m[k] }}`, `{{ '\x5f\x5fclass\x5f\x5f' }}`, `{{ 'x__subclasses__y' }}`,
			`{{ m._private }}`, `{{ m['_private'] }}`, `{{ _frame }}`, `{{ x | attr('role') }}`, `{{ x | unknown }}`, `{{ x is unknown }}`, `{{ unknown(x) }}`, `{{ x.unknown() }}`, `{{ x['unknown']() }}`, `{{ f()() }}`, `{{ (a or b)() }}`, `{{ (x|first)() }}`,
			`{{ '{0.a}'.format(x) }}`, `{{ '{0[a]}'.format(x) }}`, `{{ '{:{}}'.format(x, y) }}`, `{{ x.format(y) }}`,
			`{{ x | map(attribute='a' ~ 'b') }}`, `{{ x | map('attr', 'a') }}`, `{{ x | map(name) }}`, `{{ x | select('unknown') }}`, `{{ x | sort(attribute=name) }}`, `{{ x | map(*names) }}`, `{{ x | selectattr('a', 'unknown') }}`, `{{ x | sum('a' ~ 'b') }}`,
			`{% include 'a' %}`, `{% extends 'a' %}`, `{% import 'a' as b %}`, `{% from 'a' import b %}`, `{% block a %}{% endblock %}`, `{% do x.append(1) %}`,
			`{{ a`, `{% for %}`, `{{ '\N{BULLET}' }}`, `{% for i in range(100001) %}{% endfor %}`, `{% for i in range(99999999999999999999) %}{% endfor %}`, `{{ self.block() }}`, `{{ super() }}`, "{{ '\xff' }}",
			`{% set k = dict(cla=1, ss=2)|join %}{{ x[k] }}`, `{{ x[dict(a=1, b=2)|join('')] }}`, `{% macro m() %}{{ x[kwargs|join] }}{% endmacro %}{{ m(a=1, b=2) }}`, `{{ x[strftime_now('a')] }}`, `{% for c in 'ab' %}{% for d in 'ab' %}{{ x[c ~ d] }}{% endfor %}{% endfor %}`,
			`{{ x[a][b.c ~ d] }}`, `{% filter unknown %}{% endfilter %}`, `{% set x | unknown %}{% endset %}`,
		},
		inspect.Malicious: {
			`{{ ''.__class__.__mro__[1].__subclasses__() }}`, `{{ x['__class__'] }}`, `{{ x["__cl" "ass__"] }}`, `{{ cycler.__init__.__globals__.os.popen('id').read() }}`,
			`{{ lipsum.__globals__['os'].popen('id').read() }}`, `{{ self.__init__.__globals__ }}`, `{{ x | attr('__class__') }}`, `{{ x | attr('__cla' ~ 'ss__') }}`, `{{ x | attr(name) }}`,
			`{{ x | map(attribute='__class__') }}`, `{{ x | map(attribute='a.__class__.b') }}`, `{{ x | map('attr', '__class__') }}`, `{{ x | selectattr('__class__') }}`, `{{ x | sum(attribute='__class__') }}`, `{{ x | groupby('__class__') }}`,
			`{{ x.gi_frame.f_back.f_builtins }}`, `{{ x['f_globals'] }}`, `{{ x.mro() }}`, `{{ eval('1') }}`, `{{ __import__('os') }}`, `{{ x['\x5f\x5fclass\x5f\x5f'] }}`, `{{ namespace.__init__ }}`, `{{ raise_exception.__globals__ }}`,
			`{% for c in [].__class__.__base__.__subclasses__() %}{% if c.__name__ == 'catch_warnings' %}{{ c()._module.__builtins__['__import__']('os').system('id') }}{% endif %}{% endfor %}`,
			`{% set x = messages.__class__ %}`, `{% if x.__class__ %}{% endif %}`, `{% macro a(b=x.__class__) %}{% endmacro %}`, `{% for i in x if i.__class__ %}{% endfor %}`, `{{ x[1:y.__class__] }}`, `{{ f(**x.__class__) }}`, `{% call x.__class__() %}{% endcall %}`, `{% filter map(attribute='__class__') %}{% endfilter %}`,
			`{% set k = dict(__class__=1)|first %}{{ x[k] }}`, `{% macro __class__() %}{% endmacro %}{{ x[__class__.name] }}`, `{% macro m(__class__) %}{% endmacro %}{{ x[m.arguments|first] }}`, `{% set __x = 1 %}`,
			`{% set ns.__class__ = 1 %}`, `{% generation %}{{ x.__class__ }}{% endgeneration %}`, `{% raw %}{% endraw %}{{ x.__class__ }}`, `{# {{ #}{{ x.__class__ }}`,
		},
	} {
		for _, template := range templates {
			if r := scan(t, "a.jinja", []byte(template), nil); r.Verdict != verdict && template != "{{ '\xff' }}" || r.Verdict < verdict {
				t.Errorf("%s: %s, want %s: %v", template, r.Verdict, verdict, r.Findings)
			}
		}
	}
}

// TestTemplateLists wants everything blocked that is malicious also if no list
// says that it is: the list only raises the verdict.
func TestTemplateLists(t *testing.T) {
	all := allowedWords().all
	saved := map[string]bool{}
	for w := range all {
		if strings.HasPrefix(w, "refused ") {
			saved[w] = true
			delete(all, w)
		}
	}
	defer func() {
		for w := range saved {
			all[w] = true
		}
	}()
	for w := range saved {
		template := `{{ ` + strings.TrimPrefix(w, "refused ") + `('x') }}`
		if r := scan(t, "a.jinja", []byte(template), nil); r.Verdict < inspect.Suspicious {
			t.Errorf("%s: %s", template, r.Verdict)
		}
	}
}

// TestTemplatePlaces wants findings at their bytes, and every file judged that a
// template may lie in.
func TestTemplatePlaces(t *testing.T) {
	const bad = `{{ a }}{{ b.__class__ }}`
	quoted, _ := json.Marshal(bad)
	for name, doc := range map[string]string{
		"a/tokenizer_config.json": `{"a": 1, "chat_template": ` + string(quoted) + `}`,
		"tokenizer_config.json":   `{"chat_template": [{"name": "default", "template": "x"}, {"name": "tool", "template": ` + string(quoted) + `}]}`,
		"processor_config.json":   `{"chat_template": {"default": ` + string(quoted) + `}}`,
		"chat_template.json":      "\n{\"\\u0063hat_template\": " + string(quoted) + `}`,
		"chat_template.jinja":     bad,
		"twice.json":              `{"chat_template": ` + string(quoted) + `, "chat_template": "{{ x }}"}`,
		"twice more.json":         `{"chat_template": "{{ x }}", "chat_template": ` + string(quoted) + `}`,
		"any name":                `{"a": [{"b": {"custom_chat_template": ` + string(quoted) + `}}], "c": NaN}`,
		"list.json":               `[{"chat_template": ` + string(quoted) + `}]`,
		"late.json":               `{"a": "` + strings.Repeat("x", 200_000) + `", "chat_template": ` + string(quoted) + `}`,
		"a.j2":                    bad,
		"a.template":              bad,
	} {
		r := scan(t, name, []byte(doc), nil)
		if r.Verdict != inspect.Malicious {
			t.Errorf("%s: %s", name, r.Verdict)
			continue
		}
		want := int64(strings.Index(doc, string(quoted)))
		if !strings.HasPrefix(strings.TrimSpace(doc), "{\"") && doc[0] != '[' {
			want = int64(strings.Index(bad, "__class__"))
		}
		if got := r.Findings[0].Offset; got != want {
			t.Errorf("%s: at %d, want %d", name, got, want)
		}
	}
	for name, doc := range map[string]string{
		"broken behind it":  `{"chat_template": "x", }`,
		"text behind it":    `{"chat_template": "x"} x`,
		"a number":          `{"chat_template": "{{ x }}", "a": 01}`,
		"another is broken": `{"chat_template": ["{{ x }}", "{{"]}`,
	} {
		if r := scan(t, "tokenizer_config.json", []byte(doc), nil); r.Verdict != inspect.Suspicious {
			t.Errorf("%s: %s", name, r.Verdict)
		}
	}
	if r := scan(t, "tokenizer_config.json", []byte(`{"a": 1}`), nil); len(r.Formats) > 0 {
		t.Errorf("a document without a template is taken for %v", r.Formats)
	}
	for name, doc := range map[string]string{
		"text":        `[chat_template] is a key`,
		"a log.jsonl": "{\"chat_template\": \"x\"}\n{\"chat_template\": \"y\"}\n",
		"go.template": `{{ if eq .chat_template "b" }}a{{ else }}b{{ end }}`,
		"sh.template": `server ${chat_template};`,
	} {
		if r := scan(t, name, []byte(doc), nil); len(r.Formats) > 0 || len(rules(r)) > 0 && rules(r) != "unknown-format" {
			t.Errorf("%s is taken for %v: %+v", name, r.Formats, r.Findings)
		}
	}
	for name, doc := range map[string]string{
		"broken before it": `{"a": 1,, "chat_template": "{{ x }}"}`,
		"in a broken list": `{"a": [1 "chat_template": "{{ x }}"]}`,
	} {
		if r := scan(t, "any.json", []byte(doc), nil); r.Verdict != inspect.Suspicious {
			t.Errorf("%s: %s", name, r.Verdict)
		}
	}
	long, _ := json.Marshal(map[string]string{"chat_template": "{" + strings.Repeat("x", jinja.MaxSize)})
	if r := scan(t, "tokenizer_config.json", long, nil); r.Verdict != inspect.Inconclusive {
		t.Errorf("a long template: %s", r.Verdict)
	}
	if r := scan(t, "a.jinja", long, nil); r.Verdict != inspect.Inconclusive {
		t.Errorf("a long file: %s", r.Verdict)
	}
	if r := scan(t, "a.jinja", []byte(`{{ `+strings.Repeat("(", 500)), nil); r.Verdict != inspect.Inconclusive {
		t.Errorf("a deep one: %s", r.Verdict)
	}
}

// FuzzTemplate judges whatever parses.
func FuzzTemplate(f *testing.F) {
	f.Add(`{% macro at(k) %}{{ m[k] }}{% endmacro %}{{ at(k='a' ~ 'b') }}{% set ns.k = x|map(attribute='a')|list %}`)
	f.Add(`{% for a, b in c.items() if d %}{{ x[a:b] }}{{ '{}'.format(a) }}{% endfor %}{% call(x) f(*y, **z) %}{% endcall %}`)
	f.Fuzz(func(t *testing.T, src string) {
		root, err := jinja.Parse(src)
		if err != nil {
			return
		}
		for _, b := range judge(root) {
			if b.off < 0 || b.off > len(src) || b.verdict < inspect.Suspicious {
				t.Fatalf("%+v", b)
			}
		}
		inside := func(name string) bool {
			return strings.HasPrefix(name, "__")
		}
		root.Walk(func(n *jinja.Node) bool {
			if n.Kind == jinja.Attr && inside(n.Text) && len(judge(root)) == 0 {
				t.Fatalf("%s passes", src)
			}
			return true
		})
	})
}
