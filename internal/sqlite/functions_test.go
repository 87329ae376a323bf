package sqlite

import (
	"strconv"
	"testing"

	"github.com/ncruces/go-sqlite3"
)

func openWithFunctions(tb testing.TB) *sqlite3.Conn {
	tb.Helper()
	c, err := sqlite3.Open(":memory:")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { c.Close() })
	if err := RegisterFunctions(c); err != nil {
		tb.Fatal(err)
	}
	return c
}

// eval gives an expression's value as text, "NULL" for NULL.
func eval(tb testing.TB, c *sqlite3.Conn, expr string) string {
	tb.Helper()
	st, _, err := c.Prepare("SELECT " + expr)
	if err != nil {
		tb.Fatalf("%s: %v", expr, err)
	}
	defer st.Close()
	if !st.Step() {
		tb.Fatalf("%s: %v", expr, st.Err())
	}
	switch st.ColumnType(0) {
	case sqlite3.NULL:
		return "NULL"
	case sqlite3.FLOAT:
		return strconv.FormatFloat(st.ColumnFloat(0), 'g', -1, 64)
	}
	return st.ColumnText(0)
}

// TestFunctions compares with what MySQL's manual and servers answer.
func TestFunctions(t *testing.T) {
	c := openWithFunctions(t)
	for _, tc := range []struct{ expr, want string }{
		{`'abc' REGEXP '^a.c$'`, "1"}, {`'ABC' REGEXP 'b'`, "0"}, {`'ABC' REGEXP '(?i)b'`, "1"}, {`NULL REGEXP 'a'`, "NULL"},
		{`regexp_replace('a1b2', '[0-9]', 'x')`, "axbx"}, {`regexp_substr('abc def', '[d-f]+')`, "def"}, {`regexp_instr('äbc', 'c')`, "3"},
		{`regexp_like('ABC', 'b', 'i')`, "1"},
		{`like_bin('a%c', 'abbc', '\')`, "1"}, {`like_bin('a%C', 'abbc', '\')`, "0"}, {`like_bin('a\%c', 'a%c', '\')`, "1"},
		{`like_bin('a\%c', 'abc', '\')`, "0"}, {`like_bin('_', 'ä', '\')`, "1"}, {`like_bin('%', '', '\')`, "1"},
		{`like_bin('%ab%ab', 'abxab', '\')`, "1"}, {`like_bin('%b', 'abc', '\')`, "0"}, {`like_bin('', '', '\')`, "1"}, {`like_bin('', 'a', '\')`, "0"},
		{`like_to_glob('a%_\%*[x', '\')`, "a*?%[*][[]x"}, {`like_to_glob(NULL, '\')`, "NULL"},
		{`upper('éa')`, "ÉA"}, {`lower('ÉA')`, "éa"}, {`upper(NULL)`, "NULL"},
		{`substring_index('www.mysql.com', '.', 2)`, "www.mysql"}, {`substring_index('www.mysql.com', '.', -2)`, "mysql.com"},
		{`substring_index('a.b', '.', 9)`, "a.b"}, {`substring_index('a.b', '.', -9)`, "a.b"}, {`substring_index('a', '', 1)`, ""},
		{`find_in_set('b', 'a,b,c,d')`, "2"}, {`find_in_set('x', 'a')`, "0"}, {`find_in_set('a', '')`, "0"}, {`find_in_set('', 'a,,b')`, "2"},
		{`lpad('hi', 4, '??')`, "??hi"}, {`lpad('hi', 1, '?')`, "h"}, {`rpad('hi', 5, 'ab')`, "hiaba"}, {`rpad('hi', 5, '')`, ""}, {`lpad('a', -1, 'b')`, "NULL"},
		{`reverse('äbc')`, "cbä"}, {`repeat('ab', 3)`, "ababab"}, {`repeat('ab', -1)`, ""}, {`space(2) || 'x'`, "  x"},
		{`locate('bar', 'foobarbar', 5)`, "7"}, {`locate('x', 'abc', 1)`, "0"}, {`locate('', 'abc', 2)`, "2"}, {`locate('b', 'äb', 0)`, "0"},
		{`insert_str('Quadratic', 3, 4, 'What')`, "QuWhattic"}, {`insert_str('Quadratic', -1, 4, 'What')`, "Quadratic"}, {`insert_str('Quadratic', 3, 100, 'What')`, "QuWhat"},
		{`ascii_code('2')`, "50"}, {`ascii_code('')`, "0"}, {`ascii_code('dx')`, "100"},
		{`trim_word('xyxybarxy', 'xy')`, "bar"}, {`ltrim_word('xxbarx', 'x')`, "barx"}, {`rtrim_word('barxyz', 'xyz')`, "bar"},
		{`soundex('Hello')`, "H400"}, {`soundex('Quadratically')`, "Q36324"},
		{`round_digits(123, -1)`, "120"}, {`round_digits(125, -1)`, "130"}, {`round_digits(-125, -1)`, "-130"}, {`round_digits(1.005, 2)`, "1.01"}, {`round_digits(23.298, -1)`, "20"},
		{`truncate_digits(1.999, 1)`, "1.9"}, {`truncate_digits(-1.999, 1)`, "-1.9"}, {`truncate_digits(122, -2)`, "100"}, {`truncate_digits(10.28*100, 0)`, "1028"},
		{`format_number(12332.123456, 4)`, "12,332.1235"}, {`format_number(12332.2, 0)`, "12,332"}, {`format_number(-1234.5, 1)`, "-1,234.5"}, {`format_number(0, 2)`, "0.00"},
		{`conv('a', 16, 2)`, "1010"}, {`conv('6E', 18, 8)`, "172"}, {`conv(-17, 10, -18)`, "-H"}, {`conv('ff', 16, 10)`, "255"}, {`conv('zz', 10, 16)`, "0"},
		{`bin(12)`, "1100"}, {`oct(12)`, "14"}, {`bit_count(29)`, "4"}, {`bit_count(-1)`, "64"},
		{`cast_signed(1.6)`, "2"}, {`cast_signed(-1.5)`, "-2"}, {`cast_signed('1.6')`, "1"}, {`cast_signed('12abc')`, "12"},
		{`md5('testing')`, "ae2b1fca515949e5d54fb22b8ed95575"}, {`sha1('abc')`, "a9993e364706816aba3e25717850c26c9cd0d89d"},
		{`sha2('abc', 224)`, "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7"}, {`length(sha2('abc', 512))`, "128"}, {`sha2('abc', 1)`, "NULL"},
		{`crc32('MySQL')`, "3259397556"}, {`to_base64('abc')`, "YWJj"}, {`CAST(from_base64('YWJj') AS TEXT)`, "abc"}, {`from_base64('*')`, "NULL"},
		{`inet_aton('10.0.5.9')`, "167773449"}, {`inet_ntoa(167773449)`, "10.0.5.9"}, {`hex(inet6_aton('fdfe::5a55:caff:fefa:9089'))`, "FDFE0000000000005A55CAFFFEFA9089"},
		{`is_ipv4('10.0.5.9')`, "1"}, {`is_ipv6('::1')`, "1"}, {`is_ipv4('x')`, "0"},
		{`is_uuid('6ccd780c-baba-1026-9564-5b8c656024db')`, "1"}, {`is_uuid('6ccd')`, "0"},
		{`hex(uuid_to_bin('6ccd780c-baba-1026-9564-5b8c656024db', 1))`, "1026BABA6CCD780C95645B8C656024DB"},
		{`bin_to_uuid(uuid_to_bin('6ccd780c-baba-1026-9564-5b8c656024db', 1), 1)`, "6ccd780c-baba-1026-9564-5b8c656024db"},
	} {
		if got := eval(t, c, tc.expr); got != tc.want {
			t.Errorf("%s = %s, want %s", tc.expr, got, tc.want)
		}
	}
}

