package exec

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/vitessdo/vitessdo/route"
	"github.com/vitessdo/vitessdo/sqlast"
	"github.com/vitessdo/vitessdo/tablet"
)

const userDDL = "CREATE TABLE u(id INTEGER PRIMARY KEY, name TEXT UNIQUE, n NUMERIC, at TEXT)"

func column(name string, c sqlast.Class, scale int) *sqlast.ColumnDef {
	ty := sqlast.TypeOf(c)
	ty.Scale = scale
	return &sqlast.ColumnDef{Name: name, Type: ty}
}

func autoColumn(name string) *sqlast.ColumnDef {
	c := column(name, sqlast.ClassInt, -1)
	c.AutoInc = true
	return c
}

var userColumns = []*sqlast.ColumnDef{autoColumn("id"), column("name", sqlast.ClassText, -1),
	column("n", sqlast.ClassDecimal, 2), column("at", sqlast.ClassDateTime, 0)}

// insertUsers plans INSERT INTO u(id, name, n, at).
func insertUsers(t testing.TB, sql string, rows ...[]any) *route.Plan {
	ins := &route.InsertRows{Keyspace: "ks", SQL: stmt(sql), Columns: userColumns, AutoInc: 0,
		Dest: &route.RowDest{Vindex: hash(t), Ordinal: []int{0}, Columns: intColumn, Table: "u"}}
	for _, r := range rows {
		var sources []route.Source
		for _, v := range r {
			sources = append(sources, route.Source{Arg: -1, Const: v})
		}
		ins.Rows = append(ins.Rows, sources)
	}
	return &route.Plan{Write: &route.Write{Kind: route.WriteRows, Table: &sqlast.TableDef{Name: "u"}, Insert: ins}}
}

const insertSQL = "INSERT INTO u(id, name, n, at) VALUES(?1, ?2, ?3, ?4)"

