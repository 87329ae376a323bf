CREATE TABLE a (id int PRIMARY KEY, g int, n int, s text);
CREATE TABLE b (id int PRIMARY KEY, a_id int, v text);
INSERT INTO a VALUES (1, 1, 10, 'x'), (2, 1, 20, 'y'), (3, 2, NULL, NULL), (4, 2, 40, 'x');
INSERT INTO b VALUES (1, 1, 'p'), (2, 1, 'q'), (3, 4, 'r');
UPDATE a SET n = a.n + 1 FROM b WHERE b.a_id = a.id AND b.v = 'r' RETURNING a.id, a.n;
-- 4 | 41
DELETE FROM b USING a WHERE a.id = b.a_id AND a.s = 'x' AND b.v = 'q' RETURNING b.id;
-- 2
INSERT INTO b SELECT id + 100, id, s FROM a WHERE s IS NOT NULL ON CONFLICT (id) DO NOTHING;
INSERT INTO b (id, a_id, v) SELECT id + 100, id, s FROM a WHERE id < 3 ON CONFLICT (id) DO UPDATE SET v = b.v || excluded.v;
SELECT id, v FROM b ORDER BY id;
-- 1 | p
-- 3 | r
-- 101 | xx
-- 102 | yy
-- 104 | x
INSERT INTO a (id, g) SELECT max(id) + 1, 3 FROM a RETURNING id;
-- 5
SELECT id FROM a WHERE n > 10 ORDER BY id FOR UPDATE;
-- 2
-- 4
SELECT id FROM a WHERE id = 1 FOR SHARE NOWAIT;
-- 1
SELECT a.id, l.v FROM a CROSS JOIN LATERAL (SELECT v FROM b WHERE b.a_id = a.id ORDER BY b.id LIMIT 1) l ORDER BY a.id;
-- 1 | p
-- 2 | yy
-- 4 | r
SELECT id FROM a WHERE (g, s) IN ((1, 'x'), (2, 'x')) ORDER BY id;
-- 1
-- 4
SELECT id FROM a WHERE n > ALL (SELECT n FROM a WHERE g = 1) AND s = ANY (ARRAY['x', 'z']);
-- 4
SELECT id FROM a WHERE id IN (VALUES (1), (9));
-- 1
SELECT g, count(*), count(DISTINCT s), sum(n), avg(n), stddev(n), bool_and(n > 5), bool_or(s = 'y') FROM a WHERE g < 3 GROUP BY g ORDER BY g;
-- 1 | 2 | 2 | 30 | 15 | 7.07106781186548 | true | true
-- 2 | 2 | 1 | 41 | 41 | NULL | true | false
SELECT grouping(g), grouping(g, s), count(*) FROM a GROUP BY ROLLUP (g, s) ORDER BY 2 DESC, 3 LIMIT 1;
-- 1 | 3 | 5
SELECT g, s, sum(n) FROM a WHERE n IS NOT NULL GROUP BY ROLLUP (g, s) ORDER BY g NULLS LAST, s NULLS LAST;
-- 1 | x | 10
-- 1 | y | 20
-- 1 | NULL | 30
-- 2 | x | 41
-- 2 | NULL | 41
-- NULL | NULL | 71
SELECT id, lag(n, 1, 0) OVER w, rank() OVER w, first_value(s) OVER (PARTITION BY g ORDER BY id) FROM a WHERE id < 5 WINDOW w AS (ORDER BY n NULLS FIRST, id) ORDER BY id;
-- 1 | NULL | 2 | x
-- 2 | 10 | 3 | x
-- 3 | 0 | 1 | NULL
-- 4 | 20 | 4 | NULL
SELECT sum(count(*)) OVER (), g FROM a GROUP BY g ORDER BY g;
-- 5 | 1
-- 5 | 2
-- 5 | 3
SELECT coalesce(s, 'none') AS label, count(*) FROM a GROUP BY label HAVING count(*) >= 1 ORDER BY 2 DESC, label DESC;
-- x | 2
-- none | 2
-- y | 1
SELECT x.g, y.id FROM (SELECT DISTINCT g FROM a) x LEFT JOIN a y ON y.g = x.g AND y.n > 15 ORDER BY x.g, y.id;
-- 1 | 2
-- 2 | 4
-- 3 | NULL
SELECT id FROM a WHERE NOT (s = 'x') ORDER BY id;
-- 2
SELECT id FROM a WHERE (s = 'x') IS NOT TRUE ORDER BY id;
-- 2
-- 3
-- 5
SELECT id FROM a WHERE n BETWEEN SYMMETRIC 45 AND 15 ORDER BY id;
-- 2
-- 4
--! here
SELECT substring('hello' FROM 2 FOR 3), position('l' IN 'hello'), trim(BOTH 'x' FROM 'xxhixx'), overlay('abc' PLACING 'X' FROM 2 FOR 1);
-- error: overlay
--! here
SELECT substring('hello' FROM 2 FOR 3), position('l' IN 'hello'), trim(BOTH 'x' FROM 'xxhixx'), upper('äb'), initcap('x');
-- error: initcap
SELECT substring('hello' FROM 2 FOR 3), position('l' IN 'hello'), trim(BOTH 'x' FROM 'xxhixx'), left('hello', 2), lpad('7', 3, '0'), concat('a', NULL, 1, true), concat_ws('-', 'a', NULL, 'b'), split_part('a,b,c', ',', 2), regexp_replace('foobar', 'o(.)', '<\1>', 'g'), md5('x'), repeat('ab', 2), reverse('abc'), ascii('A'), chr(66), strpos('abc', 'c'), length('äb');
-- ell | 3 | hi | he | 007 | a1t | a-b | b | f<o>bar | 9dd4e461268c8034f5c8564e155c67a6 | abab | cba | 65 | B | 3 | 2
SELECT abs(-2), ceil(1.2), floor(-1.2), round(2.567, 2), round(2.5), trunc(1.99), sqrt(16), power(2, 3), mod(7, 3), sign(-3), exp(0), ln(1), log(100), 10 % 3, -5 / 2, 5 # 1, ~5, 1 << 3;
-- 2 | 2 | -2 | 2.57 | 3 | 1 | 4 | 8 | 1 | -1 | 1 | 0 | 2 | 1 | -2 | 4 | -6 | 8
SELECT nullif(1, 1), coalesce(NULL, NULL, 3), 1 IS NULL, NULL IS NOT DISTINCT FROM NULL, 'a' < 'b', 'B' < 'a', true > false, true AND NULL, false AND NULL;
-- NULL | 3 | false | true | true | true | true | NULL | false
SELECT 1 / 0;
-- error: ivision by zero
SELECT n / (g - 1) FROM a WHERE id = 1;
-- error: ivision by zero
SELECT 5 % 0;
-- error: ivision by zero
SELECT id, n / 0.0 FROM a WHERE id = 1;
-- error: ivision by zero
SELECT 1.5::int, 2.5::int, 2.5::float8::int, (-2.5)::numeric::int, '  42 '::int, 100000::smallint;
-- error: 
SELECT 1.5::int, 2.5::int, 2.5::float8::int, 3.5::float8::int, (-2.5)::numeric::int, '  42 '::int;
-- 2 | 3 | 2 | 4 | -3 | 42
SELECT count(*) FROM generate_series(1, 100) AS g(i) WHERE i % 7 = 0;
-- 14
SELECT i FROM generate_series(5, 1, -2) i;
-- 5
-- 3
-- 1
SELECT * FROM a ORDER BY n DESC, id LIMIT 2;
-- 3 | 2 | NULL | NULL
-- 5 | 3 | NULL | NULL
SELECT DISTINCT s FROM a ORDER BY s DESC;
-- NULL
-- y
-- x
SELECT id FROM a UNION ALL SELECT a_id FROM b WHERE v = 'p' INTERSECT SELECT 1 ORDER BY 1 LIMIT 3;
-- 1
-- 1
-- 2
SELECT s FROM a UNION SELECT v FROM b ORDER BY s NULLS FIRST LIMIT 3;
-- NULL
-- p
-- r
TABLE b ORDER BY 1;
-- 1 | 1 | p
-- 3 | 4 | r
-- 101 | 1 | xx
-- 102 | 2 | yy
-- 104 | 4 | x
CREATE VIEW parts AS SELECT id, n / g AS part, n % g AS rest FROM a;
SELECT * FROM parts ORDER BY id LIMIT 2;
-- 1 | 10 | 0
-- 2 | 20 | 0
WITH w AS (SELECT id, n FROM a WHERE n > 10) INSERT INTO b (id, a_id, v) SELECT id + 500, id, 'w' FROM w;
SELECT id, a_id FROM b WHERE id > 500 ORDER BY id;
-- 502 | 2
-- 504 | 4
SELECT left('hello', -2), right('hello', -2), left('ab', -5), left('ab', 0), sign(-3) / 2;
-- hel | llo |  |  | -0.5
--! here
SELECT * FROM a EXCEPT ALL SELECT * FROM a;
-- error: EXCEPT ALL and INTERSECT ALL of *
SET statement_timeout = 0;
SET lock_timeout = 0;
--! here
SET statement_timeout = 1000;
-- error: a context's deadline
BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY;
DELETE FROM a;
-- error: READ ONLY
ROLLBACK;
BEGIN ISOLATION LEVEL READ COMMITTED;
COMMIT;
SELECT round(2.675::float8::numeric, 2), round(avg(n)::numeric, 1), round(7::numeric, 2), round((n / 3.0)::numeric, 3) FROM a WHERE id = 2 GROUP BY n;
-- 2.68 | 20.0 | 7.00 | 6.667
