//go:build !race

package pickle

// memoryTestSize is the size of the streams that try to exhaust memory.
const memoryTestSize = 32 << 20

// defaultCases is how many streams are compared with CPython's unpicklers.
const defaultCases = 20000
