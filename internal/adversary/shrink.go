package adversary

import (
	"bytes"
	"context"
	"slices"
)

// Shrink makes the stream of a miss as short as it can without becoming
// something else: still hostile for the oracle, still passed by the scanner. A
// file that holds the stream is left as it is.
func (h *Hunt) Shrink(ctx context.Context, c Catch) (Catch, error) {
	if !bytes.Equal(c.Case.File, c.Case.Stream) {
		return c, nil
	}
	for size := len(c.Case.Stream) / 2; size > 0; {
		shorter, err := h.without(ctx, c, size)
		if err != nil {
			return c, err
		}
		if shorter == nil {
			size /= 2
		} else {
			c = *shorter
			size = min(size, len(c.Case.Stream)/2)
		}
	}
	return c, nil
}

// without leaves size bytes out wherever that keeps the catch, or returns nil.
func (h *Hunt) without(ctx context.Context, c Catch, size int) (*Catch, error) {
	var questions []Question
	for at := 0; at+size <= len(c.Case.Stream); at += max(1, size/2) {
		questions = append(questions, Question{Raw, slices.Delete(slices.Clone(c.Case.Stream), at, at+size)})
	}
	answers, err := h.Oracle.Ask(ctx, questions)
	if err != nil {
		return nil, err
	}
	for i, a := range answers {
		shorter := c
		shorter.Case.Stream, shorter.Case.File, shorter.Answer = questions[i].Data, questions[i].Data, a
		if a.Dead || !shorter.harmful() {
			continue
		}
		passes, why, err := h.Judge(ctx, c.Case.Name, shorter.Case.File)
		if err != nil {
			return nil, err
		}
		if shorter.Why = why; passes {
			return &shorter, nil
		}
	}
	return nil, nil
}
