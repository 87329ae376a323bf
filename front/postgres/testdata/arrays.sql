CREATE TABLE a (id int PRIMARY KEY, name text, n bigint, u uuid);
INSERT INTO a (id, name, n) VALUES (1, 'Ann', 10), (2, 'Bob', NULL), (3, NULL, 30), (4, 'Cy', 40);
SELECT id FROM a WHERE id = ANY (ARRAY[1, 3, 9]) ORDER BY id;
-- 1
-- 3
SELECT id FROM a WHERE id = ANY ('{1,3,9}') ORDER BY id;
-- 1
-- 3
SELECT id FROM a WHERE id = ANY ('{1, 3, NULL}'::int[]) ORDER BY id;
-- 1
-- 3
SELECT id FROM a WHERE id <> ALL ('{1,3}'::bigint[]) ORDER BY id;
-- 2
-- 4
SELECT id FROM a WHERE id <> ALL (ARRAY[1, NULL]);
SELECT id FROM a WHERE name = ANY ('{Ann,"C\y",NULL}') ORDER BY id;
-- 1
-- 4
SELECT id FROM a WHERE name = ANY (ARRAY['Ann', 'Bob']::text[]) AND NOT (name = ANY ('{Bob}'::varchar[]));
-- 1
SELECT id FROM a WHERE id = ANY ('{}');
SELECT count(*) FROM a WHERE id <> ALL ('{}'::int[]);
-- 4
SELECT id FROM a WHERE id IN (SELECT unnest('{2,4}'::int[])) ORDER BY id;
-- 2
-- 4
SELECT id FROM a WHERE id NOT IN (SELECT unnest(ARRAY[2, 4])) ORDER BY id;
-- 1
-- 3
SELECT id FROM a WHERE name LIKE ANY (ARRAY['A%', '%b']) ORDER BY id;
-- 1
-- 2
SELECT id FROM a WHERE name ILIKE ANY ('{a%,c%}') ORDER BY id;
-- 1
-- 4
SELECT id FROM a WHERE name LIKE ALL (ARRAY['A%', '%n']);
-- 1
SELECT id FROM a WHERE name NOT LIKE ALL (ARRAY['A%', '%b']);
-- 4
SELECT id FROM a WHERE n > ANY (ARRAY[35, 100]) OR n <= ALL ('{10,20}'::bigint[]) ORDER BY id;
-- 1
-- 4
SELECT 2 = ANY (ARRAY[1, 2]), 2 = ANY (ARRAY[1, NULL]), NULL = ANY ('{}'::int[]), 1 = ANY (NULL::int[]);
-- true | NULL | false | NULL
SELECT id FROM a WHERE id = ANY ('{1,x}');
-- error: invalid input syntax for type integer
SELECT id FROM a WHERE id = ANY ('1,2');
-- error: malformed array literal
SELECT * FROM unnest(ARRAY[3, 1, 2]) AS x ORDER BY x;
-- 1
-- 2
-- 3
SELECT v.k, v.s FROM unnest('{1,2,3}'::int[], '{a,b}'::text[]) AS v(k, s) ORDER BY k;
-- 1 | a
-- 2 | b
-- 3 | NULL
INSERT INTO a (id, name) SELECT unnest('{11,12}'::int[]), unnest('{x,y}'::text[]);
INSERT INTO a (id, name) SELECT * FROM unnest(ARRAY[13, 14], ARRAY['z', NULL]) AS t(i, s) RETURNING id, name;
-- 13 | z
-- 14 | NULL
UPDATE a SET n = v.n FROM unnest('{11,12}'::int[], '{110,120}'::bigint[]) AS v(id, n) WHERE a.id = v.id;
SELECT id, name, n FROM a WHERE id > 10 ORDER BY id;
-- 11 | x | 110
-- 12 | y | 120
-- 13 | z | NULL
-- 14 | NULL | NULL
DELETE FROM a WHERE id = ANY ('{11,12,13}');
SELECT count(*) FROM a;
-- 5
SELECT count(*) FROM unnest('{}'::int[]) AS t(x);
-- 0
