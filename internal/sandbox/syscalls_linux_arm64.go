package sandbox

import "golang.org/x/sys/unix"

// arch is what the kernel calls this instruction set; 32-bit ARM calls come
// under another name and end the process.
const arch = unix.AUDIT_ARCH_AARCH64

// This architecture began without the older calls.
var allowedHere, deniedHere []uint32
