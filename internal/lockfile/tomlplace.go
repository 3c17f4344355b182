package lockfile

import "strings"

// tomlLines finds the lines of a text in TOML at which keys and texts stand,
// which the decoder does not say. It is right for whatever people write; of
// other spellings it may find nothing, and the line is then 0: better no line
// than a wrong one.
type tomlLines map[string][]int

// maxKey bounds the keys of which lines are kept, in bytes.
const maxKey = 1 << 10

// linesOfTOML reads a text that has been decoded without error.
func linesOfTOML(text string) tomlLines {
	out := tomlLines{}
	line, depth := 1, 0
	table, key := "", ""
	var word []byte // what stands between signs; of no concern within a value
	taken := func() string {
		s := strings.TrimSpace(string(word))
		word = word[:0]
		return s
	}
	note := func(parts ...string) {
		if len(table)+len(key) > maxKey {
			return // there would be a copy of them for each text
		}
		at := joinKey(parts...)
		out[at] = append(out[at], line)
	}
	for i := 0; i < len(text); {
		size := 1
		switch c := text[i]; c {
		case '"', '\'':
			var s string
			s, size = tomlText(text[i:])
			if key != "" {
				note(table, key, s)
			} else {
				word = append(word, s...)
			}
		case '#':
			if size = strings.IndexByte(text[i:], '\n'); size < 0 {
				return out
			}
		case '[', '{':
			if depth++; key == "" {
				word = word[:0]
			}
		case ']', '}':
			if depth--; key == "" && depth == 0 {
				table = taken()
			}
		case '=':
			if key == "" {
				key = taken()
				note(table, key)
			}
		case '\n':
			if depth <= 0 {
				key, word = "", word[:0]
				depth = 0
			}
			line++
		default:
			if key == "" {
				word = append(word, c)
			}
		}
		if size > 1 {
			line += strings.Count(text[i:i+size], "\n")
		}
		i += size
	}
	return out
}

// joinKey is a path of keys as tomlLines has it. Points within keys and between
// them are the same here.
func joinKey(parts ...string) string {
	return strings.NewReplacer(" ", "", "\t", "").Replace(strings.Trim(strings.Join(parts, "."), "."))
}

// take returns the line of a key or of a text in a key's value. The same text
// may stand there several times: each call returns the next.
func (l tomlLines) take(parts ...string) int {
	at := joinKey(parts...)
	lines := l[at]
	if len(lines) == 0 {
		return 0
	}
	if len(lines) > 1 {
		l[at] = lines[1:]
	}
	return lines[0]
}

// tomlText reads the text in quotes that s begins with, and returns how long it
// is with its quotes.
func tomlText(s string) (text string, size int) {
	quote := s[:1]
	if strings.HasPrefix(s, strings.Repeat(quote, 3)) {
		quote = s[:3]
	}
	for i := len(quote); i < len(s); i++ {
		switch {
		case s[i] == '\\' && quote[0] == '"':
			i++
		case strings.HasPrefix(s[i:], quote):
			text = s[len(quote):i]
			if quote[0] == '"' {
				text = strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(text)
			}
			return text, i + len(quote)
		}
	}
	return s, len(s)
}
