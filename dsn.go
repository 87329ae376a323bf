package vitessdo

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vitessdo/vitessdo/info"
	"github.com/vitessdo/vitessdo/internal/disk"
	"github.com/vitessdo/vitessdo/tabletserver"
	"github.com/vitessdo/vitessdo/topo"
)

// Config is a data source name taken apart. Make one with [NewConfig] or
// [ParseDSN]; the zero value lacks the defaults.
//
// The forms of a data source name, with options as in a URL's query:
//
//	file:DIR?shards=4          a directory, relative or absolute; also file:///abs and file:///C:/dir.
//	                           "%", "?" and "#" in it are written %25, %3F and %23
//	:memory:?shards=4          all in memory, gone when the pool is closed
//	https://host:port/keyspace a tablet server; also http, ws and wss. What is about the files of the
//	                           shards, from synchronous to max_readers, is the server's to say
//
// The options, all of them optional:
//
//	name               type                default      meaning
//	shards             1…256               unset        shards to create (unset: 1); must agree with what exists
//	keyspace           name[/shard]        unset        keyspace to use (unset: "main", or an existing directory's first);
//	                                                    with a shard, as main/-80, every statement goes there alone
//	vschema            path                unset        a VSchema JSON file, ours or Vitess's; unset: automatic
//	topology           path                unset        a JSON file that says where shards are that aren't
//	                                                    where the rest of the data source name says
//	auth_token         text                unset        secret for a remote server; never printed
//	synchronous        full|normal|off     full         what a commit survives: power loss; a crash of the process; neither surely
//	transaction_mode   twopc|multi|single  twopc        commits over several shards: atomic; best effort; refused
//	transaction_isolation  MySQL's level, or snapshot  repeatable-read  of transactions that are begun without one
//	ddl                transactional|autocommit transactional  what a change of the schema does to an open transaction: takes
//	                                                    part in it, and is undone with it; commits it first, as in MySQL
//	engine             sqlite|plain|durable_object sqlite  what shards in this process can do: all; what SQLite can without our
//	                                                    functions; that within a Durable Object's limits
//	foreign_keys       enforce|colocated|off enforce    which foreign keys are kept: all; those of co-located tables only; none
//	unique_keys        global|shard        global       unique keys without the sharding columns: kept across shards; within each
//	lock_wait_timeout  duration            10s          longest wait for a shard's write lock
//	timeout            duration            0            longest run of a statement; 0: no limit
//	max_transaction_time  duration         0            a transaction that is older is rolled back; 0: no limit
//	max_transaction_idle  duration         0            one that is idle for longer likewise
//	max_transaction_statements  0 or more  0            statements of a transaction; 0: no limit
//	max_transaction_bytes  size            256m         what one may write to a shard and yet commit with others
//	multi_statements   bool                false        several statements in one text, separated by ";"
//	parse_time         bool                true         DATE, DATETIME and TIMESTAMP come back as time.Time
//	loc                time zone           UTC          the zone of these times, such as Europe/Berlin
//	client_found_rows  bool                false        an UPDATE counts the rows that it found, not changed
//	no_scatter         bool                false        statements that ask all shards are refused, but for /*vt+ ALLOW_SCATTER */
//	collation          name                utf8mb4_bin  for new text columns: utf8mb4_…_bin or utf8mb4_…_ci
//	sql_mode           list                unset        MySQL's modes, separated by ","
//	dialect            mysql|postgres|sqlite mysql      the language that statements are written in; see [RegisterDialect]
//	cache_size         size                8m           page cache of each connection to a shard
//	max_memory         size                1g           memory of each connection to a shard, 8m…4g
//	max_readers        0…1024              0            reading connections per shard; 0: by processors
//	plan_cache_size    0…1000000           1000         plans that are kept
//	max_combine_rows   0 or more           10000000     rows that the gate may gather for a statement; 0: no limit
//	max_combine_bytes  size                4g           the same in bytes; 0: no limit
//	slow_query         duration            0            statements that take as long are logged, with their plans; 0: none
//	statement_stats    0…100000            0            statements to keep statistics of, told apart by their digests
//
// A bool is true, false, 1 or 0; a duration is as "1m30s"; a size is in bytes
// with an optional k, m or g for its powers of 1024. The spellings parseTime,
// multiStatements and clientFoundRows of MySQL's driver are taken too, and
// charset=utf8mb4 (or utf8) is allowed and changes nothing.
type Config struct {
	// Exactly one of these is set.
	Dir    string // file: the directory, with slashes or as the system writes it
	Memory bool   // :memory:
	Remote string // scheme://host[:port] of a server

	Shards          int
	Keyspace        string
	Shard           string // of Keyspace, the one that all statements go to; "": all shards, as the vindexes say
	VSchema         string
	Topology        string
	AuthToken       Secret
	Synchronous     string
	TransactionMode string
	// TransactionIsolation is the level of transactions that are begun without
	// one, as @@transaction_isolation tells it.
	TransactionIsolation string
	DDL                  string
	Engine               string
	// Storage, when not nil, keeps the rows of each shard in the engine that it gives.
	// It has no option. The catalog stays in the directory or in memory, as does a shard
	// for which it gives neither an engine nor an error.
	Storage                  func(ctx context.Context, keyspace, shard string) (tabletserver.Engine, error)
	ForeignKeys              string
	UniqueKeys               string
	LockWaitTimeout          time.Duration
	Timeout                  time.Duration
	MaxTransactionTime       time.Duration
	MaxTransactionIdle       time.Duration
	MaxTransactionStatements int64
	MaxTransactionBytes      int64
	MultiStatements          bool
	ParseTime                bool
	Loc                      *time.Location
	ClientFoundRows          bool
	NoScatter                bool
	Collation                string
	SQLMode                  string // upper case, separated by ","
	Dialect                  string // "mysql", or as registered with RegisterDialect
	CacheSize                int64  // bytes
	MaxMemory                int64  // bytes
	MaxReaders               int
	PlanCacheSize            int
	MaxCombineRows           int64
	MaxCombineBytes          int64

	SlowQuery      time.Duration
	StatementStats int
	// Observers are told of every statement, and Logger gets each at DEBUG: not
	// its literals and arguments, but its digest, plan, shards, rows and duration.
	// Slow ones go to Logger, or slog.Default when it is nil, at WARN. Both have no
	// option.
	Observers []Observer
	Logger    *slog.Logger
	// Statistics, when set, is what SHOW VITESS_STATEMENTS, VITESS_SHARD_STATS and
	// VITESS_SLOW_STATEMENTS tell, and not what StatementStats counts. It has no option.
	Statistics func() *info.Statistics

	disk disk.FS // for tests; nil is the operating system's
}

