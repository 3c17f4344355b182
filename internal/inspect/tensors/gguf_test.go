package tensors

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/internal/inspect"
)

// A maker writes GGUF as a table of tests wants it: fields one behind the other.
type maker struct {
	b       []byte
	order   binary.AppendByteOrder
	version uint32
}

func (m *maker) u32(v uint32) *maker { m.b = m.order.AppendUint32(m.b, v); return m }
func (m *maker) u64(v uint64) *maker { m.b = m.order.AppendUint64(m.b, v); return m }

// n is a count or length.
func (m *maker) n(v uint64) *maker {
	if m.version == 1 {
		return m.u32(uint32(v))
	}
	return m.u64(v)
}

func (m *maker) str(s string) *maker { m.n(uint64(len(s))); m.b = append(m.b, s...); return m }

// pair begins one.
func (m *maker) pair(key string, kind uint32) *maker { return m.str(key).u32(kind) }

func (m *maker) tensor(name string, kind uint32, start uint64, dims ...uint64) *maker {
	m.str(name).u32(uint32(len(dims)))
	for _, d := range dims {
		m.n(d)
	}
	return m.u32(kind).u64(start)
}

// data pads to the alignment and adds n bytes.
func (m *maker) data(align, n int) []byte {
	for len(m.b)%align != 0 {
		m.b = append(m.b, 0)
	}
	return append(m.b, make([]byte, n)...)
}

func newGGUF(version uint32, order binary.AppendByteOrder, tensors, pairs uint64) *maker {
	m := &maker{b: []byte("GGUF"), order: order, version: version}
	return m.u32(version).n(tensors).n(pairs)
}

func little(tensors, pairs uint64) *maker { return newGGUF(3, binary.LittleEndian, tensors, pairs) }

