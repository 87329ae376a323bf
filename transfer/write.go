package transfer

import (
	"bufio"
	"bytes"
	"database/sql"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// form is what the values of a column are written as.
type form int

const (
	formText form = iota
	formNumber
	formBlob
	formJSON
)

func formOf(t *sql.ColumnType) form {
	name := strings.ToUpper(t.DatabaseTypeName())
	switch {
	case strings.HasSuffix(name, "BLOB"), strings.HasSuffix(name, "BINARY"):
		return formBlob
	case name == "JSON":
		return formJSON
	case strings.HasSuffix(name, "INT"), name == "DOUBLE", name == "FLOAT", name == "YEAR", name == "BIT":
		return formNumber
	}
	return formText
}

// textOf writes a value that is no BLOB.
func textOf(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case []byte:
		return string(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case uint64:
		return strconv.FormatUint(v, 10)
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	case float32:
		return strconv.FormatFloat(float64(v), 'g', -1, 32)
	case bool:
		if v {
			return "1"
		}
		return "0"
	}
	return fmt.Sprint(v)
}

// momentText writes a time as a column of that type does.
func momentText(at time.Time, t *sql.ColumnType) string {
	if strings.EqualFold(t.DatabaseTypeName(), "DATE") {
		return at.Format("2006-01-02")
	}
	return at.Format("2006-01-02 15:04:05.999999")
}

func bytesOf(v any) []byte {
	if b, ok := v.([]byte); ok {
		return b
	}
	return []byte(textOf(v))
}

// csvWriter writes CSV: what would be taken for something else is quoted.
type csvWriter struct {
	w     *bufio.Writer
	text  Text
	forms []form
}

func (c *csvWriter) begin(columns []*sql.ColumnType, on bool) error {
	for i, t := range columns {
		c.forms = append(c.forms, formOf(t))
		if c.text.NoHeader || on {
			continue
		}
		c.between(i)
		c.field(t.Name())
	}
	if c.text.NoHeader || on {
		return nil
	}
	return c.w.WriteByte('\n')
}

func (c *csvWriter) between(i int) {
	if i > 0 {
		_ = c.w.WriteByte(c.text.Delimiter) // the writer keeps its error
	}
}

func (c *csvWriter) field(text string) {
	special := text == "" || text == c.text.Null || text[0] == ' ' || text[len(text)-1] == ' '
	for i := 0; i < len(text) && !special; i++ {
		b := text[i]
		special = b == c.text.Delimiter || b == '"' || b == '\n' || b == '\r'
	}
	if !special {
		_, _ = c.w.WriteString(text)
		return
	}
	_ = c.w.WriteByte('"')
	_, _ = c.w.WriteString(strings.ReplaceAll(text, `"`, `""`))
	_ = c.w.WriteByte('"')
}

func (c *csvWriter) row(values []any) error {
	for i, v := range values {
		c.between(i)
		switch {
		case v == nil:
			_, _ = c.w.WriteString(c.text.Null)
		case c.forms[i] == formBlob:
			c.field(c.text.Blob.encode(bytesOf(v)))
		default:
			c.field(textOf(v))
		}
	}
	return c.w.WriteByte('\n')
}

func (c *csvWriter) end() error { return nil }

// jsonWriter writes an object a line.
type jsonWriter struct {
	w     *bufio.Writer
	blob  Encoding
	forms []form
	keys  [][]byte
}

func (j *jsonWriter) begin(columns []*sql.ColumnType, _ bool) error {
	for i, t := range columns {
		key, err := json.Marshal(t.Name())
		if err != nil {
			return err
		}
		lead := byte(',')
		if i == 0 {
			lead = '{'
		}
		j.keys = append(j.keys, append(append([]byte{lead}, key...), ':'))
		j.forms = append(j.forms, formOf(t))
	}
	return nil
}

func (j *jsonWriter) row(values []any) error {
	for i, v := range values {
		_, _ = j.w.Write(j.keys[i])
		if err := j.value(j.forms[i], v); err != nil {
			return err
		}
	}
	_, err := j.w.WriteString("}\n")
	return err
}

func (j *jsonWriter) value(f form, v any) error {
	if v == nil {
		_, err := j.w.WriteString("null")
		return err
	}
	text := ""
	switch f {
	case formNumber:
		text = textOf(v)
		if x, ok := v.(float64); ok && (math.IsInf(x, 0) || math.IsNaN(x)) {
			return fmt.Errorf("%v has no number in JSON", x)
		}
		if _, err := strconv.ParseFloat(text, 64); err == nil && json.Valid([]byte(text)) {
			_, err := j.w.WriteString(text)
			return err
		}
	case formJSON:
		text = textOf(v)
		if json.Valid([]byte(text)) {
			_, err := j.w.WriteString(strings.ReplaceAll(text, "\n", " ")) // a line break is between its tokens
			return err
		}
	case formBlob:
		text = j.blob.encode(bytesOf(v))
	default:
		text = textOf(v)
	}
	if !utf8.ValidString(text) {
		return fmt.Errorf("%.40q is no valid UTF-8, and has no string in JSON; write CSV or a dump", text)
	}
	b, err := marshal(text)
	if err == nil {
		_, err = j.w.Write(b)
	}
	return err
}

// marshal writes a string without escaping what only HTML minds.
func marshal(text string) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(text)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

func (j *jsonWriter) end() error { return nil }
