package sqlite

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/ncruces/go-sqlite3"

	"github.com/vitessdo/vitessdo/tablet"
)

// Defaults of [Options].
const (
	DefaultMaxMemory  = 1 << 30
	DefaultStatements = 128
)

// Options says how a connection is opened. The zero value is a read-write
// connection with the defaults.
type Options struct {
	// ReadOnly opens the file for reading only.
	ReadOnly bool
	// NoCreate refuses to make a file that isn't there.
	NoCreate bool
	// MaxMemory bounds what the connection may allocate, in bytes: page cache,
	// sorters and every :memory: database. 0 means DefaultMaxMemory; the
	// engine's own ceiling is 4 GiB. Only address space is reserved up front.
	MaxMemory int64
	// CacheKiB bounds the page cache; 0 leaves SQLite's default of 2 MiB.
	CacheKiB int
	// TempInMemory keeps temporary tables and sorters out of the file system.
	TempInMemory bool
	// Statements bounds the prepared statements kept; 0 means
	// DefaultStatements.
	Statements int
	// NoFunctions leaves out the SQL functions of ours.
	NoFunctions bool
	// Limits bound what a statement may have.
	Limits Limits
	// Guard refuses statements that reach beyond tables and views: see Conn.Trust.
	Guard bool
	// VFS names the engine's file system for path; "" is its own.
	VFS string
	// Stop, when it turns true, interrupts whatever the connection runs, and
	// all that follows fails with CodeClosed.
	Stop *atomic.Bool
}

// Limits bound what a statement may have; 0 leaves SQLite's own limit.
type Limits struct {
	Parameters int
	Bytes      int // of its text
	Columns    int
	Value      int // bytes of one, and of a row as it is kept
	Terms      int // of UNION, INTERSECT and EXCEPT
	Depth      int // of expressions
}

func (l *Limits) apply(db *sqlite3.Conn) {
	for _, x := range []struct {
		id    sqlite3.LimitCategory
		value int
	}{
		{sqlite3.LIMIT_VARIABLE_NUMBER, l.Parameters}, {sqlite3.LIMIT_SQL_LENGTH, l.Bytes}, {sqlite3.LIMIT_COLUMN, l.Columns}, {sqlite3.LIMIT_LENGTH, l.Value},
		{sqlite3.LIMIT_COMPOUND_SELECT, l.Terms}, {sqlite3.LIMIT_EXPR_DEPTH, l.Depth},
	} {
		if x.value > 0 {
			db.Limit(x.id, x.value)
		}
	}
}

// Conn is one connection. It belongs to one goroutine at a time.
type Conn struct {
	db     *sqlite3.Conn
	intr   interrupt
	cache  cache
	sync   *logSync // nil in memory
	syncID string
	broken bool
	guard  guard
}

// interrupt is the context that the engine looks at, once, when a connection is
// opened; what it stands for changes with every statement.
type interrupt struct {
	context.Context
	ctx  context.Context
	stop *atomic.Bool
	off  bool
}

// errStopped is what an interrupt by Options.Stop wraps.
var errStopped = errors.New("the database was closed")

// Err is called before each step and every thousand operations of SQLite's
// virtual machine.
func (i *interrupt) Err() error {
	if i.off {
		return nil
	}
	if i.stop != nil && i.stop.Load() {
		return errStopped
	}
	if i.ctx == nil {
		return nil
	}
	return i.ctx.Err()
}

// Open opens the database file at path, or the one that NewMemory named, or,
// for "" and ":memory:", a private one in memory. ctx governs the opening only.
// A file that is no database or is damaged in its first page is found here,
// unless it is empty.
func Open(ctx context.Context, path string, o Options) (c *Conn, err error) {
	if o.MaxMemory == 0 {
		o.MaxMemory = DefaultMaxMemory
	}
	if o.MaxMemory < 1<<20 || o.MaxMemory > 1<<32 {
		return nil, &tablet.Error{Code: tablet.CodeMisuse,
			Message: "memory limit of a connection is " + strconv.FormatInt(o.MaxMemory, 10) + " bytes; it must be between 1 MiB and 4 GiB"}
	}
	if o.Statements <= 0 {
		o.Statements = DefaultStatements
	}
	c = &Conn{intr: interrupt{Context: context.Background(), ctx: ctx, stop: o.Stop}}
	c.cache.init(o.Statements)
	defer func() {
		if err != nil {
			_ = c.Close()
			c = nil
		}
	}()
	defer c.recoverTo(&err)

	if err = c.intr.Err(); err != nil {
		return c, c.fail(sqlite3.INTERRUPT, "")
	}
	name, flags := fileName(path), sqlite3.OPEN_READWRITE
	switch {
	case o.ReadOnly:
		flags = sqlite3.OPEN_READONLY
	case !o.NoCreate:
		flags |= sqlite3.OPEN_CREATE
	}
	if strings.HasPrefix(name, "file:") && !strings.Contains(name, "?") {
		var system string
		c.sync, c.syncID, system = newLogSync(o.VFS)
		name += "?vfs=" + system + "&" + logSyncParam + "=" + c.syncID
	}
	c.db, err = openFlags(sqlite3.WithMaxMemory(context.Background(), o.MaxMemory), name, flags)
	if err != nil {
		return c, c.fail(err, "")
	}
	c.db.SetInterrupt(&c.intr)
	if !o.NoFunctions {
		if err = RegisterFunctions(c.db); err != nil {
			return c, c.fail(err, "")
		}
	}
	o.Limits.apply(c.db)
	return c, c.configure(&o)
}

