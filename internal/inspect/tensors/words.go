package tensors

import (
	_ "embed"
	"strings"
	"sync"
)

//go:embed words.txt
var wordsText string

// words are the lists of words.txt: "kind word".
type words struct{ all map[string]bool }

func (w *words) is(kind, word string) bool { return w.all[kind+" "+word] }

// allowedWords reads words.txt when it is first needed.
var allowedWords = sync.OnceValue(func() *words {
	w := &words{map[string]bool{}}
	for line := range strings.Lines(wordsText) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			w.all[line] = true
		}
	}
	return w
})
