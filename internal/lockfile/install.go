package lockfile

import (
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/internal/lazyregexp"
)

// A shellLine is a line that may be a command.
type shellLine struct {
	line int
	text string
}

var (
	// shellCell is a cell that is a shell script from its second line on.
	shellCell = lazyregexp.New(`^%%(?:bash|sh|zsh|!|script\s+(?:--\S+\s+)*(?:\S*/)?(?:bash|sh|zsh))(?:\s|$)|^!!`)
	// magic is a line that a notebook hands to a shell or to an installer. In a
	// script made from a notebook it is a comment.
	magic = lazyregexp.New(`^\s*(?:[A-Za-z_][A-Za-z0-9_]*\s*=\s*)?(?:!!?|%)\s*(.*)$`)
	// installing is a call that starts an installer from Python.
	installing = lazyregexp.New(`(?:system|run|call|check_call|check_output|Popen|main|getoutput|run_line_magic|run_cell_magic)\s*\(.*\b(?:pip|pip3|conda|mamba|uv|easy_install)\b.*\b(?:install|add)\b`)
)

// cell reads the lines of a cell of code.
func (r *reader) cell(name string, lines []shellLine) error {
	lines = continued(lines)
	first := slices.IndexFunc(lines, func(l shellLine) bool { return strings.TrimSpace(l.text) != "" })
	script := first >= 0 && shellCell.MatchString(strings.TrimSpace(lines[first].text))
	alone := first >= 0 && !slices.ContainsFunc(lines[first+1:], func(l shellLine) bool { return strings.TrimSpace(l.text) != "" })
	for i, l := range lines {
		command, isCommand := l.text, script && i != first || alone && bare.MatchString(l.text)
		if m := magic.FindStringSubmatch(l.text); m != nil && !isCommand && !strings.HasPrefix(strings.TrimSpace(l.text), "%%") {
			command, isCommand = m[1], true
		}
		if strings.HasPrefix(l.text, "!!") && script && i == first {
			command, isCommand = l.text[2:], true
		}
		switch {
		case isCommand:
			if err := r.commands(Place{name, l.line}, command); err != nil {
				return err
			}
		case installing.MatchString(l.text) && !strings.HasPrefix(strings.TrimSpace(l.text), "#"):
			r.unread(Unread{Place: Place{name, l.line}, Reason: Syntax, Wants: "what its code installs", Direct: true})
		}
	}
	return nil
}

