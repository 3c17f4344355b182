package sources

import (
	"bytes"
	"encoding/binary"

	"github.com/sallyport/sallyport/internal/inspect"
)

// machine tells programs and libraries in machine code, and Python's bytecode,
// by how they begin; "" for anything else.
func machine(f *inspect.File, head []byte) string {
	switch {
	case bytes.HasPrefix(head, []byte("\x7fELF")):
		return "ELF"
	case isPE(f, head):
		return "PE"
	case isMachO(head):
		return "Mach-O"
	case isBytecode(head):
		return "Python bytecode"
	}
	return ""
}

// isPE wants the second header where the first says.
func isPE(f *inspect.File, head []byte) bool {
	if len(head) < 64 || string(head[:2]) != "MZ" {
		return false
	}
	var magic [4]byte
	_, err := f.ReadAt(magic[:], int64(binary.LittleEndian.Uint32(head[60:])))
	return err == nil && string(magic[:]) == "PE\x00\x00"
}

func isMachO(head []byte) bool {
	if len(head) < 8 {
		return false
	}
	switch binary.BigEndian.Uint32(head) {
	case 0xfeedface, 0xfeedfacf, 0xcefaedfe, 0xcffaedfe:
		return true
	case 0xcafebabe, 0xcafebabf: // of several processors; a Java class counts on from 45 here
		return binary.BigEndian.Uint32(head[4:]) < 45
	}
	return false
}

// isBytecode knows compiled Python by the end of line in its magic number, and by
// the code object that follows the header, whose length changed with Python 3.3
// and 3.7. Both hold small numbers in four bytes, so that there is a zero among
// them, as there is in no text whose first line has two letters.
func isBytecode(head []byte) bool {
	if len(head) < 17 || string(head[2:4]) != "\r\n" || bytes.IndexByte(head[4:17], 0) < 0 {
		return false
	}
	for _, at := range []int{8, 12, 16} {
		if head[at]&0x7f == 'c' {
			return true
		}
	}
	return false
}

func matchNative(f *inspect.File, head []byte) inspect.Fit {
	if machine(f, head) != "" {
		return inspect.Yes
	}
	return inspect.No
}

func inspectNative(p *inspect.Pass, f *inspect.File) error {
	head := make([]byte, min(f.Size, 4096))
	if n, err := f.ReadAt(head, 0); n < len(head) {
		return err
	}
	p.Find(f, inspect.Finding{Rule: ruleNative, Verdict: inspect.Suspicious, Offset: 0, What: machine(f, head), Why: "it does whatever it was compiled to do when it is loaded"})
	return nil
}
