package sqlite

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/ncruces/go-sqlite3"
)

var textFunctions = []function{
	{"like_bin", []int{3}, strict(likeBin)},
	{"like_to_glob", []int{2}, strict(likeToGlob)},
	{"upper", []int{1}, strict(upper)},
	{"lower", []int{1}, strict(lower)},
	{"substring_index", []int{3}, strict(substringIndex)},
	{"find_in_set", []int{2}, strict(findInSet)},
	{"lpad", []int{3}, strict(func(c sqlite3.Context, a ...sqlite3.Value) { pad(c, a, true) })},
	{"rpad", []int{3}, strict(func(c sqlite3.Context, a ...sqlite3.Value) { pad(c, a, false) })},
	{"reverse", []int{1}, strict(reverse)},
	{"repeat", []int{2}, strict(repeat)},
	{"space", []int{1}, strict(space)},
	{"locate", []int{3}, strict(locate)},
	{"insert_str", []int{4}, strict(insertStr)},
	{"ascii_code", []int{1}, strict(asciiCode)},
	{"bit_length", []int{1}, strict(func(c sqlite3.Context, a ...sqlite3.Value) { c.ResultInt(8 * len(a[0].RawText())) })},
	{"trim_word", []int{2}, strict(func(c sqlite3.Context, a ...sqlite3.Value) { trimWord(c, a, true, true) })},
	{"ltrim_word", []int{2}, strict(func(c sqlite3.Context, a ...sqlite3.Value) { trimWord(c, a, true, false) })},
	{"rtrim_word", []int{2}, strict(func(c sqlite3.Context, a ...sqlite3.Value) { trimWord(c, a, false, true) })},
	{"soundex", []int{1}, strict(soundex)},
}

// maxText bounds what the functions that multiply text make of it.
const maxText = 64 << 20

// likeBin is subject LIKE pattern ESCAPE escape, with regard to case:
// like_bin(pattern, subject, escape).
func likeBin(ctx sqlite3.Context, arg ...sqlite3.Value) {
	escape, _ := utf8.DecodeRuneInString(arg[2].Text())
	ctx.ResultBool(likeMatch(arg[0].Text(), arg[1].Text(), escape))
}

// likeMatch matches with one point of return: a later % makes an earlier one's
// choice final.
func likeMatch(pattern, text string, escape rune) bool {
	backPattern, backText, starred := "", "", false
	for {
		if pattern == "" && text == "" {
			return true
		}
		r, n := utf8.DecodeRuneInString(pattern)
		literal := false
		if n > 0 && r == escape && len(pattern) > n {
			pattern = pattern[n:]
			r, n = utf8.DecodeRuneInString(pattern)
			literal = true
		}
		if n > 0 && r == '%' && !literal {
			pattern = pattern[n:]
			backPattern, backText, starred = pattern, text, true
			continue
		}
		t, m := utf8.DecodeRuneInString(text)
		if n > 0 && m > 0 && (r == t || r == '_' && !literal) {
			pattern, text = pattern[n:], text[m:]
			continue
		}
		if !starred || backText == "" {
			return false
		}
		_, m = utf8.DecodeRuneInString(backText)
		backText = backText[m:]
		pattern, text = backPattern, backText
	}
}

// likeToGlob translates a LIKE pattern: like_to_glob(pattern, escape).
func likeToGlob(ctx sqlite3.Context, arg ...sqlite3.Value) {
	escape, _ := utf8.DecodeRuneInString(arg[1].Text())
	var b strings.Builder
	escaped := false
	for _, r := range arg[0].Text() {
		switch {
		case !escaped && r == escape:
			escaped = true
			continue
		case !escaped && r == '%':
			b.WriteByte('*')
		case !escaped && r == '_':
			b.WriteByte('?')
		case r == '*' || r == '?' || r == '[':
			b.WriteByte('[')
			b.WriteRune(r)
			b.WriteByte(']')
		default:
			b.WriteRune(r)
		}
		escaped = false
	}
	if escaped {
		b.WriteRune(escape)
	}
	ctx.ResultText(b.String())
}

func upper(ctx sqlite3.Context, arg ...sqlite3.Value) { ctx.ResultText(strings.ToUpper(arg[0].Text())) }
func lower(ctx sqlite3.Context, arg ...sqlite3.Value) { ctx.ResultText(strings.ToLower(arg[0].Text())) }

func substringIndex(ctx sqlite3.Context, arg ...sqlite3.Value) {
	text, sep, n := arg[0].Text(), arg[1].Text(), arg[2].Int64()
	if sep == "" || n == 0 {
		ctx.ResultText("")
		return
	}
	at := 0
	for ; n > 0; n-- {
		i := strings.Index(text[at:], sep)
		if i < 0 {
			ctx.ResultText(text)
			return
		}
		at += i + len(sep)
		if n == 1 {
			ctx.ResultText(text[:at-len(sep)])
			return
		}
	}
	end := len(text)
	for ; n < 0; n++ {
		i := strings.LastIndex(text[:end], sep)
		if i < 0 {
			ctx.ResultText(text)
			return
		}
		end = i
	}
	ctx.ResultText(text[end+len(sep):])
}

