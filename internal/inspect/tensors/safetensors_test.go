package tensors

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/internal/inspect"
)

// safetensors is a file of a header and n bytes of data.
func safetensors(header string, n int) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(b, header...), make([]byte, n)...)
}

func TestSafetensors(t *testing.T) {
	f32 := func(name string, from, to int) string {
		return fmt.Sprintf(`"%s":{"dtype":"F32","shape":[%d],"data_offsets":[%d,%d]}`, name, (to-from)/4, from, to)
	}
	for name, c := range map[string]struct {
		data []byte
		want inspect.Verdict
	}{
		"empty":             {safetensors(`{}`, 0), inspect.Inert},
		"one":               {safetensors(`{`+f32("a", 0, 8)+`}  `, 8), inspect.Inert},
		"any order":         {safetensors(`{`+f32("a", 8, 16)+`,`+f32("b", 0, 8)+`}`, 16), inspect.Inert},
		"empty tensors":     {safetensors(`{`+f32("a", 0, 0)+`,`+f32("b", 0, 8)+`,`+f32("c", 0, 0)+`,`+f32("d", 8, 8)+`}`, 8), inspect.Inert},
		"white space":       {safetensors("{ \"a\" :\n{\"shape\": [2, 1],\t\"dtype\":\"U8\", \"data_offsets\":[0,2]}}", 2), inspect.Inert},
		"metadata":          {safetensors(`{"__metadata__":{"a":"b","c":""}}`, 0), inspect.Inert},
		"half bytes":        {safetensors(`{"a":{"dtype":"F4","shape":[2],"data_offsets":[0,1]}}`, 1), inspect.Inert},
		"part of a byte":    {safetensors(`{"a":{"dtype":"F4","shape":[3],"data_offsets":[0,1]}}`, 1), inspect.Suspicious},
		"hole":              {safetensors(`{`+f32("a", 0, 4)+`,`+f32("b", 8, 12)+`}`, 12), inspect.Suspicious},
		"hole in front":     {safetensors(`{`+f32("a", 4, 8)+`}`, 8), inspect.Suspicious},
		"overlap":           {safetensors(`{`+f32("a", 0, 8)+`,`+f32("b", 4, 12)+`}`, 12), inspect.Suspicious},
		"the same":          {safetensors(`{`+f32("a", 0, 8)+`,`+f32("b", 0, 8)+`}`, 8), inspect.Suspicious},
		"data behind":       {safetensors(`{`+f32("a", 0, 8)+`}`, 9), inspect.Suspicious},
		"data missing":      {safetensors(`{`+f32("a", 0, 8)+`}`, 7), inspect.Suspicious},
		"only data":         {safetensors(`{}`, 1), inspect.Suspicious},
		"a name twice":      {safetensors(`{`+f32("a", 0, 4)+`,`+f32("a", 4, 8)+`}`, 8), inspect.Suspicious},
		"a name escaped":    {safetensors(`{`+f32("a", 0, 4)+`,`+f32(`\u0061`, 4, 8)+`}`, 8), inspect.Suspicious},
		"an entry twice":    {safetensors(`{"a":{"dtype":"U8","dtype":"U8","shape":[0],"data_offsets":[0,0]}}`, 0), inspect.Suspicious},
		"an entry more":     {safetensors(`{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0],"x":1}}`, 0), inspect.Suspicious},
		"an entry less":     {safetensors(`{"a":{"dtype":"U8","shape":[0]}}`, 0), inspect.Suspicious},
		"unknown type":      {safetensors(`{"a":{"dtype":"Q9","shape":[0],"data_offsets":[0,0]}}`, 0), inspect.Inconclusive},
		"metadata numbers":  {safetensors(`{"__metadata__":{"a":1}}`, 0), inspect.Suspicious},
		"metadata null":     {safetensors(`{"__metadata__":null}`, 0), inspect.Suspicious},
		"metadata nested":   {safetensors(`{"__metadata__":{"a":{"b":"c"}}}`, 0), inspect.Suspicious},
		"large product":     {safetensors(`{"a":{"dtype":"F32","shape":[4294967296,4294967296,4],"data_offsets":[0,0]}}`, 0), inspect.Suspicious},
		"product with zero": {safetensors(`{"a":{"dtype":"F32","shape":[4294967296,4294967296,0],"data_offsets":[0,0]}}`, 0), inspect.Suspicious},
		"product of bits":   {safetensors(`{"a":{"dtype":"F64","shape":[4611686018427387904],"data_offsets":[0,0]}}`, 0), inspect.Suspicious},
		"backwards":         {safetensors(`{"a":{"dtype":"U8","shape":[0],"data_offsets":[4,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[4,0]}}`, 4), inspect.Suspicious},
		"negative":          {safetensors(`{"a":{"dtype":"U8","shape":[-1],"data_offsets":[0,0]}}`, 0), inspect.Suspicious},
		"minus zero":        {safetensors(`{"a":{"dtype":"U8","shape":[-0],"data_offsets":[0,0]}}`, 0), inspect.Suspicious},
		"fraction":          {safetensors(`{"a":{"dtype":"U8","shape":[1.0],"data_offsets":[0,1]}}`, 1), inspect.Suspicious},
		"one offset":        {safetensors(`{"a":{"dtype":"U8","shape":[0],"data_offsets":[0]}}`, 0), inspect.Suspicious},
		"three offsets":     {safetensors(`{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0,0]}}`, 0), inspect.Suspicious},
		"huge offset":       {safetensors(`{"a":{"dtype":"U8","shape":[0],"data_offsets":[9223372036854775807,9223372036854775807]}}`, 0), inspect.Suspicious},
		"padding":           {safetensors("{}\n", 0), inspect.Suspicious},
		"text behind":       {safetensors("{}x", 0), inspect.Suspicious},
		"broken":            {safetensors(`{"a":`, 0), inspect.Suspicious},
		"long header":       {append(binary.LittleEndian.AppendUint64(nil, 50), `{}`...), inspect.Suspicious},
		"larger header":     {append(binary.LittleEndian.AppendUint64(nil, 100_000_001), `{}`...), inspect.Suspicious},
		"huge header":       {append(binary.LittleEndian.AppendUint64(nil, 1<<63), `{}`...), inspect.Suspicious},
	} {
		if r := scan(t, "a.safetensors", c.data, nil); r.Verdict != c.want {
			t.Errorf("%s: %s, want %s: %+v", name, r.Verdict, c.want, r.Findings)
		}
	}
}

