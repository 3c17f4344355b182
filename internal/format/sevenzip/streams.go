package sevenzip

import "github.com/sallyport/sallyport/internal/format"

// streams reads where packed streams lie, how folders unpack them, and how
// folders are divided into members.
func (h *headerReader) streams(a *Archive) error {
	for h.Err() == nil {
		switch h.U8() {
		case pEnd:
			for i := range a.folders {
				if f := &a.folders[i]; f.sizes == nil { // one member, of which all is said
					f.sizes, f.sums = []int64{f.size}, []sum{{f.crc, f.sum}}
				}
			}
			return h.Err()
		case pPack:
			h.pack(a)
		case pUnpack:
			h.unpack(a)
		case pSubStreams:
			h.subStreams(a)
		default:
			return h.broken("the list of streams has a part of no known kind")
		}
	}
	return h.Err()
}

func (h *headerReader) pack(a *Archive) {
	a.start = 32 + h.size()
	n := h.count(maxFolders)
	for h.Err() == nil {
		switch h.U8() {
		case pEnd:
			return
		case pSize:
			for range n {
				a.packed = append(a.packed, h.size())
				if h.Err() != nil {
					return
				}
			}
		case pCRC:
			h.sums(n) // what is unpacked has its own
		default:
			h.broken("the list of packed streams has a part of no known kind")
		}
	}
}

func (h *headerReader) unpack(a *Archive) {
	if h.U8() != pFolder {
		h.broken("the list of folders does not begin")
		return
	}
	n := h.count(maxFolders)
	if h.U8() != 0 {
		h.Fail(format.Unsupportedf(h.Offset(), "the list of folders lies elsewhere"))
		return
	}
	first := 0
	for range n {
		f := h.folder()
		if h.Err() != nil {
			return
		}
		f.first = first
		first += f.packs
		a.folders = append(a.folders, f)
	}
	if first > len(a.packed) {
		h.broken("folders unpack more streams than there are")
		return
	}
	if h.U8() != pCodersUnpackSize {
		h.broken("the sizes of folders are missing")
		return
	}
	for i := range a.folders {
		f := &a.folders[i]
		for j := range f.coders {
			f.coders[j].size = h.size()
		}
		f.size = f.coders[0].size // one that is no chain is not unpacked
		if !f.unusual {
			f.size = f.coders[f.order[len(f.order)-1]].size
		}
	}
	for h.Err() == nil {
		switch h.U8() {
		case pEnd:
			return
		case pCRC:
			for i, s := range h.sums(n) {
				a.folders[i].crc, a.folders[i].sum = s.crc, s.known
			}
		default:
			h.broken("the list of folders has a part of no known kind")
		}
	}
}

// folder reads the coders of a folder. Only chains are followed, in which each
// takes what the one before yields.
func (h *headerReader) folder() folder {
	n := h.count(maxCoders)
	f := folder{packs: 1}
	if n == 0 {
		h.broken("a folder has no coders")
		return f
	}
	ins, outs := 0, 0
	for range n {
		flags := h.U8()
		id := h.String(uint64(flags&15), 15)
		in, out := 1, 1
		if flags&0x10 != 0 {
			in, out = h.count(maxCoders), h.count(maxCoders)
			f.unusual = f.unusual || in != 1 || out != 1
		}
		var props []byte
		if flags&0x20 != 0 {
			props = h.Bytes(h.number(), 1<<10)
		}
		if flags&0xc0 != 0 {
			h.Fail(format.Unsupportedf(h.Offset(), "a coder is described in a newer way"))
		}
		f.coders = append(f.coders, coder{id: id, props: props})
		ins, outs = ins+in, outs+out
	}
	feeds := map[uint64]uint64{} // what a coder yields goes to which
	for range max(outs-1, 0) {
		in := h.number()
		feeds[h.number()] = in
	}
	if f.unusual = f.unusual || !f.chain(feeds); h.Err() != nil {
		return f
	}
	if f.packs = ins - (outs - 1); f.packs < 1 || outs < 1 {
		h.broken("a folder's coders do not fit together")
		f.packs = 1
	}
	if f.packs > 1 {
		for range f.packs {
			h.number()
		}
	}
	return f
}

// chain finds the order in which the coders follow each other.
func (f *folder) chain(feeds map[uint64]uint64) bool {
	taken := map[uint64]bool{}
	for _, in := range feeds {
		taken[in] = true
	}
	var at uint64
	for taken[at] {
		at++
	}
	for range f.coders {
		if at >= uint64(len(f.coders)) {
			return false
		}
		f.order = append(f.order, int(at))
		next, ok := feeds[at]
		if !ok {
			break
		}
		at = next
	}
	return len(f.order) == len(f.coders)
}

// subStreams reads how many members each folder has, their sizes and checksums.
func (h *headerReader) subStreams(a *Archive) {
	counts := make([]int, len(a.folders))
	for i := range counts {
		counts[i] = 1
	}
	kind := h.U8()
	if kind == pNumUnpackStream {
		all := 0
		for i := range counts {
			counts[i] = h.count(maxMembers)
			if all += counts[i]; all > maxMembers {
				h.Fail(format.Exceededf(h.Offset(), "the archive has more than %d members", maxMembers))
				return
			}
		}
		kind = h.U8()
	}
	h.sizes(a, counts, kind == pSize)
	if kind == pSize {
		kind = h.U8()
	}
	unknown := 0
	for i := range a.folders {
		if f := &a.folders[i]; len(f.sizes) == 1 && f.sum {
			f.sums = []sum{{f.crc, true}}
		} else {
			unknown += len(f.sizes)
		}
	}
	if kind == pCRC {
		sums := h.sums(unknown)
		for i := range a.folders {
			if f := &a.folders[i]; f.sums == nil {
				f.sums, sums = sums[:len(f.sizes)], sums[len(f.sizes):]
			}
		}
		kind = h.U8()
	}
	for i := range a.folders {
		if f := &a.folders[i]; f.sums == nil {
			f.sums = make([]sum, len(f.sizes))
		}
	}
	if kind != pEnd {
		h.broken("the list of members has a part of no known kind")
	}
}

// sizes divides folders: the last member of each has what remains.
func (h *headerReader) sizes(a *Archive, counts []int, said bool) {
	for i := range a.folders {
		f := &a.folders[i]
		f.sizes = make([]int64, counts[i])
		left := f.size
		for j := range f.sizes {
			if j == len(f.sizes)-1 {
				f.sizes[j] = left
				break
			}
			if said {
				f.sizes[j] = h.size()
			}
			if left -= f.sizes[j]; left < 0 || !said {
				h.broken("the members of a folder are larger than the folder")
				return
			}
		}
	}
}
