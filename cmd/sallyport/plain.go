package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"unicode/utf8"
)

// plain returns s with everything that is not a printable character replaced.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case r < ' ' || r >= 0x7f && r < 0xa0, // controls
			r == 0x2028 || r == 0x2029,                               // line ends that are not newlines
			r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069: // changes of direction
			return '·'
		}
		return r
	}, strings.ToValidUTF8(s, "·"))
}

// longest is how many bytes of a line are kept until it is shown.
const longest = 4096

// A quoted writer shows what a stage prints: each line behind a bar, without
// any control character, so that no output can pass for Sallyport's own or
// play tricks on the terminal. It may be used concurrently: a stage prints
// while its attempts to reach the network are told.
type quoted struct {
	w    io.Writer
	mu   sync.Mutex
	line []byte
}

func (q *quoted) Write(b []byte) (int, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, c := range b {
		if c == '\n' || c == '\r' || len(q.line) >= longest {
			q.end()
		}
		if c != '\n' && c != '\r' {
			q.line = append(q.line, c)
		}
	}
	return len(b), nil
}

// own prints a line of Sallyport's own between the lines of the stage.
func (q *quoted) own(format string, args ...any) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.end()
	fmt.Fprintf(q.w, format, args...)
}

// flush shows a last line without an end.
func (q *quoted) flush() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.end()
}

// end shows the line so far. The caller holds the lock. That it cannot be shown
// is no reason for a stage to fail: its output is recorded all the same.
func (q *quoted) end() {
	if len(q.line) == 0 {
		return
	}
	fmt.Fprintf(q.w, "  | %s\n", plain(string(q.line)))
	q.line = q.line[:0]
}

// A plainly writer shows a text line by line without any control character.
type plainly struct {
	w    io.Writer
	line []byte
}

func (p *plainly) Write(b []byte) (int, error) {
	for _, c := range b {
		// A long line is shown in parts that do not tear a character apart.
		full := len(p.line) >= longest && (utf8.RuneStart(c) || len(p.line) >= longest+utf8.UTFMax)
		if c == '\n' || full {
			if err := p.flush(); err != nil {
				return 0, err
			}
		}
		if c != '\n' {
			p.line = append(p.line, c)
		} else if _, err := io.WriteString(p.w, "\n"); err != nil {
			return 0, err
		}
	}
	return len(b), nil
}

// flush shows what there is of the line.
func (p *plainly) flush() error {
	_, err := io.WriteString(p.w, plain(string(p.line)))
	p.line = p.line[:0]
	return err
}
