package tensors

import (
	"encoding/binary"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/internal/inspect"
)

// npyFile is a file of a header and data.
func npyFile(header, data string) []byte {
	b := binary.LittleEndian.AppendUint16([]byte("\x93NUMPY\x01\x00"), uint16(len(header)))
	return append(append(b, header...), data...)
}

func TestNpy(t *testing.T) {
	array := func(descr, shape string) string {
		return `{'descr': ` + descr + `, 'fortran_order': False, 'shape': ` + shape + `, }   ` + "\n"
	}
	const pickled = "\x80\x04N."
	for name, c := range map[string]struct {
		data []byte
		want inspect.Verdict
	}{
		"array":             {npyFile(array(`'<f4'`, `(2,)`), "12345678"), inspect.Inert},
		"no dimensions":     {npyFile(array(`'<f4'`, `()`), "1234"), inspect.Inert},
		"no elements":       {npyFile(array(`'<f4'`, `(0, 5)`), ""), inspect.Inert},
		"Python 2":          {npyFile(array(`'<f4'`, `(2L,)`), "12345678"), inspect.Inert},
		"double quotes":     {npyFile(`{"descr":"|u1","fortran_order":True,"shape":(1,)}`, "1"), inspect.Inert},
		"fields":            {npyFile(array(`[('a', '<i2'), ('b', '|S3', (2,))]`, `(1,)`), "12345678"), inspect.Inert},
		"objects":           {npyFile(array(`'|O'`, `(1,)`), pickled), inspect.Allowed},
		"objects in fields": {npyFile(array(`[('a', '<i2'), ('b', [('c', '|O')])]`, `(1,)`), pickled), inspect.Allowed},
		"no pickle":         {npyFile(array(`'|O'`, `(1,)`), "what is this"), inspect.Inconclusive},
		"nothing":           {npyFile(array(`'|O'`, `(1,)`), ""), inspect.Suspicious},
		"short":             {npyFile(array(`'<f4'`, `(2,)`), "1234567"), inspect.Suspicious},
		"long":              {npyFile(array(`'<f4'`, `(2,)`), "123456789"), inspect.Suspicious},
		"two arrays":        {append(npyFile(array(`'|u1'`, `(1,)`), "1"), npyFile(array(`'|u1'`, `(1,)`), "1")...), inspect.Suspicious},
		"negative":          {npyFile(array(`'<f4'`, `(-2,)`), "12345678"), inspect.Suspicious},
		"product":           {npyFile(array(`'<f4'`, `(4294967296, 4294967296)`), ""), inspect.Suspicious},
		"product and zero":  {npyFile(array(`'<f4'`, `(4294967296, 4294967296, 0)`), ""), inspect.Suspicious},
		"huge":              {npyFile(array(`'<f4'`, `(99999999999999999999,)`), ""), inspect.Suspicious},
		"size":              {npyFile(array(`'<f8'`, `(2305843009213693952,)`), ""), inspect.Suspicious},
		"not a tuple":       {npyFile(array(`'<f4'`, `(2)`), "12345678"), inspect.Suspicious},
		"a list":            {npyFile(array(`'<f4'`, `[2]`), "12345678"), inspect.Suspicious},
		"code":              {npyFile(array(`__import__('os').system('id')`, `(2,)`), "12345678"), inspect.Suspicious},
		"a call":            {npyFile(array(`str('<f4')`, `(2,)`), "12345678"), inspect.Suspicious},
		"sum":               {npyFile(array(`'<f'+'4'`, `(2,)`), "12345678"), inspect.Suspicious},
		"unknown type":      {npyFile(array(`'<q4'`, `(2,)`), "12345678"), inspect.Suspicious},
		"unknown width":     {npyFile(array(`'<f3'`, `(2,)`), "123456"), inspect.Suspicious},
		"module":            {npyFile(array(`'os.system'`, `(2,)`), "12345678"), inspect.Suspicious},
		"a key twice":       {npyFile(`{'descr': '|O', 'descr': '|u1', 'fortran_order': False, 'shape': (1,)}`, "1"), inspect.Suspicious},
		"a key more":        {npyFile(`{'descr': '|u1', 'fortran_order': False, 'shape': (1,), 'x': 1}`, "1"), inspect.Suspicious},
		"a key less":        {npyFile(`{'descr': '|u1', 'shape': (1,)}`, "1"), inspect.Suspicious},
		"order":             {npyFile(`{'descr': '|u1', 'fortran_order': 0, 'shape': (1,)}`, "1"), inspect.Suspicious},
		"text behind":       {npyFile(array(`'|u1'`, `(1,)`)+"x", "1"), inspect.Suspicious},
		"not closed":        {npyFile(`{'descr': '|u1', 'fortran_order': False, 'shape': (1,`, "1"), inspect.Suspicious},
		"no fields":         {npyFile(array(`[]`, `(1,)`), ""), inspect.Suspicious},
		"deep":              {npyFile(array(strings.Repeat(`[('a', `, 100)+`'|u1'`+strings.Repeat(`)]`, 100), `(1,)`), "1"), inspect.Suspicious},
		"dimensions":        {npyFile(array(`'|u1'`, `(`+strings.Repeat("1,", 65)+`)`), "1"), inspect.Suspicious},
		"field overflow":    {npyFile(array(`[('a', '|u1', (4611686018427387904,)), ('b', '|u1', (4611686018427387904,)), ('c', '|u1', (4611686018427387904,))]`, `(0,)`), ""), inspect.Suspicious},
		"unit":              {npyFile(array(`'<M8[eval]'`, `(1,)`), "12345678"), inspect.Suspicious},
		"version 4":         {[]byte("\x93NUMPY\x04\x00\x00\x00\x00\x00"), inspect.Inconclusive},
		"minor 1":           {[]byte("\x93NUMPY\x01\x01\x00\x00"), inspect.Inconclusive},
		"long header":       {[]byte("\x93NUMPY\x02\x00\xff\xff\xff\xff{}"), inspect.Suspicious},
		"cut":               {[]byte("\x93NUMPY\x01"), inspect.Suspicious},
	} {
		if r := scan(t, "a.npy", c.data, nil); r.Verdict != c.want {
			t.Errorf("%s: %s, want %s: %+v", name, r.Verdict, c.want, r.Findings)
		}
	}
}

