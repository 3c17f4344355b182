package gguf

import (
	"math"
	"math/bits"

	"github.com/sallyport/sallyport/internal/format"
)

// A layout is how a type of tensor stores its numbers: in blocks of some
// elements and some bytes.
type layout struct {
	name            string
	elements, bytes uint64
}

// layouts are the types of ggml.h by their number, with the sizes of the
// block structures in ggml-common.h. Types that were withdrawn stay, because
// files that use them do; without a name are those that no file ever had.
var layouts = [...]layout{
	0: {"F32", 1, 4}, 1: {"F16", 1, 2}, 2: {"Q4_0", 32, 18}, 3: {"Q4_1", 32, 20},
	6: {"Q5_0", 32, 22}, 7: {"Q5_1", 32, 24}, 8: {"Q8_0", 32, 34}, 9: {"Q8_1", 32, 40},
	10: {"Q2_K", 256, 84}, 11: {"Q3_K", 256, 110}, 12: {"Q4_K", 256, 144}, 13: {"Q5_K", 256, 176},
	14: {"Q6_K", 256, 210}, 15: {"Q8_K", 256, 292},
	16: {"IQ2_XXS", 256, 66}, 17: {"IQ2_XS", 256, 74}, 18: {"IQ3_XXS", 256, 98}, 19: {"IQ1_S", 256, 50},
	20: {"IQ4_NL", 32, 18}, 21: {"IQ3_S", 256, 110}, 22: {"IQ2_S", 256, 82}, 23: {"IQ4_XS", 256, 136},
	24: {"I8", 1, 1}, 25: {"I16", 1, 2}, 26: {"I32", 1, 4}, 27: {"I64", 1, 8}, 28: {"F64", 1, 8},
	29: {"IQ1_M", 256, 56}, 30: {"BF16", 1, 2},
	31: {"Q4_0_4_4", 32, 18}, 32: {"Q4_0_4_8", 32, 18}, 33: {"Q4_0_8_8", 32, 18},
	34: {"TQ1_0", 256, 54}, 35: {"TQ2_0", 256, 66},
	36: {"IQ4_NL_4_4", 32, 18}, 37: {"IQ4_NL_4_8", 32, 18}, 38: {"IQ4_NL_8_8", 32, 18},
	39: {"MXFP4", 32, 17}, 40: {"NVFP4", 64, 36}, 41: {"Q1_0", 128, 18},
}

// bytesOf is the size of a tensor's data, from its dimensions and its type.
func bytesOf(t *Tensor) (uint64, error) {
	if int(t.Type) >= len(layouts) || layouts[t.Type].name == "" {
		return 0, format.Unsupportedf(t.Off, "type %d of a tensor is not known", t.Type)
	}
	l := layouts[t.Type]
	elements := uint64(1)
	for _, d := range t.Dims {
		hi, lo := bits.Mul64(elements, d)
		if d == 0 || hi != 0 || lo > math.MaxInt64 {
			return 0, format.Brokenf(t.Off, "a tensor's dimensions are zero, or larger together than any tensor")
		}
		elements = lo
	}
	row := uint64(1)
	if len(t.Dims) > 0 {
		row = t.Dims[0]
	}
	if row%l.elements != 0 {
		return 0, format.Brokenf(t.Off, "a tensor's rows of %d elements are not whole blocks of %d", row, l.elements)
	}
	hi, lo := bits.Mul64(elements/l.elements, l.bytes)
	if hi != 0 || lo > math.MaxInt64 {
		return 0, format.Brokenf(t.Off, "a tensor is larger than any file")
	}
	return lo, nil
}
