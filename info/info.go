package info

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/vitessdo/vitessdo/schema"
	"github.com/vitessdo/vitessdo/sqlast"
	"github.com/vitessdo/vitessdo/vschema"
)

// Input is what answers are made of.
type Input struct {
	Schema  *schema.Schema
	VSchema *vschema.VSchema
	// Keyspace is the session's; "" when none is chosen.
	Keyspace string
	// Shards lists the shards of all keyspaces, in key order within each.
	Shards []Shard
	// Variables lists the system variables, the global ones or the session's.
	// nil means that there are none.
	Variables func(global bool) []Variable
	Warnings  []Warning
	// ConnectionID is the session's number.
	ConnectionID uint64
	// Status lists what SHOW STATUS tells.
	Status []Variable
	// Statistics tells what was counted of statements, nil when nothing was. nil
	// means the same.
	Statistics func() *Statistics
	// Next tells the value that a sequence gives next; nil: nobody knows.
	Next func(keyspace, sequence string) (int64, error)
	// Transactions lists the distributed transactions that some shard has yet to
	// commit or to hear about. nil means that there are none.
	Transactions func() ([]Transaction, error)
}

// Transaction is a distributed transaction that isn't settled. State is COMMIT
// or PREPARE.
type Transaction struct {
	DTID, State  string
	Since        time.Time
	Participants []Shard
}

// Shard is one shard of a keyspace.
type Shard struct{ Keyspace, Name string }

// Variable is a system variable with its value as SHOW VARIABLES prints it.
type Variable struct{ Name, Value string }

// Warning is what the last statement warned of. Level is Note, Warning or Error.
type Warning struct {
	Level   string
	Code    uint16
	Message string
}

// Error is a question that can't be answered.
type Error struct {
	Number  uint16 // MySQL's error number
	Message string
}

func (e *Error) Error() string { return e.Message }

func fail(number uint16, format string, args ...any) error {
	return &Error{Number: number, Message: fmt.Sprintf(format, args...)}
}

const (
	errNoDatabase   = 1049
	errNoneSelected = 1046
	errNoSuchTable  = 1146
	errWrongObject  = 1347
	errNotSupported = 1235
	errSyntax       = 1064
)

// answer is a result on its way: LIKE matches column like of its rows.
type answer struct {
	columns []string
	rows    [][]any
	like    int
	// likeName: the first column's name tells the pattern, as MySQL has it.
	likeName bool
}

func (a *answer) add(values ...any) { a.rows = append(a.rows, values) }

// Answer answers a SHOW statement, but for its WHERE: that is a condition like
// any other, which the planner and the combine apply to the rows. Values are nil,
// int64 or string. An error is an *[Error].
func Answer(show *sqlast.Show, in Input) (columns []string, rows [][]any, err error) {
	maker, ok := answers[show.What]
	if !ok {
		return nil, nil, fail(errNotSupported, "SHOW %s isn't supported", show.What)
	}
	a, err := maker(&request{Input: in, show: show})
	if err != nil {
		return nil, nil, err
	}
	if show.HasLike {
		a.rows = slices.DeleteFunc(a.rows, func(r []any) bool {
			return !Like(text(r[a.like]), show.Like)
		})
		if a.likeName {
			a.columns[0] += " (" + show.Like + ")"
		}
	}
	return a.columns, a.rows, nil
}

// Describe answers DESCRIBE t [column]; column may be a LIKE pattern.
func Describe(table *sqlast.TableRef, column string, in Input) (columns []string, rows [][]any, err error) {
	return Answer(&sqlast.Show{What: "COLUMNS", Table: table, Like: column, HasLike: column != ""}, in)
}

// request is one question.
type request struct {
	Input
	show *sqlast.Show
	// only are values that rows of the catalog are asked for with; see
	// CatalogRows.
	only map[string]string
	// numbered: the next values of AUTO_INCREMENT are asked for.
	numbered bool
	failed   error // what kept an answer from being whole
}

type maker = func(*request) (*answer, error)

// answers is filled in by init, because the makers refer to it.
var answers map[string]maker

