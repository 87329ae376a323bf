CREATE TABLE users (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  email TEXT NOT NULL UNIQUE,
  [name] TEXT COLLATE NOCASE,
  "active" INTEGER NOT NULL DEFAULT 1 CHECK (active IN (0, 1)),
  score REAL,
  data TEXT DEFAULT '{}',
  raw BLOB
) STRICT;
CREATE TABLE orders (
  id INTEGER PRIMARY KEY,
  user_id INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
  n INT NOT NULL,
  status VARCHAR(10) DEFAULT 'new',
  CHECK (n / 2 < 1000)
);
CREATE INDEX IF NOT EXISTS orders_user ON orders (user_id, n DESC);
INSERT INTO users (email, name, score, raw) VALUES ('ann@x', 'Ann', 1.5, x'00FF'), ('bob@x', 'Bob', NULL, NULL), ('cy@x', NULL, 3, zeroblob(2)) RETURNING id, email;
-- 1 | ann@x
-- 2 | bob@x
-- 3 | cy@x
INSERT INTO orders VALUES (1, 1, 7, 'new'), (2, 1, 2, 'paid'), (3, 2, 5, 'paid');
SELECT id, name FROM users ORDER BY name;
-- 3 | NULL
-- 1 | Ann
-- 2 | Bob
SELECT id FROM users ORDER BY name NULLS LAST LIMIT 1, 2;
-- 2
-- 3
SELECT id FROM users ORDER BY score DESC NULLS FIRST LIMIT -1 OFFSET 1;
-- 3
-- 1
SELECT 7 / 2, 7 / 2.0, -7 / 2, 7 % 3, 5.9 % 2, 1 / 0, 6 & 3, ~5, 1 << 4;
-- 3 | 3.5 | -3 | 1 | 1 | NULL | 2 | -6 | 16
SELECT 'a' || 'b' || 3, 'x' || NULL, "email" FROM users WHERE [id] == 1;
-- ab3 | NULL | ann@x
SELECT id FROM users WHERE email LIKE 'ANN%';
-- 1
SELECT id FROM users WHERE email LIKE 'a\_%' ESCAPE '\';
SELECT 'a%b' LIKE 'a\%b', 'a\xb' LIKE 'a\%b', 'Ä' LIKE 'ä', 'abc' NOT LIKE 'A_C';
-- 0 | 1 | 0 | 0
SELECT id FROM users WHERE email GLOB '[ab]*@x' ORDER BY id;
-- 1
-- 2
SELECT 'abc' GLOB 'A*', 'a.c' GLOB 'a.?', 'abc' GLOB 'a[^x]c', 'a]c' GLOB 'a[]]c';
-- 0 | 1 | 1 | 1
SELECT id FROM users WHERE name = 'ANN';
-- 1
SELECT id FROM users WHERE name IS NULL OR score IS 1.5 ORDER BY id;
-- 1
-- 3
SELECT 1 IS 1, NULL IS NULL, 1 IS NULL, 1 IS NOT 2, NULL IS NOT 3, 2 IS TRUE, 0 IS NOT FALSE, 1 IS DISTINCT FROM NULL, 5 ISNULL, 5 NOTNULL, NULL NOT NULL;
-- 1 | 1 | 0 | 1 | 1 | 1 | 0 | 1 | 0 | 1 | 0
SELECT 1 = '1', 1 < 'a', '10' > 9, 1 IS '1', 2 IN ('2', 3);
-- 0 | 1 | 1 | 0 | 0
SELECT id FROM orders WHERE n = '7' OR id IN ('3') ORDER BY id;
-- 1
-- 3
SELECT id FROM users WHERE email > 5 ORDER BY id LIMIT 1;
-- 1
SELECT CAST('12abc' AS INTEGER), CAST(3.99 AS INTEGER), CAST(-3.99 AS INT), CAST(12 AS TEXT), CAST('1.5' AS REAL), CAST('ab' AS BLOB);
-- 12 | 3 | -3 | 12 | 1.5 | x'6162'
SELECT count(*), count(name), avg(score), total(score), sum(n), max(n, 6), min(id) FROM users JOIN orders USING (id);
-- 3 | 2 | 2.25 | 4.5 | 14 | 7 | 1
SELECT count(*) FILTER (WHERE status = 'paid') AS paid, group_concat(n, '-') FROM (SELECT * FROM orders WHERE id < 3);
-- 1 | 7-2
SELECT group_concat(email) FROM users WHERE id = 1;
-- ann@x
SELECT sum(n), total(n), avg(n) FROM orders WHERE id > 100;
-- NULL | 0 | NULL
SELECT status, count(*) c FROM orders GROUP BY status HAVING c > 1;
-- paid | 2
SELECT u.name, o.n FROM users AS u, orders AS o WHERE o.user_id = u.id ORDER BY o.id;
-- Ann | 7
-- Ann | 2
-- Bob | 5
SELECT u.id, count(o.id) FROM users u LEFT OUTER JOIN orders o ON o.user_id = u.id GROUP BY u.id ORDER BY u.id;
-- 1 | 2
-- 2 | 1
-- 3 | 0
SELECT id, row_number() OVER (PARTITION BY user_id ORDER BY n DESC) AS r, sum(n) OVER w FROM orders WINDOW w AS (ORDER BY id) ORDER BY id;
-- 1 | 1 | 7
-- 2 | 2 | 9
-- 3 | 1 | 14
SELECT u.id, o.id FROM users u FULL OUTER JOIN orders o ON o.user_id = u.id AND o.n > 2 ORDER BY u.id NULLS LAST, o.id;
-- 1 | 1
-- 2 | 3
-- 3 | NULL
-- NULL | 2
SELECT id, total(n) OVER (ORDER BY id) FROM orders ORDER BY id;
-- 1 | 7
-- 2 | 9
-- 3 | 14
SELECT json_group_array(n ORDER BY n DESC), json_group_array(n) FILTER (WHERE n > 100), json_group_object(id, n) FILTER (WHERE id = 1) FROM orders;
-- [7,5,2] | [] | {"1":7}
WITH RECURSIVE c(x) AS (VALUES (1) UNION ALL SELECT x + 1 FROM c WHERE x < 4) SELECT x FROM c WHERE x % 2 = 0 ORDER BY x;
-- 2
-- 4
SELECT column2 FROM (VALUES (1, 'a'), (2, 'b')) ORDER BY column1 DESC;
-- b
-- a
SELECT id FROM orders UNION SELECT 9 EXCEPT SELECT 2 ORDER BY 1;
-- 1
-- 3
-- 9
SELECT (SELECT n FROM orders WHERE user_id = users.id ORDER BY n) FROM users WHERE id = 1;
-- 2
SELECT iif(1 > 2, 'a', 'b'), coalesce(NULL, 3), ifnull(NULL, 'x'), nullif(1, 1), substr('hello', -3), substr('hello', 2, 2), instr('hello', 'l'), upper('abc'), length('äb'), hex('ab'), replace('aXa', 'X', '-'), trim('  x '), ltrim('xxa', 'x'), typeof(1.5), abs(-2), round(2.567, 1);
-- b | 3 | x | NULL | llo | el | 3 | ABC | 2 | 6162 | a-a | x | a | real | 2 | 2.6
SELECT printf('%05d|%s', 42, 'x'), quote('it''s'), char(65, 66), unicode('A');
-- 00042|x | 'it''s' | AB | 65
SELECT json_extract('{"a": {"b": [1, 2]}}', '$.a.b[1]'), '{"a": {"b": [1, 2]}}' ->> '$.a.b[0]', '{"a": "x"}' -> 'a', '[10, 20]' ->> 1, json_type('[1]'), json_array_length('[1, 2, 3]');
-- 2 | 1 | "x" | 20 | array | 3
SELECT json_object('k', 1, 'l', json_array(1, 'two')), json_set('{"a": 1}', '$.b', 2);
-- {"k": 1, "l": [1, "two"]} | {"a": 1, "b": 2}
UPDATE users SET data = json_set(data, '$.n', 5) WHERE id = 1 RETURNING data ->> 'n';
-- 5
SELECT id FROM users WHERE data ->> '$.n' = 5;
-- 1
SELECT date('2026-01-31', '+1 month'), datetime('2026-01-01 10:00:00', '-1 day', '+2 hours'), strftime('%Y/%m', '2026-03-04'), julianday('2000-01-01 12:00:00'), unixepoch('1970-01-02');
-- 2026-03-03 | 2025-12-31 12:00:00 | 2026/03 | 2451545 | 86400
SELECT date('now') >= '2026-01-01', datetime('now') <= datetime('now', '+1 second'), CURRENT_TIMESTAMP > '2020', strftime('%s', 'now') + 0 > 1000;
-- 1 | 1 | 1 | 1

