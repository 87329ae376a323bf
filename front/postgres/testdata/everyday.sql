CREATE TABLE users (
  id bigserial PRIMARY KEY,
  email varchar(200) NOT NULL UNIQUE,
  name text,
  active boolean NOT NULL DEFAULT true,
  score double precision,
  balance numeric(12,2) DEFAULT 0,
  data jsonb DEFAULT '{}'::jsonb,
  born date,
  created_at timestamptz DEFAULT now()
);
CREATE TABLE orders (
  id int PRIMARY KEY,
  user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
  n int NOT NULL,
  status text NOT NULL DEFAULT 'new' CHECK (status IN ('new', 'paid', 'gone')),
  at timestamp
);
CREATE INDEX IF NOT EXISTS orders_user ON orders (user_id);

INSERT INTO users (email, name, score, balance, born) VALUES
  ('ann@x', 'Ann', 1.5, 10.50, '1990-01-02'), ('bob@x', 'Bob', NULL, 20, NULL), ('cy@x', NULL, 3, 0.25, '2000-12-31')
RETURNING id, email, active;
-- 1 | ann@x | true
-- 2 | bob@x | true
-- 3 | cy@x | true
INSERT INTO orders VALUES (1, 1, 7, DEFAULT, '2026-01-01 10:00:00'), (2, 1, 2, 'paid', '2026-01-02 11:30:15.5'), (3, 2, 5, 'paid', NULL);

SELECT id, name FROM users ORDER BY name;
-- 1 | Ann
-- 2 | Bob
-- 3 | NULL
SELECT id, name FROM users ORDER BY name DESC;
-- 3 | NULL
-- 2 | Bob
-- 1 | Ann
SELECT id FROM users ORDER BY score NULLS FIRST, id LIMIT 2;
-- 2
-- 1
SELECT id FROM users ORDER BY score DESC NULLS LAST OFFSET 1 FETCH FIRST 1 ROW ONLY;
-- 1
SELECT 7 / 2, 7 / 2.0, -7 / 2, 7 % 3, 2 ^ 3;
-- 3 | 3.5 | -3 | 1 | 8
SELECT sum(n) / count(*) FROM orders;
-- 4
SELECT 'a' || 'b', 1 || 'x', 'v' || true, NULL || 'x';
-- ab | 1x | vtrue | NULL
SELECT "name", "active" FROM "users" WHERE "email" = 'ann@x';
-- Ann | true
SELECT id FROM users WHERE name LIKE 'a%';
SELECT id FROM users WHERE name ILIKE 'a%';
-- 1
SELECT id FROM users WHERE name NOT ILIKE 'A%';
-- 2
SELECT id FROM users WHERE name ~ '^[AB]' ORDER BY id;
-- 1
-- 2
SELECT id FROM users WHERE name !~* '^a';
-- 2
SELECT 'abc' SIMILAR TO 'a(b|x)%', 'abc' SIMILAR TO 'b%';
-- true | false
SELECT id FROM users WHERE name IS DISTINCT FROM 'Ann' ORDER BY id;
-- 2
-- 3
SELECT '42'::int + 1, 3.7::int, 'x'::text, 't'::boolean, '2026-02-03'::date, 5::text, true::text, true::int;
-- 43 | 4 | x | true | 2026-02-03 00:00:00 | 5 | true | 1
SELECT '1.50'::numeric(6,3), 2::float8, '\xdeadbeef'::bytea;
-- 1.500 | 2 | \xdeadbeef
SELECT 'abc'::int;
-- error: invalid input syntax for type integer: "abc"
SELECT name::int FROM users WHERE id = 1;
-- error: integer
SELECT id FROM users WHERE active = 't' AND id = '2';
-- 2
SELECT id FROM users WHERE id = 'x';
-- error: invalid input syntax for type
SELECT count(*), count(name), avg(score), min(born), max(balance) FROM users;
-- 3 | 2 | 2.25 | 1990-01-02 00:00:00 | 20.00
SELECT count(*) FILTER (WHERE status = 'paid') AS paid, sum(n) FILTER (WHERE n > 4) FROM orders;
-- 2 | 12
SELECT string_agg(email, ', ' ORDER BY id) FROM users;
-- ann@x, bob@x, cy@x
SELECT status, count(*) FROM orders GROUP BY status HAVING count(*) > 1;
-- paid | 2
SELECT u.name, o.n FROM users u JOIN orders o ON o.user_id = u.id ORDER BY o.id;
-- Ann | 7
-- Ann | 2
-- Bob | 5
SELECT u.id, count(o.id) AS c FROM users u LEFT JOIN orders o ON o.user_id = u.id GROUP BY u.id ORDER BY c DESC, u.id;
-- 1 | 2
-- 2 | 1
-- 3 | 0
SELECT DISTINCT ON (user_id) user_id, id, n FROM orders ORDER BY user_id, n DESC;
-- 1 | 1 | 7
-- 2 | 3 | 5
SELECT name FROM users WHERE EXISTS (SELECT 1 FROM orders WHERE user_id = users.id AND n > 5);
-- Ann
SELECT id FROM users WHERE id NOT IN (SELECT user_id FROM orders);
-- 3
SELECT id, active::text, concat(active), data->>'none' FROM users WHERE id IN (SELECT user_id FROM orders) ORDER BY id;
-- 1 | true | t | NULL
-- 2 | true | t | NULL
SELECT id FROM users WHERE data->>'none' IS NULL INTERSECT SELECT user_id FROM orders ORDER BY 1;
-- 1
-- 2
SELECT id, row_number() OVER (PARTITION BY user_id ORDER BY n DESC) FROM orders ORDER BY id;
-- 1 | 1
-- 2 | 2
-- 3 | 1
SELECT id, sum(n) OVER (ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) FROM orders ORDER BY id;
-- 1 | 7
-- 2 | 9
-- 3 | 14
WITH big AS (SELECT * FROM orders WHERE n >= 5), c AS (SELECT 1 AS one) SELECT big.id + c.one FROM big, c ORDER BY 1;
-- 2
-- 4
WITH RECURSIVE t(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM t WHERE n < 3) SELECT n FROM t ORDER BY n;
-- 1
-- 2
-- 3
SELECT * FROM (VALUES (1, 'a'), (2, 'b')) AS v(id, x) ORDER BY id DESC;
-- 2 | b
-- 1 | a
SELECT column2 FROM (VALUES (1, 'a')) AS v;
-- a
SELECT g FROM generate_series(2, 6, 2) AS g ORDER BY g;
-- 2
-- 4
-- 6
SELECT id FROM orders UNION SELECT 9 ORDER BY id DESC LIMIT 2;
-- 9
-- 3
SELECT active AND score > 1, NOT active, score IS NULL, COALESCE(active, false) FROM users WHERE id = 1;
-- true | false | false | true
SELECT greatest(1, NULL, 3), least(2, NULL);
-- 3 | 2
SELECT CASE WHEN n > 5 THEN 'big' ELSE 'small' END FROM orders ORDER BY id;
-- big
-- small
-- small

