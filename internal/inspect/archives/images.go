package archives

import (
	"bytes"
	"encoding/binary"
	"slices"

	"github.com/sallyport/sallyport/internal/format"
	"github.com/sallyport/sallyport/internal/inspect"
)

// A passive format is known by its signature and holds no code. Its end is
// found, so that nothing is carried behind it.
func passive(name string, exts []string, match func(*inspect.File, []byte) inspect.Fit, end func(c *format.Cursor)) inspect.Reading {
	return inspect.Reading{
		Format: name, Extensions: exts, Generic: true, Match: match,
		Inspect: func(p *inspect.Pass, f *inspect.File) error {
			c := f.Cursor()
			if end(c); c.Err() != nil {
				return c.Err()
			}
			if c.Left() > 0 {
				p.Find(f, inspect.Finding{Rule: ruleTrailing, Verdict: inspect.Suspicious, Offset: c.Offset(), What: name,
					Why: "bytes stand behind the end of the file that a program shows or plays"})
			}
			return nil
		},
	}
}

// images are all named as any image may be: viewers go by the content.
var images = []string{".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp", ".tif", ".tiff"}

var data = []inspect.Reading{
	passive("png", images, begins("\x89PNG\r\n\x1a\n"), endPNG),
	passive("jpeg", images, begins("\xff\xd8\xff"), endJPEG),
	passive("gif", images, begins("GIF8"), endGIF),
	passive("bmp", images, matchBMP, endBMP),
	passive("riff", append([]string{".wav", ".avi"}, images...), begins("RIFF"), endRIFF),
	passive("tiff", images, matchTIFF, skipAll),
	passive("flac", []string{".flac"}, begins("fLaC"), skipAll),
	passive("ogg", []string{".ogg", ".oga", ".opus"}, begins("OggS"), endOgg),
	passive("mp3", nil, begins("ID3"), skipAll),
	passive("mp4", []string{".mp4", ".m4a", ".mov"}, matchMP4, endMP4),
	passive("font", []string{".ttf", ".otf", ".woff", ".woff2", ".ttc"}, matchFont, skipAll),
	passive("orc", []string{".orc"}, begins("ORC"), skipAll),
	pdfReading, parquetReading, arrowReading, streamReading, recordsReading, wandbReading, sqliteReading, sentencepieceReading,
}

// skipAll is the end of formats that do not say where they end.
func skipAll(c *format.Cursor) { c.Skip(c.Left()) }

// endPNG goes from chunk to chunk (PNG 5.3).
func endPNG(c *format.Cursor) {
	c.Skip(8)
	c.Order = binary.BigEndian
	for c.Left() > 0 {
		n := c.U32()
		kind := c.String(4, 4)
		c.Skip(int64(n) + 4)
		if kind == "IEND" {
			return
		}
	}
	c.Fail(format.Brokenf(c.Offset(), "the image has no end"))
}

// endJPEG goes from segment to segment and through the coded data between them
// (ISO 10918-1, B.1). Cameras put several images one after another.
func endJPEG(c *format.Cursor) {
	c.Order = binary.BigEndian
	for c.Left() > 0 {
		if c.U8() != 0xff {
			continue // coded data
		}
		switch m := c.U8(); {
		case m == 0xff:
			c.Move(c.Offset() - 1)
		case m == 0xd9:
			if c.Left() < 3 || !bytes.Equal(c.Peek(3), []byte("\xff\xd8\xff")) {
				return
			}
		case m >= 0xc0 && m != 0xd8 && (m < 0xd0 || m > 0xd7) && m != 0xff:
			n := c.U16()
			if n < 2 {
				c.Fail(format.Brokenf(c.Offset(), "a segment of an image is too short"))
			}
			c.Skip(int64(n) - 2)
		}
	}
	if c.Err() == nil {
		c.Fail(format.Brokenf(c.Offset(), "the image has no end"))
	}
}

// endGIF goes from block to block (GIF89a, appendix B).
func endGIF(c *format.Cursor) {
	table := func(flags uint8) {
		if flags&0x80 != 0 {
			c.Skip(3 << (flags&7 + 1))
		}
	}
	parts := func() {
		for n := c.U8(); n > 0 && c.Err() == nil; n = c.U8() {
			c.Skip(int64(n))
		}
	}
	c.Skip(10)
	flags := c.U8()
	c.Skip(2)
	table(flags)
	for c.Err() == nil {
		switch c.U8() {
		case 0x3b:
			return
		case 0x21:
			c.Skip(1)
			parts()
		case 0x2c:
			c.Skip(8)
			table(c.U8())
			c.Skip(1)
			parts()
		default:
			c.Fail(format.Brokenf(c.Offset()-1, "a block of an image is of no known kind"))
		}
	}
}

func matchBMP(_ *inspect.File, head []byte) inspect.Fit {
	if len(head) < 18 || string(head[:2]) != "BM" || binary.LittleEndian.Uint32(head[6:]) != 0 {
		return inspect.No
	}
	return fit(slices.Contains([]uint32{12, 40, 52, 56, 64, 108, 124}, binary.LittleEndian.Uint32(head[14:])))
}

func endBMP(c *format.Cursor) {
	c.Skip(2)
	c.Move(int64(c.U32()))
}

// endRIFF is that of WAV, AVI and WebP. Chunks are of even size.
func endRIFF(c *format.Cursor) {
	c.Skip(4)
	n := int64(c.U32())
	c.Skip(n)
	if n%2 == 1 && c.Left() > 0 {
		c.Skip(1)
	}
}

func matchTIFF(_ *inspect.File, head []byte) inspect.Fit {
	return fit(bytes.HasPrefix(head, []byte("II*\x00")) || bytes.HasPrefix(head, []byte("MM\x00*")) ||
		bytes.HasPrefix(head, []byte("II+\x00")) || bytes.HasPrefix(head, []byte("MM\x00+")))
}

// endOgg goes from page to page (RFC 3533, 6).
func endOgg(c *format.Cursor) {
	for c.Left() > 0 {
		if !bytes.Equal(c.Peek(4), []byte("OggS")) {
			return
		}
		c.Skip(26)
		n := 0
		for range c.U8() {
			n += int(c.U8())
		}
		c.Skip(int64(n))
	}
}

func matchMP4(_ *inspect.File, head []byte) inspect.Fit {
	return fit(len(head) >= 12 && string(head[4:8]) == "ftyp")
}

// endMP4 goes from box to box (ISO 14496-12, 4.2).
func endMP4(c *format.Cursor) {
	c.Order = binary.BigEndian
	for c.Left() >= 8 {
		n := uint64(c.U32())
		c.Skip(4)
		head := uint64(8)
		switch n {
		case 0:
			c.Skip(c.Left())
			return
		case 1:
			n, head = c.U64(), 16
		}
		if n < head {
			c.Fail(format.Brokenf(c.Offset(), "a box is smaller than its header"))
		}
		c.Skip(c.Length(n - head))
	}
}

func matchFont(_ *inspect.File, head []byte) inspect.Fit {
	if len(head) < 12 {
		return inspect.No
	}
	switch string(head[:4]) {
	case "\x00\x01\x00\x00": // and then few tables, in the order of their names
		n := binary.BigEndian.Uint16(head[4:])
		return fit(n > 0 && n < 64 && binary.BigEndian.Uint16(head[6:])%16 == 0 && len(head) > 16 && head[12] >= ' ' && head[12] < 0x7f && head[15] >= ' ' && head[15] < 0x7f)
	case "OTTO", "wOFF", "wOF2", "ttcf":
		return inspect.Yes
	}
	return inspect.No
}
