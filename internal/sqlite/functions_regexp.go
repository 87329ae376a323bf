package sqlite

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/ncruces/go-sqlite3"
)

var regexpFunctions = []function{
	{"regexp", []int{2}, strict(regexpMatch)},
	{"regexp_like", []int{2, 3}, strict(regexpLike)},
	{"regexp_replace", []int{3, 4, 5, 6}, strict(regexpReplace)},
	{"regexp_substr", []int{2, 3, 4, 5}, strict(regexpSubstr)},
	{"regexp_instr", []int{2, 3, 4, 5, 6}, strict(regexpInstr)},
}

// compiled gives the regular expression in argument i, with the match type's
// flags in argument flags, if there is one; SQLite keeps it as long as the
// pattern stays the same.
func compiled(ctx sqlite3.Context, arg []sqlite3.Value, i, flags int) (*regexp.Regexp, bool) {
	type kept struct {
		re    *regexp.Regexp
		flags string
	}
	prefix := ""
	if flags < len(arg) {
		var err error
		if prefix, err = matchType(arg[flags].Text()); err != nil {
			ctx.ResultError(err)
			return nil, false
		}
	}
	if k, ok := ctx.GetAuxData(i).(kept); ok && k.flags == prefix {
		return k.re, true
	}
	re, err := regexp.Compile(prefix + arg[i].Text())
	if err != nil {
		ctx.ResultError(err)
		return nil, false
	}
	ctx.SetAuxData(i, kept{re, prefix})
	return re, true
}

// matchType makes flags of MySQL's letters: c and i for case, the last one
// counts; m lets ^ and $ match at line ends, n lets . match them. u is how
// line ends are told here anyway.
func matchType(letters string) (string, error) {
	on := map[rune]bool{}
	for _, r := range letters {
		switch r {
		case 'i':
			on['i'] = true
		case 'c':
			on['i'] = false
		case 'm':
			on['m'] = true
		case 'n':
			on['s'] = true
		case 'u':
		default:
			return "", fmt.Errorf("incorrect arguments to a regular expression function: match type %q", letters)
		}
	}
	flags := ""
	for _, r := range "ims" {
		if on[r] {
			flags += string(r)
		}
	}
	if flags == "" {
		return "", nil
	}
	return "(?" + flags + ")", nil
}

// regexpMatch is x REGEXP y, which SQLite calls as regexp(y, x).
func regexpMatch(ctx sqlite3.Context, arg ...sqlite3.Value) {
	if re, ok := compiled(ctx, arg, 0, len(arg)); ok {
		ctx.ResultBool(re.Match(arg[1].RawText()))
	}
}

func regexpLike(ctx sqlite3.Context, arg ...sqlite3.Value) {
	if re, ok := compiled(ctx, arg, 1, 2); ok {
		ctx.ResultBool(re.Match(arg[0].RawText()))
	}
}

// splitAt cuts text before the character at position pos, counted from 1.
func splitAt(ctx sqlite3.Context, text string, pos int64) (head, tail string, ok bool) {
	if pos < 1 || pos > int64(utf8.RuneCountInString(text))+1 {
		ctx.ResultError(fmt.Errorf("index %d out of bounds in a regular expression search", pos))
		return "", "", false
	}
	at := 0
	for ; pos > 1; pos-- {
		_, n := utf8.DecodeRuneInString(text[at:])
		at += n
	}
	return text[:at], text[at:], true
}

// nth finds a pattern's occurrence, counted from 1, in the text from pos on.
func nth(ctx sqlite3.Context, re *regexp.Regexp, text string, pos, occurrence int64) (head, tail string, at []int, ok bool) {
	head, tail, ok = splitAt(ctx, text, pos)
	if !ok {
		return
	}
	n := max(occurrence, 1)
	if all := re.FindAllStringIndex(tail, int(min(n, 1<<30))); int64(len(all)) >= n {
		at = all[n-1]
	}
	return
}

// regexpReplace is REGEXP_REPLACE(x, pattern, replacement[, pos[, occurrence[,
// match_type]]]); occurrence 0 is all.
func regexpReplace(ctx sqlite3.Context, arg ...sqlite3.Value) {
	re, ok := compiled(ctx, arg, 1, 5)
	if !ok {
		return
	}
	occurrence := optInt(arg, 4, 0)
	head, tail, at, ok := nth(ctx, re, arg[0].Text(), optInt(arg, 3, 1), occurrence)
	if !ok {
		return
	}
	by := replacement(arg[2].Text())
	if occurrence < 1 {
		ctx.ResultText(head + re.ReplaceAllString(tail, by))
		return
	}
	if at == nil {
		ctx.ResultText(head + tail)
		return
	}
	var out []byte
	for _, m := range re.FindAllStringSubmatchIndex(tail, -1) {
		if m[0] == at[0] && m[1] == at[1] {
			out = re.ExpandString(out, by, tail, m)
		}
	}
	ctx.ResultText(head + tail[:at[0]] + string(out) + tail[at[1]:])
}

// replacement puts MySQL's $1 and \ into Go's spelling: ${1}, and $$ for a
// dollar that a backslash makes an ordinary one.
func replacement(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && i+1 < len(s):
			i++
			if s[i] == '$' {
				b.WriteByte('$')
			}
			b.WriteByte(s[i])
		case c == '$' && i+1 < len(s) && s[i+1] >= '0' && s[i+1] <= '9':
			b.WriteString("${" + s[i+1:i+2] + "}")
			i++
		case c == '$':
			b.WriteString("$$")
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// regexpSubstr is REGEXP_SUBSTR(x, pattern[, pos[, occurrence[, match_type]]]).
func regexpSubstr(ctx sqlite3.Context, arg ...sqlite3.Value) {
	re, ok := compiled(ctx, arg, 1, 4)
	if !ok {
		return
	}
	if _, tail, at, ok := nth(ctx, re, arg[0].Text(), optInt(arg, 2, 1), optInt(arg, 3, 1)); ok && at != nil {
		ctx.ResultText(tail[at[0]:at[1]])
	}
}

// regexpInstr is REGEXP_INSTR(x, pattern[, pos[, occurrence[, return_option[,
// match_type]]]]).
func regexpInstr(ctx sqlite3.Context, arg ...sqlite3.Value) {
	re, ok := compiled(ctx, arg, 1, 5)
	if !ok {
		return
	}
	head, tail, at, ok := nth(ctx, re, arg[0].Text(), optInt(arg, 2, 1), optInt(arg, 3, 1))
	switch {
	case !ok:
	case at == nil:
		ctx.ResultInt(0)
	case optInt(arg, 4, 0) != 0:
		ctx.ResultInt(utf8.RuneCountInString(head+tail[:at[1]]) + 1)
	default:
		ctx.ResultInt(utf8.RuneCountInString(head+tail[:at[0]]) + 1)
	}
}