func mustExec(t testing.TB, s Session, p *route.Plan, args ...any) Result {
	t.Helper()
	res, err := Exec(context.Background(), s, p, args)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// users gives all rows of u, sorted by ID.
func users(t testing.TB, s *session, cols string) string {
	t.Helper()
	return text(mustQuery(t, s, read(1, route.Combine{Kind: route.Merge, Sort: key(1)},
		fragment(all(), 2, "SELECT concat_ws('/', "+cols+"), id FROM u ORDER BY id"))))
}

func TestInsertRows(t *testing.T) {
	s := openCluster(t, 4, userDDL)
	res := mustExec(t, s, insertUsers(t, insertSQL,
		[]any{nil, "a", 1.005, "2024-1-2 3:04:05.7"}, []any{int64(0), "b", "2.345", nil}, []any{"0", "c", int64(3), nil}))
	if res != (Result{RowsAffected: 3, LastInsertID: 1, HasInsertID: true, Generated: true}) {
		t.Errorf("%+v", res)
	}
	if got, want := users(t, s, "id, name, n, at"), "1/a/1.01/2024-01-02 03:04:06 2/b/2.35 3/c/3"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	// Each row is where the vindex says.
	for i, shard := range strings.Split(s.dump(t, "SELECT id FROM u"), " | ") {
		for _, id := range strings.Fields(shard) {
			n := int64(id[0] - '0')
			if at, _ := insertUsers(t, "").Write.Insert.Dest.ShardOf(s.shards, []any{n}, s.Scratch()); at != i {
				t.Errorf("row %s is on shard %d, not %d", id, i, at)
			}
		}
	}
	res = mustExec(t, s, insertUsers(t, insertSQL, []any{int64(50), "d", nil, nil}, []any{int64(60), "e", nil, nil}))
	if res != (Result{RowsAffected: 2, LastInsertID: 60, HasInsertID: true}) || s.observed["ks.u"] != 60 {
		t.Errorf("explicit: %+v, observed %v", res, s.observed)
	}
	if res = mustExec(t, s, insertUsers(t, insertSQL, []any{nil, "f", nil, nil})); res.LastInsertID != 61 {
		t.Errorf("after an explicit value: %+v", res)
	}
	// Text counts as the number that the column makes of it.
	mustExec(t, s, insertUsers(t, insertSQL, []any{"70", "g", nil, nil}))
	if res = mustExec(t, s, insertUsers(t, insertSQL, []any{nil, "h", nil, nil})); res.LastInsertID != 71 {
		t.Errorf("after an explicit value as text: %+v", res)
	}
}

func TestInsertIsAtomic(t *testing.T) {
	s := openCluster(t, 4, userDDL)
	mustExec(t, s, insertUsers(t, insertSQL, []any{int64(5), "five", nil, nil}))
	bad := insertUsers(t, insertSQL)
	for i := range 20 {
		bad.Write.Insert.Rows = append(bad.Write.Insert.Rows, []route.Source{{Arg: -1, Const: int64(i + 1)}, {Arg: -1}, {Arg: -1}, {Arg: -1}})
	}
	if _, err := Exec(context.Background(), s, bad, nil); tablet.CodeOf(err) != tablet.CodeUnique {
		t.Fatal(err)
	}
	if got := users(t, s, "id"); got != "5" {
		t.Errorf("a failed insert left %s", got)
	}
	// In a transaction the statement goes, what was before it stays.
	s.begin()
	mustExec(t, s, insertUsers(t, insertSQL, []any{int64(100), "before", nil, nil}))
	if _, err := Exec(context.Background(), s, bad, nil); tablet.CodeOf(err) != tablet.CodeUnique {
		t.Fatal(err)
	}
	// So does a batch for a single shard.
	if _, err := Exec(context.Background(), s, insertUsers(t, insertSQL, []any{int64(300), "twice", nil, nil}, []any{int64(300), "twice", nil, nil}), nil); tablet.CodeOf(err) != tablet.CodeUnique {
		t.Fatal(err)
	}
	mustExec(t, s, insertUsers(t, insertSQL, []any{int64(101), "after", nil, nil}))
	if err := s.end(context.Background(), true); err != nil {
		t.Fatal(err)
	}
	if got := users(t, s, "id"); got != "5 100 101" {
		t.Errorf("the transaction left %s", got)
	}
}

func TestCounting(t *testing.T) {
	s := openCluster(t, 4, userDDL)
	dup := func(rows ...[]any) *route.Plan {
		p := insertUsers(t, insertSQL+" ON CONFLICT(id) DO UPDATE SET name = excluded.name || ?5", rows...)
		p.Write.Insert.Extra = []route.Source{{Arg: 0}}
		p.Write.Insert.Counting = route.CountDup
		return p
	}
	replace := func(rows ...[]any) *route.Plan {
		p := insertUsers(t, strings.Replace(insertSQL, "INSERT", "REPLACE", 1), rows...)
		p.Write.Insert.Counting = route.CountReplace
		p.Write.Insert.Exists = stmt("SELECT count(*) FROM u WHERE id = ?1 OR name = ?2")
		return p
	}
	ignore := func(rows ...[]any) *route.Plan { return insertUsers(t, insertSQL+" ON CONFLICT DO NOTHING", rows...) }
	row := func(id any, name string) []any { return []any{id, name, nil, nil} }
	for _, tt := range []struct {
		name string
		plan *route.Plan
		want Result
		rows string
	}{
		{"two new", dup(row(int64(1), "a"), row(int64(2), "b")), Result{2, 2, true, false}, "1/a 2/b"},
		{"one changed", dup(row(int64(1), "c")), Result{2, 0, false, false}, "1/c! 2/b"},
		{"both", dup(row(int64(1), "d"), row(nil, "e")), Result{3, 3, true, true}, "1/d! 2/b 3/e"},
		{"replace one", replace(row(int64(2), "f")), Result{2, 2, true, false}, "1/d! 2/f 3/e"},
		{"replace new", replace(row(nil, "g"), row(nil, "h")), Result{2, 4, true, true}, "1/d! 2/f 3/e 4/g 5/h"},
		{"replace and new", replace(row(int64(5), "i"), row(nil, "j")), Result{3, 6, true, true}, "1/d! 2/f 3/e 4/g 5/i 6/j"},
		{"ignore", ignore(row(int64(1), "x"), row(int64(9), "k")), Result{1, 9, true, false}, "1/d! 2/f 3/e 4/g 5/i 6/j 9/k"},
		{"ignore all", ignore(row(int64(1), "x")), Result{}, "1/d! 2/f 3/e 4/g 5/i 6/j 9/k"},
	} {
		res := mustExec(t, s, tt.plan, "!")
		if res != tt.want {
			t.Errorf("%s: %+v, want %+v", tt.name, res, tt.want)
		}
		if got := users(t, s, "id, name"); got != tt.rows {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.rows)
		}
	}
}

