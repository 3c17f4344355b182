package archives

import (
	"bytes"
	"encoding/binary"

	"github.com/sallyport/sallyport/internal/inspect"
)

// programs are formats that a virtual machine, a linker or a shell runs. They are
// generic, for those who know more about one: who reads Python, for instance.
// What loaders run as it is, machine code, package sources knows.
var programs = []inspect.Reading{
	program("java-class", matchClass),
	program("wasm", begins("\x00asm")),
	program("dex", begins("dex\n0")),
	program("llvm-bitcode", begins("BC\xc0\xde")),
	program("object-archive", begins("!<arch>\n")),
	program("windows-shortcut", begins("L\x00\x00\x00\x01\x14\x02\x00")),
	program("cuda", begins("\x50\xed\x55\xba")),
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

// matchClass wants a version, which counts on from 45: a lower number there is how
// many processors a Mach-O program is for.
func matchClass(_ *inspect.File, head []byte) inspect.Fit {
	return fit(len(head) >= 8 && binary.BigEndian.Uint32(head) == 0xcafebabe && binary.BigEndian.Uint16(head[6:]) >= 45)
}

func matchScript(_ *inspect.File, head []byte) inspect.Fit {
	return fit(bytes.HasPrefix(head, []byte("#!")) && bytes.IndexByte(head, 0) < 0)
}