UPDATE users SET balance = balance + 1, name = upper(name) WHERE id = 1 RETURNING name, balance;
-- ANN | 11.50
UPDATE orders o SET n = o.n + 100 FROM users u WHERE u.id = o.user_id AND u.email = 'bob@x';
SELECT n FROM orders WHERE id = 3;
-- 105
UPDATE orders SET n = id, id = id + 10 WHERE id = 3;
SELECT id, n FROM orders WHERE id > 2;
-- 13 | 3
INSERT INTO users (email, name) VALUES ('ann@x', 'Other') ON CONFLICT (email) DO UPDATE SET name = EXCLUDED.name || '!' RETURNING id, name;
-- 1 | Other!
INSERT INTO users (email, name) VALUES ('ann@x', 'Third') ON CONFLICT (email) DO UPDATE SET name = excluded.name WHERE users.score > 100;
SELECT name FROM users WHERE id = 1;
-- Other!
INSERT INTO users (email) VALUES ('ann@x'), ('dee@x') ON CONFLICT DO NOTHING RETURNING email;
-- dee@x
INSERT INTO users (id, email) VALUES (1, 'zz@x') ON CONFLICT (email) DO NOTHING;
-- error: uplicate
INSERT INTO users (email) VALUES ('ann@x') ON CONFLICT (name) DO NOTHING;
-- error: there is no
INSERT INTO users (email) VALUES ('bob@x');
-- error: uplicate
INSERT INTO orders (id, user_id, n, status) VALUES (20, 1, 1, 'wrong');
-- error: orders_status_check
DELETE FROM orders o USING users u WHERE u.id = o.user_id AND u.email = 'bob@x';
SELECT count(*) FROM orders;
-- 2
DELETE FROM orders WHERE id = 2 RETURNING *;
-- 2 | 1 | 2 | paid | 2026-01-02 11:30:15.5
SELECT '2026-01-31'::timestamp + interval '1 month', date '2026-01-31' + 1, date '2026-03-01' - date '2026-02-01';
-- 2026-02-28 00:00:00 | 2026-02-01 00:00:00 | 28
SELECT at - interval '1 day 2 hours' FROM orders WHERE id = 1;
-- 2025-12-31 08:00:00
SELECT now() - interval '1 day' < now(), now() > '2020-01-01';
-- true | true
SELECT extract(year FROM at), extract(dow FROM at), date_trunc('month', at), to_char(at, 'YYYY-MM-DD HH24:MI') FROM orders WHERE id = 1;
-- 2026 | 4 | 2026-01-01 00:00:00 | 2026-01-01 10:00
BEGIN;
INSERT INTO orders VALUES (30, 1, 1);
SAVEPOINT s;
DELETE FROM orders WHERE id = 30;
ROLLBACK TO SAVEPOINT s;
COMMIT;
SELECT id FROM orders ORDER BY id;
-- 1
-- 30
SELECT N'many letters', 'abc'::char, 'abc'::char(2), 'abc'::bpchar, CAST('abc' AS "char"), 'abc'::varchar(1), 'abc'::varchar;
-- many letters | a | ab | abc | a | a | abc
