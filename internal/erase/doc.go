// Package erase takes people out: from a request to destroyed records,
// retrained models, revoked old ones, and a certificate.
//
// An erasure goes through four states, each entered by one transaction, so that
// a kill at any moment leaves it in one of them and Resume goes on from there:
//
//	nothing     the plan is made; nothing is written but packs that nobody refers to
//	destroyed   records, outputs of every run that saw them, and keys are gone; old models are revoked
//	retrained   every model that could be made again was
//	certified   the certificate is signed
//
// In the transaction that destroys, the erasure's own document is written, with
// everything that the certificate will say about it: a record is never gone
// while nothing says so, and what is certified is gone. The identifiers are in
// no document: after the destruction nothing needs them.
package erase
