package hdf5

import (
	"hash/maphash"

	"github.com/sallyport/sallyport/internal/format"
)

// A dense kind says how the records of an index of links or attributes that
// stand in a fractal heap look: the types of B-tree by name and by order of
// creation, and where in a record the heap's ID is.
type dense struct {
	byName, byOrder uint8
	nameID, orderID int64
	id              int
}

var (
	denseLinks      = dense{byName: 5, byOrder: 6, nameID: 4, orderID: 8, id: 7}
	denseAttributes = dense{byName: 8, byOrder: 9, nameID: 0, orderID: 0, id: 8}
)

// dense reads at the cursor the addresses of a fractal heap, of its index by
// name and, if ordered, of that by order of creation, and calls fn with the
// place of each thing in the index. Both indexes must hold the same, since
// programs go by either.
func (w *walker) dense(ordered bool, d dense, fn func(off, end int64) error) error {
	at := w.c.Offset()
	heapAt, ok := w.address()
	names, ok2 := w.address()
	var orders int64
	hasOrders := false
	if ordered {
		orders, hasOrders = w.address()
	}
	if err := w.c.Err(); err != nil || !ok {
		return err
	}
	if !ok2 {
		return format.Brokenf(at, "a heap has no index")
	}
	heap, err := w.fractalHeap(heapAt)
	if err != nil {
		return err
	}
	seed := maphash.MakeSeed()
	var byName, byOrder uint64
	err = w.tree2(names, d.byName, func(rec int64) error {
		w.c.Move(rec + d.nameID)
		id := w.c.Bytes(uint64(d.id), d.id)
		byName += maphash.Bytes(seed, id)
		if err := w.c.Err(); err != nil {
			return err
		}
		off, end, err := w.inHeap(heap, id, rec+d.nameID)
		if err != nil {
			return err
		}
		return fn(off, end)
	})
	if err != nil || !hasOrders {
		return err
	}
	err = w.tree2(orders, d.byOrder, func(rec int64) error {
		w.c.Move(rec + d.orderID)
		byOrder += maphash.Bytes(seed, w.c.Bytes(uint64(d.id), d.id))
		return w.c.Err()
	})
	if err == nil && byName != byOrder {
		err = format.Brokenf(at, "the indexes by name and by order hold different things")
	}
	return err
}
