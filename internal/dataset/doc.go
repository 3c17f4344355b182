// Package dataset keeps datasets: their versions, their records, and whose
// records they are.
//
// A version has two halves. The public one, a document in the ledger, says how
// much there is and commits to what it is: root = SHA-256(salt || content). The
// sealed one, the manifest, holds everything from which something could be
// guessed: salt, content hash, column names, header, schema, and where the
// records are. Only the data ring opens it, and the records.
//
// What a version adds to the one that it extends is its increment. A table is
// an increment for every time that it grew; reading a version means reading
// the increments from the first one on. A tree's increments also name the files
// of earlier ones that are gone.
//
// An increment is cut into windows of at most 16 MiB of whole records. The
// records of a window go to buckets of about 1 MiB by a keyed hash of their
// subject, the tag, and each bucket is one sealed segment: so all records that
// a window holds of one subject are in one segment, and taking a subject out
// rewrites few of them. The index says which windows hold a tag. Tags are not
// stored with the records; they follow from them.
//
// What is opened again is checked: each segment by its seal, by the head that
// says where it belongs, and by the numbers of its records, of which each must
// be there once; each file by its hash; the whole by the root.
//
// Records come back as the bytes that they were. Blank lines and line ends
// belong to the record before them. Text that is not UTF-8 is kept as it is and
// counted; NUL bytes are refused, since they mean that it is no text. A record
// without a subject is refused, since nobody could take it out again.
package dataset
