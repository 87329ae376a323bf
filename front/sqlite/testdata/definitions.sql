CREATE TABLE IF NOT EXISTS t (a INTEGER NOT NULL, b TEXT NOT NULL DEFAULT 'x', c REAL DEFAULT (1 + 1), d BOOLEAN DEFAULT 1, e INTEGER GENERATED ALWAYS AS (a * 2) VIRTUAL, PRIMARY KEY (a, b)) WITHOUT ROWID;
INSERT INTO t (a) VALUES (1), (2);
SELECT * FROM t ORDER BY a;
-- 1 | x | 2 | 1 | 2
-- 2 | x | 2 | 1 | 4
PRAGMA table_info(t);
-- 0 | a | INTEGER | 1 | NULL | 1
-- 1 | b | TEXT | 1 | 'x' | 2
-- 2 | c | REAL | 0 | 1 + 1 | 0
-- 3 | d | BOOLEAN | 0 | 1 | 0
ALTER TABLE t ADD COLUMN f TEXT DEFAULT 'new';
ALTER TABLE t RENAME COLUMN f TO g;
UPDATE t SET g = 'old' WHERE a = 1;
SELECT a, g FROM t ORDER BY a;
-- 1 | old
-- 2 | new
ALTER TABLE t DROP COLUMN g;
ALTER TABLE t RENAME TO tt;
CREATE UNIQUE INDEX tt_c ON tt (c, a);
CREATE VIEW v AS SELECT a, a / 2 AS half, b || '!' AS loud FROM tt WHERE a > '1';
SELECT * FROM v;
-- 2 | 1 | x!
SELECT type, name, tbl_name FROM sqlite_master WHERE name IN ('tt', 'v', 'tt_c') ORDER BY name;
-- table | tt | tt
-- index | tt_c | tt
-- view | v | v
SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'tt';
-- 1
DROP INDEX tt_c;
DROP INDEX IF EXISTS tt_c;
DROP VIEW IF EXISTS v;
CREATE TABLE copy AS SELECT a, b FROM tt;
SELECT count(*) FROM copy;
-- 2
DROP TABLE copy;
SELECT * FROM copy;
-- error: copy
PRAGMA foreign_keys;
-- 1
--! here
PRAGMA journal_mode = WAL;
--! here
CREATE TEMP TABLE x (a INTEGER);
-- error: a temporary table
--! here
CREATE TABLE x (a ANY);
-- error: type ANY
--! here
CREATE UNIQUE INDEX i ON tt (a) WHERE b = 'x';
-- error: a unique index with WHERE
--! here
SELECT 7 / ? FROM tt;
-- error: / of a parameter
CREATE TABLE kid (id INTEGER PRIMARY KEY, mum INTEGER REFERENCES mum (id));
CREATE TABLE mum (id INTEGER PRIMARY KEY, name TEXT);
INSERT INTO mum VALUES (5, 'Ann');
INSERT INTO kid VALUES (1, NULL), (2, 5);
SELECT id, mum FROM kid ORDER BY id;
-- 1 | NULL
-- 2 | 5
INSERT INTO kid VALUES (3, 6);
-- error: foreign key
DELETE FROM mum;
-- error: foreign key
--! here
CREATE TABLE pet (id INTEGER PRIMARY KEY, owner INTEGER REFERENCES owner);
-- error: create it first, or name its columns
DROP TABLE kid;
DROP TABLE mum;
