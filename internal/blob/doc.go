// Package blob keeps sealed bytes: segments, each under a key of its own, in
// packs of about 64 MiB. What a segment holds is the business of its writer;
// where it lies and its wrapped key is a row of the site's state.
//
// A pack is a file named by 128 random bits in hex, with the suffix ".pack":
//
//	0    16  "sallyport pack\n" and the format version, one byte, 1
//	16   16  the pack's name as bytes
//	32   …   sealed segments without gaps
//
// A sealed segment is nonce (12), ciphertext, tag (16) of AES-256-GCM under the
// segment's key, with "segment NAME OFFSET" as associated data, so that a
// segment opens only where it was written. Its plaintext is a frame:
//
//	0    1   method: 0 as is, 1 an S2 block (an extension of Snappy)
//	1    4   length of the segment's bytes, big endian
//	5    4   length of the payload, big endian
//	9    …   payload, then zeros up to the length that seal.PadTo gives
//
// Lengths on disk are padded because the length of compressed bytes says
// something about them; which segment is whose, only the state says.
//
// Nothing is ever overwritten. A pack is written under a temporary name,
// synced, renamed, and the folder synced, before the transaction that refers
// to it begins. A process killed at any moment leaves packs that nobody refers
// to, which Sweep removes.
package blob
