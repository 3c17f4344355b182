package pickle

import (
	"runtime"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/internal/format"
)

// peak is a visitor that notes how much memory is in use.
type peak struct {
	nothing
	most  uint64
	steps int
}

func (p *peak) Step(int) error {
	if p.steps++; p.steps%128 == 0 {
		var s runtime.MemStats
		runtime.ReadMemStats(&s)
		p.most = max(p.most, s.HeapInuse+s.StackInuse)
	}
	return nil
}

// TestMemory wants memory to stay small on streams that are dense, large, or
// made to exhaust it. They are made while they are read, so that only the
// machine's own memory counts.
func TestMemory(t *testing.T) {
	fill := func(head, body, tail string) repeated {
		return repeated{[]byte(head), []byte(body), []byte(tail), int64(memoryTestSize / 4 / len(body))}
	}
	honest := func(r repeated) repeated { r.times *= 4; return r }
	for name, r := range map[string]repeated{
		"dense tuples":        honest(fill("\x80\x04]\x94(", "K\x01\x8c\x02ab\x94\x86\x94e(", "1.")),
		"long tuple":          fill("(", "K\x01", "t."),
		"long frozen set":     fill("N(", "\x8c\x02ab\x94", "\x910."),
		"long dict":           fill("(", "K\x01K\x02", "d."),
		"long set":            fill("\x8f(", "K\x01K\x02", "\x90."),
		"memoized nothing":    fill("", "N\x940", "N."),
		"memoized text":       fill("", "\x8c\x01a\x940", "N."),
		"memoized instances":  fill("ca\nb\nq\x00", "h\x00)\x81\x940", "N."),
		"memoized mixture":    fill("ca\nb\nq\x00", "N\x940]\x940)\x940C\x01a\x940}\x940\x8c\x00\x940", "N."),
		"one long list":       fill("]", "K\x01a", "."),
		"one deep tuple":      fill("N", "\x85", "."),
		"one deep list":       fill("]\x94", "]\x94", "N."),
		"values":              fill("", "N", "."),
		"marks":               fill("", "(", "N."),
		"memo far apart":      fill("N", "r\x01\x02\x03\x04r\xff\x02\x03\x74", "."),
		"dicts":               fill("}", "\x8c\x01a}s", "."),
		"calls":               fill("ca\nb\n", "2)R0", "."),
		"reduce of a result":  fill("ca\nb\n", ")R", "."),
		"long line":           fill("S'", "aaaa", "'\n."),
		"long integer":        fill("L", "1234", "\n."),
		"long name":           fill("c", "abcd", "\na\n."),
		"frames":              fill("", "\x95\x09\x00\x00\x00\x00\x00\x00\x00", "N."),
		"huge memo numbers":   fill("N", "p123456789012345678901234567890\n", "."),
		"dictionary of words": honest(fill("}(", "\x8c\x06abcdef\x94K\x01", "u.")),
	} {
		t.Run(name, func(t *testing.T) {
			before := heapNow()
			p := &peak{}
			result, err := New(r, 0, r.size(), p).Run()
			if err != nil && !strings.Contains(err.Error(), "more than") && !strings.Contains(err.Error(), "longer than") {
				t.Errorf("%+v, %v", result, err)
			}
			t.Logf("%d opcodes, at most %d MiB, %v", result.Ops, (max(p.most, before)-before)>>20, err)
			if p.most > before+(32<<20) {
				t.Errorf("at most %d MiB", (p.most-before)>>20)
			}
		})
	}
}

// TestLarge wants contents of any size to be passed over unread, but for text.
func TestLarge(t *testing.T) {
	for name, c := range map[string]struct {
		r    repeated
		read int64
	}{
		"bytes": {repeated{[]byte("\x80\x04\x8e\x00\x00\x00\x40\x00\x00\x00\x00"), []byte{0}, []byte("."), 1 << 30}, 1 << 20},
		"text":  {repeated{[]byte("\x80\x04\x8d\x00\x00\x00\x04\x00\x00\x00\x00"), []byte("aaaaaaaaaaaaaaaaaaaaaaaaaaaaa\xc3\xa9b"), []byte("."), 1 << 21}, 66 << 20},
	} {
		count := &counting{r: c.r}
		result, err := New(count, 0, c.r.size(), nothing{}).Run()
		if err != nil || result.End != c.r.size() || count.n > c.read {
			t.Errorf("%s: %+v, %v, %d bytes read", name, result, err, count.n)
		}
	}
}

