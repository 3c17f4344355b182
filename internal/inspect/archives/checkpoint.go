package archives

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math/bits"
	"strconv"
	"strings"

	"github.com/sallyport/sallyport/internal/format"
	"github.com/sallyport/sallyport/internal/inspect"
)

// A TensorFlow checkpoint is an index, which is a table of LevelDB, and files of
// numbers without a format. Every SavedModel has one for its variables.
var checkpoints = []inspect.Reading{
	{Format: "tensorflow-index", Match: matchTable, Inspect: inspectTable},
	{Format: "tensorflow-data", Generic: true, Match: matchShard, Inspect: inspectShard},
}

const (
	tableMagic  = "\x57\xfb\x80\x8b\x24\x75\x47\xdb"
	tableFooter = 48
	maxBlock    = 4 << 20
)

func matchTable(f *inspect.File, _ []byte) inspect.Fit {
	var magic [8]byte
	if f.Size < tableFooter {
		return inspect.No
	}
	f.ReadAt(magic[:], f.Size-8)
	return fit(string(magic[:]) == tableMagic)
}

func inspectTable(p *inspect.Pass, f *inspect.File) error {
	_, err := extents(p, f)
	return err
}

// extents reads an index and returns how long each file of data is.
func extents(p *inspect.Pass, f *inspect.File) (map[uint64]int64, error) {
	c := f.Cursor()
	c.Move(f.Size - tableFooter)
	c.Varint() // the index of further parts
	c.Varint()
	blocks, err := tableBlock(f, c.Varint(), c.Varint())
	if c.Err() != nil {
		return nil, c.Err()
	}
	if err != nil {
		return nil, err
	}
	ends := map[uint64]int64{}
	err = each(p, blocks, func(_, handle []byte) error {
		off, n := binary.Uvarint(handle)
		size, m := binary.Uvarint(handle[max(n, 0):])
		if n <= 0 || m <= 0 {
			return errTable
		}
		block, err := tableBlock(f, off, size)
		if err != nil {
			return err
		}
		return each(p, block, func(key, value []byte) error {
			if len(key) == 0 { // what all have in common
				return nil
			}
			shard, end, ok := entryExtent(value)
			if !ok || len(ends) > 1<<16 {
				return errTable
			}
			ends[shard] = max(ends[shard], end)
			return nil
		})
	})
	return ends, err
}

var errTable = format.Brokenf(-1, "the index of a checkpoint is not well formed")

// tableBlock reads a block and verifies its checksum, which LevelDB turns and
// shifts.
func tableBlock(f *inspect.File, off, size uint64) ([]byte, error) {
	if off > uint64(f.Size) {
		return nil, errTable
	}
	c := f.Cursor()
	c.Move(int64(off))
	block := c.Bytes(size, maxBlock)
	kind := c.U8()
	sum := c.U32()
	if c.Err() != nil {
		return nil, c.Err()
	}
	castagnoli := crc32.MakeTable(crc32.Castagnoli)
	crc := crc32.Update(crc32.Checksum(block, castagnoli), castagnoli, []byte{kind})
	if bits.RotateLeft32(crc, 17)+0xa282ead8 != sum {
		return nil, format.Brokenf(int64(off), "the checksum of a block is wrong")
	}
	if kind != 0 {
		return nil, format.Unsupportedf(int64(off), "the index of a checkpoint is compressed")
	}
	return block, nil
}

// each calls fn with the entries of a block, whose keys leave out what they have
// in common with the one before.
func each(p *inspect.Pass, block []byte, fn func(key, value []byte) error) error {
	if len(block) < 4 {
		return errTable
	}
	restarts := uint64(binary.LittleEndian.Uint32(block[len(block)-4:]))
	if restarts > uint64(len(block)-4)/4 {
		return errTable
	}
	block = block[:uint64(len(block)-4)-4*restarts]
	var key []byte
	for len(block) > 0 {
		var n [3]uint64
		for i := range n {
			v, m := binary.Uvarint(block)
			if m <= 0 {
				return errTable
			}
			n[i], block = v, block[m:]
		}
		shared, own, size := n[0], n[1], n[2]
		if shared > uint64(len(key)) || own > uint64(len(block)) || size > uint64(len(block))-own {
			return errTable
		}
		key = append(key[:shared], block[:own]...)
		if err := fn(key, block[own:own+size]); err != nil {
			return err
		}
		block = block[own+size:]
		if err := p.Step(1); err != nil {
			return err
		}
	}
	return nil
}

// entryExtent reads a BundleEntryProto (tensor_bundle.proto): which file, and
// where in it the tensor ends.
func entryExtent(b []byte) (shard uint64, end int64, ok bool) {
	c := format.NewCursor(bytes.NewReader(b), 0, int64(len(b)))
	var off, size uint64
	for c.Left() > 0 {
		key := c.Varint()
		switch key & 7 {
		case 0:
			v := c.Varint()
			switch key >> 3 {
			case 3:
				shard = v
			case 4:
				off = v
			case 5:
				size = v
			}
		case 2:
			c.Skip(c.Length(c.Varint()))
		case 5:
			c.Skip(4)
		default:
			return 0, 0, false
		}
	}
	return shard, int64(off + size), c.Err() == nil && off < 1<<60 && size < 1<<60
}

// shard is the index to which a file of data belongs, and which of its files it
// is: "variables.data-00000-of-00001".
func shard(name string) (index string, n uint64, ok bool) {
	at := strings.LastIndex(name, ".data-")
	if at < 0 {
		return "", 0, false
	}
	number, of, _ := strings.Cut(name[at+len(".data-"):], "-of-")
	n, err := strconv.ParseUint(number, 10, 32)
	if len(number) != 5 || len(of) != 5 || err != nil {
		return "", 0, false
	}
	return name[:at] + ".index", n, true
}

func matchShard(f *inspect.File, _ []byte) inspect.Fit {
	index, _, ok := shard(f.Name)
	if ok {
		e, found := f.Around.Lookup(index)
		ok = found && e.Regular
	}
	return fit(ok)
}

// inspectShard wants the file to be as long as its index says. Its bytes are
// numbers, and texts that are read as values.
func inspectShard(p *inspect.Pass, f *inspect.File) error {
	name, n, _ := shard(f.Name)
	index, err := f.Around.Open(name)
	if err != nil {
		return fmt.Errorf("the index of a checkpoint cannot be read: %w", err)
	}
	defer index.Close()
	ends, err := extents(p, index)
	if err != nil {
		var e *format.Error
		if errors.As(err, &e) {
			return format.Unsupportedf(-1, "what the file holds cannot be told without its index, which cannot be read")
		}
		return err
	}
	switch end := ends[n]; {
	case end > f.Size:
		return format.Brokenf(f.Size, "the file ends before what its index says")
	case end < f.Size:
		p.Find(f, inspect.Finding{Rule: ruleTrailing, Verdict: inspect.Suspicious, Offset: end, What: "tensorflow-data", Why: "bytes stand behind the last tensor of the index"})
	}
	return nil
}
