package sqlite

import (
	"strconv"
	"strings"
)

// Past gives where the literal, quoted name or comment ends that begins at byte i of
// SQL text; i+1 where none does. A quote that is doubled begins the next piece.
func Past(text string, i int) int {
	end := ""
	switch c := text[i]; {
	case c == '\'' || c == '"' || c == '`':
		end = text[i : i+1]
	case strings.HasPrefix(text[i:], "--"):
		end = "\n"
	case strings.HasPrefix(text[i:], "/*"):
		end = "*/"
		i++
	default:
		return i + 1
	}
	if at := strings.Index(text[i+1:], end); at >= 0 {
		return i + 1 + at + len(end)
	}
	return len(text)
}

// Dense renumbers the parameters of a statement from 1 on, and says which argument
// each one takes.
func Dense(text string) (string, []int) {
	var b strings.Builder
	var args []int
	number := map[int]int{}
	at := 0
	for i := 0; i < len(text); {
		if text[i] != '?' {
			i = Past(text, i)
			continue
		}
		end := i + 1
		for end < len(text) && text[end] >= '0' && text[end] <= '9' {
			end++
		}
		n, err := strconv.Atoi(text[i+1 : end])
		if err != nil {
			n = len(args) + 1
		}
		if number[n] == 0 {
			args = append(args, n-1)
			number[n] = len(args)
		}
		b.WriteString(text[at:i])
		b.WriteByte('?')
		b.WriteString(strconv.Itoa(number[n]))
		i, at = end, end
	}
	return b.String() + text[at:], args
}
