// Package ledger is the append-only Merkle log of all evidence and decisions,
// and the only way to change an object of a site.
//
// Every durable thing (principal, dataset, version, environment, run, evidence)
// is an object: one JSON document under a kind and an id. A change writes the
// document and, in the same transaction, one entry whose leaf holds the SHA-256
// of the document; the transaction ends with a checkpoint over the whole tree,
// signed by the site. So there is no event without an entry, and
//
//   - a changed document differs from its leaf,
//   - a changed leaf is not in the tree,
//   - a changed tree is not the one of the signed checkpoint,
//   - a ledger that was set back is smaller than the checkpoint remembered
//     outside the database.
//
// Get and Each check the first three for everything that they read; Verify
// checks all four for everything there is.
//
// A leaf names principals and things, never people: the digest covers a random
// salt beside the document, so that it tells nothing about a document once both
// are deleted, and the tree stays whole.
//
// Trees are RFC 6962's, checkpoints, proofs and exports are C2SP's (signed-note,
// tlog-checkpoint, tlog-proof, tlog-tiles), so that other tools verify them.
package ledger
