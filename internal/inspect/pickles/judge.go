package pickles

import (
	"strings"

	"github.com/sallyport/sallyport/internal/format/pickle"
	"github.com/sallyport/sallyport/internal/inspect"
)

// maxName is how many bytes of a text that is a name or an argument are looked at.
const maxName = 256

// maxRefused is how many refused names are remembered, and maxThings how many
// kinds of things: no honest stream has a hundredth of them.
const (
	maxRefused = 4096
	maxThings  = 1 << 16
)

// maxText is how long a text may be that stands for the bytes of a file and is
// written with escapes, as in protocol 0.
const maxText = 4 << 20

// A judge is the visitor of one stream.
type judge struct {
	p         *inspect.Pass
	f         *inspect.File
	around    *surroundings
	denied    string
	globals   map[[2]string]pickle.Tag
	uncalled  map[*entry]int64 // names that are only for calling and were not called yet
	numbers   map[thing]pickle.Tag
	things    []thing
	found     int  // findings
	quiet     bool // only foreign names count, and are not reported
	foreign   string
	inspected map[int64]bool // files in the stream, by where they begin
	looked    [256]int64     // where bytes were looked at last, plus one
	failed    error          // what ends the pass
	at        int64          // of the foreign name
}

func newJudge(p *inspect.Pass, f *inspect.File, s *surroundings) *judge {
	return &judge{p: p, f: f, around: s, denied: denied, globals: map[[2]string]pickle.Tag{}, uncalled: map[*entry]int64{}, inspected: map[int64]bool{}, numbers: map[thing]pickle.Tag{}}
}

// report makes a finding about the opcode at a place.
func (j *judge) report(m *pickle.Machine, at int64, r *inspect.Rule, v inspect.Verdict, what, why string) {
	if j.quiet || m.Repeats() {
		return
	}
	j.found++
	found := inspect.Finding{Rule: r, Verdict: v, Offset: at, What: what, Why: why}
	if j.p.Explain {
		found.Trace = m.Trace(12, 4)
	}
	j.p.Find(j.f, found)
}

// Global judges a name, called or not.
func (j *judge) Global(m *pickle.Machine, at pickle.At, g *pickle.Global) error {
	key := [2]string{g.Module, g.Name}
	tag, seen := j.globals[key]
	if seen && g.Known {
		g.Tag = tag
		return nil
	}
	e, ok := j.allowed(g)
	if ok {
		g.Tag = j.tag(thing{entry: e, kind: e.use.kind, size: e.size()})
		if e.callOnly() {
			j.uncalled[e] = at.Off
		}
		j.around.named(e)
	}
	if g.Known && (ok || len(j.globals) < maxRefused) { // the allowed ones are at most those of the lists
		j.globals[key] = g.Tag
	}
	name := g.Module + "." + g.Name
	if j.quiet {
		if !ok && j.foreign == "" && plainName(g.Module) && plainName(g.Name) {
			j.foreign, j.at = name, at.Off
		}
		return nil
	}
	j.p.Global(g.Module + " " + g.Name)
	if ok {
		return nil
	}
	switch why := denial(j.denied, g.Module, g.Name); {
	case !g.Known:
		j.report(m, at.Off, ruleGlobal, inspect.Suspicious, name, "a part of the name is made only while it is loaded")
	case why != "":
		j.report(m, at.Off, ruleGlobal, inspect.Malicious, name, why)
	case strings.Contains(g.Name, "."):
		j.report(m, at.Off, ruleGlobal, inspect.Suspicious, name, "a name with dots reaches what its module has imported from elsewhere")
	default:
		j.report(m, at.Off, ruleGlobal, inspect.Suspicious, name, "it is not on the list of what models use")
	}
	return nil
}

// allowed returns the entry of a name.
func (j *judge) allowed(g *pickle.Global) (*entry, bool) {
	if !g.Known {
		return nil, false
	}
	if e, ok := lookup(g.Module, g.Name); ok {
		return e, true
	}
	if strings.HasPrefix(g.Module, "__torch__") && plainName(g.Module) && plainName(g.Name) && !strings.Contains(g.Name, ".") && j.around.script() {
		return &scriptClass, true
	}
	return lookup(modern(g.Module, g.Name))
}

// scriptClass stands for all classes that an archive of TorchScript defines.
var scriptClass = entry{"__torch__", "class", contract{kind: "class", mode: "state"}}