UPDATE users SET score = coalesce(score, 0) + 1, name = upper(name) WHERE id <= 2 RETURNING name, score;
-- ANN | 2.5
-- BOB | 1
UPDATE orders SET n = n + 100 FROM users WHERE users.id = orders.user_id AND email = 'bob@x';
SELECT n FROM orders WHERE id = 3;
-- 105
UPDATE orders SET status = u.email FROM users AS u WHERE u.id = orders.user_id AND orders.id = 3 RETURNING id, status;
-- 3 | bob@x
CREATE VIEW shorts AS SELECT id, substr(email, 1, 3) AS e, score / 2 AS half, date('2026-01-31', '+1 day') AS d FROM users WHERE email LIKE 'A%';
SELECT * FROM shorts;
-- 1 | ann | 1.25 | 2026-02-01
INSERT OR IGNORE INTO users (email) VALUES ('ann@x'), ('dee@x');
SELECT count(*) FROM users;
-- 4
INSERT OR REPLACE INTO orders (id, user_id, n) VALUES (3, 2, 6);
REPLACE INTO orders VALUES (4, 2, 8, 'x');
SELECT n, status FROM orders WHERE id > 2 ORDER BY id;
-- 6 | new
-- 8 | x
INSERT INTO users (email, name) VALUES ('ann@x', 'Other') ON CONFLICT (email) DO UPDATE SET name = excluded.name || '!', score = score * 2 RETURNING id, name, score;
-- 1 | Other! | 5
INSERT INTO users (email, name) VALUES ('ann@x', 'No') ON CONFLICT (email) DO UPDATE SET name = excluded.name WHERE score > 100;
SELECT name FROM users WHERE id = 1;
-- Other!
INSERT INTO users (email) VALUES ('ann@x') ON CONFLICT DO NOTHING;
INSERT INTO users (email) VALUES ('ann@x');
-- error: uplicate
INSERT INTO orders VALUES (9, 99, 1, NULL);
-- error: foreign key
INSERT INTO users (email, active) VALUES ('eve@x', 7);
-- error: heck
INSERT INTO users (email) VALUES (NULL);
-- error: null
DELETE FROM users WHERE id = 2;
SELECT count(*) FROM orders;
-- 2
BEGIN IMMEDIATE TRANSACTION;
INSERT INTO orders (user_id, n) VALUES (1, 50);
SAVEPOINT s;
DELETE FROM orders;
ROLLBACK TO s;
RELEASE s;
END;
SELECT n FROM orders ORDER BY n;
-- 2
-- 7
-- 50
BEGIN;
DELETE FROM orders;
ROLLBACK;
SELECT count(*) FROM orders;
-- 3
--! here
SELECT '7' / 2;
-- error: / of text, which may be a whole number or not (say which
--! here
SELECT '{"n":7}' ->> '$.n' / 2;
-- error: / of
SELECT CAST('7' AS INTEGER) / 2, CAST('{"n":7}' ->> '$.n' AS INTEGER) / 2, CAST('7' AS REAL) / 2;
-- 3 | 3 | 3.5
SELECT (1, 2) = (SELECT 1, 2), (2, 1) > (SELECT 1, 9), (1, NULL) IS (SELECT 1, NULL);
-- 1 | 1 | 1
