package sqlite

import "strings"

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