type counting struct {
	r repeated
	n int64
}

func (c *counting) ReadAt(p []byte, off int64) (int, error) {
	c.n += int64(len(p))
	return c.r.ReadAt(p, off)
}

// TestForgetting wants values whose contents were forgotten to keep their kind,
// and names that are used again to be known after millions of values.
func TestForgetting(t *testing.T) {
	data := "\x8c\x02os\x94\x8c\x06system\x94\x93\x94" + // 0, 1, 2: named
		"\x8c\x05other\x94](K\x01e\x94K\x07\x85\x94" // 3, 4, 5: not
	churn := strings.Repeat("N\x940", memoFull+4*memoChunk)
	data += churn + "(h\x00h\x01\x93h\x02h\x03h\x04h\x05t."
	l, result, err := run(t, data)
	if err != nil || len(l.lines) != 2 || l.lines[1] != `STACK_GLOBAL "os" "system"` {
		t.Fatalf("%q, %+v, %v", l.lines, result, err)
	}
	m := New(strings.NewReader(data), 0, int64(len(data)), nothing{})
	result, err = m.Run()
	items, _ := m.Items(result.Value)
	if err != nil || len(items) != 6-1 {
		t.Fatal(len(items), err)
	}
	for i, k := range []Kind{GlobalRef, GlobalRef, Str, List, Tuple} {
		if items[i].Kind() != k {
			t.Errorf("item %d is a %s", i, items[i].Kind())
		}
	}
	if _, ok := m.Text(items[2], 10); ok {
		t.Error("a text that was forgotten is known")
	}
	if kept, count := m.Items(items[3]); len(kept) != 0 || count == 0 {
		t.Errorf("a list that was forgotten has %d of %d items", len(kept), count)
	}
}

// TestHidden wants containers of more items than the stack holds to be what they
// are: their first items, their count, and whether all is pure.
func TestHidden(t *testing.T) {
	many := strings.Repeat("K\x01", 2*maxStack)
	for _, c := range []struct {
		data  string
		count int
		pure  bool
	}{
		{"N(K\x07" + many + "K\x08t.", 2*maxStack + 2, true},
		{"N(K\x07" + many + "(K\x07" + many + "lt.", 2*maxStack + 2, true},
		{"N(K\x07ca\nb\n" + many + "t.", 2*maxStack + 2, false},
		{"N(" + strings.Repeat("K\x07", 100) + "ca\nb\n" + many + "\x91.", 2*maxStack + 101, false},
		{"](K\x07" + many + "K\x08e.", 2*maxStack + 2, true},
		{"}(K\x07" + many + "K\x08u.", 2*maxStack + 2, true},
		{"](" + strings.Repeat("K\x07", 100) + "ca\nb\n" + many + "e.", 2*maxStack + 101, false},
		{"(K\x07" + many + "10](K\x07e.", 1, true},
	} {
		if strings.Contains(c.data, "10]") {
			c.data = "N" + c.data
		}
		m := New(strings.NewReader(c.data), 0, int64(len(c.data)), nothing{})
		result, err := m.Run()
		if err != nil {
			t.Errorf("%.20q: %v", c.data, err)
			continue
		}
		items, count := m.Items(result.Value)
		if count != c.count || m.Pure(result.Value) != c.pure {
			t.Errorf("%.20q: %d items, pure %v", c.data, count, m.Pure(result.Value))
		}
		if x, _ := m.Int(items[0]); x != 7 {
			t.Errorf("%.20q: the first item is %d", c.data, x)
		}
	}
	back := "(" + many + strings.Repeat("0", 2*maxStack-10) + "t."
	if _, _, err := run(t, back); !format.Is(err, format.Exceeded) {
		t.Errorf("taken back: %v", err)
	}
	if _, _, err := run(t, "(ca\nb\n"+many+"o."); !format.Is(err, format.Exceeded) {
		t.Errorf("arguments: %v", err)
	}
}
