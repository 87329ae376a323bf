package difftest

import (
	"context"
	"database/sql"
	"fmt"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/vitessdo/vitessdo/internal/remotetest"
	"github.com/vitessdo/vitessdo/vindex"
)

// Statement is one statement of a workload.
type Statement struct {
	SQL  string
	Args []any
	Kind Kind
	// Exact: the rows' order is fixed. Keys, else, are the result columns that
	// the rows are sorted by; rows that agree in them may come in any order.
	Exact bool
	Keys  []int
	// Fold: texts that differ only in case may stand for each other, since a
	// group of a _ci column shows any of its members.
	Fold bool
	// NoCount: the number of affected rows means different things to SQLite and
	// to MySQL, so that only the sharded databases are compared in it.
	NoCount bool
}

// Kind is what a statement does.
type Kind uint8

// The kinds.
const (
	Query Kind = iota
	Write
	Schema
	Control // BEGIN, COMMIT, SAVEPOINT …
)

// Answer is what a statement gave. Rows hold nil, int64, float64, string and
// []byte.
type Answer struct {
	Rows     [][]any
	Affected int64
	Err      error
}

// System is a database that runs statements, one at a time.
type System interface {
	Run(Statement) Answer
	Close()
}

// shardsSlot in a statement's text stands for a list of shard numbers, one for
// each of the letters behind it, that all exist.
const shardsSlot = "@SHARDS"

// forShards fills the slot for n shards.
func forShards(text string, n int) string {
	at := strings.Index(text, shardsSlot)
	if at < 0 {
		return text
	}
	end := at + len(shardsSlot)
	var list []string
	for end < len(text) && text[end] == '+' {
		list = append(list, strconv.Itoa((len(list)*2+1)%n))
		end++
	}
	return text[:at] + strings.Join(list, ",") + text[end:]
}

// cluster is a vitessdo database.
type cluster struct {
	shards int
	two    bool   // the keyspace of the tables that are apart is there
	server Server // nil in this process
	db     *sql.DB
	conn   *sql.Conn
	single []*sql.Conn // to each shard alone
}

// Engine is that of all shards, as the option engine names it. It is to be set while
// no workload runs.
var Engine = "sqlite"

// Open, when set as Engine may be, opens the empty databases over so many shards in
// another way.
var Open func(shards int) (*sql.DB, error)

// DSN is the data source name of a database in memory.
func DSN(shards int) string {
	return fmt.Sprintf(":memory:?shards=%d&engine=%s&parse_time=false&client_found_rows=true", shards, Engine)
}

// OpenCluster opens an empty database over shards in memory.
func OpenCluster(shards int) (System, error) { return openCluster(shards) }

// Tablets says where the databases of the workloads have their tablets: "" is in
// this process, http and ws are at a tablet server, reached so.
var Tablets = ""

// Server has the tablets of one database.
type Server interface {
	DSN(scheme, query string) string
	Close()
}

// StartServer starts the server of a database whose tablets are elsewhere.
var StartServer = func() (Server, error) { return remotetest.Start(""), nil }

func openCluster(shards int) (*cluster, error) {
	dsn := DSN(shards)
	var server Server
	if Tablets != "" {
		var err error
		if server, err = StartServer(); err != nil {
			return nil, err
		}
		_, query, _ := strings.Cut(dsn, "?")
		dsn = server.DSN(Tablets, query)
	}
	c := &cluster{shards: shards, server: server}
	var err error
	if Open != nil {
		c.db, err = Open(shards)
	} else {
		c.db, err = sql.Open("vitessdo", dsn)
	}
	if err == nil {
		c.conn, err = c.db.Conn(context.Background())
	}
	if err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// copies gives the rows that each shard by itself has of a table.
func (c *cluster) copies(table string) []Answer {
	var out []Answer
	for i, r := range vindex.EvenRanges(c.shards) {
		if i == len(c.single) {
			conn, err := c.db.Conn(context.Background())
			if err == nil {
				_, err = conn.ExecContext(context.Background(), "USE `main/"+r.String()+"`")
			}
			if err != nil {
				return []Answer{{Err: err}}
			}
			c.single = append(c.single, conn)
		}
		one := &cluster{shards: c.shards, conn: c.single[i]}
		out = append(out, tableRows(one, table))
	}
	return out
}

func (c *cluster) Close() {
	for _, s := range c.single {
		_ = s.Close()
	}
	if c.conn != nil {
		_ = c.conn.Close()
	}
	if c.db != nil {
		_ = c.db.Close()
	}
	if c.server != nil {
		c.server.Close()
	}
}

// statementTime is far above what any statement of a workload takes: one that
// reaches it hangs.
const statementTime = 30 * time.Second

func (c *cluster) Run(s Statement) (a Answer) {
	ctx, cancel := context.WithTimeout(context.Background(), statementTime)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			a.Err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	text := forShards(s.SQL, c.shards)
	if !c.two && s.Kind == Schema && strings.Contains(text, apart) {
		c.two = true
		// Of the databases one has it on one shard, as a keyspace that isn't sharded.
		how := map[bool]string{true: "UNSHARDED", false: "SHARDS=" + strconv.Itoa(c.shards)}[c.shards == 3]
		if _, err := c.conn.ExecContext(ctx, "CREATE DATABASE /*vt+ "+how+" */ "+strings.TrimSuffix(apart, ".")); err != nil {
			return Answer{Err: err}
		}
	}
	if s.Kind != Query {
		res, err := c.conn.ExecContext(ctx, text, s.Args...)
		if err != nil {
			return Answer{Err: err}
		}
		n, _ := res.RowsAffected()
		return Answer{Affected: n}
	}
	rows, err := c.conn.QueryContext(ctx, text, s.Args...)
	if err != nil {
		return Answer{Err: err}
	}
	defer rows.Close()
	cols, err := rows.Columns()
	if err != nil {
		return Answer{Err: err}
	}
	a.Rows, a.Err = scan(rows, len(cols))
	return a
}

func scan(rows *sql.Rows, width int) (out [][]any, err error) {
	for rows.Next() {
		row, to := make([]any, width), make([]any, width)
		for i := range row {
			to[i] = &row[i]
		}
		if err := rows.Scan(to...); err != nil {
			return nil, err
		}
		out = append(out, row)
	}
	return out, rows.Err()
}
