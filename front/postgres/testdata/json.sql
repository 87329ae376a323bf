CREATE TABLE docs (id int PRIMARY KEY, d jsonb);
INSERT INTO docs VALUES (1, '{"a": 1, "b": {"c": [10, 20, 30]}, "s": "text", "t": true, "n": null}'), (2, '{"a": 2, "tags": ["x", "y"]}'), (3, '[1, 2]'), (4, NULL);
SELECT d->'a', d->>'a', d->>'s', d->>'n', d->>'none' FROM docs WHERE id = 1;
-- 1 | 1 | text | NULL | NULL
SELECT d->'b'->'c'->1, d->'b'->'c'->>-1, d#>'{b,c,0}', d#>>'{b,c,2}' FROM docs WHERE id = 1;
-- 20 | 30 | 10 | 30
SELECT id FROM docs WHERE d @> '{"a": 1}';
-- 1
SELECT id FROM docs WHERE '{"a": 2}'::jsonb <@ d;
-- 2
SELECT id FROM docs WHERE d ? 'tags';
-- 2
SELECT id FROM docs WHERE d->'tags' ? 'y';
-- 2
SELECT id FROM docs WHERE (d->>'a')::int > 1;
-- 2
SELECT id FROM docs WHERE d->>'a' = '1';
-- 1
SELECT jsonb_array_length(d->'tags'), jsonb_typeof(d), jsonb_typeof(d->'a'), jsonb_typeof(d->'tags') FROM docs WHERE id = 2;
-- 2 | object | number | array
SELECT jsonb_build_object('k', id, 'l', jsonb_build_array(1, 'two', NULL)) FROM docs WHERE id = 3;
-- {"k": 3, "l": [1, "two", null]}
UPDATE docs SET d = jsonb_set(d, '{b,c,0}', '99') WHERE id = 1;
SELECT d#>>'{b,c}' FROM docs WHERE id = 1;
-- [99, 20, 30]
UPDATE docs SET d = d - 'b' WHERE id = 1 RETURNING d->'b';
-- NULL
SELECT jsonb_agg(id) FROM docs WHERE id < 3;
-- [1, 2]
SELECT jsonb_extract_path_text(d, 'tags', '0') FROM docs WHERE id = 2;
-- x
SELECT '{"x": [1, {"y": 2}]}'::jsonb #>> '{x,1,y}';
-- 2
SELECT id FROM docs WHERE d IS NULL OR d->>'t' = 'true' ORDER BY id;
-- 1
-- 4
SELECT d->0, d->>1, d->'a' FROM docs WHERE id = 3;
-- 1 | 2 | NULL
SELECT '{broken'::jsonb;
-- error: 
--! here
SELECT d || '{"z": 1}' FROM docs;
-- error: || of JSON
SELECT id FROM docs WHERE d ?| ARRAY['tags', 's'] ORDER BY id;
-- 1
-- 2
SELECT id FROM docs WHERE d ?& '{a,s}';
-- 1
