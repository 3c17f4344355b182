package python

import (
	"strings"
	"unicode/utf8"

	"github.com/sallyport/sallyport/internal/format"
)

// MaxSource is the most bytes of source that are read as one file.
const MaxSource = 8 << 20

// ascii lists encodings in which an ASCII byte is that character and nothing
// else, so that a file of only such bytes reads the same in all of them.
var ascii = []string{"utf", "ascii", "us-ascii", "latin", "latin-1", "latin1", "iso-latin-1", "iso8859-1"}

// Source checks that b is Python source whose characters are beyond doubt, and
// returns it without its byte order mark. A declaration of an encoding (PEP 263)
// other than UTF-8 is unsupported, unless the file is ASCII and so is the
// encoding: some that Python accepts turn harmless text into code.
func Source(b []byte) (string, error) {
	if len(b) > MaxSource {
		return "", format.Exceededf(-1, "source of %d bytes is longer than the %d that are read", len(b), MaxSource)
	}
	src := string(b)
	if i := strings.IndexByte(src, 0); i >= 0 {
		return "", format.Brokenf(int64(i), "a zero byte within source")
	}
	body := strings.TrimPrefix(src, "\ufeff")
	cookie, at := declared(body)
	switch name := strings.ReplaceAll(strings.ToLower(cookie), "_", "-"); {
	case name == "", name == "utf-8", name == "utf8", name == "utf-8-sig", name == "u8":
	case asciiSuperset(name) && isASCII(body):
	default:
		return "", format.Unsupportedf(int64(at), "source in another encoding than UTF-8")
	}
	if !utf8.ValidString(body) {
		return "", format.Brokenf(int64(invalid(body)), "source that is not UTF-8")
	}
	// Spaces of the mark's length would move columns: the mark is dropped, and
	// offsets are those after it.
	return body, nil
}

func asciiSuperset(name string) bool {
	for _, a := range ascii {
		if name == a {
			return true
		}
	}
	return strings.HasPrefix(name, "iso-8859-") || strings.HasPrefix(name, "iso8859-") ||
		strings.HasPrefix(name, "cp125") || strings.HasPrefix(name, "windows-125")
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func invalid(s string) int {
	for i, r := range s {
		if r == utf8.RuneError {
			if _, n := utf8.DecodeRuneInString(s[i:]); n == 1 {
				return i
			}
		}
	}
	return len(s)
}

// declared returns the encoding that one of the first two lines names, and
// where. The second counts only after a line that holds no code.
func declared(src string) (name string, off int) {
	for range 2 {
		end := strings.IndexAny(src[off:], "\r\n")
		line := src[off:]
		if end >= 0 {
			line = line[:end]
		}
		text := strings.TrimLeft(line, " \t\f")
		if text != "" && text[0] != '#' {
			return "", 0
		}
		if i := cookie(text); i > 0 {
			return encodingName(text[i:]), off
		}
		if end < 0 {
			return "", 0
		}
		off += end + 1
		if src[off-1] == '\r' && strings.HasPrefix(src[off:], "\n") {
			off++
		}
	}
	return "", 0
}

// cookie returns what follows the first "coding:" or "coding=" that has a name.
func cookie(comment string) int {
	for at := 0; ; {
		i := strings.Index(comment[at:], "coding")
		if i < 0 {
			return 0
		}
		at += i + len("coding")
		if at < len(comment) && (comment[at] == ':' || comment[at] == '=') {
			rest := strings.TrimLeft(comment[at+1:], " \t")
			if encodingName(rest) != "" {
				return len(comment) - len(rest)
			}
		}
	}
}

func encodingName(s string) string {
	i := 0
	for i < len(s) && (s[i] == '-' || s[i] == '_' || s[i] == '.' || isAlnum(s[i])) {
		i++
	}
	return s[:i]
}

func isAlnum(b byte) bool {
	return b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z'
}
