package pickle

// An Op is an opcode.
type Op byte

// The opcodes of the protocols 0 to 5.
const (
	// protocol 0
	OpInt     Op = 'I'
	OpLong    Op = 'L'
	OpString  Op = 'S'
	OpNone    Op = 'N'
	OpUnicode Op = 'V'
	OpFloat   Op = 'F'
	OpAppend  Op = 'a'
	OpList    Op = 'l'
	OpTuple   Op = 't'
	OpDict    Op = 'd'
	OpSetitem Op = 's'
	OpPop     Op = '0'
	OpDup     Op = '2'
	OpMark    Op = '('
	OpGet     Op = 'g'
	OpPut     Op = 'p'
	OpGlobal  Op = 'c'
	OpReduce  Op = 'R'
	OpBuild   Op = 'b'
	OpInst    Op = 'i'
	OpStop    Op = '.'
	OpPersid  Op = 'P'

	// protocol 1
	OpBinint         Op = 'J'
	OpBinint1        Op = 'K'
	OpBinint2        Op = 'M'
	OpBinstring      Op = 'T'
	OpShortBinstring Op = 'U'
	OpBinunicode     Op = 'X'
	OpBinfloat       Op = 'G'
	OpEmptyList      Op = ']'
	OpAppends        Op = 'e'
	OpEmptyTuple     Op = ')'
	OpEmptyDict      Op = '}'
	OpSetitems       Op = 'u'
	OpPopMark        Op = '1'
	OpBinget         Op = 'h'
	OpLongBinget     Op = 'j'
	OpBinput         Op = 'q'
	OpLongBinput     Op = 'r'
	OpObj            Op = 'o'
	OpBinpersid      Op = 'Q'

	// protocol 2
	OpLong1    Op = 0x8a
	OpLong4    Op = 0x8b
	OpNewtrue  Op = 0x88
	OpNewfalse Op = 0x89
	OpTuple1   Op = 0x85
	OpTuple2   Op = 0x86
	OpTuple3   Op = 0x87
	OpExt1     Op = 0x82
	OpExt2     Op = 0x83
	OpExt4     Op = 0x84
	OpNewobj   Op = 0x81
	OpProto    Op = 0x80

	// protocol 3
	OpBinbytes      Op = 'B'
	OpShortBinbytes Op = 'C'

	// protocol 4
	OpBinbytes8       Op = 0x8e
	OpShortBinunicode Op = 0x8c
	OpBinunicode8     Op = 0x8d
	OpEmptySet        Op = 0x8f
	OpAdditems        Op = 0x90
	OpFrozenset       Op = 0x91
	OpMemoize         Op = 0x94
	OpStackGlobal     Op = 0x93
	OpNewobjEx        Op = 0x92
	OpFrame           Op = 0x95

	// protocol 5
	OpBytearray8     Op = 0x96
	OpNextBuffer     Op = 0x97
	OpReadonlyBuffer Op = 0x98
)

// opNames are the names that pickletools gives them.
var opNames = [256]string{
	OpInt:             "INT",
	OpLong:            "LONG",
	OpString:          "STRING",
	OpNone:            "NONE",
	OpUnicode:         "UNICODE",
	OpFloat:           "FLOAT",
	OpAppend:          "APPEND",
	OpList:            "LIST",
	OpTuple:           "TUPLE",
	OpDict:            "DICT",
	OpSetitem:         "SETITEM",
	OpPop:             "POP",
	OpDup:             "DUP",
	OpMark:            "MARK",
	OpGet:             "GET",
	OpPut:             "PUT",
	OpGlobal:          "GLOBAL",
	OpReduce:          "REDUCE",
	OpBuild:           "BUILD",
	OpInst:            "INST",
	OpStop:            "STOP",
	OpPersid:          "PERSID",
	OpBinint:          "BININT",
	OpBinint1:         "BININT1",
	OpBinint2:         "BININT2",
	OpBinstring:       "BINSTRING",
	OpShortBinstring:  "SHORT_BINSTRING",
	OpBinunicode:      "BINUNICODE",
	OpBinfloat:        "BINFLOAT",
	OpEmptyList:       "EMPTY_LIST",
	OpAppends:         "APPENDS",
	OpEmptyTuple:      "EMPTY_TUPLE",
	OpEmptyDict:       "EMPTY_DICT",
	OpSetitems:        "SETITEMS",
	OpPopMark:         "POP_MARK",
	OpBinget:          "BINGET",
	OpLongBinget:      "LONG_BINGET",
	OpBinput:          "BINPUT",
	OpLongBinput:      "LONG_BINPUT",
	OpObj:             "OBJ",
	OpBinpersid:       "BINPERSID",
	OpLong1:           "LONG1",
	OpLong4:           "LONG4",
	OpNewtrue:         "NEWTRUE",
	OpNewfalse:        "NEWFALSE",
	OpTuple1:          "TUPLE1",
	OpTuple2:          "TUPLE2",
	OpTuple3:          "TUPLE3",
	OpExt1:            "EXT1",
	OpExt2:            "EXT2",
	OpExt4:            "EXT4",
	OpNewobj:          "NEWOBJ",
	OpProto:           "PROTO",
	OpBinbytes:        "BINBYTES",
	OpShortBinbytes:   "SHORT_BINBYTES",
	OpBinbytes8:       "BINBYTES8",
	OpShortBinunicode: "SHORT_BINUNICODE",
	OpBinunicode8:     "BINUNICODE8",
	OpEmptySet:        "EMPTY_SET",
	OpAdditems:        "ADDITEMS",
	OpFrozenset:       "FROZENSET",
	OpMemoize:         "MEMOIZE",
	OpStackGlobal:     "STACK_GLOBAL",
	OpNewobjEx:        "NEWOBJ_EX",
	OpFrame:           "FRAME",
	OpBytearray8:      "BYTEARRAY8",
	OpNextBuffer:      "NEXT_BUFFER",
	OpReadonlyBuffer:  "READONLY_BUFFER",
}

// String is the opcode's name in pickletools.
func (o Op) String() string {
	if name := opNames[o]; name != "" {
		return name
	}
	return unknown
}

const unknown = "unknown opcode"
