package vitessdo

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
)

func mustParse(t *testing.T, dsn string) *Config {
	t.Helper()
	c, err := ParseDSN(dsn)
	if err != nil {
		t.Fatalf("%s: %v", dsn, err)
	}
	return c
}

func TestParsePlaces(t *testing.T) {
	for _, tc := range []struct{ dsn, dir, remote, keyspace, formatted string }{
		{"file:./data?shards=4", "./data", "", "", "file:./data?shards=4"},
		{"file:data", "data", "", "", "file:data"},
		{"file:/abs/data", "/abs/data", "", "", "file:/abs/data"},
		{"file:///abs/data", "/abs/data", "", "", "file:/abs/data"},
		{"file://localhost/abs", "/abs", "", "", "file:/abs"},
		{"file:///C:/x", "C:/x", "", "", "file:C:/x"},
		{`file:C:\x`, `C:\x`, "", "", `file:C:\x`},
		{"file:////server/share", "//server/share", "", "", "file:////server/share"},
		{"file:a%20b%3Fc%23d%25e", "a b?c#d%e", "", "", "file:a%20b%3Fc%23d%25e"},
		{"FILE:x?", "x", "", "", "file:x"},
		{"file:Ünïcode", "Ünïcode", "", "", "file:Ünïcode"},
		{":memory:", "", "", "", ":memory:"},
		{":memory:?shards=2&&", "", "", "", ":memory:?shards=2"},
		{"file::memory:?shards=2", "", "", "", ":memory:?shards=2"},
		{"https://db.example.com/shop", "", "https://db.example.com", "shop", "https://db.example.com/shop"},
		{"WSS://DB.example.com:8443/shop/?timeout=5s", "", "wss://db.example.com:8443", "shop", "wss://db.example.com:8443/shop?timeout=5s"},
		{"http://[::1]:80", "", "http://[::1]:80", "", "http://[::1]:80"},
		{"ws://h?keyspace=k", "", "ws://h", "k", "ws://h/k"},
		{"http://h/k?keyspace=k", "", "http://h", "k", "http://h/k"},
	} {
		c := mustParse(t, tc.dsn)
		if c.Dir != tc.dir || c.Remote != tc.remote || c.Keyspace != tc.keyspace || c.Memory != (tc.dir == "" && tc.remote == "") {
			t.Errorf("%s: dir %q, memory %v, remote %q, keyspace %q", tc.dsn, c.Dir, c.Memory, c.Remote, c.Keyspace)
		}
		if got := c.FormatDSN(); got != tc.formatted {
			t.Errorf("%s: formatted as %s, want %s", tc.dsn, got, tc.formatted)
		}
	}
}

func TestParseOptions(t *testing.T) {
	for _, tc := range []struct {
		option string
		set    func(*Config)
	}{
		{"shards=1", func(c *Config) { c.Shards = 1 }},
		{"shards=256", func(c *Config) { c.Shards = 256 }},
		{"keyspace=shop", func(c *Config) { c.Keyspace = "shop" }},
		{"vschema=a/b.json", func(c *Config) { c.VSchema = "a/b.json" }},
		{"topology=t%20.json", func(c *Config) { c.Topology = "t .json" }},
		{"auth_token=s3cr%26t", func(c *Config) { c.AuthToken = "s3cr&t" }},
		{"synchronous=NORMAL", func(c *Config) { c.Synchronous = "normal" }},
		{"transaction_mode=single", func(c *Config) { c.TransactionMode = "single" }},
		{"engine=plain", func(c *Config) { c.Engine = "plain" }},
		{"foreign_keys=colocated", func(c *Config) { c.ForeignKeys = "colocated" }},
		{"unique_keys=shard", func(c *Config) { c.UniqueKeys = "shard" }},
		{"lock_wait_timeout=1m30s", func(c *Config) { c.LockWaitTimeout = 90 * time.Second }},
		{"timeout=250ms", func(c *Config) { c.Timeout = 250 * time.Millisecond }},
		{"multi_statements=1", func(c *Config) { c.MultiStatements = true }},
		{"multiStatements=true", func(c *Config) { c.MultiStatements = true }},
		{"parse_time=false", func(c *Config) { c.ParseTime = false }},
		{"parseTime=True", func(c *Config) {}},
		{"loc=Local", func(c *Config) { c.Loc = time.Local }},
		{"clientFoundRows=true", func(c *Config) { c.ClientFoundRows = true }},
		{"collation=utf8mb4_General_ci", func(c *Config) { c.Collation = "utf8mb4_general_ci" }},
		{"charset=utf8mb4,utf8", func(c *Config) {}},
		{"sql_mode='ansi_quotes, NO_BACKSLASH_ESCAPES'", func(c *Config) { c.SQLMode = "ANSI_QUOTES,NO_BACKSLASH_ESCAPES" }},
		{"cache_size=512K", func(c *Config) { c.CacheSize = 512 << 10 }},
		{"cache_size=100001", func(c *Config) { c.CacheSize = 100001 }},
		{"max_memory=2g", func(c *Config) { c.MaxMemory = 2 << 30 }},
		{"max_readers=9", func(c *Config) { c.MaxReaders = 9 }},
		{"plan_cache_size=0", func(c *Config) { c.PlanCacheSize = 0 }},
		{"max_transaction_bytes=1g", func(c *Config) { c.MaxTransactionBytes = 1 << 30 }},
		{"max_combine_rows=0", func(c *Config) { c.MaxCombineRows = 0 }},
		{"max_combine_bytes=0", func(c *Config) { c.MaxCombineBytes = 0 }},
	} {
		want := NewConfig()
		want.Dir = "d"
		tc.set(want)
		got := mustParse(t, "file:d?"+tc.option)
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %#v, want %#v", tc.option, got, want)
		}
		again := mustParse(t, got.FormatDSN())
		if !reflect.DeepEqual(again, want) {
			t.Errorf("%s: %s does not give it again", tc.option, got.FormatDSN())
		}
	}
}