// TestNpyPickle wants the pickle of objects to be judged as a file of its own.
func TestNpyPickle(t *testing.T) {
	r := scan(t, "a.npy", npyFile(`{'descr': '|O', 'fortran_order': False, 'shape': (1,)}`, "\x80\x04N."), nil)
	if len(r.Globals) != 1 || r.Members != 1 {
		t.Errorf("%+v", r)
	}
}

// TestNpyOracle asks NumPy about headers that are nearly right: what it refuses
// to read never passes.
func TestNpyOracle(t *testing.T) {
	ask := oracle(t, "npy", "numpy")
	rnd := rand.New(rand.NewPCG(5, 6))
	bases := []string{
		`{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }`, `{'descr': [('a', '<i4'), ('b', '<f4', (5,))], 'fortran_order': True, 'shape': (1,), }`,
		`{'descr': '<M8[25us]', 'fortran_order': False, 'shape': (3,), }`, `{'descr': '<U3', 'fortran_order': False, 'shape': (2,), }`, `{'descr': [(('t', 'n'), [('x', '|V8')])], 'fortran_order': False, 'shape': (3,)}`,
	}
	pieces := []string{"0", "1", "2", "L", ",", ":", "'", `"`, "(", ")", "[", "]", " ", "\n", "<", ">", "|", "=", "f8", "u1", "S", "True", "None", `\`, "-", "_", "#", "'a'", "('a', '|u1'),", "'shape': (0,),", "é"}
	both, stricter := 0, 0
	const n = 4000
	for range n {
		data := npyFile(string(mutated(rnd, []byte(bases[rnd.IntN(len(bases))]), pieces)), strings.Repeat("\x00", 24))
		takes := ask(data)
		switch passes := scan(t, "a.npy", data, nil).Verdict.Passes(); {
		case passes && takes != "yes":
			t.Errorf("NumPy refuses what passes: %q: %s", data, takes)
		case passes:
			both++
		case takes == "yes":
			stricter++
		}
	}
	t.Logf("of %d files both take %d, and %d NumPy alone", n, both, stricter)
}

func FuzzNpy(f *testing.F) {
	for _, name := range []string{"f8", "record", "objects", "mixed", "quotes", "utf8", "time", "version2"} {
		f.Add(read(f, "npy/"+name+".npy"))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if r := scan(t, "a.npy", data, nil); rules(r) == "scanner-fault" {
			t.Fatal(r.Findings)
		}
	})
}
