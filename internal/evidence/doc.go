// Package evidence writes and checks what a model is released on: in-toto
// statements in DSSE envelopes, SLSA provenance of runs, and OpenSSF Model
// Signing bundles. It emits the one shape of each that other people's
// verifiers accept, and reads all that the specifications allow.
//
// Sources: DSSE 1.0.2, in-toto Attestation Framework v1, SLSA Provenance v1,
// OpenSSF Model Signing v1.0, Sigstore bundle v0.3.
//
// Nothing that is signed is interpreted before its signature has verified
// against a key that the caller brought. Key hints found in evidence choose
// the words of an error and nothing else.
package evidence