func TestDateFunctions(t *testing.T) {
	c := openWithFunctions(t)
	for _, tc := range []struct{ expr, want string }{
		{`date_add('2018-05-01', 1, 'day')`, "2018-05-02"}, {`date_sub('2018-05-01', 1, 'year')`, "2017-05-01"},
		{`date_add('2020-12-31 23:59:59', 1, 'second')`, "2021-01-01 00:00:00"}, {`date_add('2024-01-31', 1, 'month')`, "2024-02-29"},
		{`date_add('2100-12-31 23:59:59', '1:1', 'minute_second')`, "2101-01-01 00:01:00"},
		{`date_sub('2025-01-01 00:00:00', '1 1:1:1', 'day_second')`, "2024-12-30 22:58:59"},
		{`date_add('1900-01-01 00:00:00', '-1 10', 'day_hour')`, "1899-12-30 14:00:00"},
		{`date_add('1992-12-31 23:59:59.000002', '1.999999', 'second_microsecond')`, "1993-01-01 00:00:01.000001"},
		{`date_add('2023-01-01', 1, 'hour')`, "2023-01-01 01:00:00"}, {`date_add('2024-05-31', 1, 'quarter')`, "2024-08-31"},
		{`date_add('2009-01-01', '6/4', 'hour_minute')`, "2009-01-01 06:04:00"}, {`date_add('x', 1, 'day')`, "NULL"}, {`date_add('2024-02-30', 1, 'day')`, "NULL"},
		{`date_add('10:00:00', 1, 'hour')`, "11:00:00"}, {`date_add('2023-01-01', 1.5, 'second')`, "2023-01-01 00:00:01.500000"},
		{`date_format('2009-10-04 22:23:00', '%W %M %Y')`, "Sunday October 2009"}, {`date_format('2007-10-04 22:23:00', '%H:%i:%s')`, "22:23:00"},
		{`date_format('1900-10-04 22:23:00', '%D %y %a %d %m %b %j')`, "4th 00 Thu 04 10 Oct 277"},
		{`date_format('1997-10-04 22:23:00', '%H %k %I %r %T %S %w')`, "22 22 10 10:23:00 PM 22:23:00 00 6"},
		{`date_format('1999-01-01', '%X %V')`, "1998 52"}, {`date_format('2006-06-01', '%d %%')`, "01 %"},
		{`str_to_date('01,5,2013', '%d,%m,%Y')`, "2013-05-01"}, {`str_to_date('May 1, 2013', '%M %d,%Y')`, "2013-05-01"},
		{`str_to_date('a09:30:17', 'a%h:%i:%s')`, "09:30:17"}, {`str_to_date('x', '%Y')`, "NULL"}, {`str_to_date('2024-01-02 3:04 PM', '%Y-%m-%d %h:%i %p')`, "2024-01-02 15:04:00"},
		{`timestampdiff('month', '2003-02-01', '2003-05-01')`, "3"}, {`timestampdiff('year', '2002-05-01', '2001-01-01')`, "-1"},
		{`timestampdiff('minute', '2003-02-01', '2003-05-01 12:05:55')`, "128885"}, {`timestampdiff('month', '2024-01-31', '2024-02-29')`, "0"},
		{`timestampdiff('second', '2024-01-01 00:00:00.9', '2024-01-01 00:00:01.1')`, "0"}, {`timestampdiff('quarter', '2024-01-01', '2024-12-31')`, "3"},
		{`week('2008-02-20')`, "7"}, {`week('2008-02-20', 0)`, "7"}, {`week('2008-02-20', 1)`, "8"}, {`week('2008-12-31', 1)`, "53"},
		{`week('2000-01-01', 0)`, "0"}, {`week('2000-01-01', 2)`, "52"}, {`week('2000-01-01', 5)`, "0"}, {`week('2000-01-01', 7)`, "52"}, {`week('2023-01-01', 4)`, "1"},
		{`yearweek('1987-01-01')`, "198652"}, {`weekofyear('2008-02-20')`, "8"}, {`yearweek('2000-01-01')`, "199952"},
		{`monthname('2008-02-03')`, "February"}, {`dayname('2007-02-03')`, "Saturday"},
		{`unix_timestamp('2015-11-13 10:20:19')`, "1447410019"}, {`unix_timestamp('2015-11-13 10:20:19.012')`, "1.447410019012e+09"},
		{`from_unixtime(1447430881)`, "2015-11-13 16:08:01"}, {`from_unixtime(1.5)`, "1970-01-01 00:00:01.5"}, {`from_unixtime(-1)`, "NULL"},
		{`from_days(730669)`, "2000-07-03"}, {`to_seconds('2009-11-29')`, "63426672000"},
		{`period_add(200801, 2)`, "200803"}, {`period_diff(200802, 200703)`, "11"},
		{`extract_unit('year_month', '2019-07-02 01:02:03')`, "201907"}, {`extract_unit('day_minute', '2019-07-02 01:02:03')`, "20102"},
		{`extract_unit('microsecond', '2003-01-02 10:30:00.000123')`, "123"}, {`convert_tz('2004-01-01 12:00:00', '+00:00', '+10:00')`, "2004-01-01 22:00:00"},
		{`datetime_of('2024-01-02')`, "2024-01-02 00:00:00"}, {`datetime_of('2024-01-02 03:04:05.6', 0)`, "2024-01-02 03:04:06"}, {`datetime_of('20240102030405')`, "2024-01-02 03:04:05"},
		{`store_datetime('2024-01-02', 3)`, "2024-01-02 00:00:00.000"}, {`store_datetime('2024-01-02 10:00:00.6', 0)`, "2024-01-02 10:00:01"}, {`store_datetime('2024-01-02 10:00:00', -1)`, "2024-01-02"},
		{`store_datetime('2024-1-2T03:04:05Z', 0)`, "2024-01-02 03:04:05"},
		{`cmp_datetime('2024-01-02', 0)`, "2024-01-02 00:00:00"}, {`cmp_datetime('2024-01-02 00:00:00.000', -1)`, "2024-01-02"}, {`cmp_datetime('2024-01-02 00:00:00.5', 0)`, "2024-01-02 00:00:00.5"},
		{`cmp_datetime('2024-01-02 00:00:01', -1)`, "2024-01-02 00:00:01"}, {`cmp_datetime('2024-01-02 10:20:00', 3)`, "2024-01-02 10:20:00.000"}, {`cmp_datetime(NULL, 0)`, "NULL"},
		{`sec_to_time(2378)`, "00:39:38"}, {`time_to_sec('22:23:00')`, "80580"}, {`time_to_sec('00:39:38')`, "2378"}, {`maketime(12, 15, 30)`, "12:15:30"}, {`maketime(12, 60, 30)`, "NULL"},
		{`addtime('2007-12-31 23:59:59.999999', '1 1:1:1.000002')`, "2008-01-02 01:01:01.000001"}, {`addtime('01:59:59', '02:00:58')`, "04:00:57"}, {`subtime('01:00:00', '02:30:00')`, "-01:30:00"},
		{`timediff_sql('2000-01-01 00:00:00', '2000-01-01 00:00:00.000001')`, "-00:00:00.000001"}, {`timediff_sql('2008-12-31 23:59:59', '2008-12-30 01:01:01')`, "46:58:58"},
		{`time_of('2003-12-31 01:02:03')`, "01:02:03"}, {`time_of('2003-12-31')`, "00:00:00"}, {`time_of('10:11:12.6', 0)`, "10:11:13"}, {`microsecond('12:00:00.123456')`, "123456"}, {`time_of('101112')`, "10:11:12"},
	} {
		if got := eval(t, c, tc.expr); got != tc.want {
			t.Errorf("%s = %s, want %s", tc.expr, got, tc.want)
		}
	}
}

