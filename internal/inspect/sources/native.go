package sources

import (
	"bytes"
	"encoding/binary"

	"github.com/sallyport/sallyport/internal/inspect"
)

// machine tells programs and libraries in machine code, and Python's bytecode,
// by how they begin.
func machine(head []byte) string {
	switch {
	case bytes.HasPrefix(head, []byte("\x7fELF")):
		return "ELF"
	case len(head) >= 64 && head[0] == 'M' && head[1] == 'Z':
		if at := binary.LittleEndian.Uint32(head[60:]); int64(at)+4 <= int64(len(head)) && bytes.HasPrefix(head[at:], []byte("PE\x00\x00")) {
			return "PE"
		}
	case len(head) >= 16:
		switch binary.LittleEndian.Uint32(head) {
		case 0xfeedface, 0xfeedfacf, 0xcefaedfe, 0xcffaedfe:
			return "Mach-O"
		}
		if head[2] == '\r' && head[3] == '\n' && binary.LittleEndian.Uint16(head) >= 3000 && binary.LittleEndian.Uint32(head[4:]) <= 3 && bytes.IndexByte(head[16:min(20, len(head))], 0xe3) == 0 {
			return "Python bytecode"
		}
	}
	return ""
}

func matchNative(_ *inspect.File, head []byte) inspect.Fit {
	if machine(head) != "" {
		return inspect.Yes
	}
	return inspect.No
}

func inspectNative(p *inspect.Pass, f *inspect.File) error {
	head := make([]byte, min(f.Size, 4096))
	if n, err := f.ReadAt(head, 0); n < len(head) {
		return err
	}
	p.Find(f, inspect.Finding{Rule: ruleNative, Verdict: inspect.Suspicious, Offset: 0, What: machine(head), Why: "it does whatever it was compiled to do when it is loaded"})
	return nil
}
