package vitessdo

import (
	"database/sql"
	"testing"
)

// TestJSONMeetsArguments compares parts of documents with arguments as with literals.
func TestJSONMeetsArguments(t *testing.T) {
	db := memDB(t, "", "CREATE TABLE d (id BIGINT PRIMARY KEY, data JSON)",
		`INSERT INTO d VALUES (1, '{"name": "Ann", "n": 7, "ok": true, "f": 1.5}'), (2, '{"name": "Bob", "n": 8}'), (3, '{"name": "Cyd", "n": "7"}')`)
	for _, x := range []struct {
		where string
		args  []any
		ids   string
	}{
		{"JSON_EXTRACT(data, '$.name') = ?", []any{"Ann"}, "1"},
		{"? = data->'$.name'", []any{"Ann"}, "1"},
		{"JSON_EXTRACT(data, ?) = ?", []any{"$.name", "Bob"}, "2"},
		{"JSON_EXTRACT(data, ?) <> ?", []any{"$.name", "Bob"}, "1 3"},
		{"JSON_EXTRACT(data, ?) = ?", []any{"$.name", []byte("Bob")}, "2"},
		{"JSON_EXTRACT(data, ?) = ?", []any{"$.n", 7}, "1"},
		{"data->'$.n' = ?", []any{"7"}, "3"},
		{"data->'$.f' > ?", []any{1.25}, "1"},
		{"data->'$.ok' = ?", []any{true}, "1"},
		{"data->'$.name' IN (?, ?)", []any{"Ann", "Cyd"}, "1 3"},
		{"data->'$.n' BETWEEN ? AND ?", []any{8, 9}, "2"},
		{"data->>'$.name' = ?", []any{"Bob"}, "2"},
		{"CASE data->'$.name' WHEN ? THEN 1 END", []any{"Bob"}, "2"},
	} {
		want(t, db, x.ids, "SELECT id FROM d WHERE "+x.where+" ORDER BY id", x.args...)
	}
	want(t, db, "1|0", "SELECT data->'$.name' = :x, data->'$.name' = 'x' FROM d WHERE data->'$.name' = :x", sql.Named("x", "Ann"))
	do(t, db, "INSERT INTO d VALUES (?, ?)", 4, `{"name": "Dan"}`)
	do(t, db, "UPDATE d SET data = ? WHERE data->'$.name' = ?", `{"name": "Eve"}`, "Dan")
	want(t, db, `{"name": "Eve"}`, "SELECT data FROM d WHERE id = 4")
}
