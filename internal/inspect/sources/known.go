package sources

// Known reports whether a name, "os.system" or "aten::add", stands on a list of
// this package. Any other may be made up by the file.
func Known(name string) bool {
	return deeds()[name] != "" || ops()[name] != "" || classes()[name] != ""
}
