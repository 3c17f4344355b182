// Package scan tells whether a model file can do harm when it is loaded,
// without loading it.
//
// A Scanner reads files, folders and bytes in memory. It finds out by content
// what each file is, follows archives and compressed files to any depth, and
// returns a Report with a Verdict and Findings for each:
//
//	s := scan.New(scan.Options{})
//	report, err := s.Bytes(ctx, "model.pkl", data)
//	if err != nil || !report.Verdict.Passes() {
//		// do not load it
//	}
//
// Only Inert and Allowed pass. A file that names code passes only if all of it
// is on a list of exact names, each with the arguments it may be used with; a
// file that could not be read to its end, or whose format nobody knows, is
// Inconclusive and does not pass. An error means that the file itself could not
// be read, or that the context ended.
//
// Memory stays within some tens of MiB whatever the files' sizes; large data is
// read once. What does not fit in memory while an archive is unpacked lies in
// nameless temporary files, encrypted under a key that is never stored.
package scan