func TestGGUF(t *testing.T) {
	type test struct {
		data []byte
		want inspect.Verdict
	}
	tests := map[string]test{
		"empty":            {little(0, 0).b, inspect.Inert},
		"empty padded":     {little(0, 0).data(32, 0), inspect.Inert},
		"tensors":          {little(2, 0).tensor("a", 0, 0, 2, 3).tensor("b", 1, 32, 4).data(32, 64), inspect.Inert},
		"last not padded":  {little(2, 0).tensor("a", 0, 0, 2, 3).tensor("b", 1, 32, 4).data(32, 40), inspect.Inert},
		"no dimensions":    {little(1, 0).tensor("a", 0, 0).data(32, 4), inspect.Inert},
		"quantised":        {little(1, 0).tensor("a", 2, 0, 64, 2).data(32, 72), inspect.Inert},
		"alignment":        {little(2, 1).pair("general.alignment", 4).u32(64).tensor("a", 0, 0, 1).tensor("b", 0, 64, 1).data(64, 128), inspect.Inert},
		"empty array":      {little(0, 1).pair("a", 9).u32(8).u64(0).b, inspect.Inert},
		"template":         {little(0, 1).pair("tokenizer.chat_template", 8).str("{{ messages }}").b, inspect.Allowed},
		"cut":              {little(1, 0).tensor("a", 0, 0, 16).data(32, 63), inspect.Suspicious},
		"cut header":       {little(1, 0).b, inspect.Suspicious},
		"trailing":         {little(1, 0).tensor("a", 0, 0, 1).data(32, 33), inspect.Suspicious},
		"trailing nothing": {append(little(0, 0).data(32, 0), 0), inspect.Suspicious},
		"huge count":       {little(1<<63, 0).b, inspect.Suspicious},
		"huge pairs":       {little(0, 1<<60).b, inspect.Suspicious},
		"huge string":      {little(0, 1).pair("a", 8).u64(1 << 63).b, inspect.Suspicious},
		"huge array":       {little(0, 1).pair("a", 9).u32(10).u64(1 << 61).b, inspect.Suspicious},
		"huge strings":     {little(0, 1).pair("a", 9).u32(8).u64(1 << 61).b, inspect.Suspicious},
		"huge key":         {little(0, 1).u64(1 << 20).b, inspect.Suspicious},
		"a pair twice":     {little(0, 2).pair("a", 7).str("").b, inspect.Suspicious},
		"a key twice":      {append(append(little(0, 2).pair("a", 0).b, 1), (&maker{order: binary.LittleEndian}).pair("a", 0).b...), inspect.Suspicious},
		"a name twice":     {little(2, 0).tensor("a", 0, 0, 8).tensor("a", 0, 32, 8).data(32, 64), inspect.Suspicious},
		"a long name":      {little(1, 0).tensor(strings.Repeat("a", 65), 0, 0, 8).data(32, 32), inspect.Suspicious},
		"key not text":     {append(little(0, 1).pair("\xff", 0).b, 0), inspect.Suspicious},
		"unknown value":    {little(0, 1).pair("a", 13).u64(0).b, inspect.Suspicious},
		"truth":            {append(little(0, 1).pair("a", 7).b, 2), inspect.Suspicious},
		"five dimensions":  {little(1, 0).tensor("a", 0, 0, 1, 1, 1, 1, 1).data(32, 32), inspect.Suspicious},
		"no elements":      {little(1, 0).tensor("a", 0, 0, 0).data(32, 0), inspect.Suspicious},
		"product":          {little(1, 0).tensor("a", 0, 0, 1<<32, 1<<32).data(32, 32), inspect.Suspicious},
		"product of four":  {little(1, 0).tensor("a", 0, 0, 1<<16, 1<<16, 1<<16, 1<<16).data(32, 32), inspect.Suspicious},
		"size":             {little(1, 0).tensor("a", 0, 0, 1<<62).data(32, 32), inspect.Suspicious},
		"sum":              {little(2, 0).tensor("a", 24, 0, 1<<62-32).tensor("b", 24, 1<<62-32, 1<<62).data(32, 32), inspect.Suspicious},
		"part of a block":  {little(1, 0).tensor("a", 2, 0, 33).data(32, 64), inspect.Suspicious},
		"block of rows":    {little(1, 0).tensor("a", 2, 0, 16, 2).data(32, 32), inspect.Suspicious},
		"overlap":          {little(2, 0).tensor("a", 0, 0, 8).tensor("b", 0, 0, 8).data(32, 32), inspect.Suspicious},
		"hole":             {little(2, 0).tensor("a", 0, 0, 8).tensor("b", 0, 64, 8).data(32, 96), inspect.Suspicious},
		"not aligned":      {little(2, 0).tensor("a", 0, 0, 1).tensor("b", 0, 4, 1).data(32, 32), inspect.Suspicious},
		"outside":          {little(1, 0).tensor("a", 0, 1<<40, 8).data(32, 32), inspect.Suspicious},
		"alignment 0":      {little(0, 1).pair("general.alignment", 4).u32(0).b, inspect.Suspicious},
		"alignment 3":      {little(0, 1).pair("general.alignment", 4).u32(3).b, inspect.Suspicious},
		"alignment 2^31":   {little(0, 1).pair("general.alignment", 4).u32(1 << 31).b, inspect.Suspicious},
		"alignment in 64":  {little(0, 1).pair("general.alignment", 10).u64(32).b, inspect.Suspicious},
		"unknown type":     {little(1, 0).tensor("a", 200, 0, 8).data(32, 32), inspect.Inconclusive},
		"gone type":        {little(1, 0).tensor("a", 4, 0, 32).data(32, 32), inspect.Inconclusive},
		"version 0":        {little(0, 0).b[:4:4], inspect.Suspicious},
		"version 4":        {newGGUF(4, binary.LittleEndian, 0, 0).b, inspect.Inconclusive},
		"template array":   {little(0, 1).pair("tokenizer.chat_template", 9).u32(8).u64(0).b, inspect.Suspicious},
		"hostile template": {little(0, 1).pair("tokenizer.chat_template", 8).str("{{ a.__class__ }}").b, inspect.Malicious},
		"hostile named":    {little(0, 1).pair("tokenizer.chat_template.tool", 8).str("{{ a.__class__ }}").b, inspect.Malicious},
		"long template":    {little(0, 1).pair("tokenizer.chat_template", 8).str(strings.Repeat("a", 300_000)).b, inspect.Inconclusive},
	}
	for v := range uint32(3) {
		for name, order := range map[string]binary.AppendByteOrder{"little": binary.LittleEndian, "big": binary.BigEndian} {
			m := newGGUF(v+1, order, 1, 2).pair("a", 9).u32(8).n(2).str("x").str("y").pair("b", 5).u32(7).tensor("t", 30, 0, 5)
			tests[name+string(rune('1'+v))] = test{m.data(32, 32), inspect.Inert}
		}
	}
	deep := little(0, 1).pair("a", 9)
	for range 1000 {
		deep.u32(9).u64(1)
	}
	tests["deep arrays"] = test{deep.u32(0).u64(0).b, inspect.Inconclusive}
	for name, c := range tests {
		r := scan(t, "a.gguf", c.data, nil)
		if r.Verdict != c.want {
			t.Errorf("%s: %s, want %s: %+v", name, r.Verdict, c.want, r.Findings)
		}
	}
}

