package pep508

import (
	"slices"

	"github.com/sallyport/sallyport/internal/pep440"
)

// numbered are the variables whose values are versions.
var numbered = []string{"python_version", "python_full_version", "implementation_version", "platform_release"}

// compare is a comparison of a variable with a text, by the rules of versions
// where both are some.
func compare(left side, op string, right side) (test, error) {
	key := left.variable
	if key == "" {
		key = right.variable
	}
	if !slices.Contains(numbered, key) {
		return compareTexts(left, op, right)
	}
	if right.variable != "" {
		return compareLate(left, op, right)
	}
	clauses, err := pep440.ParseSpecifiers(op + right.literal)
	if err != nil && key == "platform_release" {
		return compareTexts(left, op, right) // a kernel is named as its maker likes
	}
	if err != nil {
		return nil, errMarker
	}
	return func(v map[string]string) bool { return within(left.value(v), clauses) }, nil
}

// compareTexts compares texts. There is no order among them: as the reference
// has it, what is neither more nor less is the same.
func compareTexts(left side, op string, right side) (test, error) {
	switch op {
	case "==", "===", "<=", ">=":
		return func(v map[string]string) bool { return left.value(v) == right.value(v) }, nil
	case "!=":
		return func(v map[string]string) bool { return left.value(v) != right.value(v) }, nil
	case "<", ">":
		return func(map[string]string) bool { return false }, nil
	}
	return nil, errMarker
}

// compareLate is a comparison whose clause is known only when the marker is
// asked: the variable stands on its right.
func compareLate(left side, op string, right side) (test, error) {
	texts, err := compareTexts(left, op, right)
	if right.variable != "platform_release" {
		if _, bad := pep440.Parse(left.literal); left.variable == "" && bad != nil {
			return nil, errMarker
		}
		err = nil
	}
	return func(v map[string]string) bool {
		clauses, bad := pep440.ParseSpecifiers(op + right.value(v))
		if bad != nil {
			return texts != nil && texts(v)
		}
		return within(left.value(v), clauses)
	}, err
}

// within reports whether the clauses take a version. A text that is none
// satisfies nothing.
func within(version string, clauses pep440.Specifiers) bool {
	v, err := pep440.Parse(version)
	return err == nil && clauses.Contains(v)
}
