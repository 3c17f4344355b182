package pickle

import (
	"bytes"
	"math/big"
	"strconv"
	"strings"

	"github.com/sallyport/sallyport/internal/format"
)

// numeral executes an opcode with a number in text.
func (m *Machine) numeral(op Op) error {
	line, ended, err := m.line(m.at + 1)
	if format.Is(err, format.Exceeded) && !m.numeric(op) {
		return m.broken("%s without a number", op)
	}
	if err != nil {
		return err
	}
	if !ended {
		return m.broken("the stream ends within %s", op)
	}
	switch op {
	case OpInt:
		return m.decimal(line)
	case OpLong:
		line, _ = bytes.CutSuffix(line, []byte{'L'})
		return m.literal(line)
	case OpFloat:
		return m.float(line)
	}
	return m.numbered(op, line)
}

// numeric reports whether the window, which a line fills, could be the beginning
// of a number: of zeros and spaces as many as one likes may lead it.
func (m *Machine) numeric(op Op) bool {
	digits := "0123456789+-_" + space
	switch op {
	case OpInt, OpLong:
		digits += "abcdefABCDEFxXoO"
	case OpFloat:
		digits += ".eE"
	}
	line, _, _ := bytes.Cut(m.buf[:m.loaded], []byte{0})
	return len(bytes.Trim(line, digits)) == 0
}

// decimal executes INT. The C unpickler reads it by strtol with any base, and
// only up to a zero byte; the Python one by int with base 0; pickletools with
// base 10.
func (m *Machine) decimal(line []byte) error {
	switch string(line) {
	case "00", "01":
		m.push(Value(Bool) | Value(line[1]-'0')<<payload)
		return nil
	}
	if len(line) > 0 && line[0] == 0 { // strtol takes nothing for 0 if a zero byte follows
		m.push(m.written(Long))
		return m.diverge("INT of a zero byte: the C unpickler takes it for 0, others stop")
	}
	digits := bytes.TrimLeft(bytes.TrimLeft(line, space), "+-")
	if len(digits) > 1 && digits[0] == '0' && digits[1] >= '0' && digits[1] <= '7' {
		if behind := bytes.TrimLeft(digits, "01234567"); len(behind) == 0 || behind[0] == 0 {
			m.push(m.written(Long))
			return m.diverge("INT with a leading zero: octal, decimal or an error, by unpickler")
		}
	}
	if len(line) == 2 && strings.ContainsRune("+-"+space, rune(line[0])) && (line[1] == '0' || line[1] == '1' && line[0] != '-') {
		m.push(m.written(Long))
		return m.diverge("INT of two characters: True or False for some unpicklers, a number for others")
	}
	return m.literal(line)
}

// literal pushes an integer as Python writes it in programs.
func (m *Machine) literal(line []byte) error {
	line, err := m.terminated(line)
	if err != nil {
		return err
	}
	text := trimmed(line)
	if x, err := strconv.ParseInt(text, 0, 64); err == nil && !octal(text) {
		m.push(m.integer(x))
		return nil
	}
	if _, ok := new(big.Int).SetString(text[:min(len(text), 5000)], 0); !ok || octal(text) {
		return m.broken("%s without a number", m.op)
	}
	m.push(m.written(Long))
	return nil
}

// octal reports whether a numeral has a leading zero, which Go takes as octal
// and Python does not take unless all is zero.
func octal(text string) bool {
	text = strings.TrimLeft(text, "+-")
	return len(text) > 1 && text[0] == '0' && text[1] != 'x' && text[1] != 'X' && text[1] != 'o' && text[1] != 'O' &&
		text[1] != 'b' && text[1] != 'B' && strings.Trim(text, "0_") != ""
}

// terminated cuts a line at its first zero byte, where the C unpickler ends it.
func (m *Machine) terminated(line []byte) ([]byte, error) {
	i := bytes.IndexByte(line, 0)
	if i < 0 {
		return line, nil
	}
	return line[:i], m.diverge("a number with a zero byte: the C unpickler reads up to it, others stop")
}

// space is what Python and strtol allow around numerals.
const space = " \t\v\f\r"

func trimmed(line []byte) string { return string(bytes.Trim(line, space)) }

// float executes FLOAT.
func (m *Machine) float(line []byte) error {
	line, err := m.terminated(line)
	if err != nil {
		return err
	}
	text := trimmed(line)
	_, err = strconv.ParseFloat(strings.ReplaceAll(text, "_", ""), 64)
	if strings.EqualFold(strings.TrimLeft(text, "+-"), "nan") && len(text) <= 4 {
		err = nil
	}
	if hex := strings.ContainsAny(text, "xXpP"); hex || err != nil && !strings.HasSuffix(err.Error(), "out of range") {
		return m.broken("FLOAT without a number")
	}
	if err != nil || strings.Contains(text, "_") || len(text) != len(line) {
		if err := m.diverge("FLOAT with a number that only some unpicklers read"); err != nil {
			return err
		}
	}
	m.push(m.written(Float))
	return nil
}

// numbered executes GET and PUT.
func (m *Machine) numbered(op Op, line []byte) error {
	line, err := m.terminated(line)
	if err != nil {
		return err
	}
	i, ok := new(big.Int).SetString(strings.ReplaceAll(trimmed(line), "_", ""), 10)
	if !ok || i.Sign() < 0 {
		return m.broken("%s without a number of the memo", op)
	}
	if op == OpPut {
		top, err := m.top(1)
		if err != nil {
			return err
		}
		if i.IsUint64() {
			return m.put(i.Uint64(), top[0])
		}
		return m.putHuge(i.String(), top[0])
	}
	v := m.memo.huge[i.String()]
	if i.IsUint64() {
		v = m.memo.get(i.Uint64())
	}
	if v == 0 {
		return m.broken("the memo has no value of this number")
	}
	m.push(m.share(v))
	return nil
}

// putHuge stores a value under a number that only the Python unpickler can.
func (m *Machine) putHuge(i string, v Value) error {
	if err := m.diverge("PUT with a number that does not fit 64 bits: only the Python unpickler goes on"); err != nil {
		return err
	}
	if m.memo.huge == nil {
		m.memo.huge = map[string]Value{}
	}
	if _, ok := m.memo.huge[i]; !ok {
		m.memo.count++
		m.memo.bytes += len(i) + 64
	}
	m.memo.huge[i] = v
	if m.memo.bytes > memoBytes {
		return m.exceeded("the memo holds more than fits %d MiB", memoBytes>>20)
	}
	return nil
}