func TestParseDSNErrors(t *testing.T) {
	for _, tc := range []struct{ dsn, want string }{
		{"", "no scheme"},
		{"./data?shards=4", "no scheme"},
		{"postgres://u:geheim@h/db", `unknown scheme "postgres"`},
		{"file:", "names no directory"},
		{"file://data/x", `"data" stands where a host would; write file:data/x`},
		{"file:a%zz", "malformed escape"},
		{"file:a%00b", "zero byte"},
		{"https:/x", "https://host/keyspace"},
		{"https://u:geheim@h/db", "auth_token instead"},
		{"https:///db", "not a host"},
		{"https://h:0/db", "not a host"},
		{"https://h/a/b", "one keyspace name"},
		{"https://h/a?keyspace=b", `names keyspace "a" and the option names "b"`},
		{"file:d?shard=4", `unknown option "shard", did you mean "shards"`},
		{"file:d?locktimeout=1", `did you mean "lock_wait_timeout"`},
		{"file:d?foo=1", `unknown option "foo"; the options are shards, keyspace`},
		{"file:d?Multi_statement=1", `did you mean "multi_statements"`},
		{"file:d?authtoken=geheim", `did you mean "auth_token"`},
		{"file:d?shards=0", `option "shards" has the invalid value "0"; valid is a whole number from 1 to 256`},
		{"file:d?shards=%2B3", "invalid value"},
		{"file:d?shards=257", "invalid value"},
		{"file:d?shards", `option "shards" has no value`},
		{"file:d?shards=1&shards=1", `option "shards" is given twice`},
		{"file:d?parse_time=1&parseTime=1", `option "parse_time" is given twice`},
		{"file:d?synchronous=maybe", "valid is full, normal, off"},
		{"file:d?lock_wait_timeout=10", "such as 10s"},
		{"file:d?lock_wait_timeout=0", "above 0"},
		{"file:d?timeout=-1s", "invalid value"},
		{"file:d?loc=Atlantis", "time zone"},
		{"file:d?loc=", "time zone"},
		{"file:d?collation=latin1_swedish_ci", "utf8mb4_bin"},
		{"file:d?collation=utf8mb4_0900_as_cs", "invalid value"},
		{"file:d?charset=latin1", "utf8mb4 or utf8"},
		{"file:d?sql_mode=STRICT", "STRICT_ALL_TABLES"},
		{"file:d?cache_size=1", "64k to 4g"},
		{"file:d?cache_size=8mb", "such as 512k"},
		{"file:d?cache_size=99999999999999999999g", "invalid value"},
		{"file:d?max_memory=5g", "8m to 4g"},
		{"file:d?keyspace=a/b", "invalid value"},
		{"file:d?keyspace=mysql", "invalid value"},
		{"file:d?vschema=", "path of a file"},
		{"file:d?interpolateParams=true", "parameters are always bound"},
		{"file:d?tls=skip-verify", "use https or wss"},
		{"file:d?_pragma=foreign_keys(1)", "vitessdo sets up SQLite itself"},
		{"file:d?auth_token=ge%0Aheim", `option "auth_token" has an invalid value`},
		{"file:d?auth_token=geheim%zz", "malformed escape"},
	} {
		_, err := ParseDSN(tc.dsn)
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: got %v, want … %s …", tc.dsn, err, tc.want)
			continue
		}
		if !errors.Is(err, ErrDSN) {
			t.Errorf("%s: %v is not ErrDSN", tc.dsn, err)
		}
		if strings.Contains(err.Error(), "heim") {
			t.Errorf("%s: the secret is in %v", tc.dsn, err)
		}
	}
}

