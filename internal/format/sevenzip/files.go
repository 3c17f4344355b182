package sevenzip

import "github.com/sallyport/sallyport/internal/format"

// files reads what the members are called and which of them have data.
func (h *headerReader) files(a *Archive) error {
	n := h.count(maxMembers)
	if h.Count(uint64(n), 1); h.Err() != nil {
		return h.Err()
	}
	a.Members = make([]Member, n)
	var empty, file, anti []bool
	for h.Err() == nil {
		kind := h.number()
		if kind == pEnd {
			break
		}
		size := h.Length(h.number())
		end := h.Offset() + size
		switch kind {
		case pEmptyStream:
			empty = h.bits(n, false)
		case pEmptyFile:
			file = h.bits(trues(empty), false)
		case pAnti:
			anti = h.bits(trues(empty), false)
		case pName:
			if h.U8() != 0 {
				return format.Unsupportedf(h.Offset(), "the names lie elsewhere")
			}
			for i := range a.Members {
				a.Members[i].Name = h.utf16Name()
			}
		case pAttributes:
			known := h.bits(n, true)
			if h.U8() != 0 {
				return format.Unsupportedf(h.Offset(), "the attributes lie elsewhere")
			}
			for i, k := range known {
				if !k {
					continue
				}
				// The upper half is that of Unix, if a bit of the lower says so.
				if v := h.U32(); v&0x8000 != 0 {
					a.Members[i].Mode = v >> 16
				}
			}
		case pDummy, pCTime, pATime, pMTime, pStartPos, pComment:
			h.Skip(size)
		default:
			return h.broken("the list of files has a part of no known kind")
		}
		if h.Err() == nil && h.Offset() != end {
			return h.broken("a part of the list of files has another size than it says")
		}
	}
	if h.Err() != nil {
		return h.Err()
	}
	return a.assign(empty, file, anti)
}

func trues(b []bool) int {
	n := 0
	for _, x := range b {
		if x {
			n++
		}
	}
	return n
}

// assign gives every member its part of the folders.
func (a *Archive) assign(empty, file, anti []bool) error {
	var sizes []int64
	var sums []sum
	for _, f := range a.folders {
		sizes, sums = append(sizes, f.sizes...), append(sums, f.sums...)
	}
	nth := 0
	for i := range a.Members {
		m := &a.Members[i]
		if i < len(empty) && empty[i] {
			m.Empty = true
			m.Dir = nth >= len(file) || !file[nth]
			m.Anti = nth < len(anti) && anti[nth]
			nth++
			continue
		}
		if len(sizes) == 0 {
			return format.Brokenf(-1, "the archive has more members than data")
		}
		m.Size, m.crc, m.sum = sizes[0], sums[0].crc, sums[0].known
		sizes, sums = sizes[1:], sums[1:]
	}
	if len(sizes) > 0 {
		return format.Brokenf(-1, "the archive has more data than members")
	}
	return nil
}
