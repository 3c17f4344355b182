package hdf5

import (
	"strings"

	"github.com/sallyport/sallyport/internal/format"
)

// Types of links (§IV.A.2.g). Those from UserDefined on mean what a program
// that registered the type makes of them; External is the library's own.
const (
	hard        = 0
	Soft        = 1
	UserDefined = 65 // beyond External, or External itself
	External    = 64
)

// A Link is a member of a group that is not the object itself but says where to
// look for it.
type Link struct {
	Object *Object // the group
	Name   string
	Off    int64  // where it stands in the file
	Type   int    // Soft, External, or UserDefined and above
	File   string // of External: the file to open
	Target string // of Soft and External: the path of the object
}

func (w *walker) link(l *Link) error {
	if w.visit.Link == nil {
		return nil
	}
	return w.visit.Link(l)
}

// linkMessage reads a link at the cursor that ends before end.
func (w *walker) linkMessage(o *Object, end int64) error {
	at := w.c.Offset()
	v, flags := w.c.U8(), w.c.U8()
	if w.c.Err() == nil && v != 1 {
		return version(at, "a link", v)
	}
	kind := hard
	if flags&0x08 != 0 {
		kind = int(w.c.U8())
	}
	if flags&0x04 != 0 {
		w.c.Skip(8)
	}
	if flags&0x10 != 0 {
		w.c.Skip(1)
	}
	name := w.c.String(w.number(1<<(flags&3)), maxName)
	l := &Link{Object: o, Name: name, Off: at, Type: kind}
	var header int64
	var named bool
	switch kind {
	case hard:
		header, named = w.address()
	case Soft:
		l.Target = w.c.String(uint64(w.c.U16()), maxName)
	default:
		w.external(l)
	}
	if err := w.c.Err(); err != nil {
		return err
	}
	if w.c.Offset() > end {
		return format.Brokenf(at, "a link leaves its message")
	}
	switch {
	case kind != hard:
		return w.link(l)
	case !named:
		return format.Brokenf(at, "a link names no object")
	}
	return w.enqueue(o, name, header)
}

// external reads the value of a link to another file, or passes over that of a
// user-defined link.
func (w *walker) external(l *Link) {
	size := w.c.U16()
	switch {
	case l.Type != External:
		w.c.Skip(int64(size))
		return
	case size == 0:
		w.c.Fail(format.Brokenf(l.Off, "an external link has no value"))
		return
	}
	if v := w.c.U8(); v>>4 != 0 && w.c.Err() == nil {
		w.c.Fail(version(l.Off, "an external link", v>>4))
	}
	value := w.c.String(uint64(size)-1, 1<<16)
	file, rest, ok := strings.Cut(value, "\x00")
	target, _, ok2 := strings.Cut(rest, "\x00")
	if w.c.Err() == nil && !(ok && ok2) {
		w.c.Fail(format.Brokenf(l.Off, "an external link does not end"))
	}
	l.File, l.Target = file, target
}

// linkInfo reads where a group's links are if they are not in its header.
func (w *walker) linkInfo(o *Object) error {
	at := w.c.Offset()
	v, flags := w.c.U8(), w.c.U8()
	if w.c.Err() == nil && v != 0 {
		return version(at, "the place of links", v)
	}
	if flags&1 != 0 {
		w.c.Skip(8)
	}
	return w.dense(flags&2 != 0, denseLinks, func(off, end int64) error {
		w.c.Move(off)
		return w.linkMessage(o, end)
	})
}
