// Package sallyport holds the words of Sallyport as types: principals and what
// their roles allow, references to datasets, digests, and the errors that every
// other package reports with. It imports the standard library only, so that
// anything may import it.
//
// The rest of the program stands below internal, in layers whose allowed
// imports are held as text by TestLayers in deps_test.go.
package sallyport