// Call judges what the stream runs.
func (j *judge) Call(m *pickle.Machine, at pickle.At, c *pickle.Call) error {
	callee := j.thing(m, c.Callee)
	result, why := j.call(m, at.Op, callee, c)
	j.look(m, at.Off, c.Args, 3)
	if callee.entry != nil {
		delete(j.uncalled, callee.entry)
	}
	if why == "" {
		m.SetTag(c.Result, j.tag(result))
		return nil
	}
	what, verdict := j.words(m, c.Callee), inspect.Suspicious
	if g, ok := m.Global(c.Callee); ok && denial(j.denied, g.Module, g.Name) != "" {
		verdict = inspect.Malicious
	}
	j.report(m, at.Off, ruleCall, verdict, what, why)
	return nil
}

// call applies the callee's contract; why says what breaks it.
func (j *judge) call(m *pickle.Machine, op pickle.Op, callee thing, c *pickle.Call) (result thing, why string) {
	if callee.entry == nil || callee.life != named {
		return thing{}, "what it calls is not allowed, or is no name at all"
	}
	args, count := m.Items(c.Args)
	if c.Args.Kind() != pickle.Tuple || len(args) < count {
		return thing{}, "its arguments are no tuple, or too many to judge"
	}
	use := callee.entry.use
	byNew := op == pickle.OpNewobj || op == pickle.OpNewobjEx || op != pickle.OpReduce && count == 0 && use.class()
	if byNew {
		return j.made(m, callee.entry, args, c.Kwargs)
	}
	switch {
	case use.special != "":
		return specials(use.special)(j, m, callee.entry, args)
	case use.product != "":
		if why := j.fit(m, use.args, args); why != "" {
			return thing{}, why
		}
		return thing{entry: callee.entry, kind: use.product, life: fresh}, ""
	case use.kind == "enum" && count == 1 && m.Pure(args[0]):
		return thing{entry: callee.entry, kind: "plain", life: fresh}, ""
	case use.kind == "tuple" && j.allPure(m, args), use.kind == "scalar" && count <= 1 && j.allPure(m, args):
		return thing{entry: callee.entry, kind: "plain", life: fresh}, ""
	case use.kind == "set" && count == 1 && args[0].Kind() == pickle.List:
		return thing{entry: callee.entry, kind: use.kind, life: fresh}, ""
	}
	return thing{}, "it may be named or made, but not called with these arguments"
}

// made judges an instance that the class's __new__ makes.
func (j *judge) made(m *pickle.Machine, e *entry, args []pickle.Value, kwargs pickle.Value) (thing, string) {
	if !e.use.class() {
		return thing{}, "it is not a class whose instances a pickle may make"
	}
	if kwargs.Kind() != pickle.Nothing {
		if _, count := m.Items(kwargs); count > 0 || kwargs.Kind() != pickle.Dict {
			return thing{}, "it passes keyword arguments to the making of an object"
		}
	}
	for _, a := range args {
		if !m.Pure(a) && (e.use.kind != "tuple" && e.use.mode != "made" || a.Kind() == pickle.GlobalRef) {
			return thing{}, "an object is made with arguments that are no plain data"
		}
	}
	if len(args) > 0 && e.use.kind == "ndarray" {
		return thing{}, "it may not be made with arguments"
	}
	return thing{entry: e, kind: e.use.kind, life: fresh}, ""
}

// Build judges the setting of a state.
func (j *judge) Build(m *pickle.Machine, at pickle.At, obj, state pickle.Value) (pickle.Inline, error) {
	t := j.thing(m, obj)
	why := ""
	j.look(m, at.Off, state, 4)
	switch {
	case obj.Kind() == pickle.GlobalRef || t.entry != nil && t.life == named:
		j.report(m, at.Off, ruleState, inspect.Malicious, j.words(m, obj), "it changes a class or function of the running program")
		return pickle.Inline{}, nil
	case t.entry == nil:
		why = "what it sets the state of was not made in an allowed way"
	case t.life == built:
		why = "the state is set a second time"
	default:
		var inline pickle.Inline
		if inline, why = j.build(m, at, t, obj, state); why == "" {
			return inline, nil
		}
	}
	j.report(m, at.Off, ruleState, inspect.Suspicious, j.words(m, obj), why)
	return pickle.Inline{}, nil
}

