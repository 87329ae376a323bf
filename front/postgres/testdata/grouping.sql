CREATE TABLE sales (id int PRIMARY KEY, region text, product text, year int, amount numeric(10,2));
INSERT INTO sales VALUES (1, 'n', 'a', 2025, 10), (2, 'n', 'b', 2025, 20), (3, 's', 'a', 2026, 5), (4, 's', NULL, 2026, 7), (5, NULL, 'a', 2025, 1), (6, 'n', 'a', 2026, 4);
SELECT region, product, sum(amount), grouping(region), grouping(region, product) FROM sales GROUP BY GROUPING SETS ((region), (product), ()) ORDER BY 4, 5, 1, 2, 3;
-- n | NULL | 34.00 | 0 | 1
-- s | NULL | 12.00 | 0 | 1
-- NULL | NULL | 1.00 | 0 | 1
-- NULL | a | 20.00 | 1 | 2
-- NULL | b | 20.00 | 1 | 2
-- NULL | NULL | 7.00 | 1 | 2
-- NULL | NULL | 47.00 | 1 | 3
SELECT region, product, count(*), grouping(product, region) FROM sales GROUP BY CUBE (region, product) ORDER BY 4, 1, 2;
-- n | a | 2 | 0
-- n | b | 1 | 0
-- s | a | 1 | 0
-- s | NULL | 1 | 0
-- NULL | a | 1 | 0
-- NULL | a | 4 | 1
-- NULL | b | 1 | 1
-- NULL | NULL | 1 | 1
-- n | NULL | 3 | 2
-- s | NULL | 2 | 2
-- NULL | NULL | 1 | 2
-- NULL | NULL | 6 | 3
SELECT region, product, year, sum(amount) AS total FROM sales GROUP BY region, ROLLUP (product, year) HAVING sum(amount) > 4 ORDER BY 1, 2, 3, 4;
-- n | a | 2025 | 10.00
-- n | a | NULL | 14.00
-- n | b | 2025 | 20.00
-- n | b | NULL | 20.00
-- n | NULL | NULL | 34.00
-- s | a | 2026 | 5.00
-- s | a | NULL | 5.00
-- s | NULL | 2026 | 7.00
-- s | NULL | NULL | 7.00
-- s | NULL | NULL | 12.00
SELECT region, product, year, count(*) FROM sales GROUP BY ROLLUP ((region, product), year) ORDER BY 1, 2, 3, 4;
-- n | a | 2025 | 1
-- n | a | 2026 | 1
-- n | a | NULL | 2
-- n | b | 2025 | 1
-- n | b | NULL | 1
-- s | a | 2026 | 1
-- s | a | NULL | 1
-- s | NULL | 2026 | 1
-- s | NULL | NULL | 1
-- NULL | a | 2025 | 1
-- NULL | a | NULL | 1
-- NULL | NULL | NULL | 6
SELECT region AS r, count(*) FROM sales GROUP BY GROUPING SETS (r, ()) ORDER BY grouping(region), 1;
-- n | 3
-- s | 2
-- NULL | 1
-- NULL | 6
SELECT upper(region), year, max(amount) FROM sales GROUP BY GROUPING SETS ((upper(region), year), (upper(region))) ORDER BY 1, 2, 3;
-- N | 2025 | 20.00
-- N | 2026 | 4.00
-- N | NULL | 20.00
-- S | 2026 | 7.00
-- S | NULL | 7.00
-- NULL | 2025 | 1.00
-- NULL | NULL | 1.00
SELECT coalesce(region, 'all'), count(*) FROM sales WHERE region IS NOT NULL GROUP BY GROUPING SETS ((region), ()) ORDER BY 2, 1;
-- s | 2
-- n | 3
-- all | 5
SELECT region, product, sum(amount) FROM sales GROUP BY GROUPING SETS ((region, product), (region, product), (product)) ORDER BY 1, 2, 3;
-- n | a | 14.00
-- n | a | 14.00
-- n | b | 20.00
-- n | b | 20.00
-- s | a | 5.00
-- s | a | 5.00
-- s | NULL | 7.00
-- s | NULL | 7.00
-- NULL | a | 1.00
-- NULL | a | 1.00
-- NULL | a | 20.00
-- NULL | b | 20.00
-- NULL | NULL | 7.00
SELECT region, sum(amount) FROM sales GROUP BY ROLLUP (region) ORDER BY 1, 2;
-- n | 34.00
-- s | 12.00
-- NULL | 1.00
-- NULL | 47.00
SELECT g.region, g.n FROM (SELECT region, count(*) AS n FROM sales GROUP BY CUBE (region)) g ORDER BY 2, 1;
-- NULL | 1
-- s | 2
-- n | 3
-- NULL | 6
