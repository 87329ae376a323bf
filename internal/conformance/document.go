package conformance

import (
	"fmt"
	"strings"
)

// Document writes docs/sql.md.
func Document(chapters []Chapter) string {
	var b strings.Builder
	b.WriteString(`# MySQL's SQL on vitessdo

Written from the cases of internal/conformance, which every build runs on one shard and on four
(` + "`go test ./internal/conformance -update`" + ` writes it anew). An example is an expression and its value; rows are
separated by "; " and values by "|".

## Differences from MySQL

`)
	for _, n := range general {
		b.WriteString("- " + n + "\n")
	}
	b.WriteString("\n| construct | difference | example | here | in MySQL |\n|---|---|---|---|---|\n")
	for _, ch := range chapters {
		for _, con := range ch.Constructs {
			differences(&b, con)
		}
	}
	for _, ch := range chapters {
		b.WriteString("\n## " + ch.Title + "\n\n| construct | examples |\n|---|---|\n")
		for _, con := range ch.Constructs {
			examples(&b, con)
		}
	}
	return b.String()
}

// general are the differences that belong to no single construct.
var general = []string{
	"Text without a collation compares byte by byte and trailing blanks count, as with utf8mb4_0900_bin; *_ci collations fold ASCII letters only. The DSN option `collation` changes the default for new columns.",
	"JSON documents are printed without blanks, and a column keeps the text that was stored; MySQL prints a blank behind : and , and sorts keys.",
	"Groups of a *_ci column show the spelling of some row of the group, as in MySQL; which one may differ from MySQL's.",
	"Times are UTC: the session's time zone can't be changed.",
}

func differences(b *strings.Builder, con Construct) {
	if len(con.Notes) == 0 {
		return
	}
	var x Case
	for _, c := range con.Cases {
		if c.MySQL != "" || x.Text == "" && strings.HasPrefix(c.Want, "error ") {
			x = c
			break
		}
	}
	fmt.Fprintf(b, "| %s | %s | %s | %s | %s |\n", cell(con.Name), cell(strings.Join(con.Notes, " ")), code(x.Text), code(x.Want), code(x.MySQL))
}

// examples are the first few answers that are as in MySQL.
func examples(b *strings.Builder, con Construct) {
	var list []string
	for _, x := range con.Cases {
		if x.MySQL == "" && !strings.HasPrefix(x.Want, "error ") && len(x.Text)+len(x.Want) < 120 && len(list) < 3 {
			list = append(list, code(x.Text)+" → "+code(x.Want))
		}
	}
	if len(list) == 0 {
		list = []string{"refused"}
	}
	fmt.Fprintf(b, "| %s | %s |\n", cell(con.Name), strings.Join(list, "<br>"))
}

func cell(s string) string { return strings.ReplaceAll(s, "|", "\\|") }

func code(s string) string {
	if s == "" {
		return ""
	}
	if strings.Contains(s, "`") {
		return "`` " + cell(s) + " ``"
	}
	return "`" + cell(s) + "`"
}