func TestSecretsStaySecret(t *testing.T) {
	c := mustParse(t, "https://h/k?auth_token=geheim")
	if string(c.AuthToken) != "geheim" || !strings.Contains(c.FormatDSN(), "auth_token=geheim") {
		t.Fatalf("the token is lost: %s", c.Redacted())
	}
	text, err := c.AuthToken.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{
		c.Redacted(), c.String(), string(text),
		fmt.Sprintf("%v %+v %#v %s", c, c, c, c), fmt.Sprintf("%v %+v %#v", *c, *c, *c),
		fmt.Sprintf("%s %q %x %d", c.AuthToken, c.AuthToken, c.AuthToken, c.AuthToken),
	} {
		if strings.Contains(s, "geheim") || strings.Contains(s, "67656865696d") {
			t.Errorf("the secret is in %s", s)
		}
		if !strings.Contains(s, "xxxxx") {
			t.Errorf("no sign of a secret in %s", s)
		}
	}
}

func TestCloneIsIndependent(t *testing.T) {
	c := mustParse(t, "file:d")
	d := c.Clone()
	d.Shards = 3
	if c.Shards != 0 {
		t.Error("changing the clone changed the original")
	}
}

func TestValidate(t *testing.T) {
	for _, tc := range []struct {
		change func(*Config)
		want   string
	}{
		{func(c *Config) {}, ""},
		{func(c *Config) { c.Dir = "" }, "exactly one of"},
		{func(c *Config) { c.Memory = true }, "exactly one of"},
		{func(c *Config) { c.Loc = nil }, "Loc is nil"},
		{func(c *Config) { c.Synchronous = "" }, `option "synchronous"`},
		{func(c *Config) { c.Shards = -1 }, `option "shards"`},
		{func(c *Config) { c.MaxMemory = 1 }, `option "max_memory"`},
		{func(c *Config) { c.Dir = ":memory:" }, "can't be written"},
		{func(c *Config) { c.Dir, c.Remote = "", "HTTPS://h" }, "can't be written"},
		{func(c *Config) { c.Dir, c.Remote = "", "https://h/x" }, "can't be written"},
		{func(c *Config) { c.Loc = time.FixedZone("Nowhere", 60) }, `option "loc"`},
	} {
		c := NewConfig()
		c.Dir = "d"
		tc.change(c)
		err := c.Validate()
		if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
			t.Errorf("%s: got %v, want … %s …", c, err, tc.want)
		}
	}
}

// Every option must be in the table that users read.
func TestOptionsAreDocumented(t *testing.T) {
	for i := range dsnOptions {
		o := &dsnOptions[i]
		if _, err := findOption(o.name); err != nil {
			t.Error(err)
		}
		if !docHas(t, o.name) {
			t.Errorf("option %s is missing in the comment of Config", o.name)
		}
	}
}

func FuzzParseDSN(f *testing.F) {
	for _, s := range []string{
		"file:./data?shards=4", ":memory:", "https://h:1/k?auth_token=x", "file:///C:/x?loc=Local&cache_size=3m", "file:////a%3Fb",
		"file:d?timeout=1h&lock_wait_timeout=3ms&sql_mode=ANSI&collation=utf8_bin&max_combine_rows=7",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, dsn string) {
		c, err := ParseDSN(dsn)
		if err != nil {
			return
		}
		again, err := ParseDSN(c.FormatDSN())
		if err != nil {
			t.Fatalf("%q formats as %q: %v", dsn, c.FormatDSN(), err)
		}
		if !reflect.DeepEqual(c, again) {
			t.Fatalf("%q formats as %q: %#v became %#v", dsn, c.FormatDSN(), c, again)
		}
	})
}
