// Package protobuf walks messages in the wire format of Protocol Buffers where
// they lie in a file (protobuf.dev, "Encoding"). There is no generated code and
// no tree: a message is a part of the file with a type, whose fields are yielded
// one after another with their offsets, and large values are never read unless
// somebody asks.
//
// The types come from a Schema, a short text. With it the walk knows what every
// parser would take without a word and no honest writer writes: fields of
// another wire type, single fields that stand twice, two members of a oneof, and
// fields that the type does not have.
package protobuf
