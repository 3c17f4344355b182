package pickle

// The heap's size in objects and items before it is collected, and how many
// items of one container it keeps.
const (
	heapObjects = 1 << 15
	heapItems   = 1 << 17
	keptItems   = 64
)

// An object is a value with contents.
type object struct {
	off   int64 // of the opcode that made it
	tag   Tag
	count uint32 // of all items
	item  uint32 // the first in heap.items; after a move, the new number
	kept  uint8
	room  uint8 // kept and free items
	kind  Kind
	flags Value // impure, shared, moved
}

const moved Value = 1

// A heap holds objects. When it is full it is collected: what can be reached
// from the stack is kept, and what only the memo knows becomes a brief value,
// whose contents are forgotten. So a stream of any size needs a heap of constant
// size, and a stream of ordinary size forgets nothing.
type heap struct {
	objects, objects2 []object
	items, items2     []Value
}

// room makes sure that another object and its items fit: by growing, and when
// the heap has its full size by collecting.
func (m *Machine) room() {
	h := &m.heap
	for len(h.objects) == cap(h.objects) || len(h.items)+keptItems > cap(h.items) {
		switch {
		case len(h.objects) == cap(h.objects) && cap(h.objects) < heapObjects:
			h.objects = append(make([]object, 0, min(max(64, 4*cap(h.objects)), heapObjects)), h.objects...)
		case len(h.items)+keptItems > cap(h.items) && cap(h.items) < heapItems:
			h.items = append(make([]Value, 0, min(max(256, 4*cap(h.items)), heapItems)), h.items...)
		default:
			m.collect()
		}
	}
}

// object puts a new object on the heap. Items may lie on the stack.
func (m *Machine) object(k Kind, items []Value) Value {
	h := &m.heap
	if len(h.objects) == cap(h.objects) || len(h.items)+keptItems > cap(h.items) {
		m.room()
	}
	i, n, kept := len(h.objects), len(h.items), min(len(items), keptItems)
	h.objects = h.objects[:i+1]
	h.items = h.items[:n+kept]
	o := &h.objects[i]
	*o = object{off: m.at, count: uint32(min(len(items), maxCount)), item: uint32(n), kept: uint8(kept), room: uint8(kept), kind: k}
	if k >= Returned {
		o.flags = impure
	}
	to := h.items[n:]
	for j, v := range items[:kept] {
		to[j] = v
		o.flags |= v & impure
		if v&onHeap != 0 {
			o.flags |= h.objects[v.index()].flags & impure
		}
	}
	if kept < len(items) {
		o.flags |= h.mixed(items[kept:])
	}
	return Value(k) | onHeap | Value(i)<<payload
}

// mixed returns impure if any of the items is.
func (h *heap) mixed(items []Value) Value {
	var all, deep Value
	for _, v := range items {
		all |= v
		if v&onHeap != 0 {
			deep |= h.objects[v.index()].flags
		}
	}
	return (all | deep) & impure
}

// extend adds items to the container in a place of the stack.
func (m *Machine) extend(place *Value, items []Value) {
	if len(items) == 0 {
		return
	}
	v := *place
	if v&onHeap == 0 {
		m.soil(v, m.heap.mixed(items))
		*place = brief(v.Kind(), uint32(min(int(v>>payload&maxCount)+len(items), maxCount)), m.Tag(v), v|m.heap.mixed(items))
		return
	}
	if len(m.heap.items)+keptItems > cap(m.heap.items) {
		m.room()
		m.extend(place, items) // it may have moved
		return
	}
	h := &m.heap
	o := &h.objects[v.index()]
	if mixed := h.mixed(items); mixed != 0 {
		m.soil(o.flags, mixed)
		o.flags |= mixed
	}
	o.count = uint32(min(int(o.count)+len(items), maxCount))
	if n := min(len(items), keptItems-int(o.kept)); n > 0 {
		h.keep(o, items[:n])
	}
}

// overwrite notes that items of the list in a place of the stack were replaced:
// which it has now is not known.
func (m *Machine) overwrite(place *Value, items []Value) {
	flags := m.heap.mixed(items)
	v := *place
	if v&onHeap == 0 {
		m.soil(v, flags)
		*place |= flags
		return
	}
	o := &m.heap.objects[v.index()]
	m.soil(o.flags, flags)
	o.flags |= flags
	o.kept = 0
}

// soil notes that something impure goes into a container that others may hold.
func (m *Machine) soil(flags, added Value) {
	if flags&shared != 0 && added&impure != 0 {
		m.smeared = true
	}
}

// keep adds items to those that an object keeps. There is room on the heap.
func (h *heap) keep(o *object, items []Value) {
	kept := int(o.kept) + len(items)
	switch end := int(o.item) + int(o.room); {
	case kept <= int(o.room):
	case end == len(h.items):
		h.items = h.items[:int(o.item)+kept]
		o.room = uint8(kept)
	default:
		room := min(max(kept, 2*int(o.kept)), keptItems)
		at := len(h.items)
		h.items = h.items[:at+room]
		copy(h.items[at:], h.items[o.item:o.item+uint32(o.kept)])
		clear(h.items[at+int(o.kept) : at+room])
		o.item, o.room = uint32(at), uint8(room)
	}
	copy(h.items[int(o.item)+int(o.kept):], items)
	o.kept = uint8(kept)
}

// collect keeps what the stack holds, up to half of the heap, the top first.
func (m *Machine) collect() {
	h := &m.heap
	if cap(h.objects2) == 0 {
		h.objects2 = make([]object, 0, heapObjects)
		h.items2 = make([]Value, 0, heapItems)
	}
	h.objects2, h.items2 = h.objects2[:0], h.items2[:0]
	for i := m.sp - 1; i >= 0; i-- {
		if m.stack[i]&onHeap != 0 {
			m.stack[i] = h.move(m.stack[i])
		}
	}
	for i := 0; i < len(h.objects2); i++ {
		o := &h.objects2[i]
		for j := o.item; j < o.item+uint32(o.kept); j++ {
			if h.items2[j]&onHeap != 0 {
				h.items2[j] = h.move(h.items2[j])
			}
		}
	}
	m.memo.each(h.follow)
	h.objects, h.objects2 = h.objects2, h.objects
	h.items, h.items2 = h.items2, h.items
}

// move takes an object over, or makes it brief if there is no room.
func (h *heap) move(v Value) Value {
	o := &h.objects[v.index()]
	if o.flags&moved != 0 {
		return h.follow(v)
	}
	if len(h.objects2) >= heapObjects/2 || len(h.items2)+int(o.kept) > heapItems/2 {
		return h.brief(v)
	}
	to := *o
	to.item, to.room = uint32(len(h.items2)), o.kept
	h.items2 = append(h.items2, h.items[o.item:o.item+uint32(o.kept)]...)
	h.objects2 = append(h.objects2, to)
	o.item, o.flags = uint32(len(h.objects2)-1), o.flags|moved
	return h.follow(v)
}

// follow returns where an object is now: taken over, or brief.
func (h *heap) follow(v Value) Value {
	o := &h.objects[v.index()]
	if o.flags&moved == 0 {
		return h.brief(v)
	}
	return v&kindMask | onHeap | v&shared | Value(o.item)<<payload
}

// brief is an object without its contents.
func (h *heap) brief(v Value) Value {
	o := &h.objects[v.index()]
	return brief(o.kind, o.count, o.tag, o.flags)
}