// openFlags is sqlite3.OpenFlags with a memory limit: the engine takes one only
// through OpenContext, whose flags are fixed, so that the others travel in the
// URI.
func openFlags(ctx context.Context, name string, flags sqlite3.OpenFlag) (*sqlite3.Conn, error) {
	mode := "rwc"
	switch {
	case flags&sqlite3.OPEN_READONLY != 0:
		mode = "ro"
	case flags&sqlite3.OPEN_CREATE == 0:
		mode = "rw"
	}
	if name == ":memory:" {
		return sqlite3.OpenContext(ctx, name)
	}
	sep := "?"
	if strings.Contains(name, "?") {
		sep = "&"
	}
	return sqlite3.OpenContext(ctx, name+sep+"mode="+mode)
}

// fileName makes the URI by which SQLite opens path, whatever bytes are in it.
func fileName(path string) string {
	if path == "" || path == ":memory:" {
		return ":memory:"
	}
	if strings.HasPrefix(path, memoryPrefix) {
		return "file:/" + path[len(memoryPrefix):] + "?vfs=" + memoryVFS
	}
	var b strings.Builder
	b.WriteString("file:")
	if strings.HasPrefix(path, "//") {
		b.WriteString("//") // an authority would be read out of it otherwise
	}
	for i := 0; i < len(path); i++ {
		switch ch := path[i]; ch {
		case '?', '#', '%':
			b.WriteByte('%')
			b.WriteString(strings.ToUpper(strconv.FormatInt(int64(ch), 16)))
		case '\\':
			b.WriteByte('/')
		default:
			b.WriteByte(ch)
		}
	}
	return b.String()
}

func (c *Conn) configure(o *Options) error {
	script := "PRAGMA foreign_keys=ON; PRAGMA trusted_schema=OFF;"
	if o.CacheKiB > 0 {
		script += "PRAGMA cache_size=-" + strconv.Itoa(o.CacheKiB) + ";"
	}
	if o.TempInMemory {
		script += "PRAGMA temp_store=MEMORY;"
	}
	if err := c.db.Exec(script); err != nil {
		return c.fail(err, "")
	}
	for _, op := range []sqlite3.DBConfig{sqlite3.DBCONFIG_DQS_DML, sqlite3.DBCONFIG_DQS_DDL} {
		if _, err := c.db.Config(op, false); err != nil {
			return c.fail(err, "")
		}
	}
	if o.Guard {
		if err := c.guardAll(); err != nil {
			return c.fail(err, "")
		}
	}
	// SQLite reads nothing until it must; make a bad file show itself now.
	if err := c.db.Exec(readSchema); err != nil {
		return c.fail(err, "")
	}
	return nil
}

// Raw gives the engine's own connection, for what has no method here (virtual
// tables, checkpoints). Statements prepared on it must be closed before Close.
func (c *Conn) Raw() *sqlite3.Conn { return c.db }

// SetContext makes ctx interrupt what the connection runs from now on. It
// costs two stores.
func (c *Conn) SetContext(ctx context.Context) { c.intr.ctx = ctx }

// Broken says that the engine ran out of memory or failed inside itself: the
// connection should be closed as soon as its work is rolled back.
func (c *Conn) Broken() bool { return c.broken }

// InTransaction says whether an explicit transaction is open.
func (c *Conn) InTransaction() bool { return c.db != nil && !c.db.GetAutocommit() }

// Script runs any number of statements without parameters, dropping rows.
func (c *Conn) Script(sql string) (err error) {
	defer c.Trust(c.Trust(true))
	defer c.recoverTo(&err)
	if err := c.db.Exec(sql); err != nil {
		return c.fail(err, sql)
	}
	return nil
}

// Control runs one cached statement that takes no parameters and must not be
// interrupted: BEGIN, COMMIT, ROLLBACK and savepoints.
func (c *Conn) Control(sql string) (err error) {
	c.intr.off = true
	defer c.Trust(c.Trust(true))
	defer func() { c.intr.off = false }()
	s, err := c.Prepare(sql)
	if err != nil {
		return err
	}
	err = s.Exec(nil)
	s.Release()
	return err
}

// Close frees the connection and its statements, rolling back what is open. It
// may be called more than once.
func (c *Conn) Close() (err error) {
	logSyncs.Delete(c.syncID)
	if c.db == nil {
		return nil
	}
	c.intr.off = true
	if c.sync != nil {
		c.sync.shows = nil
	}
	defer c.recoverTo(&err)
	db := c.db
	for _, s := range c.cache.drain() {
		_ = s.s.Close()
	}
	c.db = nil
	// Statements in use outside of the cache, and those of Raw's users.
	var open []*sqlite3.Stmt
	for s := range db.Stmts() {
		open = append(open, s)
	}
	for _, s := range open {
		_ = s.Close()
	}
	if err := db.Close(); err != nil {
		return c.fail(err, "")
	}
	return nil
}
