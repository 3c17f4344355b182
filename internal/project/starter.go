package project

import (
	"bytes"
	_ "embed"
)

//go:embed starter.yaml
var starter []byte

// Starter returns a commented sallyport.yaml for a project of the given name,
// which must be one that sallyport.CheckName accepts.
func Starter(name string) []byte {
	return bytes.Replace(starter, []byte("project: NAME"), []byte("project: "+name), 1)
}
