package pickle

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
)

var cases = flag.Int("cases", defaultCases, "streams to compare with CPython's unpicklers")

// An oracle is CPython's unpicklers in a process.
type oracle struct {
	in  io.WriteCloser
	out *bufio.Reader
}

type answer map[string]struct {
	Asked [][2]string
	IDs   []string
	End   *int64
}

func newOracle(t *testing.T) *oracle {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("NOT COMPARED WITH CPYTHON: there is no python3")
	}
	cmd := exec.Command(python, "-I", "testdata/oracle.py")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr strings.Builder
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("the oracle: %v\n%s", err, stderr.String())
		}
	})
	return &oracle{in, bufio.NewReaderSize(out, 1<<20)}
}

func (o *oracle) ask(t *testing.T, data []byte) answer {
	t.Helper()
	if _, err := o.in.Write(append(binary.LittleEndian.AppendUint32(nil, uint32(len(data))), data...)); err != nil {
		t.Fatalf("the oracle does not listen: %v\n%q", err, data)
	}
	line, err := o.out.ReadBytes('\n')
	if err != nil {
		t.Fatalf("the oracle does not answer: %v\n%q", err, data)
	}
	var a answer
	if err := json.Unmarshal(line, &a); err != nil {
		t.Fatal(err)
	}
	return a
}

// heard is what the machine tells of a stream, for comparing.
type heard struct {
	nothing
	names          map[[2]string]bool
	partly         []Global
	exts           map[string]bool
	ids            map[string]bool
	anyID, differs bool
}

func (h *heard) Global(_ *Machine, _ At, g *Global) error {
	if h.names[[2]string{g.Module, g.Name}] = g.Known; !g.Known {
		h.partly = append(h.partly, *g)
	}
	return nil
}

func (h *heard) Ext(_ *Machine, _ At, code int32, _ Value) error {
	h.exts[fmt.Sprintf("e%d", code)] = true
	return nil
}

func (h *heard) Persistent(m *Machine, _ At, id, _ Value) error {
	if s, ok := m.Text(id, 1<<20); ok {
		h.ids[s] = true
	} else if id.Kind().opaque() {
		h.anyID = true
	}
	return nil
}

func (h *heard) Diverge(*Machine, Divergence) error { h.differs = true; return nil }

func (h *heard) knows(module, name string) bool {
	if h.names[[2]string{module, name}] || module == "ext" && h.exts[name] {
		return true
	}
	for _, g := range h.partly {
		if (g.Module == "" || g.Module == module) && (g.Name == "" || g.Name == name) {
			return true
		}
	}
	return false
}

// knowsAny is knows, where text of Python 2 may have been read as Latin-1.
func (h *heard) knowsAny(module, name string) bool {
	return h.knows(module, name) || h.knows(latin1(module), name) || h.knows(module, latin1(name)) ||
		h.knows(latin1(module), latin1(name))
}

// latin1 turns the oracle's bytes, which it writes as Latin-1, into bytes.
func latin1(s string) string {
	var b []byte
	for _, r := range s {
		b = append(b, byte(r))
	}
	return string(b)
}

// compare checks what the machine tells of a stream against the answers.
func compare(t *testing.T, data []byte, a answer) (finished bool) {
	t.Helper()
	h := &heard{names: map[[2]string]bool{}, exts: map[string]bool{}, ids: map[string]bool{}}
	result, err := New(strings.NewReader(string(data)), 0, int64(len(data)), h).Run()
	for who, said := range a {
		for _, g := range said.Asked {
			if module, name := latin1(g[0]), latin1(g[1]); !h.knowsAny(module, name) {
				t.Errorf("%s asks for %q %q, which the machine does not tell: %v\n%q", who, module, name, err, data)
			}
		}
		for _, id := range said.IDs {
			if id = latin1(id); !h.ids[id] && !h.anyID {
				// Text of Python 2 in another encoding is told as its bytes.
				if strings.Contains(who, "latin1") && !isASCII([]byte(id)) {
					continue
				}
				t.Errorf("%s loads %q, which the machine does not tell: %v\n%q", who, id, err, data)
			}
		}
		if said.End == nil || who == "genops" {
			continue
		}
		finished = true
		if !h.differs && (err != nil || !result.Stopped || result.End != *said.End) {
			t.Errorf("%s stops at %d; the machine: %+v, %v\n%q", who, *said.End, result, err, data)
		}
	}
	if g := a["genops"]; err == nil && !h.differs && g.End != nil && *g.End != result.End {
		t.Errorf("genops ends at %d, not at %d\n%q", *g.End, result.End, data)
	}
	return finished
}

// TestAgainstCPython compares random streams, whole and broken, with CPython's
// unpicklers: what any of them asks for, the machine tells; where all agree, it
// stops where they stop.
func TestAgainstCPython(t *testing.T) {
	const halves = 2
	var finished, names atomic.Int64
	t.Run("halves", func(t *testing.T) {
		for half := range halves {
			t.Run(fmt.Sprint(half), func(t *testing.T) {
				t.Parallel()
				o := newOracle(t)
				rnd := newRand(uint64(*cases), uint64(half))
				for i := 0; i < *cases/halves && !t.Failed(); i++ {
					data := newMaker(rnd).stream()
					if i%2 > 0 {
						data = mutate(rnd, data)
					}
					a := o.ask(t, data)
					if compare(t, data, a) {
						finished.Add(1)
					}
					names.Add(int64(len(a["C peek"].Asked) + len(a["Python"].Asked)))
				}
			})
		}
	})
	t.Logf("%d streams: %d loaded by some unpickler, %d names asked for", *cases, finished.Load(), names.Load())
	if _, err := exec.LookPath("python3"); err == nil && finished.Load() < int64(*cases/10) {
		t.Errorf("only %d of %d streams were loaded: the comparison says little", finished.Load(), *cases)
	}
}
