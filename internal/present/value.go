package present

import (
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// format writes a value; typ is the column's SQL type, "" if unknown.
func format(v any, typ string) cell {
	switch v := v.(type) {
	case nil:
		return cell{text: "NULL", null: true}
	case int:
		return cell{text: strconv.Itoa(v), right: true, raw: true}
	case int64:
		return cell{text: strconv.FormatInt(v, 10), right: true, raw: true}
	case uint64:
		return cell{text: strconv.FormatUint(v, 10), right: true, raw: true}
	case float64:
		return cell{text: strconv.FormatFloat(v, 'g', -1, 64), right: true, raw: !math.IsInf(v, 0) && !math.IsNaN(v)}
	case bool:
		return cell{text: strconv.FormatBool(v), raw: true}
	case time.Time:
		if typ == "DATE" {
			return cell{text: v.Format(time.DateOnly)}
		}
		return cell{text: v.Format("2006-01-02 15:04:05.999999")}
	case []byte:
		if !printable(v) {
			return cell{text: "0x" + hex.EncodeToString(v)}
		}
		return text(string(v), typ)
	case string:
		return text(v, typ)
	}
	return cell{text: fmt.Sprint(v)}
}

func text(s, typ string) cell {
	return cell{text: s, right: typ == "DECIMAL", raw: typ == "DECIMAL" || typ == "JSON"}
}

func printable(b []byte) bool {
	if !utf8.Valid(b) {
		return false
	}
	for _, r := range string(b) {
		if !unicode.IsPrint(r) && !unicode.IsSpace(r) {
			return false
		}
	}
	return true
}

// Count writes a number of things; the word takes an s.
func Count(n int64, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return Thousands(n) + " " + what + "s"
}

// Thousands writes a number with commas.
func Thousands(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// Short writes a duration with three digits that matter.
func Short(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return fmt.Sprintf("%.3g µs", float64(d)/1e3)
	case d < time.Second:
		return fmt.Sprintf("%.3g ms", float64(d)/1e6)
	}
	return fmt.Sprintf("%.2f s", d.Seconds())
}

// Size writes a number of bytes.
func Size(n int64) string {
	switch {
	case n >= 10<<20:
		return fmt.Sprintf("%d MB", n>>20)
	case n >= 10<<10:
		return fmt.Sprintf("%d kB", n>>10)
	}
	return fmt.Sprintf("%d B", n)
}

// Bar draws n of most as a bar of up to width characters, in eighths of one.
func Bar(n, most int64, width int) string {
	if most <= 0 || n <= 0 {
		return ""
	}
	eighths := max(int(float64(n)/float64(most)*float64(width*8)+0.5), 1)
	bar := strings.Repeat("█", eighths/8)
	if rest := eighths % 8; rest > 0 {
		bar += string([]rune("▏▎▍▌▋▊▉")[rest-1])
	}
	return bar
}