func TestJSONFunctions(t *testing.T) {
	c := openWithFunctions(t)
	for _, tc := range []struct{ expr, want string }{
		{`json_contains('{"a": 1, "b": 2, "c": {"d": 4}}', '{"c": {"d": 4}}')`, "1"}, {`json_contains('[1,2,[3]]', '[3,1]')`, "1"}, {`json_contains('[1,2]', '3')`, "0"},
		{`json_contains('{"a":1}', '1')`, "0"}, {`json_contains('1.0', '1')`, "1"}, {`json_contains(NULL, '1')`, "NULL"}, {`json_contains('"a"', '"a"')`, "1"},
		{`json_overlaps('[1,3,5,7]', '[2,5,7]')`, "1"}, {`json_overlaps('{"a":1,"b":10}', '{"c":1,"b":10}')`, "1"}, {`json_overlaps('[4,5]', '6')`, "0"},
		{`json_length('[1, 2, {"a": 3}]')`, "3"}, {`json_length('{"a": 1, "b": {"c": 30}}')`, "2"}, {`json_length('3')`, "1"},
		{`json_keys('{"b": 1, "a": {"b": 30}}')`, `["b","a"]`}, {`json_keys('[1]')`, "NULL"}, {`json_depth('[10, {"a": 20}]')`, "3"}, {`json_depth('{}')`, "1"},
		{`json_unquote('"a\tb"')`, "a\tb"}, {`json_unquote('[1]')`, "[1]"}, {`json_merge_preserve('[1,2]', '[true,false]')`, "[1,2,true,false]"},
		{`json_merge_preserve('{"a":1}', '{"a":2,"b":3}')`, `{"a":[1,2],"b":3}`}, {`json_extract(json_array(json_keys('{"a":1}')), '$[0][0]')`, "a"},
	} {
		if got := eval(t, c, tc.expr); got != tc.want {
			t.Errorf("%s = %s, want %s", tc.expr, got, tc.want)
		}
	}
}

