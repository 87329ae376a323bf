package sqlparse

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/vitessdo/vitessdo/sqlast"
)

func TestNormalize(t *testing.T) {
	tests := []struct {
		text, key string
		args      []any
	}{
		{"select a from t where id = 5", "select a from t where id = ?", []any{int64(5)}},
		{"select a from t where id = '5'", "select a from t where id = ? ", []any{"5"}},
		{"select a from t where id = -5 and b <> 'it''s' or c>=3", "select a from t where id = ? and b <> ?  or c>=?", []any{int64(-5), "it's", int64(3)}},
		{`select a from t where s = 'a\n\'b'`, "select a from t where s = ? ", []any{"a\n'b"}},
		{"select 1, 'x' from t where a=1 order by 2 limit 10", "select 1, 'x' from t where a=? order by 2 limit ?", []any{int64(1), int64(10)}},
		{"select a from t limit 5 offset 3", "select a from t limit ? offset 3", []any{int64(5)}},
		{"select a from t where x=1 limit 5, 3", "select a from t where x=? limit 5, 3", []any{int64(1)}},
		{"select a from t where id in (1, -2,3)", "select a from t where id in (?, ?,?)", []any{int64(1), int64(-2), int64(3)}},
		{"select a from t where id in (1, b, 3) and c=4", "select a from t where id in (1, b, 3) and c=?", []any{int64(4)}},
		{"select a from t where id in (select b from u where c = 1)", "select a from t where id in (select b from u where c = ?)", []any{int64(1)}},
		{"select a from t where a = 1 + 2 and b = 3", "select a from t where a = 1 + 2 and b = ?", []any{int64(3)}},
		{"select a from t where a = 1.50 and b = 3", "select a from t where a = 1.50 and b = ?", []any{int64(3)}},
		{"select a from t where a = 'x' 'y' and b = 3", "select a from t where a = 'x' 'y' and b = ?", []any{int64(3)}},
		{"select a from t where a = 'x' collate utf8mb4_bin and b = 3", "select a from t where a = 'x' collate utf8mb4_bin and b = ?", []any{int64(3)}},
		{"select a from t where a = NULL and d = DATE '2020-01-01' and b = 3", "select a from t where a = NULL and d = DATE '2020-01-01' and b = ?", []any{int64(3)}},
		{"select a from t where j->'$.a' = 'x' and a>>1 = 2", "select a from t where j->'$.a' = ?  and a>>1 = ?", []any{"x", int64(2)}},
		{"select (select x from u where y = 5) from t where z = 6", "select (select x from u where y = 5) from t where z = ?", []any{int64(6)}},
		{"select a from t where b = 1 group by a having a = 2 order by a = 3", "select a from t where b = ? group by a having a = 2 order by a = 3", []any{int64(1)}},
		{"select a from (select b from t where c = 1) d where e=2", "select a from (select b from t where c = ?) d where e=?", []any{int64(1), int64(2)}},
		{"select a from t where b=1 union select 2 from u where c=3", "select a from t where b=? union select 2 from u where c=?", []any{int64(1), int64(3)}},
		{"select a from t where b between 1 and 2 and c=3", "select a from t where b between 1 and 2 and c=?", []any{int64(3)}},
		{"select a from t join u on t.x = 5 where b=1", "select a from t join u on t.x = 5 where b=?", []any{int64(1)}},
		{"select a from t where id = 12345678901234567890 and b=1", "select a from t where id = 12345678901234567890 and b=?", []any{int64(1)}},
		{"insert into t (a,b) values (1,'x'),(-2, null), (1+1, now())", "insert into t (a,b) values (?,? ),(?, null), (1+1, now())", []any{int64(1), "x", int64(-2)}},
		{"insert into t values (1) on duplicate key update a = 5", "insert into t values (?) on duplicate key update a = 5", []any{int64(1)}},
		{"insert into t values (1) as n on duplicate key update a = (5)", "insert into t values (?) as n on duplicate key update a = (5)", []any{int64(1)}},
		{"insert into t values (f(1), (2), 3)", "insert into t values (f(1), (2), ?)", []any{int64(3)}},
		{"replace into t values (1) returning 5", "replace into t values (?) returning 5", []any{int64(1)}},
		{"insert into t select 5 from u where a = 1", "insert into t select 5 from u where a = ?", []any{int64(1)}},
		{"update t set a = 5, b = b + 1, c = 'x' where id = 3 limit 1", "update t set a = ?, b = b + 1, c = ?  where id = ? limit ?", []any{int64(5), "x", int64(3), int64(1)}},
		{"delete from t where id = 3;", "delete from t where id = ?;", []any{int64(3)}},
		{"select a /* c = 5 */ from t -- x = 6\nwhere b = 7", "select a /* c = 5 */ from t -- x = 6\nwhere b = ?", []any{int64(7)}},
		{"select `where` from t where `a = 5` = 6", "select `where` from t where `a = 5` = ?", []any{int64(6)}},
	}
	for _, tt := range tests {
		key, args, ok := Normalize(tt.text)
		if !ok || key != tt.key || !reflect.DeepEqual(args, tt.args) {
			t.Errorf("%s\n\tgot  %q %v %v\n\twant %q %v", tt.text, key, args, ok, tt.key, tt.args)
		}
		checkNormalized(t, tt.text)
	}
	for _, text := range []string{
		"", "select 1", "select a from t", "show tables", "set a = 5", "select a from t where b = ? and c = 5",
		"select a from t where b = :x and c = 5", "select /*vt+ A=1 */ a from t where b=5", "select a from t where b = $1 and c=5",
		"select a from t where b=5; select 2", "select a from t where b = x'41' and c = 5", "select a from t where b = _utf8'x' and c=5",
		"select a from t where b = 'open", "select a from t where b = 5)", "with c as (select 1) select a from c where b = 5",
		"insert into t values " + strings.Repeat("(1),", maxNormArgs) + "(1)",
	} {
		if key, args, ok := Normalize(text); ok {
			t.Errorf("%.80s: got %.80q %v, want not ok", text, key, len(args))
		}
	}
}

