package dialect_test

import (
	"strings"
	"testing"

	"github.com/vitessdo/vitessdo/dialect"
	"github.com/vitessdo/vitessdo/sqlast"
	"github.com/vitessdo/vitessdo/sqlparse"
)

const before = `CREATE TABLE u (
	id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
	a VARCHAR(20) COLLATE utf8mb4_general_ci NOT NULL DEFAULT 'x',
	b INT DEFAULT 5 COMMENT 'it''s b',
	c DATETIME(3) DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3),
	e ENUM('a','b') DEFAULT 'a',
	p DECIMAL(10,2),
	g INT AS (b + 1) STORED,
	PRIMARY KEY (id),
	UNIQUE KEY a (a),
	KEY ab (a(5), b DESC),
	CONSTRAINT f FOREIGN KEY (b) REFERENCES w (id) ON DELETE CASCADE,
	CONSTRAINT pos CHECK (b > 0 AND a <> 'b')
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COMMENT='t'`

func parse[T sqlast.Stmt](t *testing.T, text string) T {
	t.Helper()
	st, err := sqlparse.Parse(text, sqlparse.Options{})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return st.Stmt.(T)
}

func TestShowCreateRoundTrip(t *testing.T) {
	text := dialect.ShowCreate(parse[*sqlast.CreateTable](t, before).Def)
	if again := dialect.ShowCreate(parse[*sqlast.CreateTable](t, text).Def); again != text {
		t.Errorf("wrote\n%s\nand of that\n%s", text, again)
	}
	for _, part := range []string{"COMMENT 'it''s b'", "ENUM", "`a`(5),`b` DESC", "ON DELETE CASCADE", "decimal(10,2)", "unsigned", "datetime(3)"} {
		if !strings.Contains(strings.ToLower(text), strings.ToLower(part)) {
			t.Errorf("%s is missing in\n%s", part, text)
		}
	}
}

func TestApplyAlter(t *testing.T) {
	for _, tc := range []struct {
		alter string
		has   string // in ShowCreate afterwards
		hasnt string
	}{
		{"ADD n INT NOT NULL FIRST", "(\n  `n` int NOT NULL,\n  `id`", ""},
		{"ADD n INT AFTER a", "DEFAULT 'x',\n  `n` int DEFAULT NULL,\n  `b`", ""},
		{"DROP e", "", "`e`"},
		{"DROP INDEX a", "", "UNIQUE"},
		{"RENAME COLUMN b TO bb", "`bb` int", "`b`"},
		{"RENAME COLUMN b TO bb", "(`bb` > 0", ""},
		{"CHANGE p price DECIMAL(12,3) NOT NULL", "`price` decimal(12,3) NOT NULL", "`p`"},
		{"MODIFY p INT AFTER id", "AUTO_INCREMENT,\n  `p` int", ""},
		{"ALTER b SET DEFAULT 7", "DEFAULT 7", "DEFAULT 5"},
		{"ALTER b DROP DEFAULT", "", "DEFAULT 5"},
		{"DROP CHECK pos, DROP FOREIGN KEY f", "", "CONSTRAINT"},
		{"ADD KEY (a)", "KEY `a_2` (`a`)", ""},
		{"ADD CHECK (p > 1)", "CONSTRAINT `u_chk_1` CHECK", ""},
		{"ADD FOREIGN KEY (p) REFERENCES w (id)", "CONSTRAINT `u_ibfk_1` FOREIGN KEY", ""},
		{"RENAME INDEX ab TO ba", "KEY `ba`", "KEY `ab`"},
		{"RENAME TO v, COMMENT 'new'", "CREATE TABLE `v`", "COMMENT='t'"},
		{"ADD n DATETIME DEFAULT now()", "`n` datetime DEFAULT CURRENT_TIMESTAMP", ""},
		{"ADD n DATETIME(3) NOT NULL DEFAULT localtimestamp(3)", "`n` datetime(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3)", ""},
		{"AUTO_INCREMENT=50", "AUTO_INCREMENT=50", ""},
	} {
		old := parse[*sqlast.CreateTable](t, before).Def
		text := dialect.ShowCreate(old)
		def, _, err := dialect.ApplyAlter(old, parse[*sqlast.AlterTable](t, "ALTER TABLE u "+tc.alter).Specs)
		if err != nil {
			t.Errorf("%s: %v", tc.alter, err)
			continue
		}
		got := dialect.ShowCreate(def)
		if !strings.Contains(got, tc.has) || tc.hasnt != "" && strings.Contains(got, tc.hasnt) {
			t.Errorf("%s: want %q and not %q in\n%s", tc.alter, tc.has, tc.hasnt, got)
		}
		if dialect.ShowCreate(old) != text {
			t.Errorf("%s changed the old definition", tc.alter)
		}
		for i, c := range def.Columns {
			if c.Pos != i {
				t.Errorf("%s: column %s has position %d, want %d", tc.alter, c.Name, c.Pos, i)
			}
		}
	}
}

func TestRenamed(t *testing.T) {
	for _, tc := range []struct {
		alter string
		want  map[string]string
	}{
		{"RENAME COLUMN a TO x", map[string]string{"x": "a"}},
		{"CHANGE a x INT", map[string]string{"x": "a"}},
		{"DROP e, ADD e INT", map[string]string{"e": ""}},
		{"ADD n INT", map[string]string{}},
	} {
		_, renamed, err := dialect.ApplyAlter(parse[*sqlast.CreateTable](t, before).Def, parse[*sqlast.AlterTable](t, "ALTER TABLE u "+tc.alter).Specs)
		if err != nil {
			t.Errorf("%s: %v", tc.alter, err)
		}
		if len(renamed) != len(tc.want) {
			t.Errorf("%s: renamed %v, want %v", tc.alter, renamed, tc.want)
		}
		for n, o := range tc.want {
			if got, ok := renamed[n]; !ok || got != o {
				t.Errorf("%s: renamed %v, want %v", tc.alter, renamed, tc.want)
			}
		}
	}
}

func TestApplyAlterErrors(t *testing.T) {
	for _, tc := range []struct {
		alter  string
		number int
	}{
		{"ADD a INT", 1060}, {"DROP zz", 1091}, {"DROP INDEX zz", 1091}, {"ADD KEY ab (b)", 1061}, {"ADD KEY (zz)", 1072},
		{"MODIFY zz INT", 1054}, {"ADD n INT AFTER zz", 1054}, {"RENAME COLUMN a TO b", 1060}, {"ADD PRIMARY KEY (b)", 1068},
		{"RENAME INDEX zz TO y", 1176}, {"DROP FOREIGN KEY zz", 1091}, {"DROP b", 1828}, {"DROP a", 3959},
		{"ADD CONSTRAINT pos CHECK (p > 0)", 3822}, {"ADD CONSTRAINT f FOREIGN KEY (p) REFERENCES w (id)", 1826},
	} {
		_, _, err := dialect.ApplyAlter(parse[*sqlast.CreateTable](t, before).Def, parse[*sqlast.AlterTable](t, "ALTER TABLE u "+tc.alter).Specs)
		e, ok := err.(*dialect.SchemaError)
		if !ok || e.Number != tc.number {
			t.Errorf("%s: error %v, want number %d", tc.alter, err, tc.number)
		}
	}
}
