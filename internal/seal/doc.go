// Package seal holds the keys of Sallyport and what is done with them.
//
// Three kinds of keys exist, each wrapped by the one before it:
//
//	identity   a principal's own: ECDSA P-256 to sign, age X25519 to unwrap
//	ring       a site's: AES-256, one per epoch, wrapped for the principals who may open it
//	segment    one per sealed segment: AES-256, wrapped under the ring's newest epoch
//
// Destroying an epoch of a ring destroys every segment key that was wrapped
// under it, and with them the segments, in this site and in all its backups:
// that is how erasure reaches what cannot be overwritten.
package seal
