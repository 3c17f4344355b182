package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/term"

	"github.com/sallyport/sallyport"
)

// width is how many columns tables take: they are read side by side with code
// and pasted into mail, so a wide terminal changes nothing.
const width = 80

// A table is printed with aligned columns. When it would be wider than width,
// its widest cells are cut, never the first column.
type table struct {
	head  []string
	right map[int]bool // columns of numbers
	rows  [][]string
}

func (t *table) add(cells ...string) { t.rows = append(t.rows, cells) }

func (t *table) print(w io.Writer) {
	lines := append([][]string{t.head}, t.rows...)
	size := make([]int, len(t.head))
	for _, l := range lines {
		for i, c := range l {
			size[i] = max(size[i], utf8.RuneCountInString(c))
		}
	}
	for total(size) > width {
		widest := len(size) - 1
		for i := 1; i < len(size); i++ {
			if size[i] > size[widest] {
				widest = i
			}
		}
		size[widest]--
	}
	for _, l := range lines {
		var b strings.Builder
		for i, c := range l {
			c = cut(c, size[i])
			pad := strings.Repeat(" ", size[i]-utf8.RuneCountInString(c))
			if t.right[i] {
				c = pad + c
			} else {
				c += pad
			}
			b.WriteString(c + "  ")
		}
		fmt.Fprintln(w, strings.TrimRight(b.String(), " "))
	}
}

func total(size []int) int {
	n := 2 * (len(size) - 1)
	for _, s := range size {
		n += s
	}
	return n
}

func cut(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:max(0, n-1)]) + "…"
}

// timeText writes a duration for a person.
func timeText(d time.Duration) string {
	switch {
	case d >= time.Hour:
		return d.Round(time.Minute).String()
	case d >= time.Minute:
		return d.Round(time.Second).String()
	case d >= time.Second:
		return fmt.Sprintf("%.1fs", d.Seconds())
	}
	return fmt.Sprintf("%dms", d.Milliseconds())
}

// count writes a number with thousands separated: 4,999.
func count(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// many writes "1 record" or "3 records".
func many(n int64, what string) string {
	if n == 1 {
		return "1 " + what
	}
	if stem, ok := strings.CutSuffix(what, "y"); ok {
		return count(n) + " " + stem + "ies"
	}
	return count(n) + " " + what + "s"
}

// wrap breaks text into lines of at most n columns; a longer word keeps a line
// of its own.
func wrap(text string, n int) []string {
	var lines []string
	var line string
	for _, word := range strings.Fields(text) {
		switch {
		case line == "":
			line = word
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > n:
			lines = append(lines, line)
			line = word
		default:
			line += " " + word
		}
	}
	return append(lines, line)
}

// A meter shows how far a long piece of work is, on a terminal only, and only
// once it has taken a second.
type meter struct {
	w     io.Writer
	label string
	begun time.Time
	last  time.Time
	shown bool
}

// meter begins a piece of work. It stays silent unless standard error is a
// terminal and the output is for a person.
func (a *app) meter(label string) *meter {
	m := &meter{label: label, begun: time.Now()}
	if !a.json && isTerminal(a.err) {
		m.w = a.err
	}
	return m
}

// isTerminal reports whether w shows what is written to it to a person.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// at shows that done of total bytes are done; a total of 0 is not known.
func (m *meter) at(done, total int64) {
	now := time.Now()
	if m.w == nil || now.Sub(m.begun) < time.Second || now.Sub(m.last) < 100*time.Millisecond {
		return
	}
	m.last, m.shown = now, true
	if total <= 0 {
		fmt.Fprintf(m.w, "\r\x1b[K%s  %s", m.label, sallyport.Size(done))
		return
	}
	const bar = 24
	n := int(min(done, total) * bar / total)
	fmt.Fprintf(m.w, "\r\x1b[K%s  [%s%s] %3d %%  %s of %s",
		cut(m.label, 24), strings.Repeat("=", n), strings.Repeat(" ", bar-n),
		min(done, total)*100/total, sallyport.Size(done), sallyport.Size(total))
}

// every has show called often until stop is, for work that cannot stop to tell.
func (m *meter) every(show func()) (stop func()) {
	if m.w == nil {
		return func() {}
	}
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				show()
			case <-end:
				return
			}
		}
	}()
	return func() {
		close(end)
		<-ended
	}
}

// done takes the meter away.
func (m *meter) done() {
	if m.shown {
		fmt.Fprint(m.w, "\r\x1b[K")
	}
}
