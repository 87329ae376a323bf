// Package jsontable is what the printer tells the engine of a JSON_TABLE: which
// paths make its rows, and what becomes of a value in each column. It goes as text
// in the statement, as the argument of a table-valued function.
package jsontable