// TestSafetensorsBounded wants a header of more tensors than memory is for to be
// given up.
func TestSafetensorsBounded(t *testing.T) {
	var b bytes.Buffer
	b.WriteString(`{`)
	for i := range maxTensors + 1 {
		fmt.Fprintf(&b, `"%d":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},`, i)
	}
	b.Truncate(b.Len() - 1)
	b.WriteString(`}`)
	if r := scan(t, "a.safetensors", safetensors(b.String(), 0), nil); r.Verdict != inspect.Inconclusive || rules(r) != "limit" {
		t.Errorf("%s: %+v", r.Verdict, r.Findings)
	}
}

// oracle starts a program of testdata that reads files, each behind its length,
// and answers with a line each. It skips the test if Python lacks a module.
func oracle(t *testing.T, script string, modules string) (ask func([]byte) string) {
	t.Helper()
	python := os.Getenv("SALLYPORT_PYTHON")
	if python == "" {
		python = "python3"
	}
	if err := exec.Command(python, "-c", "import "+modules).Run(); err != nil {
		t.Skipf("NOT COMPARED: %s has no %s", python, modules)
	}
	cmd := exec.Command(python, "testdata/oracle.py", script)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		cmd.Wait()
	})
	lines := bufio.NewScanner(out)
	return func(data []byte) string {
		if err := binary.Write(in, binary.LittleEndian, uint32(len(data))); err != nil {
			t.Fatal(err)
		}
		if _, err := in.Write(data); err != nil {
			t.Fatal(err)
		}
		if !lines.Scan() {
			t.Fatal(io.ErrUnexpectedEOF)
		}
		return lines.Text()
	}
}

