package sandbox

import (
	"errors"
	"unsafe"

	"golang.org/x/sys/unix"
)

// foreignCall asks for the process ID as a 32-bit program does.
func foreignCall([]string) error {
	code, err := unix.Mmap(-1, 0, 4096, unix.PROT_READ|unix.PROT_WRITE|unix.PROT_EXEC, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return err
	}
	copy(code, []byte{0xb8, 20, 0, 0, 0, 0xcd, 0x80, 0xc3}) // mov eax, 20; int 0x80; ret
	entry := &code[0]
	closure := &entry
	(*(*func())(unsafe.Pointer(&closure)))()
	return errors.New("the kernel answered")
}
