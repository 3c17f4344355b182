package archives

import (
	"encoding/binary"
	"slices"
	"testing"

	"github.com/sallyport/sallyport/internal/inspect"
)

// record is one of data.
func record(data string) []byte {
	length := binary.LittleEndian.AppendUint64(nil, uint64(len(data)))
	b := binary.LittleEndian.AppendUint32(slices.Clone(length), masked(length))
	return binary.LittleEndian.AppendUint32(append(b, data...), masked([]byte(data)))
}

// TestRecords wants records to be followed to their end, and a log of events to
// end where it may.
func TestRecords(t *testing.T) {
	two := append(record("a"), record("")...)
	for _, c := range []struct {
		name string
		data []byte
		want inspect.Verdict
	}{
		{"one.tfrecord", honest(t, "one.tfrecord"), inspect.Inert},
		{"a.tfrecord", two, inspect.Inert},
		{"a.tfrecord", two[:len(two)-1], inspect.Suspicious},
		{"events.out.tfevents.1.host.1.0.v2", two[:len(two)-1], inspect.Inert},
		{"events.out.tfevents.1.host.1.0.v2", append(slices.Clone(two), "PK, not a length, and not its sum"...), inspect.Suspicious},
		{"a.tfrecord", append(slices.Clone(two), "and what is this, then"...), inspect.Suspicious},
	} {
		if r := scan(t, c.name, c.data); r.Verdict != c.want {
			t.Errorf("%s of %d bytes: %s", c.name, len(c.data), tell(r))
		}
	}
}

// TestArrowStream wants streams of messages to pass under the name of Arrow's
// files, and broken ones not.
func TestArrowStream(t *testing.T) {
	whole := honest(t, "stream.arrow")
	change := func(off int, b byte) []byte { c := slices.Clone(whole); c[off] = b; return c }
	for name, c := range map[string]struct {
		data []byte
		want inspect.Verdict
	}{
		"whole":          {whole, inspect.Inert},
		"without an end": {whole[:len(whole)-8], inspect.Inert},
		"cut":            {whole[:len(whole)-100], inspect.Suspicious},
		"longer":         {append(slices.Clone(whole), 'x'), inspect.Suspicious},
		"a mark":         {change(len(whole)-8, 0), inspect.Suspicious},
		"old type":       {append(slices.Clone(whole[:len(whole)-8]), extensionType...), inspect.Suspicious},
	} {
		if r := scan(t, "a.arrow", c.data); r.Verdict != c.want {
			t.Errorf("%s: %s", name, tell(r))
		}
	}
}

// TestPages wants pages to have scripts where they are called pages, and not
// where a page is hidden.
func TestPages(t *testing.T) {
	const page = `<html><head><script src="https://cdn.plot.ly/plotly.min.js"></script></head><body onload="draw()"></body></html>`
	for name, want := range map[string]inspect.Verdict{"report.html": inspect.Allowed, "a.HTM": inspect.Allowed, "a.png": inspect.Suspicious, "README.md": inspect.Suspicious, "a.svg": inspect.Suspicious} {
		if r := scan(t, name, []byte(page)); r.Verdict != want {
			t.Errorf("%s: %s", name, tell(r))
		}
	}
}

// TestWandb wants the log of a run of Weights & Biases to be followed, block by
// block.
func TestWandb(t *testing.T) {
	log := append([]byte(":W&B\xe1\xbe\x00"), 1, 2, 3, 4, 5, 0, 1, 'h', 'e', 'l', 'l', 'o')
	long := append(slices.Clone(log), 1, 2, 3, 4, 0, 0, 2)
	binary.LittleEndian.PutUint16(long[len(long)-3:], uint16(wandbBlock-len(long)-3))
	long = append(long, make([]byte, wandbBlock-len(long))...) // three zeros at the block's end
	long = append(long, 1, 2, 3, 4, 1, 0, 4, 'x')
	for name, c := range map[string]struct {
		data []byte
		want inspect.Verdict
	}{
		"one": {log, inspect.Inert}, "two blocks": {long, inspect.Inert}, "cut": {log[:len(log)-1], inspect.Inert},
		"a kind": {append(slices.Clone(log), 1, 2, 3, 4, 1, 0, 9, 'x'), inspect.Suspicious},
		"filler": {append(slices.Clone(long[:wandbBlock-1]), append([]byte{7}, long[wandbBlock:]...)...), inspect.Suspicious},
	} {
		if r := scan(t, "run.wandb", c.data); r.Verdict != c.want {
			t.Errorf("%s: %s", name, tell(r))
		}
	}
}

func FuzzRecords(f *testing.F) {
	f.Add(append(record("a"), record("")...))
	f.Add(honest(f, "stream.arrow"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if r := scan(t, "a", data); slices.ContainsFunc(r.Findings, func(found inspect.Finding) bool { return found.Rule.ID == "scanner-fault" }) {
			t.Fatal(tell(r))
		}
	})
}
