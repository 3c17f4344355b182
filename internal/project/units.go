package project

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// sizeUnits are the units of a size, longest first where one ends another.
var sizeUnits = []struct {
	name  string
	bytes float64
}{
	{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40},
	{"kB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12},
}

// parseSize reads a number with a unit, such as "4GiB" or "1.5 GB", in bytes.
// A bare number is refused: it is a mistake more often than a count of bytes.
func parseSize(s string) (int64, error) {
	for _, u := range sizeUnits {
		number, found := strings.CutSuffix(s, u.name)
		if !found {
			continue
		}
		n, err := decimal(strings.TrimSpace(number))
		if err != nil || n <= 0 || n*u.bytes < 1 || n*u.bytes >= math.MaxInt64 {
			return 0, fmt.Errorf("not a size")
		}
		return int64(n * u.bytes), nil
	}
	return 0, fmt.Errorf("not a size")
}

// decimal reads a plain decimal number: digits and at most one point.
func decimal(s string) (float64, error) {
	if s == "" || strings.Trim(s, "0123456789.") != "" {
		return 0, strconv.ErrSyntax
	}
	return strconv.ParseFloat(s, 64)
}

// parseTime reads a duration such as "30m" or "1h30m".
func parseTime(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("not a duration")
	}
	return d, nil
}