// continued joins lines that end in a backslash with those after them.
func continued(lines []shellLine) []shellLine {
	var out []shellLine
	var whole strings.Builder
	first := 0 // the line that whole begins at; 0: at the next
	for i, l := range lines {
		text, more := strings.CutSuffix(l.text, `\`)
		if first == 0 {
			first = l.line
		}
		whole.WriteString(text)
		if !more || i == len(lines)-1 {
			out = append(out, shellLine{first, whole.String()})
			whole.Reset()
			first = 0
		}
	}
	return out
}

// maxShells bounds shells that start shells.
const maxShells = 4

// commands reads a line of shell: every command in it that installs, also by a
// shell of its own.
func (r *reader) commands(place Place, line string) error { return r.shell(place, line, maxShells) }

func (r *reader) shell(place Place, line string, more int) error {
	for _, command := range splitCommands(line) {
		args, closed := words(command)
		if m := shellForm.FindStringSubmatch(strings.Join(args, " ")); m != nil && more > 0 {
			if err := r.shell(place, m[1], more-1); err != nil {
				return err
			}
			continue
		}
		tool, args := installer(args)
		if tool == "" {
			continue
		}
		if !closed {
			r.unread(Unread{Place: place, Reason: Syntax, Wants: command, Direct: true})
			continue
		}
		if err := r.install(place, tool, args); err != nil {
			return err
		}
	}
	return nil
}

// splitCommands splits a line of shell into its commands, and takes off a
// comment at its end.
func splitCommands(line string) []string {
	var out []string
	quote, start := byte(0), 0
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == '\\' && quote != '\'':
			i++
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case c == '#' && (i == 0 || line[i-1] == ' ' || line[i-1] == '\t'):
			return append(out, line[start:i])
		case c == ';' || c == '|' || c == '\n' || c == '&' && (i == 0 || line[i-1] != '>'):
			out = append(out, line[start:i])
			start = i + 1
		}
	}
	return append(out, line[start:])
}

var (
	pipForm    = lazyregexp.New(`^pip[0-9.]*$`)
	shellForm  = lazyregexp.New(`^(?:sudo )?(?:\S*/)?(?:ba|z|da)?sh -[a-z]*c (.*)$`)
	beforeForm = lazyregexp.New(`^(?:[A-Za-z_][A-Za-z0-9_]*=.*|sudo|time|exec|command|env|nohup|then|do|else|if|-[HE]|\(|\{|set|sx|system)$`)
	// bare is a line that a notebook takes for a magic without its sign.
	bare = lazyregexp.New(`^(?:pip[0-9.]*|conda|mamba|micromamba|uv)\s+\S`)
)

// installer finds the installer that a command starts, and returns what it is
// given after "install". Of any other command both are empty.
func installer(args []string) (tool string, rest []string) {
	for len(args) > 0 && beforeForm.MatchString(args[0]) {
		args = args[1:]
	}
	if len(args) == 0 {
		return "", nil
	}
	tool = path.Base(strings.TrimLeft(args[0], "%!(`$"))
	// Python itself: "python3 -m pip", "{sys.executable} -m pip", "$PYTHON -m pip".
	if m := slices.Index(args, "-m"); m >= 0 && m+1 < len(args) && pipForm.MatchString(args[m+1]) {
		tool, args = "pip", args[m+1:]
	}
	verbs := []string{"install"}
	switch {
	case pipForm.MatchString(tool):
		tool = "pip"
	case tool == "uv" && slices.Contains(args, "pip"):
		tool, args = "pip", args[slices.Index(args, "pip"):]
		if sync := slices.Index(args, "sync"); sync > 0 {
			return tool, fromFiles(args[sync+1:])
		}
	case tool == "pip-sync":
		return "pip", fromFiles(args[1:])
	case tool == "uv", tool == "poetry", tool == "pdm", tool == "pixi":
		tool, verbs = "pip", []string{"add"}
	case tool == "pipenv", tool == "pipx":
		tool = "pip"
	case tool == "easy_install":
		return "pip", args[1:]
	case tool == "conda", tool == "mamba", tool == "micromamba":
		tool, verbs = "conda", []string{"install", "create", "update", "upgrade"}
	default:
		return "", nil
	}
	for i, word := range args[1:] {
		if slices.Contains(verbs, word) {
			return tool, args[i+2:]
		}
	}
	return "", nil
}

// fromFiles makes of the words after "sync", which are files of requirements, what
// stands after "install".
func fromFiles(args []string) []string {
	var out []string
	for _, word := range args {
		if !strings.HasPrefix(word, "-") {
			out = append(out, "-r")
		}
		out = append(out, word)
	}
	return out
}

// installOptions are options of an installer's command line beside those of
// requirements files.
var installOptions = func() map[string]option {
	out := maps.Clone(options)
	for flag := range strings.FieldsSeq(`-q -qq -qqq --quiet -v -vv -vvv --verbose -U --upgrade --user --no-deps --no-cache-dir --no-cache
		--force-reinstall --reinstall --force -I --ignore-installed --no-build-isolation --disable-pip-version-check --no-warn-script-location
		--no-warn-conflicts --break-system-packages --require-virtualenv --isolated --system -y --yes --no-input --compile --no-compile
		--no-clean --dry-run --ignore-requires-python --no-color --no-python-version-warning --dev -qU -Uq -qy -yq --copy --override-channels
		--no-channel-priority --strict-channel-priority --freeze-installed --update-deps --json --debug --all --exact`) {
		out[flag] = option{harmless, false}
	}
	for name := range strings.FieldsSeq(`--progress-bar --root-user-action -t --target --prefix --root --python --timeout --default-timeout
		--retries --cache-dir --upgrade-strategy --platform --python-version --implementation --abi --proxy --cert --client-cert --log
		--exists-action --src --report --use-deprecated --group -n --name -p --solver --keyring-provider --index-strategy --exclude-newer`) {
		out[name] = option{harmless, true}
	}
	return out
}

// install reads what follows after "pip install" or "conda install".
func (r *reader) install(place Place, tool string, args []string) error {
	known := installOptions()
	if tool == "conda" {
		known["-c"], known["--channel"] = option{mainIndex, true}, option{mainIndex, true}
		known["-f"], known["--file"] = option{includeConda, true}, option{includeConda, true}
	}
	given, wanted := settings(plainWords(args), known)
	q := request{place: place, direct: true}
	for _, s := range given {
		if err := r.setting(q, s); err != nil {
			return err
		}
	}
	for _, word := range wanted {
		q.text = word
		switch {
		case strings.ContainsAny(word, "${}`*?") && !strings.Contains(word, ".*"):
			r.unread(q.unreadable(Variable, "", word))
		case tool == "conda":
			r.matchSpec(q)
		default:
			if err := r.ask(q, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

var redirection = lazyregexp.New(`^(?:[0-9&]?>>?|<)(&?[^=]*)$`)

// plainWords leaves out where a shell is told to send the output.
func plainWords(args []string) []string {
	var out []string
	for i := 0; i < len(args); i++ {
		m := redirection.FindStringSubmatch(args[i])
		if m == nil {
			out = append(out, args[i])
		} else if m[1] == "" {
			i++ // the file's name is a word by itself
		}
	}
	return out
}
