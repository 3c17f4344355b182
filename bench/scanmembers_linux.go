package main

import (
	"archive/tar"
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
)

// mostMembers is how many files a scan inspects in one archive before it says
// that it is too many.
const mostMembers = 1_000_000

// measureMembers scans archives of nothing but members, each alone and both at
// one time. They are empty, so that what is measured is what a member takes.
func (b *bench) measureMembers(ctx context.Context) error {
	n := min(b.scale.Dense/5, mostMembers)
	b.say("scan-memory: %s members", count(n))
	dir := filepath.Join(b.dir, "archives")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	defer os.RemoveAll(dir) // the work folder goes anyway
	zipped, taped := filepath.Join(dir, "empty.zip"), filepath.Join(dir, "empty.tar")
	if err := writeZip(zipped, n); err != nil {
		return err
	}
	if err := writeTar(taped, n); err != nil {
		return err
	}
	for _, kind := range []struct{ name, path string }{
		{count(n) + " in a zip", zipped},
		{count(n) + " in a tar", taped},
		{"both at one time", dir},
	} {
		took := measure{work: "scan " + kind.name, unit: seconds}
		memory := measure{work: "  memory", unit: bytes, bar: bar{ofAmount, mostOfScan}}
		for range b.scale.Rounds {
			c, err := b.scan(ctx, kind.path)
			if err != nil {
				return err
			}
			took.ours, memory.ours = append(took.ours, c.seconds), append(memory.ours, c.memory)
		}
		b.report.add(took)
		b.report.add(memory)
	}
	return nil
}

// memberName is that of the i-th member. All are of one length.
func memberName(i int) string { return fmt.Sprintf("shards/%08d.txt", i) }

// writeZip writes a zip of n empty members. It does so by hand, since what this
// process has in memory counts as that of the programs that it starts.
func writeZip(path string, n int) error {
	le := binary.LittleEndian
	// What the two headers of a member share (APPNOTE.TXT 4.3.7 and 4.3.12): the
	// version, no flags, stored, a date, no bytes and their checksum.
	common := append(make([]byte, 8), 0x21, 0x5a)
	common[0] = 45
	common = append(common, make([]byte, 12)...)
	common = le.AppendUint16(common, uint16(len(memberName(0))))
	return writeFile(path, func(w *bufio.Writer) error {
		local := append([]byte("PK\x03\x04"), common...)
		local = append(local, 0, 0)
		for i := range n {
			w.Write(local)
			w.WriteString(memberName(i))
		}
		each := len(local) + len(memberName(0))
		entry := append([]byte("PK\x01\x02\x2d\x00"), common...)
		entry = append(entry, make([]byte, 16)...)
		for i := range n {
			le.PutUint32(entry[len(entry)-4:], uint32(i*each))
			w.Write(entry)
			w.WriteString(memberName(i))
		}
		start, size := uint64(n*each), uint64(n*(len(entry)+len(memberName(0))))
		end := le.AppendUint64([]byte("PK\x06\x06"), 44) // 4.3.14
		end = append(end, 45, 0, 45, 0)
		end = le.AppendUint64(end, 0) // the disks
		for _, v := range []uint64{uint64(n), uint64(n), size, start} {
			end = le.AppendUint64(end, v)
		}
		end = append(end, "PK\x06\x07\x00\x00\x00\x00"...) // 4.3.15
		end = le.AppendUint64(end, start+size)
		end = le.AppendUint32(end, 1)
		end = append(end, "PK\x05\x06\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00"...) // 4.3.16
		_, err := w.Write(end)
		return err
	})
}

// writeTar writes a tar of n empty members.
func writeTar(path string, n int) error {
	return writeFile(path, func(w *bufio.Writer) error {
		t := tar.NewWriter(w)
		for i := range n {
			if err := t.WriteHeader(&tar.Header{Name: memberName(i), Mode: 0o644, Format: tar.FormatUSTAR}); err != nil {
				return err
			}
		}
		return t.Close()
	})
}