func TestReturning(t *testing.T) {
	s := openCluster(t, 4, userDDL)
	p := insertUsers(t, insertSQL+" RETURNING id, name")
	p.Columns = columns(2)
	for _, n := range []string{"a", "b", "c", "d"} {
		p.Write.Insert.Rows = append(p.Write.Insert.Rows, []route.Source{{Arg: -1}, {Arg: -1, Const: n}, {Arg: -1}, {Arg: -1}})
	}
	if got := text(mustQuery(t, s, p)); got != "1,a 2,b 3,c 4,d" {
		t.Errorf("insert returned %s", got)
	}
	up := wholePlan(all(), "UPDATE u SET name = name || '!' WHERE id > 1 RETURNING name")
	up.Columns = columns(1)
	got := strings.Fields(text(mustQuery(t, s, up)))
	slices.Sort(got)
	if strings.Join(got, " ") != "b! c! d!" {
		t.Errorf("update returned %s", got)
	}
	del := deleteByKey("id < 3")
	del.Columns = columns(1)
	del.Combine.Width = 2
	del.Write.ByKey[0].SQL = stmt(del.Write.ByKey[0].SQL.String() + " RETURNING name")
	got = strings.Fields(text(mustQuery(t, s, del)))
	slices.Sort(got)
	if strings.Join(got, " ") != "a b!" {
		t.Errorf("delete returned %s", got)
	}
}

func wholePlan(dest route.Destination, text string) *route.Plan {
	return &route.Plan{Fragments: []*route.Fragment{fragment(dest, 0, text)}, Write: &route.Write{Kind: route.WriteWhole}}
}

func TestWriteWhole(t *testing.T) {
	s := openCluster(t, 4, "CREATE TABLE r(id INTEGER PRIMARY KEY, v INTEGER CHECK(v < 100))")
	for i := range s.tablets {
		s.exec(t, i, "INSERT INTO r VALUES(1, ?1)", int64(i))
	}
	if res := mustExec(t, s, wholePlan(onShard(2), "UPDATE r SET v = v + 10")); res.RowsAffected != 1 {
		t.Errorf("%+v", res)
	}
	if res := mustExec(t, s, wholePlan(all(), "UPDATE r SET v = v + ?1"), int64(1)); res.RowsAffected != 4 {
		t.Errorf("%+v", res)
	}
	every := wholePlan(all(), "UPDATE r SET v = v + 1")
	every.Write.Everywhere = true
	if res := mustExec(t, s, every); res.RowsAffected != 1 {
		t.Errorf("everywhere: %+v", res)
	}
	want := "2 | 3 | 14 | 5"
	if got := s.dump(t, "SELECT v FROM r"); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	// Shard 2 fails its check; the others must not keep their part.
	if _, err := Exec(context.Background(), s, wholePlan(all(), "UPDATE r SET v = v + 90"), nil); tablet.CodeOf(err) != tablet.CodeCheck {
		t.Fatal(err)
	}
	if got := s.dump(t, "SELECT v FROM r"); got != want {
		t.Errorf("after a failure: got %s, want %s", got, want)
	}
	s.begin()
	mustExec(t, s, wholePlan(all(), "UPDATE r SET v = v + 1"))
	s.locked = nil
	if _, err := Exec(context.Background(), s, wholePlan(all(), "UPDATE r SET v = v + 90"), nil); tablet.CodeOf(err) != tablet.CodeCheck {
		t.Fatal(err)
	}
	if !slices.Equal(s.locked, []int{0, 1, 2, 3}) {
		t.Errorf("locks were taken in the order %v", s.locked)
	}
	if err := s.end(context.Background(), true); err != nil {
		t.Fatal(err)
	}
	if got := s.dump(t, "SELECT v FROM r"); got != "3 | 4 | 15 | 6" {
		t.Errorf("after a failure in a transaction: %s", got)
	}
}

func deleteByKey(where string) *route.Plan {
	return &route.Plan{
		Fragments: []*route.Fragment{{Keyspace: "ks", Dest: all(), SQL: stmt("SELECT rowid FROM u WHERE " + where), Width: 1, Tag: true}},
		Combine:   route.Combine{Kind: route.Concat, Width: 2},
		Write: &route.Write{Kind: route.WriteByKey, ByKey: []route.KeyWrite{
			{Keyspace: "ks", SQL: stmt("DELETE FROM u WHERE rowid = ?1"), Shard: 1, RowID: 0}}},
	}
}