// mutated changes a few bytes, numbers or pieces of a file.
func mutated(rnd *rand.Rand, data []byte, pieces []string) []byte {
	data = slices.Clone(data)
	for range 1 + rnd.IntN(3) {
		if len(data) == 0 {
			break
		}
		at := rnd.IntN(len(data))
		switch rnd.IntN(6) {
		case 0:
			data[at] = byte(rnd.Uint32())
		case 1:
			data[at] ^= 1 << rnd.IntN(8)
		case 2:
			data = append(data[:at:at], data[min(len(data), at+1+rnd.IntN(4)):]...)
		case 3:
			data = append(data, byte(rnd.Uint32()))
		case 4, 5:
			data = slices.Insert(data, at, []byte(pieces[rnd.IntN(len(pieces))])...)
		}
	}
	return data
}

// TestSafetensorsOracle asks the library about files that are nearly right: what
// it refuses never passes; what it takes is refused for the known reasons only.
func TestSafetensorsOracle(t *testing.T) {
	ask := oracle(t, "safetensors", "safetensors")
	rnd := rand.New(rand.NewPCG(23, 42))
	pieces := []string{"0", "1", "4", "8", ",", ":", `"`, "{", "}", "[", "]", " ", "\n", `"a"`, `"dtype":"F32",`, `"shape":[],`, `"__metadata__":{},`, `"x":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},`, "null", "-", ".0", `\u0061`}
	bases := []string{
		`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"U8","shape":[2,2],"data_offsets":[8,12]}}`,
		`{"__metadata__":{"format":"pt"},"w":{"dtype":"BF16","shape":[2,1,2],"data_offsets":[0,8]},"e":{"dtype":"I64","shape":[0],"data_offsets":[8,8]},"q":{"dtype":"F4","shape":[8],"data_offsets":[8,12]}}`,
		`{"b":{"dtype":"F8_E4M3","shape":[4],"data_offsets":[8,12]},"a":{"dtype":"C64","shape":[],"data_offsets":[0,8]}} `,
	}
	both, stricter := 0, 0
	const n = 12_000
	for range n {
		header := []byte(bases[rnd.IntN(len(bases))])
		if rnd.IntN(10) > 0 {
			header = mutated(rnd, header, pieces)
		}
		data := safetensors(string(header), 12)
		if rnd.IntN(10) == 0 {
			data = mutated(rnd, data, pieces)
		}
		takes := ask(data) == "yes"
		r := scan(t, "a.safetensors", data, nil)
		switch passes := r.Verdict.Passes(); {
		case passes && !takes:
			t.Errorf("the library refuses what passes: %q", data)
		case passes:
			both++
		case takes:
			stricter++
			known := []string{"twice", "an entry that the format does not have", "something else than spaces", "wants", "known", "surrogate", "name-lies", "whole number"}
			if !slices.ContainsFunc(known, func(k string) bool { return strings.Contains(fmt.Sprint(rules(r), r.Findings), k) }) {
				t.Errorf("the library takes what is blocked: %q: %+v", data, r.Findings)
			}
		}
	}
	t.Logf("of %d files both take %d, and %d the library alone", n, both, stricter)
}

func FuzzSafetensors(f *testing.F) {
	for _, name := range []string{"all", "empty", "scalar", "narrow"} {
		f.Add(read(f, name+".safetensors"))
	}
	f.Add(safetensors(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"__metadata__":{"a":"\ud83d\ude00"}}  `, 1))
	f.Fuzz(func(t *testing.T, data []byte) {
		r := scan(t, "a.safetensors", data, nil)
		if rules(r) == "scanner-fault" {
			t.Fatal(r.Findings)
		}
		if r.Verdict.Passes() && len(data) > 8 && int64(len(data)) < 8+int64(binary.LittleEndian.Uint64(data)) {
			t.Fatal("a file passes that lacks a part of its header")
		}
	})
}
