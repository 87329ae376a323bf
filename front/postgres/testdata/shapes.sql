CREATE TABLE people (id bigserial PRIMARY KEY, email text NOT NULL, name text, active boolean DEFAULT true, age int, score numeric(10,2), created_at timestamptz, data jsonb, CONSTRAINT people_email UNIQUE (email));
CREATE TABLE buys (id bigint PRIMARY KEY, who bigint REFERENCES people(id), total numeric(12,2) NOT NULL, status text NOT NULL DEFAULT 'new', placed timestamp, shipped timestamp);
INSERT INTO people (email, name, age, score, created_at, data) VALUES ('a@x', 'Ann', 30, 1.5, '2026-01-02 03:04:05Z', '{"tags": ["x","y"], "k": 1}'), ('b@x', 'Bob', 40, 2.25, '2026-02-02 03:04:05+02', '{"tags": [], "q": null}'), ('c@x', 'Cy', NULL, NULL, '2026-03-02T03:04:05.123456+00:00', NULL), ('d@x', NULL, 40, 0, '2026-07-02 23:04:05 -0530', '{"tags": ["z", null, 7, {"a": 1}]}');
INSERT INTO buys VALUES (1, 1, 10, 'paid', '2026-01-01 10:00', '2026-01-03 12:30'), (2, 1, 20.5, 'new', '2026-01-02 10:00', NULL), (3, 2, 5, 'paid', '2026-02-01', '2026-02-01 00:00:01.5'), (4, NULL, 7, 'paid', NULL, NULL);
SELECT id, created_at FROM people ORDER BY id;
-- 1 | 2026-01-02 03:04:05
-- 2 | 2026-02-02 01:04:05
-- 3 | 2026-03-02 03:04:05.123456
-- 4 | 2026-07-03 04:34:05
SELECT id FROM people WHERE created_at < '2026-02-02T01:04:05.5Z' ORDER BY id;
-- 1
-- 2
SELECT '2026-01-02T03:04:05Z'::timestamptz, timestamptz '2026-01-02 03:04:05+05:30', '2026-01-02 03:04:05+05:30'::timestamp, '2026-07-02 03:04 Europe/Berlin'::timestamptz, '2026-01-02 03:04:05.25-08'::timestamptz, '2026-01-02 23:30:00-08'::date;
-- 2026-01-02 03:04:05 | 2026-01-01 21:34:05 | 2026-01-02 03:04:05 | 2026-07-02 01:04:00 | 2026-01-02 11:04:05.25 | 2026-01-02 00:00:00
INSERT INTO people (email, name) VALUES ('a@x', 'New') ON CONFLICT ON CONSTRAINT people_email DO UPDATE SET name = people.name || excluded.name RETURNING id, name;
-- 1 | AnnNew
INSERT INTO people (id, email, name) VALUES (1, 'zz@x', 'New') ON CONFLICT ON CONSTRAINT people_pkey DO NOTHING;
WITH w AS (SELECT 7 AS n), v AS (SELECT n + 1 AS m FROM w) INSERT INTO buys (id, who, total) VALUES (5, 1, (SELECT n FROM w)), (6, 2, (SELECT max(m) FROM v)) RETURNING total;
-- 7.00
-- 8.00
WITH w AS (SELECT 7 AS n) INSERT INTO buys (id, who, total) SELECT 7, 1, n FROM w RETURNING total;
-- 7.00
INSERT INTO buys (id, who, total) WITH w AS (SELECT 8 AS n) SELECT 8, 2, n FROM w RETURNING total;
-- 8.00
DELETE FROM buys WHERE id > 4;
UPDATE people SET (name, age) = (SELECT 'N' || count(*), 5 FROM buys WHERE buys.who = people.id) WHERE id IN (1, 3) RETURNING id, name, age;
-- 1 | N2 | 5
-- 3 | N0 | 5
UPDATE people SET (name, age) = ('Ann', 6), score = 3 WHERE id = 1 RETURNING name, age, score;
-- Ann | 6 | 3.00
UPDATE people SET (name, age) = ROW('Ann', age + 1) WHERE id = 1 RETURNING name, age;
-- Ann | 7
UPDATE people SET (name, age) = (SELECT status, id FROM buys WHERE buys.who = people.id ORDER BY total DESC LIMIT 1) WHERE id <> 4;
SELECT id, name, age FROM people ORDER BY id;
-- 1 | new | 2
-- 2 | paid | 3
-- 3 | NULL | NULL
-- 4 | NULL | 40
UPDATE buys SET placed = shipped, shipped = placed, total = total + id, id = id + 100 WHERE id = 1 RETURNING id, placed, shipped, total;
-- 101 | 2026-01-03 12:30:00 | 2026-01-01 10:00:00 | 11.00
UPDATE buys SET id = who, who = id - 100 WHERE id = 101 RETURNING id, who;
-- 1 | 1
INSERT INTO buys (id, who, total, status) VALUES (1, 2, 3, 'q') ON CONFLICT (id) DO UPDATE SET status = buys.total || excluded.status, total = excluded.total RETURNING status, total;
-- 11.00q | 3.00
SELECT u.id, o.id FROM people u FULL JOIN buys o ON o.who = u.id AND o.total > 4 ORDER BY u.id, o.id;
-- 1 | 2
-- 2 | 3
-- 3 | NULL
-- 4 | NULL
-- NULL | 1
-- NULL | 4
SELECT u.id, o.id FROM people u FULL OUTER JOIN buys o ON o.id = u.id WHERE u.id IS NULL OR o.id > 1 ORDER BY 1, 2;
-- 2 | 2
-- 3 | 3
-- 4 | 4
SELECT count(*), count(u.id), count(o.id), sum(o.total) FROM people u FULL JOIN buys o ON o.who = u.id;
-- 6 | 5 | 4 | 35.50
SELECT coalesce(x.a, y.a), x.a IS NULL FROM (SELECT 1 AS a UNION SELECT 2) x FULL JOIN (SELECT 2 AS a UNION SELECT 3) y ON x.a = y.a ORDER BY 1;
-- 1 | false
-- 2 | false
-- 3 | true
SELECT a.id, b.id, c.id FROM people a LEFT JOIN buys b ON b.who = a.id FULL JOIN buys c ON c.id = b.id + 1 ORDER BY 1, 2, 3;
-- 1 | 1 | 2
-- 1 | 2 | 3
-- 2 | 3 | 4
-- 3 | NULL | NULL
-- 4 | NULL | NULL
-- NULL | NULL | 1
SELECT DISTINCT ON (who) * FROM buys WHERE who IS NOT NULL ORDER BY who, total DESC;
-- 2 | 1 | 20.50 | new | 2026-01-02 10:00:00 | NULL
-- 3 | 2 | 5.00 | paid | 2026-02-01 00:00:00 | 2026-02-01 00:00:01.5
SELECT DISTINCT ON (o.who) o.*, u.name AS buyer, o.total * 2 AS twice FROM buys o JOIN people u ON u.id = o.who ORDER BY o.who, o.total;
-- 1 | 1 | 3.00 | 11.00q | 2026-01-03 12:30:00 | 2026-01-01 10:00:00 | new | 6.00
-- 3 | 2 | 5.00 | paid | 2026-02-01 00:00:00 | 2026-02-01 00:00:01.5 | paid | 10.00
SELECT created_at AT TIME ZONE 'UTC', created_at AT TIME ZONE 'America/New_York', timezone('Asia/Tokyo', created_at) FROM people ORDER BY id;
-- 2026-01-02 03:04:05 | 2026-01-01 22:04:05 | 2026-01-02 12:04:05
-- 2026-02-02 01:04:05 | 2026-02-01 20:04:05 | 2026-02-02 10:04:05
-- 2026-03-02 03:04:05.123456 | 2026-03-01 22:04:05.123456 | 2026-03-02 12:04:05.123456
-- 2026-07-03 04:34:05 | 2026-07-03 00:34:05 | 2026-07-03 13:34:05
SELECT placed AT TIME ZONE 'Europe/Berlin' FROM buys WHERE id < 4 ORDER BY id;
-- 2026-01-03 11:30:00
-- 2026-01-02 09:00:00
-- 2026-01-31 23:00:00
SELECT (created_at AT TIME ZONE 'Europe/Berlin')::date AS day, count(*) FROM people GROUP BY 1 ORDER BY 1;
-- 2026-01-02 00:00:00 | 1
-- 2026-02-02 00:00:00 | 1
-- 2026-03-02 00:00:00 | 1
-- 2026-07-03 00:00:00 | 1
SELECT date_trunc('day', created_at AT TIME ZONE 'Asia/Kolkata') FROM people ORDER BY 1;
-- 2026-01-02 00:00:00
-- 2026-02-02 00:00:00
-- 2026-03-02 00:00:00
-- 2026-07-03 00:00:00
SELECT id FROM people WHERE created_at >= timestamp '2026-02-02 00:00' AT TIME ZONE 'Europe/Berlin' ORDER BY id;
-- 2
-- 3
-- 4
SELECT timestamp '2026-03-29 02:30' AT TIME ZONE 'Europe/Berlin', timestamp '2026-10-25 02:30' AT TIME ZONE 'Europe/Berlin', timestamp '2026-03-08 02:30' AT TIME ZONE 'America/New_York', timestamp '2026-11-01 01:30' AT TIME ZONE 'America/New_York';
-- 2026-03-29 01:30:00 | 2026-10-25 01:30:00 | 2026-03-08 07:30:00 | 2026-11-01 06:30:00
SELECT timestamp '2026-03-29 02:30' AT TIME ZONE 'Europe/Berlin' AT TIME ZONE 'America/Los_Angeles', created_at AT TIME ZONE INTERVAL '-08:00' FROM people WHERE id = 1;
-- 2026-03-28 18:30:00 | 2026-01-01 19:04:05
SELECT json_agg(name ORDER BY name DESC NULLS LAST), jsonb_agg(id ORDER BY age NULLS LAST, id DESC) FILTER (WHERE id > 1) FROM people;
-- ["paid", "new", null, null] | [2, 4, 3]
SELECT active, jsonb_agg(jsonb_build_object('id', id, 'ok', active, 'at', created_at) ORDER BY id) FROM people GROUP BY active;
-- true | [{"at": "2026-01-02T03:04:05+00:00", "id": 1, "ok": true}, {"at": "2026-02-02T01:04:05+00:00", "id": 2, "ok": true}, {"at": "2026-03-02T03:04:05.123456+00:00", "id": 3, "ok": true}, {"at": "2026-07-03T04:34:05+00:00", "id": 4, "ok": true}]
SELECT jsonb_agg(placed ORDER BY id), jsonb_object_agg(id, placed IS NULL) FILTER (WHERE id < 3) FROM buys;
-- ["2026-01-03T12:30:00", "2026-01-02T10:00:00", "2026-02-01T00:00:00", null] | {"1": false, "2": false}
SELECT json_build_object('id', u.id, 'buys', (SELECT json_agg(json_build_object('id', o.id, 'total', o.total) ORDER BY o.id) FROM buys o WHERE o.who = u.id)) FROM people u WHERE id < 4 ORDER BY id;
-- {"id" : 1, "buys" : [{"id" : 1, "total" : 3.00}, {"id" : 2, "total" : 20.50}]}
-- {"id" : 2, "buys" : [{"id" : 3, "total" : 5.00}]}
-- {"id" : 3, "buys" : null}
SELECT u.id, coalesce(json_agg(json_build_object('id', o.id)) FILTER (WHERE o.id IS NOT NULL), '[]') FROM people u LEFT JOIN buys o ON o.who = u.id AND o.id = 2 GROUP BY u.id ORDER BY u.id;
-- 1 | [{"id" : 2}]
-- 2 | []
-- 3 | []
-- 4 | []
SELECT array_agg(id ORDER BY id DESC), array_agg(active ORDER BY id), array_agg(name ORDER BY id), array_agg(score ORDER BY id), array_agg(created_at::date ORDER BY id) FROM people;
-- {4,3,2,1} | {t,t,t,t} | {new,paid,NULL,NULL} | {3.00,2.25,NULL,0.00} | {2026-01-02,2026-02-02,2026-03-02,2026-07-03}
SELECT array_agg(s ORDER BY s) FROM (VALUES ('a,b'), ('{'), ('nULL'), (''), ('q"\x'), ('plain'), ('two words')) AS t(s);
-- {"","a,b","nULL",plain,"q\"\\x","two words","{"}
SELECT array_agg(id) FROM people WHERE id > 100;
-- NULL
SELECT who, array_agg(id ORDER BY id) FILTER (WHERE total > 4) FROM buys GROUP BY who ORDER BY who;
-- 1 | {2}
-- 2 | {3}
-- NULL | {4}
SELECT ARRAY[1, 2, NULL], ARRAY['x', 'y z'], ARRAY(SELECT id FROM buys WHERE who IS NOT NULL ORDER BY total DESC), ARRAY(SELECT id FROM buys WHERE id > 100), ARRAY[]::int[];
-- {1,2,NULL} | {x,"y z"} | {2,3,1} | {} | {}
SELECT u.id, ARRAY(SELECT o.status FROM buys o WHERE o.who = u.id ORDER BY o.id) FROM people u ORDER BY u.id;
-- 1 | {11.00q,new}
-- 2 | {paid}
-- 3 | {}
-- 4 | {}
SELECT string_agg(DISTINCT status, ',' ORDER BY status), string_agg(status, '-' ORDER BY total DESC, id), string_agg(status, ',' ORDER BY placed NULLS FIRST, id) FROM buys;
-- 11.00q,new,paid | new-paid-paid-11.00q | paid,new,11.00q,paid
SELECT people.id, t.value FROM people, jsonb_array_elements_text(data->'tags') AS t(value) ORDER BY 1, 2;
-- 1 | x
-- 1 | y
-- 4 | 7
-- 4 | z
-- 4 | {"a": 1}
-- 4 | NULL
SELECT people.id, tag FROM people CROSS JOIN LATERAL jsonb_array_elements_text(people.data->'tags') AS tag WHERE tag <> 'y' ORDER BY 1, 2;
-- 1 | x
-- 4 | 7
-- 4 | z
-- 4 | {"a": 1}
SELECT people.id, e.value, e.ordinality FROM people, jsonb_array_elements(data->'tags') WITH ORDINALITY e ORDER BY 1, 3;
-- 1 | "x" | 1
-- 1 | "y" | 2
-- 4 | "z" | 1
-- 4 | null | 2
-- 4 | 7 | 3
-- 4 | {"a": 1} | 4
SELECT value FROM jsonb_array_elements('[1, {"a": 2}, "x", null]') WHERE value IS NOT NULL;
-- 1
-- {"a": 2}
-- "x"
-- null
SELECT elem->>'sku' AS sku, (elem->>'n')::int FROM jsonb_array_elements('[{"sku": "a", "n": 2}, {"sku": "b", "n": 1}]'::jsonb) AS elem ORDER BY sku DESC;
-- b | 1
-- a | 2
SELECT key, value FROM jsonb_each('{"a": 1, "b": "x", "c": null, "d": [1]}') ORDER BY key;
-- a | 1
-- b | "x"
-- c | null
-- d | [1]
SELECT key, value FROM jsonb_each_text('{"a": 1, "b": "x", "c": null, "d": [1]}') ORDER BY key;
-- a | 1
-- b | x
-- c | NULL
-- d | [1]
SELECT u.id, e.key, e.value FROM people u, jsonb_each(u.data) e ORDER BY 1, 2;
-- 1 | k | 1
-- 1 | tags | ["x", "y"]
-- 2 | q | null
-- 2 | tags | []
-- 4 | tags | ["z", null, 7, {"a": 1}]
SELECT k FROM jsonb_object_keys('{"a": 1, "b": 2}') AS k ORDER BY 1;
-- a
-- b
SELECT x.a, x.b + 1 FROM jsonb_to_recordset('[{"a": "p", "b": 1}, {"a": "q"}]') AS x(a text, b int) ORDER BY a;
-- p | 2
-- q | NULL
INSERT INTO buys (id, total, status) SELECT x.id, x.total, x.status FROM jsonb_to_recordset('[{"id": 11, "total": 1.25, "status": "in"}]') AS x(id bigint, total numeric(10,2), status text) RETURNING id, total;
-- 11 | 1.25
SELECT id, jsonb_array_elements_text(data->'tags') AS tag FROM people WHERE id = 1 ORDER BY tag;
-- 1 | x
-- 1 | y
SELECT DISTINCT jsonb_object_keys(data) AS k FROM people ORDER BY k;
-- k
-- q
-- tags
SELECT generate_series(1, 3) AS n ORDER BY n DESC;
-- 3
-- 2
-- 1
SELECT d::date FROM generate_series('2026-01-30'::date, '2026-02-02'::date, '1 day') AS d ORDER BY 1;
-- 2026-01-30 00:00:00
-- 2026-01-31 00:00:00
-- 2026-02-01 00:00:00
-- 2026-02-02 00:00:00
SELECT m, count(b.id) FROM generate_series(timestamp '2026-01-01', timestamp '2026-03-01', interval '1 month') AS m LEFT JOIN buys b ON date_trunc('month', b.placed) = m GROUP BY m ORDER BY m;
-- 2026-01-01 00:00:00 | 2
-- 2026-02-01 00:00:00 | 1
-- 2026-03-01 00:00:00 | 0
SELECT t FROM generate_series(timestamp '2026-01-31', timestamp '2025-11-01', interval '-1 month') AS t;
-- 2026-01-31 00:00:00
-- 2025-12-31 00:00:00
-- 2025-11-30 00:00:00
SELECT o.id, g FROM buys o, generate_series(1, o.id) AS g WHERE o.id < 4 ORDER BY 1, 2;
-- 1 | 1
-- 2 | 1
-- 2 | 2
-- 3 | 1
-- 3 | 2
-- 3 | 3
SELECT user_id FROM (VALUES (1), (1), (2)) AS v(user_id) EXCEPT ALL SELECT 1 ORDER BY user_id;
-- 1
-- 2
SELECT who FROM buys EXCEPT ALL SELECT id FROM people ORDER BY 1 NULLS FIRST LIMIT 3;
-- NULL
-- NULL
-- 1
SELECT status AS s, who FROM buys INTERSECT ALL SELECT status, who FROM buys WHERE who IS NOT NULL ORDER BY s, who;
-- 11.00q | 1
-- new | 1
-- paid | 2
SELECT EXISTS (SELECT FROM people WHERE id = 1), EXISTS (SELECT FROM people WHERE id = 99);
-- true | false
SELECT status, who, grouping(who), sum(total) FROM buys GROUP BY ROLLUP (status, who) ORDER BY 1 NULLS LAST, 2 NULLS LAST, 3;
-- 11.00q | 1 | 0 | 3.00
-- 11.00q | NULL | 1 | 3.00
-- in | NULL | 0 | 1.25
-- in | NULL | 1 | 1.25
-- new | 1 | 0 | 20.50
-- new | NULL | 1 | 20.50
-- paid | 2 | 0 | 5.00
-- paid | NULL | 0 | 7.00
-- paid | NULL | 1 | 12.00
-- NULL | NULL | 1 | 36.75
SELECT '2026-01-02T03:04:05Z'::timestamptz, timestamptz '2026-01-02 03:04:05+05:30', '2026-01-02 03:04:05+05:30'::timestamp, '2026-07-02 03:04 Europe/Berlin'::timestamptz, '2026-01-02 03:04:05.25-08'::timestamptz, '2026-01-02 23:30:00-08'::date;
-- 2026-01-02 03:04:05 | 2026-01-01 21:34:05 | 2026-01-02 03:04:05 | 2026-07-02 01:04:00 | 2026-01-02 11:04:05.25 | 2026-01-02 00:00:00
SELECT ARRAY[1, 2, NULL], ARRAY['x', 'y z'], ARRAY[]::int[], '{3, NULL,"a,b"}'::text[], ARRAY[1.5, 2]::numeric(5,2)[];
-- {1,2,NULL} | {x,"y z"} | {} | {3,NULL,"a,b"} | {1.50,2.00}
SELECT placed::text, 'at ' || placed, created_at::text, concat(placed, '!') FROM buys JOIN people ON people.id = buys.id WHERE buys.id < 4 ORDER BY buys.id;
-- 2026-01-03 12:30:00 | at 2026-01-03 12:30:00 | 2026-01-02 03:04:05+00 | 2026-01-03 12:30:00!
-- 2026-01-02 10:00:00 | at 2026-01-02 10:00:00 | 2026-02-02 01:04:05+00 | 2026-01-02 10:00:00!
-- 2026-02-01 00:00:00 | at 2026-02-01 00:00:00 | 2026-03-02 03:04:05.123456+00 | 2026-02-01 00:00:00!
