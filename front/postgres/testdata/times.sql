CREATE TABLE ev (id int PRIMARY KEY, at timestamptz NOT NULL, day date, clock time, n int);
INSERT INTO ev VALUES (1, '2026-02-03 04:05:06.789', '2026-02-03', '04:05:06', 2), (2, '2026-12-31 23:59:59', '2024-02-29', NULL, 1), (3, '2025-12-31 22:00:00', NULL, '12:00', 3);
SELECT at FROM ev ORDER BY at;
-- 2025-12-31 22:00:00
-- 2026-02-03 04:05:06.789
-- 2026-12-31 23:59:59
SELECT id FROM ev WHERE at >= '2026-01-01' AND at < '2026-06-01';
-- 1
SELECT id FROM ev WHERE at::date = '2026-02-03';
-- 1
SELECT day + 1, day - 1, day + interval '1 month', day - interval '1 year' FROM ev WHERE id = 2;
-- 2024-03-01 00:00:00 | 2024-02-28 00:00:00 | 2024-03-29 00:00:00 | 2023-02-28 00:00:00
SELECT at + interval '1 day', at - interval '90 minutes', at + n * interval '1 hour', at + '00:00:01'::interval FROM ev WHERE id = 1;
-- 2026-02-04 04:05:06.789 | 2026-02-03 02:35:06.789 | 2026-02-03 06:05:06.789 | 2026-02-03 04:05:07.789
SELECT at + (n || ' days')::interval, at - interval '1' day, at + interval '1 year 2 mons 3 days 04:05:06' FROM ev WHERE id = 1;
-- 2026-02-05 04:05:06.789 | 2026-02-02 04:05:06.789 | 2027-04-06 08:10:12.789
SELECT extract(year FROM at), extract(month FROM day), extract(day FROM at), extract(hour FROM at), extract(minute FROM at), extract(second FROM at) FROM ev WHERE id = 1;
-- 2026 | 2 | 3 | 4 | 5 | 6.789
SELECT extract(dow FROM at), extract(isodow FROM at), extract(doy FROM at), extract(week FROM at), extract(quarter FROM at), date_part('epoch', at) FROM ev WHERE id = 1;
-- 2 | 2 | 34 | 6 | 1 | 1770091506.789
SELECT date_trunc('second', at), date_trunc('hour', at), date_trunc('day', at), date_trunc('week', at), date_trunc('month', at), date_trunc('quarter', at), date_trunc('year', at) FROM ev WHERE id = 1;
-- 2026-02-03 04:05:06 | 2026-02-03 04:00:00 | 2026-02-03 00:00:00 | 2026-02-02 00:00:00 | 2026-02-01 00:00:00 | 2026-01-01 00:00:00 | 2026-01-01 00:00:00
SELECT to_char(at, 'YYYY-MM-DD"T"HH24:MI:SS'), to_char(day, 'DD.MM.YY'), to_char(at, 'FMMonth FMDD, HH12:MI AM'), to_char(at, 'Dy Mon') FROM ev WHERE id = 1;
-- 2026-02-03T04:05:06 | 03.02.26 | February 3, 04:05 AM | Tue Feb
SELECT to_date('03/02/2026', 'DD/MM/YYYY'), to_timestamp('2026-02-03 10:11', 'YYYY-MM-DD HH24:MI'), to_timestamp(86400);
-- 2026-02-03 00:00:00 | 2026-02-03 10:11:00 | 1970-01-02 00:00:00
SELECT extract(epoch FROM at - '2026-02-03 04:05:00') FROM ev WHERE id = 1;
-- 6.789
SELECT max(at) > now() - interval '100 years', count(*) FILTER (WHERE at > now() + interval '1000 years') FROM ev;
-- true | 0
SELECT current_date = now()::date, current_timestamp >= now(), localtimestamp IS NOT NULL;
-- true | true | true
SELECT date_trunc('month', at) AS m, count(*), sum(n) FROM ev GROUP BY 1 ORDER BY m;
-- 2025-12-01 00:00:00 | 1 | 3
-- 2026-02-01 00:00:00 | 1 | 2
-- 2026-12-01 00:00:00 | 1 | 1
SELECT date '2026-03-01' - day FROM ev WHERE id = 1;
-- 26
SELECT '2026-13-01'::date;
-- error: 
--! here
SELECT at - at FROM ev;
-- error: an interval as a value
SELECT now() AT TIME ZONE 'Nowhere/City';
-- error: time zone
--! here
SELECT now() AT TIME ZONE '+02';
-- error: the time zone +02 (name one of the IANA database, as Europe/Berlin or UTC) near "AT TIME ZONE
--! here
SELECT x.at AT TIME ZONE 'UTC' FROM (SELECT at FROM ev) x;
-- error: of which it isn't known whether it has a zone (say it: x::timestamptz or x::timestamp) near
SELECT now() AT TIME ZONE 'utc' = (CURRENT_TIMESTAMP AT TIME ZONE 'UTC'), (now() AT TIME ZONE 'UTC')::date = current_date;
-- true | true
SELECT at + make_interval(days => 10), at - make_interval(0, 1), at + make_interval(hours => n), at + make_interval(years => 1, mins => 5) FROM ev WHERE id = 1;
-- 2026-02-13 04:05:06.789 | 2026-01-03 04:05:06.789 | 2026-02-03 06:05:06.789 | 2027-02-03 04:10:06.789