func findInSet(ctx sqlite3.Context, arg ...sqlite3.Value) {
	word, set := arg[0].Text(), arg[1].Text()
	if set == "" || strings.Contains(word, ",") {
		ctx.ResultInt(0)
		return
	}
	for i := 1; ; i++ {
		member, rest, more := strings.Cut(set, ",")
		if member == word {
			ctx.ResultInt(i)
			return
		}
		if !more {
			ctx.ResultInt(0)
			return
		}
		set = rest
	}
}

func pad(ctx sqlite3.Context, arg []sqlite3.Value, left bool) {
	text, n, fill := []rune(arg[0].Text()), arg[1].Int64(), []rune(arg[2].Text())
	if n < 0 || n > maxText {
		return
	}
	if int64(len(text)) >= n {
		ctx.ResultText(string(text[:n]))
		return
	}
	if len(fill) == 0 {
		ctx.ResultText("")
		return
	}
	filler := make([]rune, n-int64(len(text)))
	for i := range filler {
		filler[i] = fill[i%len(fill)]
	}
	if left {
		ctx.ResultText(string(filler) + string(text))
		return
	}
	ctx.ResultText(string(text) + string(filler))
}

func reverse(ctx sqlite3.Context, arg ...sqlite3.Value) {
	r := []rune(arg[0].Text())
	for i, j := 0, len(r)-1; i < j; i, j = i+1, j-1 {
		r[i], r[j] = r[j], r[i]
	}
	ctx.ResultText(string(r))
}

func repeat(ctx sqlite3.Context, arg ...sqlite3.Value) {
	text, n := arg[0].Text(), max(arg[1].Int64(), 0)
	if len(text) > 0 && n > int64(maxText/len(text)) {
		return // NULL, as MySQL beyond max_allowed_packet
	}
	if len(text) == 0 {
		n = 0
	}
	ctx.ResultText(strings.Repeat(text, int(n)))
}

func space(ctx sqlite3.Context, arg ...sqlite3.Value) {
	n := max(arg[0].Int64(), 0)
	if n <= maxText {
		ctx.ResultText(strings.Repeat(" ", int(n)))
	}
}

// locate(sub, text, from) counts characters from 1.
func locate(ctx sqlite3.Context, arg ...sqlite3.Value) {
	sub, text, from := arg[0].Text(), arg[1].Text(), arg[2].Int64()
	if from < 1 {
		ctx.ResultInt(0)
		return
	}
	at := 0
	for n := int64(1); n < from; n++ {
		if at >= len(text) {
			ctx.ResultInt(0)
			return
		}
		_, size := utf8.DecodeRuneInString(text[at:])
		at += size
	}
	i := strings.Index(text[at:], sub)
	if i < 0 {
		ctx.ResultInt(0)
		return
	}
	ctx.ResultInt64(from + int64(utf8.RuneCountInString(text[at:at+i])))
}

// insertStr is MySQL's INSERT(text, pos, length, new).
func insertStr(ctx sqlite3.Context, arg ...sqlite3.Value) {
	text, pos, n := []rune(arg[0].Text()), arg[1].Int64(), arg[2].Int64()
	if pos < 1 || pos > int64(len(text)) {
		ctx.ResultText(string(text))
		return
	}
	end := int64(len(text))
	if n >= 0 && n < end-(pos-1) {
		end = pos - 1 + n
	}
	ctx.ResultText(string(text[:pos-1]) + arg[3].Text() + string(text[end:]))
}

func asciiCode(ctx sqlite3.Context, arg ...sqlite3.Value) {
	if b := arg[0].RawText(); len(b) > 0 {
		ctx.ResultInt(int(b[0]))
		return
	}
	ctx.ResultInt(0)
}

// trimWord removes a word from the ends as often as it stands there.
func trimWord(ctx sqlite3.Context, arg []sqlite3.Value, left, right bool) {
	text, word := arg[0].Text(), arg[1].Text()
	for word != "" && left && strings.HasPrefix(text, word) {
		text = text[len(word):]
	}
	for word != "" && right && strings.HasSuffix(text, word) {
		text = text[:len(text)-len(word)]
	}
	ctx.ResultText(text)
}

// soundex is of any length in MySQL, and counts a letter's neighbours without
// regard to vowels between them.
func soundex(ctx sqlite3.Context, arg ...sqlite3.Value) {
	const codes = "01230120022455012623010202" // A to Z
	var b strings.Builder
	last := byte('0')
	for _, r := range arg[0].Text() {
		if !unicode.IsLetter(r) {
			continue
		}
		r = unicode.ToUpper(r)
		code := byte('0')
		if r >= 'A' && r <= 'Z' {
			code = codes[r-'A']
		}
		switch {
		case b.Len() == 0:
			b.WriteRune(r)
			last = code
		case code != '0' && code != last:
			b.WriteByte(code)
			last = code
		}
	}
	s := b.String()
	for s != "" && utf8.RuneCountInString(s) < 4 {
		s += "0"
	}
	ctx.ResultText(s)
}
