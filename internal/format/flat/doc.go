// Package flat reads FlatBuffers where they lie in a file, without generated
// code (flatbuffers.dev, "FlatBuffer Internals"). Every table, virtual table,
// vector and string is checked to lie within the buffer before it is used.
//
// Offsets to tables, vectors and strings only lead forward, so no walk along
// them goes in a circle. They may lead to one place many times, which makes a
// small buffer a large tree; so the tables that are visited are counted against
// what a buffer of its size can hold.
package flat