func TestAggregates(t *testing.T) {
	c := openWithFunctions(t)
	if err := c.Exec(`CREATE TABLE n (g, x, s TEXT); INSERT INTO n VALUES (1, 5, 'b'), (1, 3, 'a'), (1, 3, 'B'), (2, 10, 'c'), (2, NULL, NULL)`); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct{ expr, want string }{
		{`bit_and(x) FROM n WHERE g = 1`, "1"}, {`bit_or(x) FROM n`, "15"}, {`bit_xor(x) FROM n`, "15"}, {`bit_or(x) FROM n WHERE g = 9`, "0"},
		{`round(var_pop(x), 4) FROM n`, "8.1875"}, {`round(var_samp(x), 4) FROM n`, "10.9167"}, {`round(stddev_pop(x), 4) FROM n`, "2.8614"},
		{`stddev_samp(x) FROM n WHERE g = 2`, "NULL"}, {`var_pop(x) FROM n WHERE g = 2`, "0"}, {`var_pop(x) FROM n WHERE g = 9`, "NULL"},
		{`group_concat_distinct(x, ';', 'desc', x) FROM n`, "10;5;3"}, {`group_concat_distinct(s, '-', 'nocase asc', lower(s)) FROM n`, "a-b-c"}, {`group_concat_distinct(s, '-', '', NULL) FROM n WHERE g = 9`, "NULL"},
	} {
		if got := eval(t, c, tc.expr); got != tc.want {
			t.Errorf("%s = %s, want %s", tc.expr, got, tc.want)
		}
	}
}

func BenchmarkRegisterFunctions(b *testing.B) {
	c, err := sqlite3.Open(":memory:")
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	b.ReportAllocs()
	for b.Loop() {
		if err := RegisterFunctions(c); err != nil {
			b.Fatal(err)
		}
	}
}
