CREATE TABLE t1 (id integer PRIMARY KEY AUTOINCREMENT NOT NULL, name varchar(255), n numeric, doc TEXT, u UUID);
INSERT INTO t1 (name, n, doc, u) VALUES ('a', 1, '["x", "y"]', '0b1c'), ('b', 2.5, '{"k": 1, "l": {"m": [2]}}', NULL), ('c', 3, NULL, 'ff'), ('d', 4, '[]', NULL);
SELECT rowid, name FROM t1 WHERE rowid = 2;
-- 2 | b
SELECT t.rowid, t._rowid_, oid FROM t1 AS t ORDER BY t.rowid DESC LIMIT 2;
-- 4 | 4 | 4
-- 3 | 3 | 3
UPDATE t1 SET n = n + 1 WHERE rowid IN (SELECT rowid FROM t1 WHERE name = 'a') RETURNING id, n;
-- 1 | 2
DELETE FROM t1 WHERE oid = 4 RETURNING name;
-- d
SELECT t1.id, e.key, e.value, e.type, e.atom FROM t1 JOIN json_each(doc) e ORDER BY t1.id, e.key;
-- 1 | 0 | x | text | x
-- 1 | 1 | y | text | y
-- 2 | k | 1 | integer | 1
-- 2 | l | {"m":[2]} | object | NULL
SELECT t1.id, j.value FROM t1, json_each(t1.doc) AS j ORDER BY 1, 2;
-- 1 | x
-- 1 | y
-- 2 | 1
-- 2 | {"m":[2]}
SELECT key, value, type, atom FROM json_each('{"a": 1, "b": [2], "c": "x", "d": null, "e": 1.5, "f": true}') ORDER BY key;
-- a | 1 | integer | 1
-- b | [2] | array | NULL
-- c | x | text | x
-- d | NULL | null | NULL
-- e | 1.5 | real | 1.5
-- f | 1 | true | 1
SELECT j.value FROM json_each('["x", "y"]') j ORDER BY j.key DESC;
-- y
-- x
SELECT value ->> 'n' FROM json_each('[{"n": 1}, {"n": 2}]') ORDER BY 1;
-- 1
-- 2
SELECT json_extract(value, '$.n') FROM json_each('{"list": [{"n": 1}]}', '$.list');
-- 1
SELECT id FROM t1 WHERE id IN (SELECT value FROM json_each('[1, 3, 9]')) ORDER BY id;
-- 1
-- 3
SELECT id, (SELECT count(*) FROM json_each(t1.doc)) FROM t1 ORDER BY id;
-- 1 | 2
-- 2 | 2
-- 3 | 0
SELECT id FROM t1 WHERE EXISTS (SELECT 1 FROM json_each(t1.doc) WHERE value = 'y');
-- 1
SELECT name, seq FROM sqlite_sequence;
-- t1 | 4
WITH w AS (SELECT 7 AS a) INSERT INTO t1 (id, n) SELECT a, a FROM w;
WITH w AS (SELECT 8 AS a) INSERT INTO t1 (id, n) VALUES ((SELECT a FROM w), 1) RETURNING id;
-- 8
CREATE INDEX t1_part ON t1 (name) WHERE n > 1;
SELECT date() = date('now'), datetime() >= '2026', strftime('%Y') >= '2026';
-- 1 | 1 | 1
CREATE TABLE child (id INTEGER PRIMARY KEY, a INTEGER REFERENCES t1 (id) ON DELETE CASCADE);
PRAGMA foreign_key_list(child);
-- 0 | 0 | t1 | a | id | NO ACTION | CASCADE | NONE
SELECT "from", "table" FROM pragma_foreign_key_list('child');
-- a | t1
SELECT name, pk FROM pragma_table_info('child');
-- id | 1
-- a | 0
PRAGMA index_info(t1_part);
-- 0 | 1 | name
SELECT a.id, b.id FROM t1 a JOIN t1 b ON a.rowid = b.rowid + 1 ORDER BY 1;
-- 2 | 1
-- 3 | 2
-- 8 | 7
CREATE TABLE swap (id INTEGER PRIMARY KEY, a INTEGER, b INTEGER);
INSERT INTO swap VALUES (1, 2, 3);
UPDATE swap SET a = b, b = a RETURNING a, b;
-- 3 | 2
UPDATE swap SET (a, b) = (b + 1, a + 1) RETURNING a, b;
-- 3 | 4
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE IF NOT EXISTS "posts" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "title" varchar(100) NOT NULL, "body" text, "at" datetime);
INSERT INTO posts VALUES(1,'it''s',replace('two\nlines','\n',char(10)),'2026-01-01 10:00:00');
INSERT INTO posts VALUES(41,'x',NULL,NULL);
DELETE FROM sqlite_sequence;
INSERT INTO sqlite_sequence VALUES('posts',77);
CREATE INDEX "posts_title" ON "posts" ("title");
COMMIT;
PRAGMA foreign_keys=ON;
SELECT id, title, replace(body, char(10), '/'), at FROM posts ORDER BY id;
-- 1 | it's | two/lines | 2026-01-01 10:00:00
-- 41 | x | NULL | NULL
INSERT INTO posts (title) VALUES ('new') RETURNING id;
-- 78
SELECT seq FROM sqlite_sequence WHERE name = 'posts';
-- 78
CREATE TABLE named (name TEXT PRIMARY KEY, "rowid" INTEGER);
INSERT INTO named VALUES ('x', 5);
SELECT rowid FROM named;
-- 5
--! here
SELECT _rowid_ FROM named;
-- error: '_rowid_' of a table whose key isn't one INTEGER PRIMARY KEY
--! here
UPDATE sqlite_sequence SET seq = 1;
-- error: sqlite_sequence
--! here
SELECT key FROM json_tree('[1]');
-- error: json_tree() as a table (json_each can be one) near "json_tree
