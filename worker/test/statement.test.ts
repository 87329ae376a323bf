import { describe, expect, test } from "vitest";
import { bind } from "../src/sql/bind";
import { expressionOf, parse } from "../src/sql/statement";
import { tokens } from "../src/sql/tokens";

describe("parse", () => {
  test.each([
    ["SELECT 1", "read"], ["  -- x\n/* y */ values (1)", "read"], ["(SELECT 1)", "read"], ["EXPLAIN SELECT 1", "info"], ["PRAGMA table_info(t)", "info"],
    ["PRAGMA defer_foreign_keys = 1", "other"], ["INSERT INTO t VALUES(1)", "insert"], ["REPLACE INTO t VALUES(1)", "insert"], ["update t set a = 1", "change"],
    ["CREATE TABLE t(a)", "other"], ["WITH a AS (DELETE) SELECT 1", "read"], ["WITH a AS (SELECT 1) INSERT INTO t SELECT * FROM a", "insert"],
    ["WITH a(b) AS (SELECT 1) DELETE FROM t", "change"],
  ])("%s is a %s", (sql, kind) => expect(parse(sql).kind).toBe(kind));

  test.each<[string, number[][], string | undefined]>([
    ["INSERT INTO t VALUES(?1, ?2, 3)", [[1, 2]], "never"],
    ["REPLACE INTO t(a) VALUES(?2, -1.5, NULL, 'x') RETURNING ?1", [[2]], "never"],
    ["INSERT INTO t VALUES(?1, length(?2), ?3 + 1, +?4)", [[1]], "always"],
    ["INSERT INTO t VALUES(?1) ON CONFLICT DO NOTHING", [[1]], "never"],
    ["INSERT INTO t VALUES(?1) ON CONFLICT DO UPDATE SET a = ?2", [[1]], "always"],
    ["INSERT INTO t VALUES(?1, 2), (3, 4), (?2, ?1)", [[1], [], [2, 1]], "never"],
    ["INSERT INTO t VALUES(1, zeroblob(3000000))", [[]], "always"],
    ["INSERT INTO t SELECT ?1", [], "always"],
    ["INSERT INTO t DEFAULT VALUES", [], "never"],
    ["INSERT INTO t SELECT * FROM (VALUES (?1))", [], "always"],
    ["INSERT INTO t VALUES(((?1)), ?2)", [[2]], "always"],
    ["UPDATE t SET a = ?1, b = NULL, \"c\" = 'x', d = -d + 1, e = (e + ?2) * 2 WHERE f = concat(g)", [], "large"],
    ["UPDATE t SET a = b", [], "always"],
    ["UPDATE t SET a = +b", [], "always"],
    ["UPDATE t SET a = (b)", [], "always"],
    ["UPDATE t SET a = a || ?1", [], "always"],
    ["UPDATE t SET a = 1 + 1 | b", [], "always"],
    ["UPDATE t SET a = CASE WHEN a + 1 THEN b END", [], "always"],
    ["UPDATE t SET a = hex(b) + 1", [], "always"],
    ["UPDATE t SET (a, b) = (?1, ?2)", [], "always"],
    ["UPDATE t SET a = (SELECT b + 1)", [], "always"],
    ["DELETE FROM t", [], undefined],
  ])("%s has rows of %j, and counts %s", (sql, rows, count) => expect(parse(sql)).toMatchObject({ rows, count }));

  test.each([["BEGIN"], ["savepoint a"], ["ATTACH 'x' AS y"], ["ROLLBACK"], ["END"]])("%s is refused", (sql) => expect(() => parse(sql)).toThrow(/messages/));
  test.each([["SELECT 1; SELECT 2"], ["SELECT :a"], ["SELECT @a"], ["SELECT ?0"], [""], [" ; "], ["-- nothing"]])("%j is refused", (sql) =>
    expect(() => parse(sql)).toThrow());
  test.each([
    ["SELECT * FROM _vt_redo"], ["select * from main . _VT_Decided"], ['DELETE FROM "_vt_decided"'], ["UPDATE [_vt_meta] SET value = 1"], ["DROP TABLE `_vt_requests`"],
    ["SELECT * FROM '_vt_redo'"], ["SELECT * FROM t, '_vt_redo'"], ["SELECT * FROM (t, '_vt_redo')"], ["SELECT * FROM ('_vt_redo')"], ["SELECT 1 FROM t JOIN '_vt_redo'"], ["INSERT INTO '_vt_meta' VALUES(1, 2)"],
    ["INSERT INTO t SELECT dtid FROM _vt_decided"], ["CREATE VIEW v AS SELECT * FROM _vt_redo"], ["CREATE TRIGGER r AFTER INSERT ON t BEGIN DELETE FROM _vt_redo; END"],
    ["CREATE TRIGGER r AFTER INSERT ON '_vt_redo' BEGIN SELECT 1; END"], ["ALTER TABLE t RENAME TO '_vt_redo'"], ["WITH x AS (SELECT * FROM _vt_row_ids) SELECT * FROM x"],
    ["EXPLAIN SELECT * FROM _vt_redo"], ["PRAGMA table_info(_vt_redo)"], ["CREATE INDEX i ON '_vt_redo'(dtid)"],
  ])("%s is kept off the tablet's own tables", (sql) => expect(() => parse(sql)).toThrow());
  test.each([
    ["SELECT * FROM \"_vt_unique.t.a\""], ["CREATE TABLE _vt_new_t(a)"], ["SELECT '_vt_redo'"], ["INSERT INTO t VALUES(1, '_vt_redo')"], ["INSERT INTO t VALUES('_vt_redo')"],
    ["SELECT * FROM t WHERE a IN (1, '_vt_redo')"], ["UPDATE t SET a = '_vt_redo', b = '_vt_meta'"], ["SELECT 1 FROM t WHERE a = 'x' AND f(a, '_vt_redo')"],
  ])("%s is let through", (sql) => expect(() => parse(sql)).not.toThrow());
  test("ends at its semicolon", () => expect(parse("SELECT ';' ; -- x\n;").sql).toBe("SELECT ';'"));

  test.each([
    ["INSERT INTO t VALUES(1)", "t"], ["INSERT OR IGNORE INTO \"a \"\"b\" VALUES(1)", 'a "b'], ["REPLACE INTO main.[x y](a) VALUES(1)", "x y"],
    ["UPDATE OR FAIL `u` SET a = 1", "u"], ["DELETE FROM main.t", "t"], ["WITH x AS (SELECT 1) UPDATE t SET a = 1", "t"],
  ])("%s writes %s", (sql, table) => expect(parse(sql).table).toBe(table));

  test("upserts", () => {
    expect(parse("INSERT INTO t VALUES(1) ON CONFLICT DO UPDATE SET a = 1").upsert).toBe(true);
    expect(parse("INSERT INTO t VALUES(1) ON CONFLICT DO NOTHING").upsert).toBe(false);
    expect(parse("INSERT INTO t VALUES('DO UPDATE')").upsert).toBe(false);
  });

  test.each([
    ["*", ["*"]], ["a, b AS c", ["a", "b"]], ["f(a, b) x, (SELECT 1, 2)", ["f(a, b)", "(SELECT 1, 2)"]], ["a + 1 \"n\"", ["a + 1"]],
    ["CASE a WHEN 1 THEN 2 END", ["CASE a WHEN 1 THEN 2 END"]], ["CASE a WHEN 1 THEN 2 END e", ["CASE a WHEN 1 THEN 2 END"]], ["a IS NULL", ["a IS NULL"]],
    ["a IS NOT b", ["a IS NOT b"]], ["a COLLATE nocase", ["a COLLATE nocase"]], ["-a", ["-a"]], ["a || 'x'", ["a || 'x'"]], ["a 'x'", ["a"]], ["NOT a", ["NOT a"]], ["?1 p", ["?1"]],
  ])("RETURNING %s", (list, want) => {
    const sql = "DELETE FROM t WHERE a = 'RETURNING' RETURNING " + list;
    const s = parse(sql);
    expect(s.returning?.items.map((item) => expressionOf(s.sql, item))).toEqual(want);
  });
});

