package adversary

import (
	"bufio"
	"bytes"
	"context"
	_ "embed"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/sandbox"
)

// A Kind says where the oracle finds pickles in what it is given.
type Kind byte

// Kinds of questions. Damaged files are read as far as programs read them.
const (
	Raw   Kind = 'r'
	Gzip  Kind = 'g'
	Zlib  Kind = 'd'
	XZ    Kind = 'x' // and LZMA
	Zip   Kind = 'z' // every member
	Tar   Kind = 't'
	NPY   Kind = 'n'
	Bzip2 Kind = 'b' // a pickle to read, and to compress
)

// A Question is something to unpickle.
type Question struct {
	Kind Kind
	Data []byte
}

// An Answer says what unpickling does.
type Answer struct {
	Asked  []Name // in the order in which they were asked for
	Built  []Name // functions and classes that were changed
	Called int    // the ways of loading in which one of the names was called; a bit for each
	Loaded int    // the ways of loading that came to an end
	Error  string // of the first way that did not
	Packed []byte // the file, of a question of kind Bzip2
	Dead   bool   // the unpickler did not survive it, so that the rest is unknown
}

// A Name is one that a pickle asks for.
type Name struct{ Module, Name string }

//go:embed oracle.py
var program []byte

// An Oracle runs CPython's unpicklers in a sandbox that has neither network nor
// anything to write to.
type Oracle struct {
	Python string        // the interpreter as a path that sandbox.System shows; "": /usr/bin/python3
	Time   time.Duration // for one call of Ask; 0: ten minutes
}

// Preflight says why there can be no oracle on this machine.
func (o *Oracle) Preflight() error {
	if err := sandbox.Preflight(); err != nil {
		return err
	}
	if _, err := os.Stat(o.python()); err != nil {
		return fmt.Errorf("there is no Python to ask: %w", err)
	}
	return nil
}

func (o *Oracle) python() string {
	if o.Python != "" {
		return o.Python
	}
	return "/usr/bin/python3"
}

// Ask answers questions in their order. A question that the interpreter does
// not survive is answered with Dead, and the rest are asked again.
func (o *Oracle) Ask(ctx context.Context, questions []Question) ([]Answer, error) {
	var answers []Answer
	for len(answers) < len(questions) {
		more, err := o.ask(ctx, questions[len(answers):])
		if err != nil {
			return nil, err
		}
		answers = append(answers, more...)
		if len(answers) < len(questions) {
			answers = append(answers, Answer{Dead: true})
		}
	}
	return answers, nil
}

// where is the folder inside that holds the program and the questions.
const where = "/oracle"

func (o *Oracle) ask(ctx context.Context, questions []Question) ([]Answer, error) {
	var out, complaint bytes.Buffer
	limit := o.Time
	if limit == 0 {
		limit = 10 * time.Minute
	}
	result, err := run(ctx, sandbox.Config{
		Args:   []string{o.python(), "-I", "-S", "-B", filepath.Join(where, "oracle.py"), filepath.Join(where, "questions")},
		Env:    []string{"PATH=/usr/bin:/bin"},
		Binds:  sandbox.System(),
		Limits: sandbox.Limits{Memory: 1 << 30, Time: limit, Processes: 8},
		Volumes: []sandbox.Volume{{Target: where, Fill: func(root *os.Root) error {
			return errors.Join(root.WriteFile("oracle.py", program, 0o644), root.WriteFile("questions", encode(questions), 0o644))
		}}},
		Stdout: &out, Stderr: &complaint,
	})
	if err != nil {
		return nil, err
	}
	answers, err := decode(&out)
	if err != nil {
		return nil, err
	}
	if len(answers) == 0 && len(questions) > 0 && strings.Contains(complaint.String(), "Traceback") {
		return nil, fmt.Errorf("the oracle has a fault: %s, %s", result.Ended, complaint.String())
	}
	return answers, nil
}

// run runs a sandbox, again if it could not be built: a volume that another
// process happened to hold open, between its fork and its exec, cannot be made
// read-only.
func run(ctx context.Context, c sandbox.Config) (result *sandbox.Result, err error) {
	for range 5 {
		if result, err = sandbox.Run(ctx, c); !sallyport.Is(err, sallyport.Unconfined) {
			break
		}
	}
	return result, err
}

func encode(questions []Question) []byte {
	var out []byte
	for _, q := range questions {
		out = binary.LittleEndian.AppendUint32(append(out, byte(q.Kind)), uint32(len(q.Data)))
		out = append(out, q.Data...)
	}
	return out
}

// decode reads answers up to one that is not whole.
func decode(out *bytes.Buffer) ([]Answer, error) {
	var answers []Answer
	for r := bufio.NewReader(out); ; {
		line, err := r.ReadBytes('\n')
		if err != nil {
			return answers, nil
		}
		var a struct {
			Asked  [][3]any
			Built  [][2]string
			Called int
			Loaded int
			Error  string
			Packed string
		}
		if err := json.Unmarshal(line, &a); err != nil {
			return nil, fmt.Errorf("the oracle says something else than an answer: %w", err)
		}
		answer := Answer{Called: a.Called, Loaded: a.Loaded, Error: a.Error}
		for _, n := range a.Asked {
			answer.Asked = append(answer.Asked, Name{fmt.Sprint(n[0]), fmt.Sprint(n[1])})
		}
		for _, n := range a.Built {
			answer.Built = append(answer.Built, Name{n[0], n[1]})
		}
		if answer.Packed, err = hex.DecodeString(a.Packed); err != nil {
			return nil, err
		}
		answers = append(answers, answer)
	}
}
