package lockfile

import (
	"strings"

	"github.com/sallyport/sallyport/internal/lazyregexp"
)

var urlForm = lazyregexp.New(`[A-Za-z][A-Za-z0-9+.-]*://\S*`)

// elided stands for the part of a URL that may hold a secret.
const elided = "…"

// scrub takes user, password, query, fragment and what looks like a secret in the
// path out of every URL in a text.
func scrub(s string) string {
	if !strings.Contains(s, "://") {
		return s
	}
	return urlForm.Get().ReplaceAllStringFunc(s, scrubURL)
}

// scrubURL does it for one. People write passwords with slashes and other signs
// that end a URL's authority early; where an "@" may be the end of such a one,
// nothing but the scheme stays.
func scrubURL(url string) string {
	scheme, rest, _ := strings.Cut(url, "://")
	scheme += "://"
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	host, tail := rest[:end], rest[end:]
	host = host[strings.LastIndexByte(host, '@')+1:]
	checkout := strings.Contains(scheme, "+") // its path may end in "@" and a revision
	_, port, hasPort := strings.Cut(host, ":")
	odd := hasPort && strings.Trim(port, "0123456789") != "" && !strings.HasPrefix(port, "[")
	if strings.Contains(tail, "@") && (!checkout || odd || tail[0] != '/') {
		return scheme + elided
	}
	if end := strings.IndexAny(tail, "?#"); end >= 0 {
		tail = tail[:end]
	}
	return scheme + tokenForm.ReplaceAllString(host+tail, "$1/")
}

// tokenForm is a secret in a path: in channels of conda it stands behind a "t",
// and one large host of indexes has it first.
var tokenForm = lazyregexp.New(`/t/[^/]+(?:/|$)|(^dl\.cloudsmith\.io)/[0-9A-Za-z]{12,}/`)

// fragment returns the value of a key in a URL's fragment: "#egg=name".
func fragment(url, key string) string {
	_, fields, _ := strings.Cut(url, "#")
	for field := range strings.SplitSeq(fields, "&") {
		if k, v, _ := strings.Cut(field, "="); k == key {
			return v
		}
	}
	return ""
}
