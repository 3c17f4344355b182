// Package run executes a project's stages on fixed inputs and keeps the record
// from which they can be executed again: code, environment, data, parameters,
// what each stage used, tried and wrote. It signs what came out of it and puts
// record and evidence into the ledger in one transaction.
package run