func init() {
	answers = map[string]maker{
		"TABLES":                    (*request).tables,
		"FULL TABLES":               (*request).tables,
		"EXTENDED TABLES":           (*request).tables,
		"TABLE STATUS":              (*request).tableStatus,
		"COLUMNS":                   (*request).columns,
		"FULL COLUMNS":              (*request).columns,
		"EXTENDED COLUMNS":          (*request).columns,
		"INDEX":                     (*request).index,
		"EXTENDED INDEX":            (*request).index,
		"CREATE TABLE":              (*request).createTable,
		"CREATE VIEW":               (*request).createView,
		"CREATE DATABASE":           (*request).createDatabase,
		"DATABASES":                 (*request).databases,
		"KEYSPACES":                 (*request).databases,
		"VITESS_KEYSPACES":          (*request).databases,
		"VITESS_SHARDS":             (*request).shards,
		"VITESS_TABLETS":            (*request).tablets,
		"VITESS_STATUS":             (*request).ownStatus,
		"VITESS_STATEMENTS":         (*request).statements,
		"VITESS_SLOW_STATEMENTS":    (*request).slow,
		"VITESS_SHARD_STATS":        (*request).shardStats,
		"VSCHEMA":                   (*request).vschemaJSON,
		"VSCHEMA TABLES":            (*request).vschemaTables,
		"VSCHEMA VINDEXES":          (*request).vschemaVindexes,
		"VSCHEMA KEYSPACES":         (*request).vschemaKeyspaces,
		"VARIABLES":                 (*request).variables,
		"UNRESOLVED TRANSACTIONS":   (*request).unresolved,
		"TRANSACTION STATUS":        (*request).transactionStatus,
		"WARNINGS":                  (*request).warnings,
		"ERRORS":                    (*request).errors,
		"COUNT WARNINGS":            (*request).countWarnings,
		"COUNT ERRORS":              (*request).countErrors,
		"ENGINES":                   fixed(engines),
		"COLLATION":                 fixed(collations),
		"CHARACTER SET":             fixed(charsets),
		"STATUS":                    (*request).status,
		"PROCESSLIST":               (*request).processlist,
		"FULL PROCESSLIST":          (*request).processlist,
		"GRANTS":                    (*request).grants,
		"PLUGINS":                   none("Name", "Status", "Type", "Library", "License"),
		"TRIGGERS":                  none("Trigger", "Event", "Table", "Statement", "Timing", "Created", "sql_mode", "Definer", "character_set_client", "collation_connection", "Database Collation"),
		"EVENTS":                    none("Db", "Name", "Definer", "Time zone", "Type", "Execute at", "Interval value", "Interval field", "Starts", "Ends", "Status", "Originator", "character_set_client", "collation_connection", "Database Collation"),
		"PROCEDURE STATUS":          none("Db", "Name", "Type", "Definer", "Modified", "Created", "Security_type", "Comment", "character_set_client", "collation_connection", "Database Collation"),
		"FUNCTION STATUS":           none("Db", "Name", "Type", "Definer", "Modified", "Created", "Security_type", "Comment", "character_set_client", "collation_connection", "Database Collation"),
		"OPEN TABLES":               none("Database", "Table", "In_use", "Name_locked"),
		"MASTER STATUS":             none("File", "Position", "Binlog_Do_DB", "Binlog_Ignore_DB", "Executed_Gtid_Set"),
		"BINARY LOG STATUS":         none("File", "Position", "Binlog_Do_DB", "Binlog_Ignore_DB", "Executed_Gtid_Set"),
		"PRIVILEGES":                none("Privilege", "Context", "Comment"),
		"SLAVE STATUS":              none("Slave_IO_State"),
		"REPLICA STATUS":            none("Replica_IO_State"),
		"VITESS_REPLICATION_STATUS": none("Keyspace", "Shard", "TabletType", "Alias", "Hostname", "ReplicationSource", "ReplicationHealth", "ReplicationLag", "ThrottlerStatus"),
	}
}

// none answers with no rows: there is no such thing here.
func none(columns ...string) maker {
	return func(*request) (*answer, error) { return &answer{columns: slices.Clone(columns)}, nil }
}

// fixed answers with what never changes.
func fixed(a answer) maker {
	return func(*request) (*answer, error) {
		return &answer{columns: slices.Clone(a.columns), rows: slices.Clone(a.rows)}, nil
	}
}

// keyspace is the one that the statement names, or the session's.
func (r *request) keyspace() (string, error) {
	ks := r.show.Schema
	if r.show.Table != nil && r.show.Table.Schema != "" {
		ks = r.show.Table.Schema
	}
	if ks == "" {
		ks = r.Keyspace
	}
	switch {
	case strings.EqualFold(ks, catalogName):
		return catalogName, nil
	case ks == "":
		return "", fail(errNoneSelected, "no keyspace selected; choose one by USE")
	case r.VSchema.Keyspace(ks) == nil && !slices.ContainsFunc(r.Shards, func(s Shard) bool { return s.Keyspace == ks }):
		return "", fail(errNoDatabase, "unknown keyspace %q", ks)
	}
	return ks, nil
}

func text(v any) string {
	if v == nil {
		return ""
	}
	return fmt.Sprint(v)
}

// names of all keyspaces, in order.
func (r *request) keyspaces() []string {
	var names []string
	if r.VSchema != nil {
		for name := range r.VSchema.Keyspaces {
			names = append(names, name)
		}
	}
	for _, s := range r.Shards {
		names = append(names, s.Keyspace)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func yesNo(b bool) string {
	if b {
		return "YES"
	}
	return "NO"
}

func emptyToNil(s string) any {
	if strings.TrimSpace(s) == "" {
		return nil
	}
	return s
}