// build applies the contract of an object to its state.
func (j *judge) build(m *pickle.Machine, at pickle.At, t thing, obj, state pickle.Value) (pickle.Inline, string) {
	use := t.entry.use
	after := t
	after.life = built
	switch {
	case t.kind == "dtype":
		return pickle.Inline{}, j.buildDtype(m, t, obj, state)
	case t.kind == "array":
		return pickle.Inline{}, j.buildArray(m, t, obj, state)
	case t.kind == "wrapper":
		return j.wrapper(m, at, t, obj, state)
	case t.kind == "partial":
		return pickle.Inline{}, j.buildPartial(m, t, obj, state)
	case t.kind == "object" || t.kind == "items":
	case t.kind == "tensor" && (state.Kind() == pickle.Dict || state.Kind() == pickle.None):
	case !use.class():
		return pickle.Inline{}, "objects of this kind have no state that a pickle sets"
	case guards(use.mode) != nil:
		if why := guards(use.mode)(j, m, state); why != "" {
			return pickle.Inline{}, why
		}
	case state.Kind() == pickle.Dict || state.Kind() == pickle.None:
	case use.mode == "slots" || use.mode == "state" && j.pair(m, state):
		if why := j.slots(m, state); why != "" {
			return pickle.Inline{}, why
		}
	case use.mode == "state" || use.mode == "made":
	default:
		return pickle.Inline{}, "the state is no dict, and objects of this kind have none other"
	}
	m.SetTag(obj, j.tag(after))
	return pickle.Inline{}, ""
}

// pair reports whether a state looks as one with slots.
func (j *judge) pair(m *pickle.Machine, state pickle.Value) bool {
	parts, count := m.Items(state)
	return state.Kind() == pickle.Tuple && count == 2 && len(parts) == 2 && parts[1].Kind() == pickle.Dict
}

// slots judges a state (dict, slots): it sets attributes, which must not be what
// makes the object another.
func (j *judge) slots(m *pickle.Machine, state pickle.Value) string {
	if !j.pair(m, state) {
		return "the state is no dict, and no pair of a dict and slots"
	}
	parts, _ := m.Items(state)
	items, count := m.Items(parts[1])
	if len(items) < count {
		return "there are more slots than can be judged"
	}
	for i := 0; i < len(items); i += 2 {
		if name, ok := m.Text(items[i], maxName); !ok || !plainName(name) || strings.HasPrefix(name, "__") {
			return "a slot has a name that honest classes do not use"
		}
	}
	return ""
}

// Extend judges items that are added to what is no plain container.
func (j *judge) Extend(m *pickle.Machine, at pickle.At, target pickle.Value, added []pickle.Value) error {
	t := j.thing(m, target)
	if t.entry != nil && (t.life == fresh || t.life == filled) {
		pairs := at.Op == pickle.OpSetitem || at.Op == pickle.OpSetitems
		if items(t.kind, pairs) {
			for _, item := range added {
				j.look(m, at.Off, item, 2)
			}
			t.life = filled
			m.SetTag(target, j.tag(t))
			return nil
		}
	}
	verdict, why := inspect.Suspicious, "it is no container that a pickle may fill, or its state is set already"
	if target.Kind() == pickle.GlobalRef {
		verdict, why = inspect.Malicious, "it calls a method of a class or function of the running program"
	}
	j.report(m, at.Off, ruleItems, verdict, j.words(m, target), why)
	return nil
}

// Ext judges an object of the extension registry: nobody knows what it is.
func (j *judge) Ext(m *pickle.Machine, at pickle.At, code int32, result pickle.Value) error {
	j.report(m, at.Off, ruleExtension, inspect.Suspicious, "extension registry", "which code the number stands for depends on the program that loads it")
	return nil
}

// Diverge reports that unpicklers differ.
func (j *judge) Diverge(m *pickle.Machine, d pickle.Divergence) error {
	j.report(m, d.Off, ruleDivergence, inspect.Suspicious, "divergence", d.Text)
	return nil
}

// Step counts the work.
func (j *judge) Step(n int) error { return j.p.Step(n) }

// words are what a finding calls a value: the name that it is, or that made it.
func (j *judge) words(m *pickle.Machine, v pickle.Value) string {
	for range 8 {
		if g, ok := m.Global(v); ok {
			return g.Module + "." + g.Name
		}
		items, _ := m.Items(v)
		if len(items) == 0 || v.Kind() != pickle.Returned && v.Kind() != pickle.Instance {
			break
		}
		v = items[0]
	}
	switch v.Kind() {
	case pickle.Persistent:
		return "persistent object"
	case pickle.Extension:
		return "extension registry"
	}
	return "a value"
}

// Doubt is Call in a reading in which callees and arguments may not belong
// together: of an honest file most are odd there. Fault is found only with what
// resolves names or loads bytes, whatever it is given.
func (j *judge) Doubt(m *pickle.Machine, at pickle.At, c *pickle.Call) error {
	callee := j.thing(m, c.Callee)
	if callee.entry == nil || !callee.entry.callOnly() {
		return nil
	}
	if _, why := j.call(m, at.Op, callee, c); why != "" {
		j.report(m, at.Off, ruleCall, inspect.Suspicious, j.words(m, c.Callee), why)
	}
	return nil
}

var _ pickle.Doubter = (*judge)(nil)