func TestWriteByKey(t *testing.T) {
	s := openCluster(t, 4, userDDL)
	p := insertUsers(t, insertSQL)
	for i := range 20 {
		p.Write.Insert.Rows = append(p.Write.Insert.Rows, []route.Source{{Arg: -1}, {Arg: -1, Const: string(rune('a' + i))}, {Arg: -1}, {Arg: -1}})
	}
	mustExec(t, s, p)
	// DELETE … ORDER BY id DESC LIMIT 15, over all shards.
	del := deleteByKey("1 ORDER BY rowid DESC LIMIT 15")
	del.Combine = route.Combine{Kind: route.Merge, Sort: []route.SortKey{{Col: 0, Desc: true}}, Limit: src(int64(15)), Width: 2}
	if res := mustExec(t, s, del); res.RowsAffected != 15 {
		t.Errorf("%+v", res)
	}
	if got := users(t, s, "id"); got != "1 2 3 4 5" {
		t.Errorf("left %s", got)
	}
	// Rows found twice are written once.
	up := &route.Plan{
		Fragments: []*route.Fragment{{Keyspace: "ks", Dest: all(), Width: 2, Tag: true, Names: []string{"id", "name"}, SQL: stmt("SELECT rowid, name FROM u WHERE id < 4")}},
		Combine:   route.Combine{Kind: route.Query, Width: 3, SQL: "SELECT id, _shard, name || id FROM f0 UNION ALL SELECT id, _shard, 'other' FROM f0"},
		Write: &route.Write{Kind: route.WriteByKey, ByKey: []route.KeyWrite{
			{Keyspace: "ks", SQL: stmt("UPDATE u SET name = ?2 WHERE rowid = ?1"), Shard: 1, RowID: 0, Values: []int{2}}}},
	}
	if res := mustExec(t, s, up); res.RowsAffected != 3 {
		t.Errorf("%+v", res)
	}
	if got := users(t, s, "name"); got != "a1 b2 c3 d e" {
		t.Errorf("got %s", got)
	}
	// Nothing found.
	if res := mustExec(t, s, deleteByKey("id > 1000")); res != (Result{}) {
		t.Errorf("%+v", res)
	}
	s.limits.MaxCombineRows = 2
	if _, err := Exec(context.Background(), s, deleteByKey("1"), nil); !errors.As(err, new(*LimitError)) {
		t.Errorf("limit: %v", err)
	}
}

func TestMove(t *testing.T) {
	s := openCluster(t, 4, userDDL)
	p := insertUsers(t, insertSQL)
	for i := range 8 {
		p.Write.Insert.Rows = append(p.Write.Insert.Rows, []route.Source{{Arg: -1}, {Arg: -1, Const: string(rune('a' + i))}, {Arg: -1}, {Arg: -1}})
	}
	mustExec(t, s, p)
	// UPDATE u SET id = id + 1: every new ID is an old one, mostly elsewhere.
	ins := insertUsers(t, insertSQL).Write.Insert
	move := &route.Plan{
		Fragments: []*route.Fragment{{Keyspace: "ks", Dest: all(), Width: 6, Tag: true,
			SQL: stmt("SELECT rowid, id + ?1, name, n, at FROM u ORDER BY id DESC")}},
		Combine: route.Combine{Kind: route.Merge, Sort: []route.SortKey{{Col: 0, Desc: true}}, Width: 6},
		Write: &route.Write{Kind: route.WriteByKey, ByKey: []route.KeyWrite{{Keyspace: "ks", SQL: stmt("DELETE FROM u WHERE rowid = ?1"),
			Shard: 5, RowID: 0, Values: []int{1, 2, 3, 4}, Move: ins,
			Stay: stmt("UPDATE u SET id = ?2, name = ?3, n = ?4, at = ?5 WHERE rowid = ?1")}}},
	}
	if res := mustExec(t, s, move, int64(1)); res.RowsAffected != 8 {
		t.Errorf("%+v", res)
	}
	if got := users(t, s, "id, name"); got != "2/a 3/b 4/c 5/d 6/e 7/f 8/g 9/h" {
		t.Errorf("got %s", got)
	}
	for i, tb := range s.tablets {
		rows, _ := queryAll(context.Background(), tb, &tablet.Query{SQL: "SELECT id FROM u"})
		for _, r := range rows {
			if at, _ := ins.Dest.ShardOf(s.shards, r, s.Scratch()); at != i {
				t.Errorf("row %v is on shard %d, not %d", r[0], i, at)
			}
		}
	}
}

