// Package archives reads what holds other files and judges nothing but the way
// it holds them: zip, tar and 7z archives and compressed streams. It also tells
// the formats that hold no model and name no code, and those that are programs,
// so that a folder with a model in it can be judged whole.
package archives

import "github.com/sallyport/sallyport/internal/inspect"

// Readings are the formats of this package.
var Readings = concat(
	[]inspect.Reading{zipReading, tarReading, sevenReading},
	streams, []inspect.Reading{storageReading}, checkpoints, programs, data, texts,
)

func concat(lists ...[]inspect.Reading) []inspect.Reading {
	var all []inspect.Reading
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}

// The rules of this package.
var (
	ruleDoubt = &inspect.Rule{
		ID: "archive-ambiguous", CWE: 436,
		Title: "Programs that read the archive may see different things in it.",
		Mend:  "unpack it and have it packed again by the library that it belongs to",
	}
	ruleOverlap = &inspect.Rule{
		ID: "archive-overlap", CWE: 409,
		Title: "Members of the archive share bytes.",
		Mend:  "do not unpack it: it is made to exhaust the one who does, or to show two things at once",
	}
	ruleDuplicate = &inspect.Rule{
		ID: "archive-duplicate", CWE: 694,
		Title: "The archive has two members of one name.",
		Mend:  "have it packed again with one of them; programs disagree which one counts",
	}
	rulePath = &inspect.Rule{
		ID: "archive-path", CWE: 22,
		Title: "A member's name leads out of the folder into which it is unpacked, or is not the same everywhere.",
		Mend:  "do not unpack it; have it packed again with plain relative names",
	}
	ruleLink = &inspect.Rule{
		ID: "archive-link", CWE: 59,
		Title: "The archive holds a link or a device.",
		Mend:  "have it packed again with files and folders only",
	}
	ruleEncrypted = &inspect.Rule{
		ID:    "encrypted",
		Title: "The data is encrypted, and so cannot be read.",
		Mend:  "decrypt it and scan what comes out",
	}
	ruleTrailing = &inspect.Rule{
		ID: "trailing-bytes", CWE: 351,
		Title: "Bytes follow the end of the format.",
		Mend:  "find out what they are and who reads them, or have the file written again",
	}
	ruleMany = &inspect.Rule{
		ID: "archive-large", CWE: 409,
		Title: "The archive has more members than can be held against each other.",
		Mend:  "have it packed as several, or have a reviewer waive this very file",
	}
	ruleProgram = &inspect.Rule{
		ID: "executable", CWE: 829,
		Title: "The file is a program or a library of machine code or byte code.",
		Mend:  "take it out; code comes in through the project and not with a model",
	}
	ruleActive = &inspect.Rule{
		ID: "active-content", CWE: 79,
		Title: "The document holds something that runs or fetches when it is opened.",
		Mend:  "have it written without scripts, actions and attachments",
	}
)

// Rules lists what this package can report.
var Rules = []*inspect.Rule{
	ruleDoubt, ruleOverlap, ruleDuplicate, rulePath, ruleLink, ruleEncrypted, ruleTrailing, ruleMany, ruleProgram, ruleActive,
}