test("parameters without numbers", () => {
  expect(parse("SELECT ?, ?5, ?, ?2, '?'").params.map((p) => p.number)).toEqual([1, 5, 6, 2]);
});

test("tokens", () => {
  expect(tokens("a='it''s' -- ?1\n||x'0F'/* ?2 */+\"q\"\"\"[b c]`d`?12 1.5e-3 .5 0xff").map((t) => t.kind + " " + t.text)).toEqual([
    "word A", "op =", "text 'it''s'", "op |", "op |", "text x'0F'", "op +", 'quoted "q"""', "quoted [b c]", "quoted `d`", "param ?12", "number 1.5e-3", "number .5", "number 0xff",
  ]);
});

describe("bind", () => {
  test("casts integers and takes the affinity away", () => {
    const s = parse("SELECT ?2, '?1', ?1, ?2, ?4");
    expect(bind(s, [1n << 62n, 5, null, { real: 5 }])).toEqual({
      sql: "SELECT +CAST(?1 AS INTEGER), '?1', +CAST(?2 AS INTEGER), +CAST(?1 AS INTEGER), ?3",
      args: [5, "4611686018427387904", 5],
    });
  });
  test("binds other values as they are", () => {
    const s = parse("SELECT ?1, ?2, ?3");
    const b = bind(s, ["x", new Uint8Array([1, 2]), { text: new Uint8Array([255]) }]);
    expect(b.sql).toBe("SELECT ?1, ?2, +CAST(?3 AS TEXT)");
    expect(b.args[0]).toBe("x");
    expect(new Uint8Array(b.args[1] as ArrayBuffer)).toEqual(new Uint8Array([1, 2]));
  });
  test("refuses too many, too long and missing values", () => {
    const many = Array.from({ length: 101 }, (_, i) => "?" + (i + 1)).join();
    expect(() => bind(parse("SELECT " + many), new Array(101).fill(1))).toThrow(/101 parameters.*100/);
    expect(() => bind(parse("SELECT ?1"), ["é".repeat(1_000_001)])).toThrow(/2000000 bytes/);
    expect(() => bind(parse("SELECT ?2"), [1])).toThrow(/\?2/);
  });
});