func TestNormalizeCorpus(t *testing.T) {
	n := 0
	for _, text := range corpus(t) {
		if checkNormalized(t, text) {
			n++
		}
	}
	t.Logf("%d normalised", n)
}

// checkNormalized checks that a text which parses means the same normalised: the
// tree of the key with the arguments put back is the tree of the text.
func checkNormalized(t *testing.T, text string) bool {
	t.Helper()
	key, args, ok := Normalize(text)
	if !ok {
		return false
	}
	want, err := Parse(text, Options{})
	got, gotErr := Parse(key, Options{})
	if (err == nil) != (gotErr == nil) {
		t.Errorf("%q\n\tas %q\n\t%v\n\t%v", text, key, err, gotErr)
		return true
	}
	if err != nil {
		return true
	}
	if got.Params != len(args) {
		t.Errorf("%q\n\tas %q: %d parameters, %d arguments", text, key, got.Params, len(args))
		return true
	}
	a, b := dump(want.Stmt, false), dump(got.Stmt, false)
	for i := len(args) - 1; i >= 0; i-- {
		p := "Param{}"
		if i > 0 {
			p = fmt.Sprintf("Param{Index:%d}", i)
		}
		b = strings.ReplaceAll(b, p, dump(asLiteral(args[i]), false))
	}
	if a != b {
		t.Errorf("%q\n\tas %q\n\t%s\n\t%s", text, key, a, b)
	}
	return true
}

func asLiteral(v any) sqlast.Expr {
	switch v := v.(type) {
	case string:
		return &sqlast.Lit{Kind: sqlast.LitString, Text: v}
	case int64:
		if v < 0 {
			return &sqlast.Unary{Op: sqlast.OpNeg, X: &sqlast.Lit{Kind: sqlast.LitInt, Text: strconv.FormatInt(-v, 10)}}
		}
		return &sqlast.Lit{Kind: sqlast.LitInt, Text: strconv.FormatInt(v, 10)}
	}
	return nil
}
