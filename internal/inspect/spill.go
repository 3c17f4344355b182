package inspect

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"io"
	"os"
)

// inMemory is how many bytes of a member stay in memory.
const inMemory = 1 << 20

// A spill keeps what is written to it, to be read at any place: the first
// bytes in memory, and all of it in a temporary file once it is larger. The file
// has no name where the system allows that, and is encrypted under a key that
// only this process ever has: members of a model may be records about people,
// and those do not lie on a disk in the clear.
//
// AES in counter mode gives random access. Nobody else can write to the file, so
// what it protects against is reading only.
type spill struct {
	temp string // folder; "": the system's
	size int64
	head []byte
	file *os.File
	aes  cipher.Block
}

func (s *spill) Write(b []byte) (int, error) {
	if s.file == nil {
		if s.size+int64(len(b)) <= inMemory {
			s.head = append(s.head, b...)
			s.size += int64(len(b))
			return len(b), nil
		}
		if err := s.toDisk(); err != nil {
			return 0, err
		}
	}
	if err := s.put(b, s.size); err != nil {
		return 0, err
	}
	s.size += int64(len(b))
	return len(b), nil
}

// toDisk moves what is in memory into a file.
func (s *spill) toDisk() error {
	key := make([]byte, 32)
	if _, err := rand.Read(key); err != nil {
		return err
	}
	var err error
	if s.aes, err = aes.NewCipher(key); err != nil {
		return err
	}
	if s.file, err = os.CreateTemp(s.temp, "sallyport-scan-*"); err != nil {
		return fmt.Errorf("no room to unpack a member: %w", err)
	}
	os.Remove(s.file.Name()) // where files can be open without a name; Close does it elsewhere
	head := s.head
	s.head = nil
	return s.put(head, 0)
}

// put writes b, which it does not change, at off.
func (s *spill) put(b []byte, off int64) error {
	sealed := make([]byte, len(b))
	s.crypt(sealed, b, off)
	_, err := s.file.WriteAt(sealed, off)
	return err
}

// ReadAt reads what was written, after the last Write.
func (s *spill) ReadAt(b []byte, off int64) (int, error) {
	if s.file == nil {
		n := 0
		if off < int64(len(s.head)) {
			n = copy(b, s.head[off:])
		}
		if n < len(b) {
			return n, io.EOF
		}
		return n, nil
	}
	n, err := s.file.ReadAt(b, off)
	s.crypt(b[:n], b[:n], off)
	return n, err
}

// crypt en- or decrypts b as the bytes from off on.
func (s *spill) crypt(dst, b []byte, off int64) {
	var counter [aes.BlockSize]byte
	binary.BigEndian.PutUint64(counter[8:], uint64(off/aes.BlockSize))
	stream := cipher.NewCTR(s.aes, counter[:])
	if skip := off % aes.BlockSize; skip > 0 {
		var before [aes.BlockSize]byte
		stream.XORKeyStream(before[:skip], before[:skip])
	}
	stream.XORKeyStream(dst, b)
}

// Close forgets everything.
func (s *spill) Close() error {
	s.head = nil
	if s.file == nil {
		return nil
	}
	err := s.file.Close()
	os.Remove(s.file.Name())
	return err
}