// TestGGUFTemplatePlace wants a finding at the byte of the file.
func TestGGUFTemplatePlace(t *testing.T) {
	data := little(0, 1).pair("tokenizer.chat_template", 8).str("text {{ a.__class__ }}").b
	r := scan(t, "a.gguf", data, nil)
	if want := int64(strings.Index(string(data), "__class__")); r.Findings[0].Offset != want || r.Findings[0].What != "__class__" {
		t.Errorf("%+v, want at %d", r.Findings[0], want)
	}
}

// TestGGUFOracle asks ggml's Python reader about files that are nearly right:
// what it refuses never passes. It is more lenient than the loader in C, so that
// the other direction is not asked.
func TestGGUFOracle(t *testing.T) {
	ask := oracle(t, "gguf", "gguf")
	rnd := rand.New(rand.NewPCG(3, 9))
	base := little(3, 4).pair("general.architecture", 8).str("llama").pair("x", 9).u32(8).u64(2).str("a").str("b").pair("y", 9).u32(4).u64(2).u32(1).u32(2).pair("z", 7)
	base.b = append(base.b, 1)
	data := base.tensor("a", 0, 0, 2, 3).tensor("b", 2, 32, 32).tensor("c", 1, 64, 4).data(32, 96)
	both, refused := 0, 0
	for range 400 {
		m := mutated(rnd, data, []string{"\x00", "\x00\x00\x00\x00", "\x01", "a", "\xff\xff\xff\xff\xff\xff\xff\xff"})
		takes := ask(m)
		if passes := scan(t, "a.gguf", m, nil).Verdict.Passes(); passes && takes != "yes" {
			if strings.Contains(takes, "size 0") || strings.Contains(takes, "UnicodeDecodeError") {
				continue
			}
			t.Errorf("the library refuses what passes: %s: %q", takes, m)
		} else if passes {
			both++
		} else if takes != "yes" {
			refused++
		}
	}
	t.Logf("both take %d and both refuse %d", both, refused)
}

func FuzzGGUF(f *testing.F) {
	for _, name := range []string{"little.gguf", "big.gguf", "named.gguf"} {
		f.Add(slices.Clip(read(f, name)))
	}
	f.Add(little(2, 1).pair("general.alignment", 4).u32(64).tensor("a", 0, 0, 1).tensor("b", 0, 64, 1).data(64, 128))
	f.Add(newGGUF(1, binary.BigEndian, 1, 1).pair("tokenizer.chat_template", 8).str("{{ a }}").tensor("t", 30, 0, 5).data(32, 32))
	f.Fuzz(func(t *testing.T, data []byte) {
		if r := scan(t, "a.gguf", data, nil); rules(r) == "scanner-fault" {
			t.Fatal(r.Findings)
		}
	})
}
