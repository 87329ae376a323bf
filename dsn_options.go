package vitessdo

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/vitessdo/vitessdo/topo"
	"github.com/vitessdo/vitessdo/vindex"
)

// dsnOption is one option: its name, what its value may be, and how it is read
// from text and written to text. set says whether the value is valid.
type dsnOption struct {
	name  string
	valid string
	set   func(*Config, string) bool
	get   func(*Config) string
}

func (o *dsnOption) invalid(value string) error {
	if o.name == "auth_token" {
		return newError(CodeDSN, "option %q has an invalid value; valid is %s", o.name, o.valid)
	}
	return newError(CodeDSN, "option %q has the invalid value %q; valid is %s", o.name, value, o.valid)
}

// dsnOptions is in the order that FormatDSN writes.
var dsnOptions = []dsnOption{
	intOption("shards", 1, topo.MaxShards, true, func(c *Config) *int { return &c.Shards }),
	{"keyspace", "letters, digits, _, - and $, and behind it /SHARD for one shard alone", func(c *Config, v string) bool {
		name, shard, one := strings.Cut(v, "/")
		c.Keyspace, c.Shard = name, shard
		_, err := vindex.ParseKeyRange(shard)
		return topo.CheckKeyspaceName(name) == nil && (!one || err == nil && shard != "")
	}, func(c *Config) string {
		if c.Shard != "" {
			return c.Keyspace + "/" + c.Shard
		}
		return c.Keyspace
	}},
	textOption("vschema", "the path of a file", func(c *Config) *string { return &c.VSchema }),
	textOption("topology", "the path of a file", func(c *Config) *string { return &c.Topology }),
	{"auth_token", "text without line breaks", func(c *Config, v string) bool {
		c.AuthToken = Secret(v)
		return v != "" && !strings.ContainsAny(v, "\r\n\x00")
	}, func(c *Config) string { return string(c.AuthToken) }},
	wordOption("synchronous", func(c *Config) *string { return &c.Synchronous }, "full", "normal", "off"),
	wordOption("transaction_mode", func(c *Config) *string { return &c.TransactionMode }, "twopc", "multi", "single"),
	{"transaction_isolation", validIsolation, func(c *Config, v string) (ok bool) {
		c.TransactionIsolation, ok = isolationName(v)
		return ok
	}, func(c *Config) string { return c.TransactionIsolation }},
	wordOption("ddl", func(c *Config) *string { return &c.DDL }, ddlTransactional, ddlAutocommit),
	wordOption("engine", func(c *Config) *string { return &c.Engine }, "sqlite", "plain", "durable_object"),
	wordOption("foreign_keys", func(c *Config) *string { return &c.ForeignKeys }, "enforce", "colocated", "off"),
	wordOption("unique_keys", func(c *Config) *string { return &c.UniqueKeys }, "global", "shard"),
	durationOption("lock_wait_timeout", "a duration above 0, such as 10s", 1, func(c *Config) *time.Duration { return &c.LockWaitTimeout }),
	durationOption("timeout", "a duration, such as 30s, or 0 for no limit", 0, func(c *Config) *time.Duration { return &c.Timeout }),
	durationOption("max_transaction_time", "a duration, such as 10m, or 0 for no limit", 0, func(c *Config) *time.Duration { return &c.MaxTransactionTime }),
	durationOption("max_transaction_idle", "a duration, such as 1m, or 0 for no limit", 0, func(c *Config) *time.Duration { return &c.MaxTransactionIdle }),
	{"max_transaction_statements", "a whole number, or 0 for no limit", func(c *Config, v string) bool {
		n, err := strconv.ParseUint(v, 10, 63)
		c.MaxTransactionStatements = int64(n)
		return err == nil
	}, func(c *Config) string { return strconv.FormatInt(c.MaxTransactionStatements, 10) }},
	sizeOption("max_transaction_bytes", 64<<10, 4<<30, func(c *Config) *int64 { return &c.MaxTransactionBytes }),
	boolOption("multi_statements", func(c *Config) *bool { return &c.MultiStatements }),
	boolOption("parse_time", func(c *Config) *bool { return &c.ParseTime }),
	{"loc", "a time zone that this system knows, such as UTC, Local or Europe/Berlin", func(c *Config, v string) bool {
		loc, err := time.LoadLocation(v)
		c.Loc = loc
		return err == nil && v != ""
	}, func(c *Config) string { return c.Loc.String() }},
	boolOption("client_found_rows", func(c *Config) *bool { return &c.ClientFoundRows }),
	boolOption("no_scatter", func(c *Config) *bool { return &c.NoScatter }),
	{"collation", "utf8mb4_bin or another name of the form utf8mb4_…_bin or utf8mb4_…_ci", func(c *Config, v string) bool {
		c.Collation = strings.ToLower(v)
		return validCollation(c.Collation)
	}, func(c *Config) string { return c.Collation }},
	{"sql_mode", "a list of " + strings.Join(sqlModes, ", "), func(c *Config, v string) (ok bool) {
		c.SQLMode, ok = parseSQLMode(v)
		return ok
	}, func(c *Config) string { return c.SQLMode }},
	{"dialect", "mysql, or the name of a dialect whose package is imported: postgres, sqlite", func(c *Config, v string) bool {
		c.Dialect = strings.ToLower(v)
		return v != "" && !strings.ContainsFunc(c.Dialect, func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') })
	}, func(c *Config) string { return c.Dialect }},
	sizeOption("cache_size", 64<<10, 4<<30, func(c *Config) *int64 { return &c.CacheSize }),
	sizeOption("max_memory", 8<<20, 4<<30, func(c *Config) *int64 { return &c.MaxMemory }),
	intOption("max_readers", 0, 1024, false, func(c *Config) *int { return &c.MaxReaders }),
	intOption("plan_cache_size", 0, 1_000_000, false, func(c *Config) *int { return &c.PlanCacheSize }),
	{"max_combine_rows", "a whole number, or 0 for no limit", func(c *Config, v string) bool {
		n, err := strconv.ParseUint(v, 10, 63)
		c.MaxCombineRows = int64(n)
		return err == nil
	}, func(c *Config) string { return strconv.FormatInt(c.MaxCombineRows, 10) }},
	sizeOption("max_combine_bytes", 0, 1<<60, func(c *Config) *int64 { return &c.MaxCombineBytes }),
	durationOption("slow_query", "a duration, such as 200ms, or 0 for none", 0, func(c *Config) *time.Duration { return &c.SlowQuery }),
	intOption("statement_stats", 0, 100_000, false, func(c *Config) *int { return &c.StatementStats }),
	{"charset", "utf8mb4 or utf8", func(_ *Config, v string) bool {
		for name := range strings.SplitSeq(strings.ToLower(v), ",") {
			if name != "utf8mb4" && name != "utf8" && name != "utf8mb3" {
				return false
			}
		}
		return true
	}, func(*Config) string { return "" }},
}

// dsnAliases are spellings of MySQL's driver.
var dsnAliases = map[string]string{
	"parseTime": "parse_time", "multiStatements": "multi_statements", "clientFoundRows": "client_found_rows",
}

const (
	whyMySQLNet  = "it is about the network connection of MySQL's driver; see timeout and lock_wait_timeout"
	whyMySQLAuth = "it is about how MySQL checks passwords; use auth_token for a remote server"
	whyTLS       = "encryption follows from the scheme: use https or wss"
	whyPragma    = "vitessdo sets up SQLite itself; see synchronous, cache_size, lock_wait_timeout and foreign_keys"
)

// dsnRefused are options of other drivers, with the reason why they have no
// meaning here.
var dsnRefused = map[string]string{
	"interpolateParams": "parameters are always bound, never put into the text; leave it out",
	"tls":               whyTLS, "serverPubKey": whyTLS, "allowFallbackToPlaintext": whyTLS,
	"allowNativePasswords": whyMySQLAuth, "allowOldPasswords": whyMySQLAuth, "allowCleartextPasswords": whyMySQLAuth,
	"readTimeout": whyMySQLNet, "writeTimeout": whyMySQLNet, "checkConnLiveness": whyMySQLNet, "compress": whyMySQLNet,
	"maxAllowedPacket": whyMySQLNet, "connectionAttributes": whyMySQLNet, "rejectReadOnly": whyMySQLNet,
	"allowAllFiles": "LOAD DATA is not supported", "columnsWithAlias": "columns are named as MySQL names them",
	"timeTruncate": "fractions are rounded to the column's digits, as MySQL does",
	"_pragma":      whyPragma, "_journal_mode": whyPragma, "_busy_timeout": whyPragma, "_foreign_keys": whyPragma, "_fk": whyPragma,
	"_synchronous": whyPragma, "_txlock": whyPragma, "_loc": "use loc", "mode": "use :memory: for a database in memory",
	"cache": "the connections of one sql.DB share their shards always",
}

// findOption finds an option by its name or says why there is none.
func findOption(name string) (*dsnOption, error) {
	canonical, ok := dsnAliases[name]
	if !ok {
		canonical = name
	}
	names := make([]string, len(dsnOptions))
	for i := range dsnOptions {
		if dsnOptions[i].name == canonical {
			return &dsnOptions[i], nil
		}
		names[i] = dsnOptions[i].name
	}
	if why, ok := dsnRefused[name]; ok {
		return nil, newError(CodeDSN, "option %q is not supported: %s", name, why)
	}
	if near := vindex.Nearest(name, names); near != "" {
		return nil, newError(CodeDSN, "unknown option %q, did you mean %q", name, near)
	}
	return nil, newError(CodeDSN, "unknown option %.40q; the options are %s", name, strings.Join(names, ", "))
}

func intOption(name string, lo, hi int, zeroUnset bool, field func(*Config) *int) dsnOption {
	return dsnOption{name, fmt.Sprintf("a whole number from %d to %d", lo, hi), func(c *Config, v string) bool {
		n, err := strconv.ParseUint(v, 10, 31)
		*field(c) = int(n)
		return err == nil && int(n) >= lo && int(n) <= hi
	}, func(c *Config) string {
		if zeroUnset && *field(c) == 0 {
			return ""
		}
		return strconv.Itoa(*field(c))
	}}
}

func textOption(name, valid string, field func(*Config) *string) dsnOption {
	return dsnOption{name, valid, func(c *Config, v string) bool {
		*field(c) = v
		return v != "" && !strings.ContainsRune(v, 0)
	}, func(c *Config) string { return *field(c) }}
}

func wordOption(name string, field func(*Config) *string, words ...string) dsnOption {
	return dsnOption{name, strings.Join(words, ", "), func(c *Config, v string) bool {
		v = strings.ToLower(v)
		*field(c) = v
		for _, w := range words {
			if v == w {
				return true
			}
		}
		return false
	}, func(c *Config) string { return *field(c) }}
}

func boolOption(name string, field func(*Config) *bool) dsnOption {
	return dsnOption{name, "true, false, 1 or 0", func(c *Config, v string) bool {
		v = strings.ToLower(v)
		*field(c) = v == "true" || v == "1"
		return *field(c) || v == "false" || v == "0"
	}, func(c *Config) string { return strconv.FormatBool(*field(c)) }}
}

func durationOption(name, valid string, least time.Duration, field func(*Config) *time.Duration) dsnOption {
	return dsnOption{name, valid, func(c *Config, v string) bool {
		d, err := time.ParseDuration(v)
		*field(c) = d
		return err == nil && d >= least
	}, func(c *Config) string { return field(c).String() }}
}

func sizeOption(name string, lo, hi int64, field func(*Config) *int64) dsnOption {
	valid := fmt.Sprintf("a size from %s to %s in bytes, such as 512k, 8m or 1g", formatSize(lo), formatSize(hi))
	return dsnOption{name, valid, func(c *Config, v string) bool {
		n, ok := parseSize(v)
		*field(c) = n
		return ok && n >= lo && n <= hi
	}, func(c *Config) string { return formatSize(*field(c)) }}
}

func parseSize(s string) (int64, bool) {
	shift := 0
	if s != "" {
		switch s[len(s)-1] | 0x20 {
		case 'k':
			shift = 10
		case 'm':
			shift = 20
		case 'g':
			shift = 30
		}
	}
	if shift > 0 {
		s = s[:len(s)-1]
	}
	n, err := strconv.ParseUint(s, 10, 63-shift)
	return int64(n) << shift, err == nil
}

func formatSize(n int64) string {
	for _, u := range []struct {
		shift int
		name  string
	}{{30, "g"}, {20, "m"}, {10, "k"}} {
		if n > 0 && n%(1<<u.shift) == 0 {
			return strconv.FormatInt(n>>u.shift, 10) + u.name
		}
	}
	return strconv.FormatInt(n, 10)
}

// validCollation takes the names of MySQL's Unicode collations that are binary
// or ignore case: the two ways that shards compare text.
func validCollation(name string) bool {
	charset, rest, ok := strings.Cut(name, "_")
	if !ok || charset != "utf8mb4" && charset != "utf8mb3" && charset != "utf8" {
		return false
	}
	for i := 0; i < len(rest); i++ {
		if b := rest[i]; !(b >= 'a' && b <= 'z') && !(b >= '0' && b <= '9') && b != '_' {
			return false
		}
	}
	return rest == "bin" || strings.HasSuffix(rest, "_bin") || strings.HasSuffix(rest, "_ci")
}

// sqlModes are those of MySQL's that statements keep to anyway, or can; SET
// sql_mode takes the same.
var sqlModes = []string{
	"ANSI", "ANSI_QUOTES", "ERROR_FOR_DIVISION_BY_ZERO", "IGNORE_SPACE", "NO_AUTO_VALUE_ON_ZERO", "NO_BACKSLASH_ESCAPES", "NO_DIR_IN_CREATE",
	"NO_ENGINE_SUBSTITUTION", "NO_ZERO_DATE", "NO_ZERO_IN_DATE", "ONLY_FULL_GROUP_BY", "PIPES_AS_CONCAT", "STRICT_ALL_TABLES",
	"STRICT_TRANS_TABLES", "TRADITIONAL",
}

// parseSQLMode brings a list of modes into upper case without spaces; the
// quotes that MySQL's driver wants around it are dropped.
func parseSQLMode(v string) (string, bool) {
	if len(v) >= 2 && (v[0] == '\'' || v[0] == '"') && v[len(v)-1] == v[0] {
		v = v[1 : len(v)-1]
	}
	if v == "" {
		return "", true
	}
	modes := strings.Split(strings.ToUpper(v), ",")
	for i := range modes {
		modes[i] = strings.TrimSpace(modes[i])
		known := false
		for _, m := range sqlModes {
			known = known || m == modes[i]
		}
		if !known {
			return strings.Join(modes, ","), false
		}
	}
	return strings.Join(modes, ","), true
}
