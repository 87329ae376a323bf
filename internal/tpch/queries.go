package tpch

import (
	"embed"
	"strings"
)

//go:embed queries/*.sql
var texts embed.FS

// Query is one of the 22 queries.
type Query struct {
	Name string // q01 … q22
	SQL  string // in MySQL's dialect, with the specification's validation parameters
}

// Queries lists the 22 queries. Their answers are ordered, except where two rows
// agree in all that ORDER BY names.
func Queries() []Query {
	list, err := texts.ReadDir("queries")
	if err != nil {
		panic(err) // they are part of the program
	}
	var out []Query
	for _, f := range list {
		b, err := texts.ReadFile("queries/" + f.Name())
		if err != nil {
			panic(err)
		}
		out = append(out, Query{strings.TrimSuffix(f.Name(), ".sql"), strings.TrimSpace(string(b))})
	}
	return out
}

// Forced makes the gate gather the query's tables and answer it there, with
// none of the planner's shorter ways.
func (q Query) Forced() string {
	at := strings.Index(q.SQL, "SELECT")
	if strings.HasPrefix(q.SQL, "WITH") {
		at = strings.LastIndex(q.SQL, "\nSELECT") + 1
	}
	return q.SQL[:at] + "SELECT /*vt+ COMBINE=query */" + q.SQL[at+len("SELECT"):]
}
