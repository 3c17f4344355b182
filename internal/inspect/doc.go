// Package inspect judges files without loading them: it finds out by content
// what a file is, follows every reading that its bytes allow into containers of
// any depth, and reports what it finds as verdicts.
//
// The engine here knows no format. Packages below it each know some, and hand
// the engine their Readings; package scan puts them together. What the engine
// promises to them is bounded work, findings that are safe to print, and large
// data read once; what it promises to those who ask is that a file which no
// reading follows to its end never passes.
package inspect
