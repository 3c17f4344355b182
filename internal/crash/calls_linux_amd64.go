package crash

import "golang.org/x/sys/unix"

// oldCalls are those without a directory's descriptor, which later
// architectures do not have and C libraries still use here.
var oldCalls = map[int]call{
	unix.SYS_OPEN:    {"open", on(path(0)), 1},
	unix.SYS_CREAT:   {"creat", on(path(0)), none},
	unix.SYS_RENAME:  {"rename", on(path(1), path(0)), none},
	unix.SYS_LINK:    {"link", on(path(1), path(0)), none},
	unix.SYS_SYMLINK: {"symlink", on(path(1)), none},
	unix.SYS_UNLINK:  {"unlink", on(path(0)), none},
	unix.SYS_MKDIR:   {"mkdir", on(path(0)), none},
	unix.SYS_RMDIR:   {"rmdir", on(path(0)), none},
	unix.SYS_MKNOD:   {"mknod", on(path(0)), none},
	unix.SYS_CHMOD:   {"chmod", on(path(0)), none},
	unix.SYS_CHOWN:   {"chown", on(path(0)), none},
	unix.SYS_LCHOWN:  {"lchown", on(path(0)), none},
}