func TestInsertSelect(t *testing.T) {
	s := openCluster(t, 4, userDDL)
	p := insertUsers(t, insertSQL)
	for i := range 10 {
		p.Write.Insert.Rows = append(p.Write.Insert.Rows, []route.Source{{Arg: -1}, {Arg: -1, Const: string(rune('a' + i))}, {Arg: -1}, {Arg: -1}})
	}
	mustExec(t, s, p)
	// INSERT INTO u(name, n, at) SELECT name || '2', n, at FROM u ORDER BY id.
	sel := insertUsers(t, insertSQL)
	sel.Fragments = []*route.Fragment{fragment(all(), 4, "SELECT name || '2', n, at, id FROM u ORDER BY id")}
	sel.Combine = route.Combine{Kind: route.Merge, Sort: key(3), Width: 3}
	sel.Write.Insert.Rows = nil
	if res := mustExec(t, s, sel); res != (Result{10, 11, true, true}) {
		t.Errorf("%+v", res)
	}
	if got := users(t, s, "id, name"); !strings.HasSuffix(got, "10/j 11/a2 12/b2 13/c2 14/d2 15/e2 16/f2 17/g2 18/h2 19/i2 20/j2") {
		t.Errorf("got %s", got)
	}
	// Once more, with names that are there already: nothing stays.
	again := *sel
	again.Fragments = []*route.Fragment{fragment(all(), 4, "SELECT CASE id WHEN 9 THEN name ELSE name || '3' END, n, at, id FROM u ORDER BY id")}
	w, ins := *sel.Write, *sel.Write.Insert
	ins.Dest, ins.Fixed = nil, onlyShardOf(t, s, 9)
	w.Insert, again.Write = &ins, &w
	before := users(t, s, "id, name")
	if _, err := Exec(context.Background(), s, &again, nil); tablet.CodeOf(err) != tablet.CodeUnique {
		t.Error(err)
	}
	if got := users(t, s, "id, name"); got != before {
		t.Errorf("a failed insert left %s", got)
	}
}

func onlyShardOf(t *testing.T, s *session, id int64) route.Destination {
	d := route.RowDest{Vindex: hash(t), Ordinal: []int{0}, Columns: intColumn, Table: "u"}
	shard, err := d.ShardOf(s.shards, []any{id}, s.Scratch())
	if err != nil {
		t.Fatal(err)
	}
	return onShard(shard)
}

// A statement that can't be undone says so.
func TestUndoError(t *testing.T) {
	s := openCluster(t, 2, userDDL)
	s.begin()
	defer s.end(context.Background(), false)
	bad := errors.New("bad")
	err := atomically(context.Background(), s, func(sc *scope) error {
		if err := sc.lock([]Place{{"ks", 0}, {"ks", 1}}); err != nil {
			return err
		}
		if err := s.txs[1].Release(context.Background(), savepoint); err != nil {
			return err
		}
		return bad
	})
	var ue *UndoError
	if !errors.As(err, &ue) || !errors.Is(err, bad) {
		t.Errorf("%v", err)
	}
}

func TestLock(t *testing.T) {
	s := numbers(t, 20)
	p := read(1, route.Combine{Kind: route.Merge, Sort: key(0)}, fragment(all(), 1, "SELECT id FROM t WHERE id < 3 ORDER BY id"))
	p.Lock = true
	if mustQuery(t, s, p); s.locked != nil {
		t.Errorf("locks %v outside of a transaction", s.locked)
	}
	s.begin()
	defer s.end(context.Background(), false)
	if got := text(mustQuery(t, s, p)); got != "0 1 2" || !slices.Equal(s.locked, []int{0, 1, 2, 3}) {
		t.Errorf("rows %s, locks %v", got, s.locked)
	}
	s.locked = nil
	p = read(1, route.Combine{Kind: route.Pass}, fragment(onShard(2), 1, "SELECT id FROM t"))
	p.Lock = true
	if mustQuery(t, s, p); !slices.Equal(s.locked, []int{2}) {
		t.Errorf("locks %v", s.locked)
	}
}

// A canceled statement is undone in the transaction, which goes on.
func TestCanceledWriteIsUndone(t *testing.T) {
	s := openCluster(t, 4, userDDL)
	s.begin()
	mustExec(t, s, insertUsers(t, insertSQL, []any{int64(1), "a", nil, nil}))
	ctx, cancel := context.WithCancel(context.Background())
	err := atomically(ctx, s, func(sc *scope) error {
		if err := sc.lock([]Place{{"ks", 0}, {"ks", 1}, {"ks", 2}, {"ks", 3}}); err != nil {
			return err
		}
		for _, tx := range s.txs {
			if _, err := tx.Exec(ctx, &tablet.Query{SQL: "DELETE FROM u"}); err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, &tablet.Query{SQL: "INSERT INTO u(id) VALUES(99)"}); err != nil {
				return err
			}
		}
		cancel()
		return canceled(ctx)
	})
	if !errors.Is(err, context.Canceled) || errors.As(err, new(*UndoError)) {
		t.Fatal(err)
	}
	mustExec(t, s, insertUsers(t, insertSQL, []any{int64(2), "b", nil, nil}))
	if err := s.end(context.Background(), true); err != nil {
		t.Fatal(err)
	}
	if got := users(t, s, "id, name"); got != "1/a 2/b" {
		t.Errorf("got %s", got)
	}
}
