package archives

import (
	"bytes"
	"encoding/binary"

	"github.com/sallyport/sallyport/internal/inspect"
)

// programs are formats that a processor, a virtual machine or a shell runs. They
// are generic, for those who know more about one: who reads Python, for instance.
var programs = []inspect.Reading{
	program("elf", begins("\x7fELF")),
	program("pe", matchPE),
	program("mach-o", matchMachO),
	program("java-class", matchClass),
	program("wasm", begins("\x00asm")),
	program("dex", begins("dex\n0")),
	program("llvm-bitcode", begins("BC\xc0\xde")),
	program("object-archive", begins("!<arch>\n")),
	program("windows-shortcut", begins("L\x00\x00\x00\x01\x14\x02\x00")),
	program("cuda", begins("\x50\xed\x55\xba")),
	program("python-bytecode", matchPyc),
	program("script", matchScript),
}

func program(name string, match func(*inspect.File, []byte) inspect.Fit) inspect.Reading {
	return inspect.Reading{
		Format: name, Generic: true, Match: match,
		Inspect: func(p *inspect.Pass, f *inspect.File) error {
			p.Find(f, inspect.Finding{Rule: ruleProgram, Verdict: inspect.Suspicious, Offset: 0, What: name,
				Why: "it is code, and what it does when it is run or loaded was not looked at"})
			return nil
		},
	}
}

// matchPE wants the second header where the first says.
func matchPE(f *inspect.File, head []byte) inspect.Fit {
	if len(head) < 64 || string(head[:2]) != "MZ" {
		return inspect.No
	}
	var magic [4]byte
	_, err := f.ReadAt(magic[:], int64(binary.LittleEndian.Uint32(head[60:])))
	return fit(err == nil && string(magic[:]) == "PE\x00\x00")
}

func matchMachO(_ *inspect.File, head []byte) inspect.Fit {
	if len(head) < 8 {
		return inspect.No
	}
	switch binary.BigEndian.Uint32(head) {
	case 0xfeedface, 0xfeedfacf, 0xcefaedfe, 0xcffaedfe:
		return inspect.Yes
	case 0xcafebabe, 0xcafebabf: // of several processors; a Java class counts on from 45 here
		return fit(binary.BigEndian.Uint32(head[4:]) < 45)
	}
	return inspect.No
}

func matchClass(_ *inspect.File, head []byte) inspect.Fit {
	return fit(len(head) >= 8 && binary.BigEndian.Uint32(head) == 0xcafebabe && binary.BigEndian.Uint16(head[6:]) >= 45)
}

// matchPyc knows compiled Python by the end of line in its magic number, and by
// the code object that follows the header, whose length changed with Python 3.3
// and 3.7.
func matchPyc(_ *inspect.File, head []byte) inspect.Fit {
	if len(head) < 17 || !bytes.Equal(head[2:4], []byte("\r\n")) {
		return inspect.No
	}
	for _, at := range []int{8, 12, 16} {
		if head[at]&0x7f == 'c' {
			return inspect.Yes
		}
	}
	return inspect.No
}

func matchScript(_ *inspect.File, head []byte) inspect.Fit {
	return fit(bytes.HasPrefix(head, []byte("#!")) && bytes.IndexByte(head, 0) < 0)
}