// NewConfig returns a configuration with every option at its default, and no
// place to connect to.
func NewConfig() *Config {
	return &Config{
		Synchronous: "full", TransactionMode: "twopc", TransactionIsolation: "REPEATABLE-READ", DDL: ddlTransactional, Engine: "sqlite", ForeignKeys: "enforce", UniqueKeys: "global",
		LockWaitTimeout: 10 * time.Second, ParseTime: true, Loc: time.UTC, Collation: "utf8mb4_bin", Dialect: mysqlDialect,
		MaxTransactionBytes: 256 << 20,
		CacheSize:           8 << 20, MaxMemory: 1 << 30, PlanCacheSize: 1000,
		MaxCombineRows: 10_000_000, MaxCombineBytes: 4 << 30,
	}
}

// Clone returns a copy that can be changed on its own.
func (c *Config) Clone() *Config {
	d := *c
	d.Observers = slices.Clone(c.Observers)
	return &d
}

// Secret is text that prints as "xxxxx", whatever the way. Convert it to string
// to use it.
type Secret string

const redacted = "xxxxx"

// String hides the secret.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return redacted
}

// Format hides the secret from every verb of package fmt.
func (s Secret) Format(f fmt.State, verb rune) { f.Write([]byte(s.String())) }

// MarshalText hides the secret from encoders and structured logs.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// String is Redacted, so that printing a Config is safe.
func (c *Config) String() string { return c.Redacted() }

// FormatDSN returns the data source name that ParseDSN turns into c again. It
// holds the secret; use Redacted for logs.
func (c *Config) FormatDSN() string { return c.format(string(c.AuthToken)) }

