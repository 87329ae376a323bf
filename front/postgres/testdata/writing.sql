CREATE TABLE users (id bigserial PRIMARY KEY, email text NOT NULL UNIQUE, name text, seen timestamptz);
CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint NOT NULL REFERENCES users(id), total numeric(12,2) NOT NULL, big numeric(30,4), status text NOT NULL DEFAULT 'new', placed timestamp, raw bytea, ok boolean, d date, doc jsonb);
CREATE TABLE archive (id bigint PRIMARY KEY, user_id bigint, total numeric(12,2), big numeric(30,4), status text, placed timestamp, raw bytea, ok boolean, d date, doc jsonb);
CREATE TABLE log (id bigserial PRIMARY KEY, what text, n bigint);
INSERT INTO users (email, name, seen) VALUES ('a@x', 'Ann', '2026-01-01T00:00:00Z'), ('b@x', 'Bob', NULL), ('c@x', 'Cy', '2026-02-02T02:02:02.5Z');
INSERT INTO orders VALUES (1, 1, 10.25, 123456789012345678901234.5678, 'new', '2026-01-01 10:00:00.5', '\x00ff'::bytea, true, '2026-01-01', '{"a": [1]}'), (2, 1, 20, NULL, 'paid', NULL, NULL, false, NULL, NULL), (3, 2, 5, -0.0001, 'paid', '2026-03-01', '\x'::bytea, NULL, '2024-02-29', '[]'), (4, 3, 7, 1, 'gone', NULL, NULL, NULL, NULL, 'null');
WITH moved AS (DELETE FROM orders WHERE status = 'paid' OR id = 1 RETURNING *) INSERT INTO archive SELECT * FROM moved;
SELECT * FROM archive ORDER BY id;
-- 1 | 1 | 10.25 | 123456789012345678901234.5678 | new | 2026-01-01 10:00:00.5 | \x00ff | true | 2026-01-01 00:00:00 | {"a": [1]}
-- 2 | 1 | 20.00 | NULL | paid | NULL | NULL | false | NULL | NULL
-- 3 | 2 | 5.00 | -0.0001 | paid | 2026-03-01 00:00:00 | \x | NULL | 2024-02-29 00:00:00 | []
SELECT id FROM orders ORDER BY id;
-- 4
WITH back AS (DELETE FROM archive WHERE id < 3 RETURNING *) INSERT INTO orders SELECT * FROM back RETURNING id, big, raw, ok;
-- 1 | 123456789012345678901234.5678 | \x00ff | true
-- 2 | NULL | NULL | false
WITH u AS (UPDATE orders SET status = 'done' WHERE user_id = 1 RETURNING id, user_id, total) SELECT u.id, users.name, u.total FROM u JOIN users ON users.id = u.user_id ORDER BY 1;
-- 1 | Ann | 10.25
-- 2 | Ann | 20.00
WITH u AS (UPDATE orders SET total = total + 1 RETURNING *) SELECT count(*), sum(total), max(big), min(placed) FROM u;
-- 3 | 40.25 | 123456789012345678901234.5678 | 2026-01-01 10:00:00.5
WITH ins AS (INSERT INTO users (email, name) VALUES ('d@x', 'Dee') RETURNING id) INSERT INTO orders (id, user_id, total) SELECT 10, id, 99 FROM ins RETURNING id, total;
-- 10 | 99.00
WITH ins AS (INSERT INTO users (email) VALUES ('d@x') ON CONFLICT (email) DO NOTHING RETURNING id) SELECT id FROM ins UNION ALL SELECT id FROM users WHERE email = 'a@x' LIMIT 1;
-- 1
WITH ins AS (INSERT INTO users (email) VALUES ('e@x') ON CONFLICT (email) DO NOTHING RETURNING email) SELECT email FROM ins UNION ALL SELECT email FROM users WHERE email = 'e@x';
-- e@x
WITH ins AS (INSERT INTO users (email) VALUES ('e@x') ON CONFLICT (email) DO NOTHING RETURNING email), n AS (SELECT count(*) AS c FROM ins) SELECT email, c FROM ins, n UNION ALL SELECT u.email, 7 FROM users u WHERE email = 'e@x';
-- e@x | 7
WITH gone AS (DELETE FROM orders WHERE id = 10) DELETE FROM users WHERE email = 'd@x' RETURNING email;
-- d@x
WITH a AS (UPDATE users SET name = name || '!' WHERE id < 3 RETURNING id, name), b AS (INSERT INTO log (what, n) SELECT name, id FROM a RETURNING n), c AS (SELECT max(n) AS m FROM b) SELECT a.id, a.name, c.m FROM a, c ORDER BY a.id;
-- 1 | Ann! | 2
-- 2 | Bob! | 2
SELECT what, n FROM log ORDER BY n;
-- Ann! | 1
-- Bob! | 2
WITH low AS (SELECT id FROM users ORDER BY id LIMIT 1), del AS (DELETE FROM log WHERE n IN (SELECT id FROM low) RETURNING n) SELECT n, (SELECT count(*) FROM low) FROM del;
-- 1 | 1
WITH ins AS (INSERT INTO log (what) VALUES ('x'), ('y') RETURNING what) UPDATE users SET name = (SELECT string_agg(what, '' ORDER BY what) FROM ins) WHERE id = 1 RETURNING name;
-- xy
WITH picked AS (SELECT id FROM orders WHERE status = 'done' ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED) UPDATE orders SET status = 'busy' FROM picked WHERE orders.id = picked.id RETURNING orders.id, orders.status;
-- 1 | busy
UPDATE orders SET status = 'taken' WHERE id = (SELECT id FROM orders WHERE status = 'done' ORDER BY id FOR UPDATE SKIP LOCKED LIMIT 1) RETURNING id, status;
-- 2 | taken
WITH x AS (INSERT INTO log (id, what) VALUES (1000, 'first') RETURNING id) INSERT INTO users (id, email) SELECT id, 'a@x' FROM x;
-- error: uplicate
SELECT count(*) FROM log WHERE id = 1000;
-- 0
WITH x AS (DELETE FROM log RETURNING n) SELECT 1 WHERE false;
SELECT count(*) FROM log;
-- 0
BEGIN;
WITH x AS (INSERT INTO log (id, what) VALUES (7, 'in tx') RETURNING id) INSERT INTO users (id, email) SELECT id + 70, 'seven' FROM x;
ROLLBACK;
SELECT (SELECT count(*) FROM log), (SELECT count(*) FROM users WHERE id = 77);
-- 0 | 0
--! here
WITH x AS (UPDATE users SET name = 'q' WHERE id = 1 RETURNING id) SELECT users.name FROM users JOIN x ON x.id = users.id;
-- error: a WITH that writes the table users, which another part of the statement names (run them one after the other in a transaction) near "x AS (UPDATE
--! here
WITH x AS (DELETE FROM log RETURNING *), y AS (DELETE FROM log RETURNING *) SELECT 1;
-- error: a WITH that writes the table log, which another part
SELECT * FROM (WITH x AS (DELETE FROM log RETURNING *) SELECT 1 FROM x) y;
-- error: a WITH query that writes, within another statement (let it stand before the whole statement) near "x AS
--! here
UPDATE orders SET raw = '\x00ff' WHERE id = 1;
-- error: unsupported: a string that may be bytes (write '\x…'::bytea
UPDATE orders SET raw = '\xDEad'::bytea, status = '\x41'::text WHERE id = 1;
SELECT raw, status, status = CAST('\x41' AS text) FROM orders WHERE raw = bytea '\xdead';
-- \xdead | \x41 | true