// Redacted is FormatDSN with the secret replaced by "xxxxx".
func (c *Config) Redacted() string { return c.format(c.AuthToken.String()) }

func (c *Config) format(token string) string {
	var b strings.Builder
	switch {
	case c.Memory:
		b.WriteString(":memory:")
	case c.Remote != "":
		b.WriteString(c.Remote)
		if c.Keyspace != "" {
			b.WriteString("/" + url.PathEscape(c.Keyspace))
		}
	case strings.HasPrefix(c.Dir, "//"):
		b.WriteString("file://" + escapePath(c.Dir))
	default:
		b.WriteString("file:" + escapePath(c.Dir))
	}
	def, sep := NewConfig(), byte('?')
	for i := range dsnOptions {
		o := &dsnOptions[i]
		v := o.get(c)
		switch {
		case v == o.get(def), o.name == "keyspace" && c.Remote != "":
			continue
		case o.name == "auth_token":
			v = token
		}
		b.WriteByte(sep)
		b.WriteString(o.name + "=" + url.QueryEscape(v))
		sep = '&'
	}
	return b.String()
}

// escapePath escapes what would end the path and what can't be seen.
func escapePath(p string) string {
	var b strings.Builder
	for i := 0; i < len(p); i++ {
		if c := p[i]; c == '%' || c == '?' || c == '#' || c <= ' ' || c == 0x7f {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// ParseDSN reads a data source name; [Config] describes its forms. Errors have
// code DSN_ERROR and never hold a secret.
func ParseDSN(dsn string) (*Config, error) {
	c := NewConfig()
	place, query, _ := strings.Cut(dsn, "?")
	if err := c.parsePlace(place); err != nil {
		return nil, err
	}
	if err := c.parseOptions(query); err != nil {
		return nil, err
	}
	if err := c.Validate(); err != nil {
		return nil, err
	}
	return c, nil
}

const dsnForms = "write file:DIR, :memory: or https://host/keyspace"

func (c *Config) parsePlace(place string) error {
	if place == ":memory:" {
		c.Memory = true
		return nil
	}
	scheme, rest, ok := strings.Cut(place, ":")
	if !ok || strings.ContainsAny(scheme, "/\\.") {
		return newError(CodeDSN, "the data source name has no scheme; %s", dsnForms)
	}
	switch scheme = strings.ToLower(scheme); scheme {
	case "file":
		return c.parseFile(rest)
	case "http", "https", "ws", "wss":
		return c.parseRemote(scheme, rest)
	}
	// What follows the scheme may hold a password.
	return newError(CodeDSN, "the data source name has the unknown scheme %.20q; %s", scheme, dsnForms)
}

func (c *Config) parseFile(path string) error {
	if after, ok := strings.CutPrefix(path, "//"); ok {
		host, _, _ := strings.Cut(after, "/")
		if host != "" && !strings.EqualFold(host, "localhost") {
			return newError(CodeDSN, "file://%s…: %q stands where a host would; write file:%s for a relative path, file:///… for an absolute one", host, host, after)
		}
		path = after[len(host):]
		// file:///C:/dir is how a URL writes a drive.
		if len(path) >= 3 && path[0] == '/' && path[2] == ':' && isLetter(path[1]) && (len(path) == 3 || path[3] == '/' || path[3] == '\\') {
			path = path[1:]
		}
	}
	path, err := url.PathUnescape(path)
	switch {
	case err != nil:
		return newError(CodeDSN, "the directory has a malformed escape; write %% as %%25")
	case path == "":
		return newError(CodeDSN, "file: names no directory; write file:DIR, such as file:./data")
	case path == ":memory:":
		c.Memory = true
		return nil
	case strings.ContainsRune(path, 0):
		return newError(CodeDSN, "the directory %q holds a zero byte", path)
	}
	c.Dir = path
	return nil
}

func isLetter(b byte) bool { return b|0x20 >= 'a' && b|0x20 <= 'z' }

func (c *Config) parseRemote(scheme, rest string) error {
	rest, ok := strings.CutPrefix(rest, "//")
	if !ok {
		return newError(CodeDSN, "%s: is not followed by //; write %s://host/keyspace", scheme, scheme)
	}
	host, path, _ := strings.Cut(rest, "/")
	if strings.Contains(host, "@") {
		return newError(CodeDSN, "the address holds a user name or password; give the secret as auth_token instead")
	}
	if !validHost(host) {
		return newError(CodeDSN, "%q is not a host or host:port", host)
	}
	keyspace, err := url.PathUnescape(strings.TrimSuffix(path, "/"))
	if err == nil && keyspace != "" {
		err = topo.CheckKeyspaceName(keyspace)
	}
	if err != nil {
		return newError(CodeDSN, "the path after the host must be one keyspace name: %s", err)
	}
	c.Remote, c.Keyspace = scheme+"://"+strings.ToLower(host), keyspace
	return nil
}

// validHost checks host[:port].
func validHost(s string) bool {
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		host, port = s, "1"
		if strings.HasPrefix(s, "[") != strings.HasSuffix(s, "]") {
			return false
		}
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 || port[0] == '+' {
		return false
	}
	if host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]"); host == "" {
		return false
	}
	if strings.Contains(host, ":") {
		return strings.HasPrefix(s, "[") && net.ParseIP(host) != nil
	}
	for i := 0; i < len(host); i++ {
		if b := host[i]; !isLetter(b) && !(b >= '0' && b <= '9') && b != '.' && b != '-' && b != '_' {
			return false
		}
	}
	return true
}

func (c *Config) parseOptions(query string) error {
	seen := map[string]bool{}
	for part := range strings.SplitSeq(query, "&") {
		if part == "" {
			continue
		}
		name, value, ok := strings.Cut(part, "=")
		name, err := url.QueryUnescape(name)
		if err != nil {
			return newError(CodeDSN, "an option's name has a malformed escape")
		}
		o, err := findOption(name)
		if err != nil {
			return err
		}
		if !ok {
			return newError(CodeDSN, "option %q has no value; valid is %s", name, o.valid)
		}
		if seen[o.name] {
			return newError(CodeDSN, "option %q is given twice", o.name)
		}
		seen[o.name] = true
		if value, err = url.QueryUnescape(value); err != nil {
			return newError(CodeDSN, "option %q has a malformed escape in its value; write %% as %%25", name)
		}
		if o.name == "keyspace" && c.Remote != "" && c.Keyspace != "" && value != c.Keyspace {
			return newError(CodeDSN, "the address names keyspace %q and the option names %q; leave one out", c.Keyspace, value)
		}
		if !o.set(c, value) {
			return o.invalid(value)
		}
	}
	return nil
}

// Validate says what is wrong with a configuration that was put together by
// hand: no place or several, or an option's value that ParseDSN would refuse.
func (c *Config) Validate() error {
	places := 0
	for _, set := range []bool{c.Dir != "", c.Memory, c.Remote != ""} {
		if set {
			places++
		}
	}
	if places != 1 {
		return newError(CodeDSN, "exactly one of Dir, Memory and Remote must be set, not %d of them", places)
	}
	if c.Loc == nil {
		return newError(CodeDSN, "Loc is nil; use time.UTC")
	}
	var scratch Config
	if err := scratch.parsePlace(c.placeOnly().format("")); err != nil {
		return err
	}
	if scratch.Dir != c.Dir || scratch.Memory != c.Memory || scratch.Remote != c.Remote {
		return newError(CodeDSN, "the place %q can't be written as a data source name", c.Dir+c.Remote)
	}
	def := NewConfig()
	for i := range dsnOptions {
		o := &dsnOptions[i]
		v := o.get(c)
		if v == o.get(def) {
			continue
		}
		if !o.set(&scratch, v) || o.get(&scratch) != v {
			return o.invalid(v)
		}
	}
	if d, err := findDialect(c.Dialect); err != nil {
		return newError(CodeDSN, "%v", err)
	} else if d != nil && c.SQLMode != "" {
		return newError(CodeDSN, "sql_mode=%s is about MySQL's dialect, not %s", c.SQLMode, c.Dialect)
	}
	return nil
}

// placeOnly is c with every option but the keyspace at its default.
func (c *Config) placeOnly() *Config {
	p := NewConfig()
	p.Dir, p.Memory, p.Remote = c.Dir, c.Memory, c.Remote
	return p
}
